package tailrace.http;

import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;
import java.time.Clock;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.function.Supplier;
import tailrace.model.JsonWriter;
import tailrace.model.Timestamps;
import tailrace.postgres.SearchReader.Hit;
import tailrace.postgres.Workflows;
import tailrace.postgres.WriterStats;
import tailrace.query.LogSearch;
import tailrace.query.SearchPage;
import tailrace.query.SearchQuery;
import tailrace.security.Principal;

/**
 * {@code GET /v2/workflows/{id}/logs} and {@code GET /v2/logs/search}: entries across a workflow's executions, or across
 * all that the reader may read, newest receipt first, from PostgreSQL alone. What it does not hold is said in {@code
 * coverage}: entries of the last moments, technical ones, and days that one request could not look through.
 */
public final class SearchHandler {
    private final LogSearch search;
    private final Workflows workflows;
    private final Supplier<WriterStats> writer;
    private final boolean allKept;
    private final Clock clock;

    /** @param allKept whether PostgreSQL keeps technical entries, too */
    public SearchHandler(
            LogSearch search, Workflows workflows, Supplier<WriterStats> writer, boolean allKept, Clock clock) {
        this.search = search;
        this.workflows = workflows;
        this.writer = writer;
        this.allKept = allKept;
        this.clock = clock;
    }

    /** Across the executions of one workflow. */
    public void ofWorkflow(RoutingContext ctx) {
        answer(ctx, Optional.of(Reading.executionId(ctx))); // the parameter has the same name in every route
    }

    /** Across all executions. */
    public void ofAll(RoutingContext ctx) {
        answer(ctx, Optional.empty());
    }

    private void answer(RoutingContext ctx, Optional<String> workflowId) {
        Principal principal = Reading.principal(ctx);
        SearchQuery query = ReadParameters.search(ctx.queryParams()).searchQuery(workflowId);
        // Before the search: what is flushed while it runs may not be in it.
        OptionalDouble lagSeconds = lagSeconds();
        search.search(principal, query)
                .compose(page -> known(principal, query, page)
                        .compose(known -> known
                                ? ctx.response()
                                        .putHeader(HttpHeaders.CONTENT_TYPE, "application/json")
                                        .end(json(query, page, lagSeconds))
                                : Future.failedFuture(Problem.of(
                                        404,
                                        "workflow_not_found",
                                        "There is no workflow " + workflowId.orElse("") + " that you may read."))))
                .onFailure(failure -> {
                    if (!ctx.response().closed() && !ctx.response().ended()) {
                        ctx.fail(Reading.postgresProblem(failure));
                    }
                });
    }

    /** Of a workflow that has nothing to show, whether there is one for this reader. */
    private Future<Boolean> known(Principal principal, SearchQuery query, SearchPage page) {
        if (query.workflowId().isEmpty() || !page.hits().isEmpty()) {
            return Future.succeededFuture(true);
        }
        String id = query.workflowId().get();
        return search.ownsAnyOf(principal, id)
                .compose(owns -> owns
                        ? Future.succeededFuture(true)
                        : workflows.find(principal, id).map(Optional::isPresent));
    }

    /** How long the oldest entry that PostgreSQL has not got yet has been waiting. */
    private OptionalDouble lagSeconds() {
        return writer.get().lanes().stream()
                .filter(lane -> lane.lagPositions() > 0)
                .mapToDouble(WriterStats.LaneStats::lagSeconds)
                .max();
    }

    private Buffer json(SearchQuery query, SearchPage page, OptionalDouble lagSeconds) {
        var out = new JsonWriter();
        out.raw('{');
        query.workflowId()
                .ifPresent(id -> out.rawText("\"workflow_id\":").string(id).raw(','));
        out.rawText("\"logs\":[");
        boolean comma = false;
        for (Hit hit : page.hits()) {
            if (comma) {
                out.raw(',');
            }
            comma = true;
            LogJson.write(out, hit.executionId(), hit.entry(), query.filter().text());
        }
        // Counting would mean to look through everything.
        out.rawText("],\"total_count\":null,\"pagination\":{\"limit\":").number(query.limit());
        out.rawText(",\"has_more\":" + page.hasMore() + ",\"next_cursor\":");
        out.string(page.next().encode(query.workflowId())).raw('}');
        coverage(out, page, lagSeconds);
        return Buffer.buffer(out.raw('}').toByteArray());
    }

    private void coverage(JsonWriter out, SearchPage page, OptionalDouble lagSeconds) {
        OptionalLong searchedTo = page.searchedToMicros();
        boolean complete = lagSeconds.isEmpty() && allKept && searchedTo.isEmpty();
        out.rawText(",\"coverage\":{\"complete\":" + complete);
        if (complete) {
            out.raw('}');
            return;
        }
        String comma = "";
        out.rawText(",\"missing\":[");
        if (lagSeconds.isPresent()) {
            long since = Timestamps.micros(clock.instant()) - (long) (lagSeconds.getAsDouble() * 1e6);
            reason(out.rawText(comma), "not_flushed", "received_after", OptionalLong.of(since));
            comma = ",";
        }
        if (!allKept) {
            reason(out.rawText(comma), "technical_not_kept", "", OptionalLong.empty());
            comma = ",";
        }
        if (searchedTo.isPresent()) {
            reason(out.rawText(comma), "not_searched", "received_before", searchedTo);
        }
        out.rawText("]}");
    }

    private static void reason(JsonWriter out, String reason, String member, OptionalLong micros) {
        out.rawText("{\"reason\":\"" + reason + '"');
        if (micros.isPresent()) {
            out.rawText(",\"" + member + "\":\"");
            Timestamps.write(micros.getAsLong(), out);
            out.raw('"');
        }
        out.raw('}');
    }
}
