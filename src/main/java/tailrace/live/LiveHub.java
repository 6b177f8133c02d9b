package tailrace.live;

import io.vertx.core.AsyncResult;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.internal.ContextInternal;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.bus.BusMessage;
import tailrace.config.TailraceConfig;
import tailrace.metrics.Metrics;
import tailrace.model.ExecutionState;
import tailrace.model.LogFilter;
import tailrace.model.Timestamps;
import tailrace.query.EntryStore;
import tailrace.query.WorkflowExecutions;
import tailrace.security.Principal;

/**
 * The live streams of one event loop. Commits are announced by {@link #onAppended}; all announcements may be lost, since
 * a poll finds what they did not tell. What arrives within a short window is one socket write a reader; the window grows
 * with the time such a round takes, so that many readers cost latency rather than the event loop.
 *
 * <p>Make it and call it on the event loop of the verticle it belongs to.
 */
public final class LiveHub {
    static final StreamOptions NO_OPTIONS = new StreamOptions(Principal.NOBODY, LogFilter.ALL, true);
    /** Failed reads of the store after which a stream ends: about six seconds, longer than a journal takes to reopen. */
    static final int MAX_READ_RETRIES = 5;

    static final long READ_RETRY_MILLIS = 200;
    /** Entries are delivered within 50 ms; a round longer than half of it must not lengthen the window further. */
    private static final long MAX_WINDOW_NANOS = TimeUnit.MILLISECONDS.toNanos(25);
    /** How late an entry is whose announcement was lost. */
    private static final long POLL_MILLIS = 500;

    private static final long MAX_TICK_MILLIS = 250;
    private static final Logger LOG = LoggerFactory.getLogger(LiveHub.class);

    private final Vertx vertx;
    private final ContextInternal context;
    private final EntryStore store;
    private final TailraceConfig.Live config;
    private final LiveStreams streams;
    private final Metrics metrics;
    private final Clock clock;
    private final SseFrame sse = new SseFrame();
    private final BareSseFrame bareSse = new BareSseFrame();
    private final WebSocketText webSocketText = new WebSocketText();
    private final Map<EventFormat, Shape> unfiltered = new HashMap<>();
    private final WorkflowHub workflows;
    private final byte[] retryFrame;
    private final Map<String, Channel> channels = new HashMap<>();
    private final Set<Channel> dirty = new LinkedHashSet<>();
    private final Set<ManySubscription> many = new LinkedHashSet<>();
    private final List<ManySubscription> written = new ArrayList<>();
    private boolean inRound;
    private final long tickTimer;
    private final long pollTimer;
    private long flushTimer = -1;
    private long windowNanos;
    private long nextFlushNanos;
    private boolean polling;
    private boolean closed;

    public LiveHub(
            Vertx vertx,
            EntryStore store,
            WorkflowExecutions workflowExecutions,
            TailraceConfig.Live config,
            LiveStreams streams,
            Metrics metrics,
            Clock clock) {
        this.vertx = vertx;
        this.context = (ContextInternal) vertx.getOrCreateContext();
        this.store = store;
        this.config = config;
        this.streams = streams;
        this.metrics = metrics;
        this.clock = clock;
        this.workflows = new WorkflowHub(this, workflowExecutions);
        for (EventFormat format : List.of(sse, bareSse, webSocketText)) {
            unfiltered.put(format, new Shape(format, LogFilter.ALL));
        }
        this.retryFrame = SseFrame.retry(config.retry().toMillis());
        this.windowNanos = config.coalesce().toNanos();
        this.nextFlushNanos = System.nanoTime();
        long shortest =
                Math.min(config.heartbeat().toMillis(), config.stuckTimeout().toMillis());
        tickTimer = vertx.setPeriodic(Math.max(5, Math.min(MAX_TICK_MILLIS, shortest / 4)), id -> tick());
        pollTimer = vertx.setPeriodic(POLL_MILLIS, id -> poll());
    }

    /** A response that will show one execution. */
    public Outlet sse(HttpServerRequest request) {
        return new SseOutlet(this, request, sse);
    }

    /** A response that will show many executions. */
    public Outlet sseOfMany(HttpServerRequest request) {
        return new SseOutlet(this, request, bareSse);
    }

