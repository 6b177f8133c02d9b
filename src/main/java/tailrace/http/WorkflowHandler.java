package tailrace.http;

import io.vertx.core.Future;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;
import java.util.Set;
import tailrace.postgres.Workflow;
import tailrace.postgres.Workflows;
import tailrace.security.Principal;

/**
 * {@code GET} and {@code PUT /v2/workflows/{id}}: owner, name and tier, kept in PostgreSQL alone. A member that is left out
 * stays as it is, null clears it. A reader sees the workflows whose {@code user_id} is theirs.
 */
public final class WorkflowHandler {
    private static final int MAX_ID_CHARS = 255;
    private static final int MAX_NAME_CHARS = 1_000;
    static final int MAX_TIER_CHARS = 100;
    private static final Set<String> FIELDS = Set.of("name", "user_id", "tier");

    private final Workflows workflows;

    public WorkflowHandler(Workflows workflows) {
        this.workflows = workflows;
    }

    /** Answers the workflow, to whoever may see it. */
    public void get(RoutingContext ctx) {
        String id = id(ctx);
        Principal principal = AuthHandler.principal(ctx);
        workflows
                .find(id)
                .compose(found -> found.filter(workflow -> mayRead(principal, workflow))
                        .map(workflow -> answer(ctx, 200, workflow))
                        .orElseGet(() -> Future.failedFuture(Problem.of(
                                404, "workflow_not_found", "There is no workflow " + id + " that you may read."))))
                .onFailure(failure -> ctx.fail(Reading.postgresProblem(failure)));
    }

    static boolean mayRead(Principal principal, Workflow workflow) {
        return principal.service()
                || !principal.subject().isEmpty() && principal.subject().equals(workflow.userId());
    }

    /** Makes or changes the workflow; behind a route for services, which has read the body. */
    public void put(RoutingContext ctx) {
        String id = id(ctx);
        JsonBody body = JsonBody.of(ctx).only(FIELDS);
        workflows
                .put(
                        id,
                        change(body, "name", MAX_NAME_CHARS),
                        change(body, "user_id", MAX_ID_CHARS),
                        change(body, "tier", MAX_TIER_CHARS))
                .compose(put -> answer(ctx, put.created() ? 201 : 200, put.workflow()))
                .onFailure(failure -> ctx.fail(Reading.postgresProblem(failure)));
    }

    private static Workflows.Change change(JsonBody body, String field, int maxChars) {
        return new Workflows.Change(body.has(field), body.text(field, maxChars));
    }

    private static String id(RoutingContext ctx) {
        String id = Reading.executionId(ctx); // the parameter has the same name in every route
        if (id.isEmpty() || id.length() > MAX_ID_CHARS) {
            throw JsonBody.invalid("workflow_id", "must have 1 to " + MAX_ID_CHARS + " characters");
        }
        return id;
    }

    private static Future<Void> answer(RoutingContext ctx, int status, Workflow workflow) {
        return ctx.response()
                .setStatusCode(status)
                .putHeader(HttpHeaders.CONTENT_TYPE, "application/json")
                .end(workflow.json().toBuffer());
    }
}
