package tailrace.http;

import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.ext.web.RoutingContext;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.live.LiveHub;
import tailrace.live.LiveStreams;
import tailrace.live.Outlet;
import tailrace.live.Subscription;
import tailrace.model.ExecutionState;
import tailrace.query.EntryStore;
import tailrace.query.Executions;
import tailrace.query.TailStart;

/**
 * {@code GET …/executions/{id}/logs/stream} and {@code …/logs/ws}: history, then live, over SSE or a WebSocket (SPEC 7).
 * One of each for each event loop.
 */
public final class StreamHandler implements Handler<RoutingContext> {
    private static final Logger LOG = LoggerFactory.getLogger(StreamHandler.class);
    private static final Pattern DIGITS = Pattern.compile("[0-9]+");
    private static final int MAX_DIGITS = 18;

    private final Executions executions;
    private final EntryStore store;
    private final LiveHub hub;
    private final LiveStreams streams;
    private final boolean socket;

    private StreamHandler(Executions executions, EntryStore store, LiveHub hub, LiveStreams streams, boolean socket) {
        this.streams = streams;
        this.executions = executions;
        this.store = store;
        this.hub = hub;
        this.socket = socket;
    }

    public static StreamHandler sse(Executions executions, EntryStore store, LiveHub hub, LiveStreams streams) {
        return new StreamHandler(executions, store, hub, streams, false);
    }

    public static StreamHandler webSocket(Executions executions, EntryStore store, LiveHub hub, LiveStreams streams) {
        return new StreamHandler(executions, store, hub, streams, true);
    }

    /** What the request says, checked. */
    private record Request(StreamRequest common, String executionId, OptionalLong lastEventId) {
        long startSeq(ExecutionState state) {
            return StreamRequest.startSeq(lastEventId.orElse(0), state.lastSeq(), common.afterSeq());
        }
    }

    @Override
    public void handle(RoutingContext ctx) {
        Request request = parse(ctx);
        if (held(ctx)) {
            ctx.request().pause();
        }
        LiveStreams.Place own = request.common.place(streams).orElse(null);
        if (own == null) {
            fail(ctx, StreamRequest.tooMany(streams));
            return;
        }
        Outlet outlet = socket ? hub.webSocket(ctx.request()) : hub.sse(ctx.request());
        Optional<Subscription> place = hub.register(request.executionId, outlet, own);
        if (place.isEmpty()) {
            fail(ctx, StreamRequest.noPlace());
            return;
        }
        Subscription subscription = place.get();
        ctx.addEndHandler(ended -> {
            if (ended.failed() || !socket) { // a handshake ends the response, and not the stream
                subscription.leave();
            }
        });
        executions
                .find(request.common.principal(), request.executionId)
                .compose(found -> open(ctx, request, subscription, outlet, found))
                .onFailure(failure -> {
                    subscription.leave();
                    if (ctx.response().closed()) {
                        return; // nobody is left to be told
                    }
                    if (ctx.response().headWritten()) {
                        LOG.error("A stream of {} could not begin", request.executionId, failure);
                        outlet.cut();
                    } else {
                        fail(ctx, Reading.problem(failure));
                    }
                });
    }

    /** Whether the request must not end for now: one that has ended becomes no WebSocket any more. */
    private boolean held(RoutingContext ctx) {
        return socket && WebSocketUpgrade.asked(ctx.request());
    }

    private void fail(RoutingContext ctx, Throwable problem) {
        if (held(ctx) && !ctx.request().isEnded()) {
            ctx.request().resume();
        }
        ctx.fail(problem);
    }

    private static Request parse(RoutingContext ctx) {
        StreamRequest common = StreamRequest.parse(ctx, ReadParameters.stream(ctx.queryParams()));
        OptionalLong lastEventId = common.lastEventId().isEmpty()
                ? OptionalLong.empty()
                : eventId(common.lastEventId().get());
        return new Request(common, Reading.executionId(ctx), lastEventId);
    }

    private static OptionalLong eventId(StreamRequest.LastEventId id) {
        String digits = id.text();
        if (!DIGITS.matcher(digits).matches()) {
            throw Problem.parameter(id.source(), "must be the number that the last event carried as its id");
        }
        return OptionalLong.of(digits.length() > MAX_DIGITS ? Long.MAX_VALUE : Long.parseLong(digits));
    }

    private Future<Void> open(
            RoutingContext ctx,
            Request request,
            Subscription subscription,
            Outlet outlet,
            Optional<ExecutionState> found) {
        StreamRequest common = request.common;
        if (subscription.closed()) {
            return Future.succeededFuture();
        }
        if (found.isEmpty() && common.waitSeconds() == 0) {
            return Future.failedFuture(Problem.noExecution(request.executionId));
        }
        if (socket) {
            WebSocketUpgrade.require(ctx.request());
        }
        if (found.isEmpty()) {
            return outlet.open().map(opened -> {
                subscription.await(
                        common.options(),
                        common.waitSeconds(),
                        state -> executions.mayRead(common.principal(), state),
                        (waited, state) -> waited.start(common.options(), state, request.startSeq(state)));
                return null;
            });
        }
        ExecutionState state = found.get();
        if (!socket && nothingLeft(request, state)) {
            subscription.leave();
            return ctx.response().setStatusCode(204).end(); // which stops an EventSource from coming back
        }
        boolean tail = common.tail().isPresent() && request.lastEventId.isEmpty();
        Future<Long> after = tail
                ? TailStart.find(
                        store.as(common.principal()),
                        state,
                        (int) common.tail().getAsLong(),
                        common.options().filter())
                : Future.succeededFuture(request.startSeq(state));
        return after.compose(seq -> outlet.open().map(opened -> {
            subscription.start(common.options(), state, Math.max(seq, common.afterSeq()));
            return null;
        }));
    }

    /** Whether this is a reader who came back to an execution that is over and has nothing for them. */
    private boolean nothingLeft(Request request, ExecutionState state) {
        return request.lastEventId.isPresent()
                && request.lastEventId.getAsLong() == state.lastSeq()
                && state.status().finished()
                && hub.millisToComplete(state) <= 0;
    }
}
