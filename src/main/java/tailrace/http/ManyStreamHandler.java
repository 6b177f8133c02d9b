package tailrace.http;

import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.ext.web.RoutingContext;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tailrace.live.LiveHub;
import tailrace.live.LiveStreams;
import tailrace.live.ManySubscription;
import tailrace.live.NamedMembers;
import tailrace.live.NamedToken;
import tailrace.live.NamedToken.Position;
import tailrace.live.WorkflowMembers;
import tailrace.live.WorkflowToken;
import tailrace.model.ExecutionState;
import tailrace.model.StorableText;
import tailrace.query.EntryStore;
import tailrace.query.Executions;
import tailrace.query.TailStart;

/**
 * {@code GET /v2/logs/stream}: many executions over one SSE connection, named one by one or by their workflow. One for
 * each event loop.
 */
public final class ManyStreamHandler implements Handler<RoutingContext> {
    private static final int MAX_EXECUTIONS = 100;
    private static final int MAX_ID_CHARS = 255;

    private final Executions executions;
    private final EntryStore store;
    private final LiveHub hub;
    private final LiveStreams streams;

    public ManyStreamHandler(Executions executions, EntryStore store, LiveHub hub, LiveStreams streams) {
        this.streams = streams;
        this.executions = executions;
        this.store = store;
        this.hub = hub;
    }

    @Override
    public void handle(RoutingContext ctx) {
        ReadParameters parameters = ReadParameters.streamOfMany(ctx.queryParams());
        StreamRequest request = StreamRequest.parse(ctx, parameters);
        List<String> ids = executionIds(parameters);
        Optional<String> workflowId = parameters.text("workflow_id").map(StorableText::of);
        if (ids.isEmpty() == workflowId.isEmpty()) {
            throw Problem.parameter(
                    ids.isEmpty() ? "execution_id" : "workflow_id",
                    "name the executions with execution_id, as often as there are any, or their workflow with"
                            + " workflow_id, and not both");
        }
        if (workflowId.isPresent()) {
            workflow(ctx, request, workflowId.get());
        } else {
            named(ctx, request, ids);
        }
    }

    private static List<String> executionIds(ReadParameters parameters) {
        Set<String> ids = new LinkedHashSet<>();
        for (String id : parameters.texts("execution_id")) {
            if (id.isEmpty() || id.length() > MAX_ID_CHARS) {
                throw Problem.parameter("execution_id", "must have 1 to " + MAX_ID_CHARS + " characters");
            }
            ids.add(StorableText.of(id));
        }
        if (ids.size() > MAX_EXECUTIONS) {
            throw Problem.parameter(
                    "execution_id",
                    "may be given " + MAX_EXECUTIONS
                            + " times at most; open a second stream, or ask for a workflow_id");
        }
        return List.copyOf(ids);
    }

    /** A place for the stream, which it gives back when the connection ends; if there is none, that has been answered. */
    private Optional<ManySubscription> place(RoutingContext ctx, StreamRequest request) {
        Optional<LiveStreams.Place> own = request.place(streams);
        if (own.isEmpty()) {
            ctx.fail(StreamRequest.tooMany(streams));
            return Optional.empty();
        }
        Optional<ManySubscription> place = hub.registerMany(hub.sseOfMany(ctx.request()), own.get());
        place.ifPresentOrElse(
                subscription -> ctx.addEndHandler(ended -> subscription.leave()),
                () -> ctx.fail(StreamRequest.noPlace()));
        return place;
    }

    private static void onFailure(RoutingContext ctx, ManySubscription subscription, Throwable failure) {
        subscription.leave();
        if (!ctx.response().headWritten() && !ctx.response().closed()) {
            ctx.fail(Reading.problem(failure));
        }
    }

    private void named(RoutingContext ctx, StreamRequest request, List<String> ids) {
        var token = new NamedToken(ids);
        Map<String, Position> resumed = request.lastEventId()
                .map(id -> token.parse(id.text())
                        .orElseThrow(() -> Problem.parameter(
                                id.source(),
                                "must be the id that the last event of a stream of the same executions carried")))
                .orElse(Map.of());
        Optional<ManySubscription> place = place(ctx, request);
        if (place.isEmpty()) {
            return;
        }
        ManySubscription subscription = place.get();
        NamedMembers members = NamedMembers.register(hub, subscription, ids, token);
        List<Future<Optional<ExecutionState>>> found = new ArrayList<>();
        ids.forEach(id -> found.add(executions.find(request.principal(), id)));
        Future.all(found)
                .compose(all -> {
                    List<Optional<ExecutionState>> states = all.list();
                    return startNamed(ctx, request, ids, states, resumed, subscription, members);
                })
                .onFailure(failure -> onFailure(ctx, subscription, failure));
    }

