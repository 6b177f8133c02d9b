package tailrace.http;

import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Promise;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.live.HardClose;
import tailrace.model.ExecutionState;
import tailrace.model.JsonWriter;
import tailrace.model.LogEntry;
import tailrace.model.TextQuery;
import tailrace.query.Coverage;
import tailrace.query.Executions;
import tailrace.query.History;
import tailrace.query.HistoryPage;
import tailrace.query.HistoryQuery;
import tailrace.security.Principal;

/**
 * {@code GET …/executions/{id}/logs}: a page of history (SPEC 6), written from the entries' own bytes. A page larger than
 * one piece is written piece by piece as the client takes it, so its size costs neither memory nor the event loop.
 */
public final class HistoryHandler implements Handler<RoutingContext> {
    private static final String APP_PREFIX = "/api/v1/app/executions/";
    private static final String V2_PREFIX = "/v2/executions/";
    /** A client that takes nothing for so long is closed, as a stuck stream is. */
    private static final long STUCK_MILLIS = 60_000;

    private static final Logger LOG = LoggerFactory.getLogger(HistoryHandler.class);

    private final Executions executions;
    private final History history;

    public HistoryHandler(Executions executions, History history) {
        this.executions = executions;
        this.history = history;
    }

    @Override
    public void handle(RoutingContext ctx) {
        Principal principal = Reading.principal(ctx);
        String id = Reading.executionId(ctx);
        ReadParameters parameters = ReadParameters.history(ctx.queryParams());
        Function<ExecutionState, Future<HistoryPage>> opening = parameters
                .around()
                .<Function<ExecutionState, Future<HistoryPage>>>map(around -> state -> history.open(state, around))
                .orElseGet(() -> {
                    HistoryQuery query = parameters.historyQuery(id);
                    return state -> history.open(state, query);
                });
        boolean around = ctx.queryParams().contains("around_seq");
        executions
                .find(principal, id)
                .compose(found -> found.map(opening).orElseGet(() -> Future.failedFuture(Problem.noExecution(id))))
                .compose(page -> write(ctx, page, around))
                .onFailure(failure -> fail(ctx, failure));
    }

    private static void fail(RoutingContext ctx, Throwable failure) {
        HttpServerResponse response = ctx.response();
        if (response.closed() || response.ended()) {
            return; // the client is gone
        }
        if (response.headWritten()) {
            // Half an answer must not look like a whole one.
            LOG.warn("A page of history broke off", failure);
            response.reset();
        } else {
            ctx.fail(Reading.problem(failure));
        }
    }

    private static Future<Void> write(RoutingContext ctx, HistoryPage page, boolean around) {
        HttpServerResponse response = ctx.response().putHeader(HttpHeaders.CONTENT_TYPE, "application/json");
        String prefix = ctx.request().path().startsWith(APP_PREFIX) ? APP_PREFIX : V2_PREFIX;
        var out = new JsonWriter();
        ExecutionState state = page.state();
        out.rawText("{\"execution_id\":").string(state.executionId());
        out.rawText(",\"status\":\"" + state.status() + "\",\"logs\":[");
        return writeLogs(ctx, out, page, true).compose(first -> {
            writeEnd(out, page, prefix, around);
            return response.end(buffer(out));
        });
    }

    private static Future<Boolean> writeLogs(RoutingContext ctx, JsonWriter out, HistoryPage page, boolean first) {
        HttpServerResponse response = ctx.response();
        return page.next().compose(entries -> {
            if (entries.isEmpty()) {
                return Future.succeededFuture(first);
            }
            append(out, entries, first, page.query().filter().text());
            if (page.wholly()) {
                return Future.succeededFuture(false);
            }
            if (!response.headWritten()) {
                response.setChunked(true);
            }
            response.write(buffer(out));
            out.reset();
            return drained(ctx).compose(ready -> writeLogs(ctx, out, page, false));
        });
    }

    private static Future<Void> drained(RoutingContext ctx) {
        HttpServerResponse response = ctx.response();
        if (response.closed()) {
            return Future.failedFuture("the client is gone");
        }
        if (!response.writeQueueFull()) {
            return Future.succeededFuture();
        }
        Promise<Void> drained = Promise.promise();
        response.drainHandler(ready -> drained.tryComplete());
        long patience = ctx.vertx().setTimer(STUCK_MILLIS, id -> {
            if (drained.tryFail("the client takes nothing")) {
                HardClose.close(ctx.request());
            }
        });
        return drained.future().onComplete(done -> ctx.vertx().cancelTimer(patience));
    }

    private static void append(JsonWriter out, List<LogEntry> entries, boolean first, @Nullable TextQuery text) {
        boolean comma = !first;
        for (LogEntry entry : entries) {
            if (comma) {
                out.raw(',');
            }
            comma = true;
            LogJson.write(out, null, entry, text);
        }
    }

    private static void writeEnd(JsonWriter out, HistoryPage page, String prefix, boolean around) {
        ExecutionState state = page.state();
        out.rawText("],\"total_count\":");
        page.total().ifPresentOrElse(out::number, () -> out.rawText("null"));
        HistoryQuery query = page.query();
        out.rawText(",\"pagination\":{\"limit\":").number(query.limit());
        out.rawText(",\"offset\":").number(query.offset());
        if (around) {
            out.rawText(",\"has_before\":" + page.hasBefore());
        }
        out.rawText(",\"has_more\":" + page.hasMore() + ",\"next_cursor\":");
        out.string(page.nextCursor().encode(state.executionId()));
        out.rawText("},\"last_seq\":").number(state.lastSeq());
        if (!state.status().finished()) {
            String id = URLEncoder.encode(state.executionId(), StandardCharsets.UTF_8)
                    .replace("+", "%20");
            out.rawText(",\"stream_url\":").string(prefix + id + "/logs/stream?last_event_id=" + page.streamFromSeq());
        }
        writeCoverage(out.rawText(",\"coverage\":"), page.coverage());
        out.raw('}');
    }

    private static void writeCoverage(JsonWriter out, Coverage coverage) {
        if (coverage.complete()) {
            out.rawText("{\"complete\":true}");
            return;
        }
        out.rawText("{\"complete\":false,\"missing\":[");
        boolean comma = false;
        for (Coverage.Gap gap : coverage.missing()) {
            out.rawText(comma ? ",{" : "{");
            out.rawText("\"from_seq\":").number(gap.fromSeq()).rawText(",\"to_seq\":");
            out.number(gap.toSeq()).rawText(",\"reason\":\"" + gap.reason().wire() + "\"}");
            comma = true;
        }
        out.rawText("]}");
    }

    private static Buffer buffer(JsonWriter out) {
        return Buffer.buffer(out.toByteArray());
    }
}
