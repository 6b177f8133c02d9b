package tailrace.http;

import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import tailrace.diff.RunDiff;
import tailrace.diff.RunReader;
import tailrace.model.ExecutionState;
import tailrace.model.StorableText;
import tailrace.query.EntryStore;
import tailrace.query.Executions;
import tailrace.query.History;
import tailrace.security.Principal;

/**
 * {@code GET …/executions/{id}/logs/diff?against=other}: what a run did otherwise than another run of the same workflow.
 * The caller has to be one who may read both.
 */
public final class DiffHandler implements Handler<RoutingContext> {
    private static final String AGAINST = "against";
    private static final Set<String> PARAMETERS = Set.of(AGAINST);

    private final Vertx vertx;
    private final Executions executions;
    private final EntryStore store;
    private final LongReads longReads;

    public DiffHandler(Vertx vertx, Executions executions, EntryStore store, LongReads longReads) {
        this.vertx = vertx;
        this.executions = executions;
        this.store = store;
        this.longReads = longReads;
    }

    @Override
    public void handle(RoutingContext ctx) {
        Principal principal = Reading.principal(ctx);
        String id = Reading.executionId(ctx);
        String against = StorableText.of(ReadParameters.only(ctx.queryParams(), PARAMETERS)
                .text(AGAINST)
                .filter(text -> !text.isEmpty())
                .orElseThrow(
                        () -> Problem.parameter(AGAINST, "give the id of another execution of the same workflow")));
        find(principal, id)
                .compose(here -> find(principal, against).compose(there -> {
                    requireSameWorkflow(here, there);
                    return compare(ctx, principal, here, there);
                }))
                .compose(answer -> ctx.response()
                        .putHeader(HttpHeaders.CONTENT_TYPE, "application/json")
                        .end(answer))
                .onFailure(failure -> PieceSender.fail(ctx, failure));
    }

    private Future<ExecutionState> find(Principal principal, String id) {
        return executions.find(principal, id).compose(found -> found.map(Future::succeededFuture)
                .orElseGet(() -> Future.failedFuture(Problem.noExecution(id))));
    }

    private static void requireSameWorkflow(ExecutionState here, ExecutionState there) {
        String workflow = here.workflowId();
        if (workflow == null) {
            throw Problem.parameter(
                    AGAINST, here.executionId() + " names no workflow_id, so it cannot be compared with another run");
        }
        if (!workflow.equals(there.workflowId())) {
            throw Problem.parameter(
                    AGAINST,
                    there.executionId() + " is no run of the same workflow: it belongs to "
                            + (there.workflowId() == null ? "none" : there.workflowId()) + ", "
                            + here.executionId() + " to " + workflow);
        }
    }

    private Future<Buffer> compare(RoutingContext ctx, Principal principal, ExecutionState here, ExecutionState there) {
        LongReads.Place place = longReads.enter(principal);
        var gone = new AtomicBoolean();
        ctx.addEndHandler(ended -> gone.set(true));
        // Inside the future, so that whatever goes wrong gives the place back.
        return Future.succeededFuture(new RunReader(vertx, new History(store.as(principal)), gone::get))
                .compose(reader -> reader.read(here).compose(ours -> reader.read(there)
                        .compose(theirs -> vertx.executeBlocking(
                                () -> RunDiff.json(ours, theirs).toBuffer(), false))))
                .onComplete(ended -> place.close());
    }
}
