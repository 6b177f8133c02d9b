package tailrace.http;

import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import tailrace.model.ExecutionState;
import tailrace.model.JsonWriter;
import tailrace.model.LogEntry;
import tailrace.model.TextQuery;
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
        History theirs = history.as(principal);
        Function<ExecutionState, Future<HistoryPage>> opening = parameters
                .around()
                .<Function<ExecutionState, Future<HistoryPage>>>map(around -> state -> theirs.open(state, around))
                .orElseGet(() -> {
                    HistoryQuery query = parameters.historyQuery(id);
                    return state -> theirs.open(state, query);
                });
        boolean around = ctx.queryParams().contains("around_seq");
        executions
                .find(principal, id)
                .compose(found -> found.map(opening).orElseGet(() -> Future.failedFuture(Problem.noExecution(id))))
                .compose(page -> write(ctx, page, around))
                .onFailure(failure -> PieceSender.fail(ctx, failure));
    }

    private static Future<Void> write(RoutingContext ctx, HistoryPage page, boolean around) {
        ctx.response().putHeader(HttpHeaders.CONTENT_TYPE, "application/json");
        String prefix = ctx.request().path().startsWith(APP_PREFIX) ? APP_PREFIX : V2_PREFIX;
        var out = new JsonWriter();
        ExecutionState state = page.state();
        out.rawText("{\"execution_id\":").string(state.executionId());
        out.rawText(",\"status\":\"" + state.status() + "\",\"logs\":[");
        boolean[] first = {true};
        return PieceSender.send(ctx, () -> page.next().map(entries -> {
            append(out, entries, first[0], page.query().filter().text());
            first[0] &= entries.isEmpty();
            boolean last = entries.isEmpty() || page.wholly();
            if (last) {
                writeEnd(out, page, prefix, around);
            }
            var piece = new PieceSender.Piece(Buffer.buffer(out.toByteArray()), last);
            out.reset();
            return piece;
        }));
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
        page.coverage().write(out.rawText(",\"coverage\":"));
        out.raw('}');
    }
}
