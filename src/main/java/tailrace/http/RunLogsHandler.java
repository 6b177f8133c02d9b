package tailrace.http;

import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import tailrace.model.EntryCodec;
import tailrace.model.EntryFields;
import tailrace.model.ExecutionState;
import tailrace.model.JsonWriter;
import tailrace.model.LogEntry;
import tailrace.model.LogFilter;
import tailrace.model.Timestamps;
import tailrace.query.Coverage;
import tailrace.query.EntryStore;
import tailrace.query.Executions;
import tailrace.query.History;
import tailrace.query.HistoryPage;
import tailrace.query.HistoryQuery;
import tailrace.query.TailStart;
import tailrace.security.Principal;

/**
 * {@code GET /admin/runs/{thread_id}/logs}: the latest entries in ascending order, in the shape that older clients know
 * (SPEC 14). The message is the one that was sent, the level is spelled as senders spell it. That shape has no place to
 * say what is missing, so while PostgreSQL is away an answer that needs it is 503.
 */
public final class RunLogsHandler implements Handler<RoutingContext> {
    private static final Set<String> PARAMETERS = Set.of("limit");

    private final Vertx vertx;
    private final Executions executions;
    private final EntryStore store;

    public RunLogsHandler(Vertx vertx, Executions executions, EntryStore store) {
        this.vertx = vertx;
        this.executions = executions;
        this.store = store;
    }

    @Override
    public void handle(RoutingContext ctx) {
        Principal principal = Reading.principal(ctx);
        String id = Reading.executionId(ctx);
        int limit = (int) ReadParameters.only(ctx.queryParams(), PARAMETERS)
                .number("limit", 1, HistoryQuery.MAX_LIMIT)
                .orElse(HistoryQuery.MAX_LIMIT);
        executions
                .find(principal, id)
                .compose(found -> found.map(state -> open(store.as(principal), state, limit))
                        .orElseGet(() -> Future.failedFuture(Problem.noExecution(id))))
                .compose(page -> send(ctx, page))
                .onFailure(failure -> PieceSender.fail(ctx, failure));
    }

    private static Future<HistoryPage> open(EntryStore store, ExecutionState state, int limit) {
        return TailStart.find(store, state, limit, LogFilter.ALL).compose(after -> new History(store)
                .open(
                        state,
                        new HistoryQuery(
                                LogFilter.ALL,
                                true,
                                limit,
                                0,
                                Optional.empty(),
                                Math.max(after, 0),
                                Long.MAX_VALUE,
                                false)));
    }

    private Future<Void> send(RoutingContext ctx, HistoryPage page) {
        requireAll(page);
        ctx.response().putHeader(HttpHeaders.CONTENT_TYPE, "application/json");
        var run = new Run(page.state().executionId());
        return PieceSender.send(ctx, () -> page.next().compose(entries -> {
            requireAll(page);
            boolean last = entries.isEmpty() || page.wholly();
            return vertx.executeBlocking(() -> run.piece(entries, last), false);
        }));
    }

    private static void requireAll(HistoryPage page) {
        if (page.coverage().missing().stream().anyMatch(gap -> gap.reason() == Coverage.Reason.POSTGRES_UNAVAILABLE)) {
            throw History.unreadable();
        }
    }

    /** The answer as it grows; used by one thread at a time. */
    private static final class Run {
        private final String threadId;
        private final JsonWriter out = new JsonWriter();
        private final EntryFields fields = new EntryFields();
        private long count;

        Run(String threadId) {
            this.threadId = threadId;
            out.rawText("{\"logs\":[");
        }

        PieceSender.Piece piece(List<LogEntry> entries, boolean last) {
            for (LogEntry entry : entries) {
                EntryCodec.decode(entry, fields);
                out.rawText(count++ == 0 ? "{\"id\":" : ",{\"id\":").number(entry.seq());
                out.rawText(",\"thread_id\":").string(threadId);
                out.rawText(",\"message\":").string(fields.message);
                out.rawText(",\"created_at\":\"");
                Timestamps.write(fields.timestampMicros, out);
                out.rawText("\",\"level\":\"" + fields.level.name() + "\"}");
            }
            if (last) {
                out.rawText("],\"count\":").number(count).raw('}');
            }
            var piece = new PieceSender.Piece(Buffer.buffer(out.toByteArray()), last);
            out.reset();
            return piece;
        }
    }
}