    /** A request that asks for a WebSocket; it has been paused, so that it has not ended. */
    public Outlet webSocket(HttpServerRequest request) {
        return new WebSocketOutlet(this, request);
    }

    /**
     * Registers a reader, so that from now on nothing is missed; then the caller reads the execution's state and calls
     * {@link Subscription#start}, {@link Subscription#await} or {@link Subscription#leave}.
     *
     * @param place of whoever reads; given back when the stream ends, or now if there is none
     * @return empty if there are too many streams, or the hub is being closed
     */
    public Optional<Subscription> register(String executionId, Outlet outlet, LiveStreams.Place place) {
        if (closed || !streams.enter()) {
            place.leave();
            return Optional.empty();
        }
        Channel channel = channel(executionId);
        var subscription = new Subscription(this, channel, outlet, place);
        channel.add(subscription);
        return Optional.of(subscription);
    }

    /** The same for a reader of many executions, which are named to it afterwards. */
    public Optional<ManySubscription> registerMany(Outlet outlet, LiveStreams.Place place) {
        if (closed || !streams.enter()) {
            place.leave();
            return Optional.empty();
        }
        var subscription = new ManySubscription(this, outlet, place);
        many.add(subscription);
        return Optional.of(subscription);
    }

    /** The channel of an execution, for somebody who joins it at once. */
    Channel channel(String executionId) {
        return channels.computeIfAbsent(executionId, id -> {
            streams.channelOpened();
            return new Channel(this, id);
        });
    }

    /** A group commit; may come late, twice, or not at all. */
    public void onAppended(BusMessage.Appended appended) {
        workflows.onAppended(appended); // first, so that a new execution's own message finds its reader
        for (BusMessage.Run run : appended.runs()) {
            Channel channel = channels.get(run.state().executionId());
            if (channel != null && channel.append(run)) {
                dirty.add(channel);
            }
        }
        scheduleFlush();
    }

    /** Milliseconds until COMPLETE may be sent for a finished execution; not positive if it may be sent now. */
    public long millisToComplete(ExecutionState state) {
        long lastMicros = Math.max(state.lastReceivedAtMicros(), state.finishedAtMicros());
        return lastMicros / 1_000 + config.completeDelay().toMillis() - clock.millis();
    }

    /** Ends all streams without COMPLETE; clients come back, spread over some seconds. Completes when all are written. */
    public Future<Void> close() {
        closed = true;
        vertx.cancelTimer(tickTimer);
        vertx.cancelTimer(pollTimer);
        cancel(flushTimer);
        List<Future<Void>> ends = new ArrayList<>();
        long retry = config.retry().toMillis();
        for (Channel channel : List.copyOf(channels.values())) {
            for (Reader reader : List.copyOf(channel.readers())) {
                if (reader instanceof Subscription subscription) {
                    ends.add(subscription.shutDown(spread(retry)).otherwiseEmpty());
                }
            }
        }
        for (ManySubscription subscription : List.copyOf(many)) {
            ends.add(subscription.shutDown(spread(retry)).otherwiseEmpty());
        }
        return Future.join(ends).mapEmpty();
    }

    private static long spread(long retryMillis) {
        return retryMillis + ThreadLocalRandom.current().nextLong(4 * retryMillis + 1);
    }

    private void scheduleFlush() {
        if (dirty.isEmpty() || flushTimer >= 0) {
            return;
        }
        long wait = nextFlushNanos - System.nanoTime();
        if (wait <= 0) {
            flush();
        } else {
            flushTimer = later(Math.max(1, TimeUnit.NANOSECONDS.toMillis(wait + 999_999)), () -> {
                flushTimer = -1;
                flush();
            });
        }
    }

    private void flush() {
        long start = System.nanoTime();
        List<Channel> round = List.copyOf(dirty);
        dirty.clear();
        inRound = true;
        try {
            round.forEach(Channel::flush);
        } finally {
            inRound = false;
        }
        if (!written.isEmpty()) {
            List.copyOf(written).forEach(ManySubscription::flushOut);
            written.clear();
        }
        long end = System.nanoTime();
        long shortest = config.coalesce().toNanos();
        windowNanos = Math.max(shortest, Math.min(end - start, MAX_WINDOW_NANOS));
        nextFlushNanos = end + windowNanos;
    }

