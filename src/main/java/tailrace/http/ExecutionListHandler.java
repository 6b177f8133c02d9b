package tailrace.http;

import io.vertx.core.Handler;
import io.vertx.core.MultiMap;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import tailrace.journal.Journal;
import tailrace.model.ExecutionState;
import tailrace.model.ExecutionStatus;
import tailrace.security.Principal;

/**
 * {@code GET /v2/executions}: what changed last comes first, with counts. Answers from the hot tier: executions that it
 * has forgotten are read one by one.
 */
public final class ExecutionListHandler implements Handler<RoutingContext> {
    private static final int DEFAULT_LIMIT = 50;
    private static final int MAX_LIMIT = 500;
    private static final Set<String> PARAMETERS = Set.of("limit", "workflow_id", "status", AuthHandler.PARAMETER);

    private final Vertx vertx;
    private final Journal journal;

    public ExecutionListHandler(Vertx vertx, Journal journal) {
        this.vertx = vertx;
        this.journal = journal;
    }

    @Override
    public void handle(RoutingContext ctx) {
        MultiMap query = ctx.queryParams();
        for (String name : query.names()) {
            if (!PARAMETERS.contains(name)) {
                throw Problem.parameter(name, "is not a parameter of this list; use limit, workflow_id or status.");
            }
        }
        int limit = limit(query.get("limit"));
        Predicate<ExecutionState> wanted = wanted(query, AuthHandler.principal(ctx));
        vertx.executeBlocking(() -> journal.recentExecutions(limit, wanted), false)
                .onSuccess(found -> ctx.response()
                        .putHeader(HttpHeaders.CONTENT_TYPE, "application/json")
                        .end(json(found).toBuffer()))
                .onFailure(failure -> ctx.fail(Reading.problem(failure)));
    }

    private static int limit(@Nullable String text) {
        if (text == null) {
            return DEFAULT_LIMIT;
        }
        try {
            int limit = Integer.parseInt(text);
            if (limit >= 1 && limit <= MAX_LIMIT) {
                return limit;
            }
        } catch (NumberFormatException e) {
            // told below, with what is right
        }
        throw Problem.parameter("limit", "must be a whole number from 1 to " + MAX_LIMIT + ".");
    }

    private static Predicate<ExecutionState> wanted(MultiMap query, Principal principal) {
        String workflowId = query.get("workflow_id");
        String status = query.get("status");
        ExecutionStatus wantedStatus = status == null ? null : ExecutionStatus.parse(status);
        if (status != null && wantedStatus == null) {
            throw Problem.parameter("status", "must be one of " + List.of(ExecutionStatus.values()) + ".");
        }
        return state -> (principal.service() || principal.subject().equals(state.userId()))
                && (workflowId == null || Objects.equals(workflowId, state.workflowId()))
                && (wantedStatus == null || wantedStatus == state.status());
    }

    private static JsonObject json(List<ExecutionState> found) {
        var executions = new JsonArray();
        found.forEach(state -> executions.add(ExecutionHandler.json(state)));
        return new JsonObject().put("executions", executions);
    }
}
