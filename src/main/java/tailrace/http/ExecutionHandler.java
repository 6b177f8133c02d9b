package tailrace.http;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;
import java.math.BigDecimal;
import java.time.Clock;
import org.jspecify.annotations.Nullable;
import tailrace.bus.Address;
import tailrace.bus.BusMessage;
import tailrace.model.EventType;
import tailrace.model.ExecutionState;
import tailrace.model.ExecutionStatus;
import tailrace.model.ExecutionUpdate;
import tailrace.model.Level;
import tailrace.model.Timestamps;
import tailrace.query.Executions;

/** {@code GET} and {@code PUT /v2/executions/{id}}: its state, and how a service registers or moves it (SPEC 3). */
public final class ExecutionHandler {
    private static final int MAX_ID_CHARS = 255;

    private final Vertx vertx;
    private final Executions executions;
    private final Clock clock;

    public ExecutionHandler(Vertx vertx, Executions executions, Clock clock) {
        this.vertx = vertx;
        this.executions = executions;
        this.clock = clock;
    }

    /** Answers the state, to readers. */
    public void get(RoutingContext ctx) {
        String id = Reading.executionId(ctx);
        executions
                .find(Reading.principal(ctx), id)
                .compose(found -> found.map(state -> answer(ctx, 200, state))
                        .orElseGet(() -> Future.failedFuture(Problem.noExecution(id))))
                .onFailure(failure -> ctx.fail(Reading.problem(failure)));
    }

    /** Registers or moves the execution; behind a route for services, which has read the body. */
    public void put(RoutingContext ctx) {
        var update = new BusMessage.Update(update(ctx));
        vertx.eventBus()
                .<BusMessage>request(Address.JOURNAL, update)
                .compose(reply -> reply.body() instanceof BusMessage.Updated updated
                        ? answer(ctx, updated.created() ? 201 : 200, updated.state())
                        : Future.failedFuture("not an answer to an update"))
                .onFailure(ctx::fail);
    }

    private ExecutionUpdate update(RoutingContext ctx) {
        String id = Reading.executionId(ctx);
        if (id.isEmpty() || id.length() > MAX_ID_CHARS) {
            throw JsonBody.invalid("execution_id", "must have 1 to " + MAX_ID_CHARS + " characters");
        }
        JsonBody body = JsonBody.of(ctx);
        ExecutionStatus status = null;
        Object name = body.value("status");
        if (name != null) {
            status = name instanceof String text ? ExecutionStatus.parse(text) : null;
            if (status == null) {
                throw JsonBody.invalid(
                        "status", "must be one of " + java.util.Arrays.toString(ExecutionStatus.values()));
            }
        }
        return new ExecutionUpdate(
                id,
                status,
                body.text("workflow_id", MAX_ID_CHARS),
                body.text("user_id", MAX_ID_CHARS),
                Timestamps.micros(clock.instant()));
    }

    private static Future<Void> answer(RoutingContext ctx, int statusCode, ExecutionState state) {
        return ctx.response()
                .setStatusCode(statusCode)
                .putHeader(HttpHeaders.CONTENT_TYPE, "application/json")
                .end(json(state).toBuffer());
    }

    static JsonObject json(ExecutionState state) {
        var levels = new JsonObject();
        for (Level level : Level.values()) {
            levels.put(level.wire(), state.levelCounts().get(level));
        }
        var types = new JsonObject();
        for (EventType type : EventType.values()) {
            types.put(type.wire(), state.eventCounts().get(type));
        }
        return new JsonObject()
                .put("execution_id", state.executionId())
                .put("workflow_id", state.workflowId())
                .put("user_id", state.userId())
                .put("status", state.status().name())
                .put("progress_percentage", progress(state))
                .put("total_logs", state.totalLogs())
                .put("last_seq", state.lastSeq())
                .put("error_count", state.errorCount())
                .put("warning_count", state.warningCount())
                .put("milestone_count", state.milestoneCount())
                .put("log_levels", levels)
                .put("event_types", types)
                .put("created_at", time(state.createdAtMicros()))
                .put("started_at", time(state.startedAtMicros()))
                .put("finished_at", time(state.finishedAtMicros()))
                .put("first_log_at", time(state.firstEntryAtMicros()))
                .put("last_log_at", time(state.lastEntryAtMicros()));
    }

    private static @Nullable BigDecimal progress(ExecutionState state) {
        return state.progressHundredths() < 0 ? null : BigDecimal.valueOf(state.progressHundredths(), 2);
    }

    private static @Nullable String time(long micros) {
        return micros == 0 ? null : Timestamps.format(micros);
    }
}
