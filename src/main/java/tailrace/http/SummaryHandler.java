package tailrace.http;

import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;
import java.util.Set;
import tailrace.query.Executions;
import tailrace.query.SummaryReads;
import tailrace.security.Principal;

/** {@code GET …/executions/{id}/logs/summary}: what an execution's entries come to, technical ones too. */
public final class SummaryHandler implements Handler<RoutingContext> {
    private final Executions executions;
    private final SummaryReads summaries;

    public SummaryHandler(Executions executions, SummaryReads summaries) {
        this.executions = executions;
        this.summaries = summaries;
    }

    @Override
    public void handle(RoutingContext ctx) {
        Principal principal = Reading.principal(ctx);
        String id = Reading.executionId(ctx);
        ReadParameters.only(ctx.queryParams(), Set.of());
        executions
                .find(principal, id)
                .compose(found -> found.map(state ->
                                summaries.of(principal, state).map(summary -> SummaryJson.write(state, summary)))
                        .orElseGet(() -> Future.failedFuture(Problem.noExecution(id))))
                .onSuccess(json -> ctx.response()
                        .putHeader(HttpHeaders.CONTENT_TYPE, "application/json")
                        .end(Buffer.buffer(json)))
                .onFailure(failure -> ctx.fail(Reading.problem(failure)));
    }
}
