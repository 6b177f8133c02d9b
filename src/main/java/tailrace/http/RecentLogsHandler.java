package tailrace.http;

import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tailrace.journal.ExecutionIndex.Place;
import tailrace.model.ExecutionState;
import tailrace.model.ExecutionStatus;
import tailrace.model.JsonWriter;
import tailrace.model.LogEntry;
import tailrace.model.LogFilter;
import tailrace.model.Timestamps;
import tailrace.query.EntryStore;
import tailrace.query.ExecutionList;
import tailrace.query.History;
import tailrace.query.HistoryQuery;
import tailrace.query.ListPage;
import tailrace.query.ListQuery;
import tailrace.query.SummaryReads;
import tailrace.security.Principal;
import tailrace.summary.Summary;

/**
 * {@code GET …/executions/recent_logs}: the newest execution of a workflow that the reader may see, its last entries in
 * their order, and on request the executions before it, as older clients know them (SPEC 14).
 */
public final class RecentLogsHandler implements Handler<RoutingContext> {
    /** Executions before the newest that are told of. */
    private static final int OTHERS = 50;
    /** Bytes of a read, about. */
    private static final long PIECE_BYTES = 1L << 20;

    private static final Set<String> PARAMETERS = Set.of("workflow_id", "limit", "include_all_executions");

    private final ExecutionList list;
    private final SummaryReads summaries;
    private final EntryStore store;

    public RecentLogsHandler(ExecutionList list, SummaryReads summaries, EntryStore store) {
        this.list = list;
        this.summaries = summaries;
        this.store = store;
    }

    /** @param total with {@code include_all_executions} alone; empty while nobody can tell */
    private record Found(
            @Nullable String workflowId,
            boolean all,
            ListPage page,
            Optional<Long> total,
            List<LogEntry> logs,
            List<@Nullable String> errors) {}

    @Override
    public void handle(RoutingContext ctx) {
        ReadParameters parameters = ReadParameters.only(ctx.queryParams(), PARAMETERS);
        String workflowId = parameters.text("workflow_id").orElse(null);
        int limit = (int) parameters.number("limit", 1, HistoryQuery.MAX_LIMIT).orElse(HistoryQuery.DEFAULT_LIMIT);
        boolean all = parameters.flag("include_all_executions").orElse(false);
        find(Reading.principal(ctx), workflowId, limit, all)
                .onSuccess(found -> ctx.response()
                        .putHeader(HttpHeaders.CONTENT_TYPE, "application/json")
                        .end(json(found)))
                .onFailure(failure -> ctx.fail(Reading.problem(failure)));
    }

    private Future<Found> find(Principal principal, @Nullable String workflowId, int limit, boolean all) {
        return list.page(principal, new ListQuery(workflowId, null, 0, all ? OTHERS + 1 : 1, Place.START))
                .compose(page -> {
                    if (page.states().isEmpty()) {
                        return Future.succeededFuture(
                                new Found(workflowId, all, page, Optional.of(0L), List.of(), List.of()));
                    }
                    ExecutionState latest = page.states().get(0);
                    String of = workflowId == null ? latest.workflowId() : workflowId;
                    Future<Optional<Long>> total = !all || of == null || workflowId == null
                            ? Future.succeededFuture(
                                    page.next() == null && !page.coldAway()
                                            ? Optional.of((long) page.states().size())
                                            : Optional.empty())
                            : list.count(principal, of);
                    return total.compose(count -> errors(principal, page.states())
                            .compose(errors -> last(store.as(principal), latest, latest.lastSeq(), limit, List.of())
                                    .map(logs -> new Found(of, all, page, count, logs, errors))));
                });
    }

    /** Why the failed ones failed, in the order of the executions. */
    private Future<List<@Nullable String>> errors(Principal principal, List<ExecutionState> states) {
        List<Future<@Nullable String>> each = states.stream()
                .map(state -> state.status() == ExecutionStatus.FAILED
                        ? summaries.of(principal, state).map(RecentLogsHandler::error)
                        : Future.<@Nullable String>succeededFuture(null))
                .toList();
        return Future.join(each).map(done -> {
            List<@Nullable String> found = new ArrayList<>();
            each.forEach(one -> found.add(one.result()));
            return found;
        });
    }

    private static @Nullable String error(Summary summary) {
        Summary.LastError last = summary.lastError();
        return last == null ? null : last.message();
    }

    /** The last entries, ascending. */
    private static Future<List<LogEntry>> last(
            EntryStore store, ExecutionState state, long to, int limit, List<LogEntry> later) {
        int left = limit - later.size();
        if (to < 1 || left <= 0) {
            return Future.succeededFuture(later);
        }
        return store.descending(state.executionId(), 1, to, left, PIECE_BYTES, LogFilter.ALL)
                .compose(piece -> {
                    if (piece.coldAway()) {
                        return later.isEmpty()
                                ? Future.failedFuture(new History.UnreadableException(
                                        "PostgreSQL, which has the entries, does not answer"))
                                : Future.succeededFuture(later);
                    }
                    var entries = new ArrayList<>(piece.entries());
                    Collections.reverse(entries);
                    entries.addAll(later);
                    return last(store, state, piece.scannedTo() - 1, limit, entries);
                });
    }

    private static Buffer json(Found found) {
        var out = new JsonWriter();
        List<ExecutionState> states = found.page().states();
        ExecutionState latest = states.isEmpty() ? null : states.get(0);
        JsonObject first =
                latest == null ? null : execution(latest, found.errors().get(0));
        var head = new JsonObject().put("workflow_id", found.workflowId()).put("latest_execution", first);
        String open = head.encode();
        out.rawText(open.substring(0, open.length() - 1)).rawText(",\"logs\":[");
        boolean comma = false;
        for (LogEntry entry : found.logs()) {
            out.rawText(comma ? ",{\"seq\":" : "{\"seq\":").number(entry.seq()).raw(',');
            out.raw(entry.encoded(), entry.tailOffset(), entry.tailLength());
            comma = true;
        }
        out.rawText("],");
        var tail = new JsonObject()
                .put(
                        "summary",
                        new JsonObject()
                                .put("total_logs", latest == null ? 0 : latest.totalLogs())
                                .put("error_count", latest == null ? 0 : latest.errorCount())
                                .put("warning_count", latest == null ? 0 : latest.warningCount())
                                .put("milestone_count", latest == null ? 0 : latest.milestoneCount()));
        if (found.all()) {
            var others = new JsonArray();
            for (int i = 1; i < states.size(); i++) {
                others.add(execution(states.get(i), found.errors().get(i)));
            }
            tail.put("other_executions", others)
                    .put("total_executions", found.total().orElse(null));
        }
        if (found.page().coldAway()) {
            tail.put("coverage", ExecutionListHandler.coverage(found.page()));
        }
        return Buffer.buffer(out.rawText(tail.encode().substring(1)).toByteArray());
    }

    private static JsonObject execution(ExecutionState state, @Nullable String error) {
        long start = state.startedAtMicros() > 0 ? state.startedAtMicros() : state.createdAtMicros();
        long end = state.finishedAtMicros();
        return new JsonObject()
                .put("execution_id", state.executionId())
                .put("status", state.status().name())
                .put("start_time", Timestamps.format(start))
                .put("end_time", end == 0 ? null : Timestamps.format(end))
                .put("duration", end == 0 ? null : Math.max(0, end - start) / 1e6)
                .put("error_message", error);
    }
}
