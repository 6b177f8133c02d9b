package tailrace.http;

import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.ext.web.RoutingContext;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Pattern;
import tailrace.live.LiveHub;
import tailrace.live.LiveStreams;
import tailrace.live.StreamOptions;
import tailrace.live.Subscription;
import tailrace.model.ExecutionState;
import tailrace.query.EntryStore;
import tailrace.query.Executions;
import tailrace.query.TailStart;
import tailrace.security.Principal;

/** {@code GET …/executions/{id}/logs/stream}: history, then live, over SSE (SPEC 7). One for each event loop. */
public final class StreamHandler implements Handler<RoutingContext> {
    private static final int MAX_WAIT_SECONDS = 300;
    private static final int MAX_TAIL = 10_000;
    private static final int RETRY_AFTER_SECONDS = 5;
    private static final Pattern DIGITS = Pattern.compile("[0-9]+");
    private static final int MAX_DIGITS = 18;

    private final Executions executions;
    private final EntryStore store;
    private final LiveHub hub;
    private final LiveStreams streams;

    public StreamHandler(Executions executions, EntryStore store, LiveHub hub, LiveStreams streams) {
        this.streams = streams;
        this.executions = executions;
        this.store = store;
        this.hub = hub;
    }

    /** What the request says, checked. */
    private record Request(
            Principal principal,
            String executionId,
            StreamOptions options,
            OptionalLong lastEventId,
            OptionalLong tail,
            long afterSeq,
            long waitSeconds) {

        /**
         * Where a stream begins if no tail was asked for. An id above the last seq cannot be ours: it is answered with
         * everything, since claiming that nothing is missing would lose what is.
         */
        long startSeq(ExecutionState state) {
            long last = lastEventId.orElse(0);
            return Math.max(afterSeq, last > state.lastSeq() ? 0 : last);
        }
    }

    @Override
    public void handle(RoutingContext ctx) {
        Request request = parse(ctx);
        if (!takePlace(ctx, request.principal, streams)) {
            return;
        }
        Optional<Subscription> place = hub.register(request.executionId, ctx.request());
        if (place.isEmpty()) {
            ctx.fail(Problem.unavailable(
                    "too_many_streams", "This server has as many live streams as it may have.", RETRY_AFTER_SECONDS));
            return;
        }
        Subscription subscription = place.get();
        ctx.addEndHandler(ended -> subscription.leave());
        executions
                .find(request.principal, request.executionId)
                .compose(found -> open(ctx, request, subscription, found))
                .onFailure(failure -> {
                    subscription.leave();
                    if (!ctx.response().headWritten() && !ctx.response().closed()) {
                        ctx.fail(Reading.problem(failure));
                    }
                });
    }

    /**
     * Takes one of the principal's places until the request has ended; if there is none, answers it. For every endpoint that
     * streams.
     */
    static boolean takePlace(RoutingContext ctx, Principal principal, LiveStreams streams) {
        Optional<LiveStreams.Place> place = streams.admit(principal);
        if (place.isEmpty()) {
            ctx.fail(Problem.tooMany(
                    "too_many_streams",
                    "You have " + streams.maxPerPrincipal() + " live streams open, which is as many as you may have."
                            + " Close one, or watch many executions over one connection.",
                    RETRY_AFTER_SECONDS));
            return false;
        }
        ctx.addEndHandler(ended -> place.get().leave());
        return true;
    }

    private Request parse(RoutingContext ctx) {
        ReadParameters parameters = ReadParameters.stream(ctx.queryParams());
        Principal principal = Reading.principal(ctx);
        String header = ctx.request().getHeader("Last-Event-ID");
        Optional<String> fromQuery = parameters.text("last_event_id");
        OptionalLong lastEventId = header != null && !header.isBlank()
                ? eventId("Last-Event-ID", header)
                : fromQuery.isPresent() ? eventId("last_event_id", fromQuery.get()) : OptionalLong.empty();
        return new Request(
                principal,
                Reading.executionId(ctx),
                new StreamOptions(
                        principal,
                        parameters.filter(),
                        parameters.flag("follow").orElse(true)),
                lastEventId,
                parameters.number("tail", 0, MAX_TAIL),
                parameters.afterSeq(),
                parameters.number("wait", 0, MAX_WAIT_SECONDS).orElse(0));
    }

    private static OptionalLong eventId(String name, String text) {
        String digits = text.strip();
        if (!DIGITS.matcher(digits).matches()) {
            throw Problem.parameter(name, "must be the number that the last event carried as its id");
        }
        return OptionalLong.of(digits.length() > MAX_DIGITS ? Long.MAX_VALUE : Long.parseLong(digits));
    }

    private Future<Void> open(
            RoutingContext ctx, Request request, Subscription subscription, Optional<ExecutionState> found) {
        if (subscription.closed()) {
            return Future.succeededFuture();
        }
        if (found.isEmpty()) {
            if (request.waitSeconds == 0) {
                return Future.failedFuture(Problem.noExecution(request.executionId));
            }
            subscription.await(
                    request.options,
                    request.waitSeconds,
                    state -> executions.mayRead(request.principal, state),
                    (waited, state) -> waited.start(request.options, state, request.startSeq(state)));
            return Future.succeededFuture();
        }
        ExecutionState state = found.get();
        if (nothingLeft(request, state)) {
            subscription.leave();
            return ctx.response().setStatusCode(204).end(); // which stops an EventSource from coming back
        }
        boolean tail = request.tail.isPresent() && request.lastEventId.isEmpty();
        Future<Long> after = tail
                ? TailStart.find(
                        store.as(request.principal), state, (int) request.tail.getAsLong(), request.options.filter())
                : Future.succeededFuture(request.startSeq(state));
        return after.map(seq -> {
            subscription.start(request.options, state, Math.max(seq, request.afterSeq));
            return null;
        });
    }

    /** Whether this is a reader who came back to an execution that is over and has nothing for them. */
    private boolean nothingLeft(Request request, ExecutionState state) {
        return request.lastEventId.isPresent()
                && request.lastEventId.getAsLong() == state.lastSeq()
                && state.status().finished()
                && hub.millisToComplete(state) <= 0;
    }
}
