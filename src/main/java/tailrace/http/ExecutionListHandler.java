package tailrace.http;

import io.vertx.core.Handler;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import tailrace.journal.ExecutionIndex.Place;
import tailrace.model.ExecutionStatus;
import tailrace.query.ExecutionList;
import tailrace.query.ListCursor;
import tailrace.query.ListPage;
import tailrace.query.ListQuery;

/** {@code GET /v2/executions}: executions of both tiers, the newest first, with counts. */
public final class ExecutionListHandler implements Handler<RoutingContext> {
    private static final Set<String> PARAMETERS = Set.of("workflow_id", "status", "since", "limit", "cursor");

    private final ExecutionList list;

    public ExecutionListHandler(ExecutionList list) {
        this.list = list;
    }

    @Override
    public void handle(RoutingContext ctx) {
        ListQuery query = query(ReadParameters.only(ctx.queryParams(), PARAMETERS));
        list.page(Reading.principal(ctx), query)
                .onSuccess(page -> ctx.response()
                        .putHeader(HttpHeaders.CONTENT_TYPE, "application/json")
                        .end(json(page).toBuffer()))
                .onFailure(failure -> ctx.fail(Reading.problem(failure)));
    }

    private static ListQuery query(ReadParameters parameters) {
        Optional<ExecutionStatus> status = parameters.text("status").map(ExecutionListHandler::status);
        Optional<Place> cursor = parameters.text("cursor").map(text -> ListCursor.decode(text)
                .orElseThrow(() -> Problem.parameter("cursor", "is not one that this list's pages gave")));
        return new ListQuery(
                parameters.text("workflow_id").orElse(null),
                status.orElse(null),
                Math.max(0, parameters.time("since").orElse(0L)),
                (int) parameters.number("limit", 1, ListQuery.MAX_LIMIT).orElse(ListQuery.DEFAULT_LIMIT),
                cursor.orElse(Place.START));
    }

    private static ExecutionStatus status(String text) {
        ExecutionStatus status = ExecutionStatus.parse(text);
        if (status == null) {
            throw Problem.parameter("status", "must be one of " + List.of(ExecutionStatus.values()));
        }
        return status;
    }

    private static JsonObject json(ListPage page) {
        var executions = new JsonArray();
        page.states().forEach(state -> executions.add(ExecutionHandler.json(state)));
        Place next = page.next();
        return new JsonObject()
                .put("executions", executions)
                .put("has_more", next != null)
                .put("next_cursor", next == null ? null : ListCursor.encode(next))
                .put("coverage", coverage(page));
    }

    /** How far the list reaches: seqs, which SPEC's coverage speaks of, have no meaning across executions. */
    static JsonObject coverage(ListPage page) {
        return page.coldAway()
                ? new JsonObject()
                        .put("complete", false)
                        .put("missing", JsonArray.of(new JsonObject().put("reason", "postgres_unavailable")))
                : new JsonObject().put("complete", true);
    }
}