    private void tick() {
        long now = System.nanoTime();
        long seconds = Math.floorDiv(clock.millis(), 1_000L);
        long heartbeat = config.heartbeat().toNanos();
        long stuck = config.stuckTimeout().toNanos();
        for (Channel channel : List.copyOf(channels.values())) {
            List<Reader> readers = channel.readers();
            for (int i = readers.size() - 1; i >= 0; i--) {
                readers.get(i).tick(now, seconds, heartbeat, stuck);
            }
        }
        for (ManySubscription subscription : List.copyOf(many)) {
            subscription.tick(now, seconds, heartbeat, stuck);
        }
    }

    private void poll() {
        workflows.poll();
        if (polling || channels.isEmpty()) {
            return;
        }
        polling = true;
        then(store.hotStates(channels.keySet()), read -> {
            polling = false;
            if (read.failed()) {
                LOG.debug("Cannot look for missed entries now", read.cause());
                return;
            }
            read.result().forEach((id, state) -> {
                Channel channel = channels.get(id);
                if (channel != null) {
                    channel.observe(state);
                    channel.pumpAll();
                }
            });
        });
    }

    /** Lets a stream's place go. */
    void leave(Subscription subscription) {
        streams.leave();
        remove(subscription);
    }

    /** The same for one that has taken its cursors out. */
    void leave(ManySubscription subscription) {
        streams.leave();
        many.remove(subscription);
    }

    /** Takes a reader out; a channel without readers is forgotten. */
    void remove(Reader reader) {
        Channel channel = reader.channel;
        if (channel.remove(reader)) {
            channel.close();
            channels.remove(channel.executionId, channel);
            streams.channelClosed();
            dirty.remove(channel);
        }
    }

    /** Whether a round of flushes is under way, so that what a connection gets of several channels is one write. */
    boolean inRound() {
        return inRound;
    }

    /** Has a connection write what it got when the round is over. */
    void atEndOfRound(ManySubscription subscription) {
        written.add(subscription);
    }

    /** Does something on this hub's event loop, where the caller already is, in its context. */
    void onLoop(Runnable action) {
        context.emit(action, Runnable::run);
    }

    /** Handles a result on this hub's event loop, wherever it was completed. */
    <T> void then(Future<T> future, Handler<AsyncResult<T>> handler) {
        future.onComplete(result -> {
            // A request has a context of its own on the same event loop, so contexts cannot be compared.
            if (context.inThread()) {
                handler.handle(result);
            } else {
                context.runOnContext(here -> handler.handle(result));
            }
        });
    }

    long later(long millis, Runnable action) {
        return vertx.setTimer(millis, id -> action.run());
    }

    void cancel(long timer) {
        if (timer >= 0) {
            vertx.cancelTimer(timer);
        }
    }

    void countDelivered(long oldestMicros, long deliveries) {
        if (deliveries > 0) {
            long micros = Math.max(0, nowMicros() - oldestMicros);
            metrics.delivered(TimeUnit.MICROSECONDS.toNanos(micros), 1, (int) Math.min(deliveries, Integer.MAX_VALUE));
        }
    }

    void countStuck() {
        metrics.slowReaderClosed();
    }

    /** A channel's window has so many bytes more, or less. */
    void windowChanged(long bytes) {
        streams.windowChanged(bytes);
    }

    EntryStore store() {
        return store;
    }

    EventFormat webSocketText() {
        return webSocketText;
    }

    /** Readers with the same shape get the same bytes; those without a filter have the same object. */
    Shape shape(EventFormat format, LogFilter filter) {
        Shape all = unfiltered.get(format);
        return all != null && filter.all() ? all : new Shape(format, filter);
    }

    long completeDelayMillis() {
        return config.completeDelay().toMillis();
    }

    WorkflowHub workflows() {
        return workflows;
    }

    /** Epoch milliseconds. */
    long nowMillis() {
        return clock.millis();
    }

    Buffer retryFrame() {
        return Buffer.buffer(retryFrame);
    }

    boolean isClosed() {
        return closed;
    }

    long nanoTime() {
        return System.nanoTime();
    }

    long nowMicros() {
        return Timestamps.micros(clock.instant());
    }
}