    private Future<Void> startNamed(
            RoutingContext ctx,
            StreamRequest request,
            List<String> ids,
            List<Optional<ExecutionState>> states,
            Map<String, Position> resumed,
            ManySubscription subscription,
            NamedMembers members) {
        if (subscription.closed()) {
            return Future.succeededFuture();
        }
        if (request.waitSeconds() == 0 && states.stream().allMatch(Optional::isEmpty)) {
            return Future.failedFuture(
                    Problem.of(404, "execution_not_found", "There is none of these executions that you may read."));
        }
        if (states.stream().allMatch(state -> state.isPresent() && nothingLeft(state.get(), resumed))) {
            subscription.leave();
            return ctx.response().setStatusCode(204).end(); // which stops an EventSource from coming back
        }
        List<Future<NamedMembers.Start>> starts = new ArrayList<>();
        for (int i = 0; i < ids.size(); i++) {
            String id = ids.get(i);
            Optional<ExecutionState> state = states.get(i);
            Future<Position> from = state.isPresent() && !resumed.containsKey(id)
                    ? firstSeq(request, state.get()).map(seq -> new Position(seq, false))
                    : Future.succeededFuture(state.map(known -> resumedAt(request, known, resumed))
                            .orElse(resumed.getOrDefault(id, new Position(0, false))));
            starts.add(from.map(position -> new NamedMembers.Start(id, state, position)));
        }
        return Future.all(starts).map(all -> {
            members.start(
                    request.options(),
                    all.list(),
                    request.waitSeconds(),
                    state -> executions.mayRead(request.principal(), state),
                    state -> resumedAt(request, state, resumed));
            return null;
        });
    }

    private boolean nothingLeft(ExecutionState state, Map<String, Position> resumed) {
        Position last = resumed.get(state.executionId());
        return last != null
                && last.told()
                && last.seq() == state.lastSeq()
                && state.status().finished()
                && hub.millisToComplete(state) <= 0;
    }

    private static Position resumedAt(StreamRequest request, ExecutionState state, Map<String, Position> resumed) {
        Position last = resumed.getOrDefault(state.executionId(), new Position(0, false));
        long seq = StreamRequest.startSeq(last.seq(), state.lastSeq(), request.afterSeq());
        return new Position(seq, last.told() && seq == last.seq());
    }

    /** Where one begins that the reader does not know yet. */
    private Future<Long> firstSeq(StreamRequest request, ExecutionState state) {
        Future<Long> after = request.tail().isPresent()
                ? TailStart.find(
                        store.as(request.principal()),
                        state,
                        (int) request.tail().getAsLong(),
                        request.options().filter())
                : Future.succeededFuture(0L);
        return after.map(seq -> Math.max(seq, request.afterSeq()));
    }

    private void workflow(RoutingContext ctx, StreamRequest request, String workflowId) {
        if (workflowId.isEmpty() || workflowId.length() > MAX_ID_CHARS) {
            throw Problem.parameter("workflow_id", "must have 1 to " + MAX_ID_CHARS + " characters");
        }
        if (request.waitSeconds() > 0) {
            throw Problem.parameter("wait", "says nothing with workflow_id: the stream waits for executions anyway");
        }
        Optional<WorkflowToken> resumed = request.lastEventId().map(id -> WorkflowToken.parse(id.text(), workflowId)
                .orElseThrow(() -> Problem.parameter(
                        id.source(), "must be the id that the last event of this workflow's stream carried")));
        Optional<ManySubscription> place = place(ctx, request);
        if (place.isEmpty()) {
            return;
        }
        ManySubscription subscription = place.get();
        var asked = new WorkflowMembers.Request(
                workflowId,
                request.options(),
                resumed,
                state -> executions.mayRead(request.principal(), state),
                state -> firstSeq(request, state),
                request.afterSeq());
        WorkflowMembers.register(hub, subscription, asked)
                .onSuccess(WorkflowMembers::start)
                .onFailure(failure -> onFailure(ctx, subscription, failure));
    }
}
