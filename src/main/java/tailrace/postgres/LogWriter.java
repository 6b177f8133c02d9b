package tailrace.postgres;

import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.core.IntervalFunction;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.config.TailraceConfig;
import tailrace.journal.Journal;
import tailrace.journal.JournalUnavailableException;
import tailrace.metrics.Metrics;
import tailrace.model.ExecutionState;
import tailrace.postgres.JournalRegistry.LaneCursor;

/**
 * Carries the journal into PostgreSQL: some lanes, each a cursor in the database. It reads the journal by position and
 * nothing else; what it is told of is only a reason to look sooner. While PostgreSQL is away it tries again for ever,
 * behind a circuit breaker, and nothing is lost: the cursor stands still.
 *
 * <p>All but {@link #stats} belongs to the context on which {@link #start} was called.
 */
public final class LogWriter {
    private static final Logger LOG = LoggerFactory.getLogger(LogWriter.class);
    private static final IntervalFunction BREAKER_WAIT =
            IntervalFunction.ofExponentialRandomBackoff(Duration.ofMillis(500), 2.0, 0.5, Duration.ofSeconds(5));
    private static final IntervalFunction CURSOR_RETRY =
            IntervalFunction.ofExponentialRandomBackoff(Duration.ofMillis(200), 2.0, 0.5, Duration.ofSeconds(5));
    private static final Duration OPENING_POLL = Duration.ofMillis(20);
    private static final int BREAKER_WINDOW = 10;
    private static final int RETRY_EXPONENT_MAX = 10;

    private final Vertx vertx;
    private final Database database;
    private final JournalRegistry registry;
    private final Partitions partitions;
    private final Journal journal;
    private final TailraceConfig.Writer config;
    private final Metrics metrics;
    private final WriterCounters counters;
    private final CircuitBreaker breaker;

    private volatile List<Lane> lanes = List.of();
    private Lane.@Nullable Shared shared;
    private volatile @Nullable Context context;
    private @Nullable WorkerExecutor worker;
    private int cursorAttempts;
    private boolean closed;

    /** Told of every transaction, on the writer's context. */
    @FunctionalInterface
    public interface FlushListener {
        /**
         * @param position the lane's cursor
         * @param rows the transaction brought
         * @param executions it brought, as PostgreSQL knows them now; not to be changed
         */
        void flushed(int lane, long position, int rows, List<ExecutionState> executions);
    }

    public LogWriter(
            Vertx vertx,
            Database database,
            JournalRegistry registry,
            Partitions partitions,
            Journal journal,
            TailraceConfig.Writer config,
            Metrics metrics) {
        this.vertx = vertx;
        this.database = database;
        this.registry = registry;
        this.partitions = partitions;
        this.journal = journal;
        this.config = config;
        this.metrics = metrics;
        this.counters = new WriterCounters(metrics);
        this.breaker = CircuitBreaker.of(
                "postgres",
                CircuitBreakerConfig.custom()
                        .slidingWindowSize(BREAKER_WINDOW)
                        .minimumNumberOfCalls(BREAKER_WINDOW / 2)
                        .permittedNumberOfCallsInHalfOpenState(Math.max(2, config.lanes()))
                        .waitIntervalFunctionInOpenState(BREAKER_WAIT)
                        .build());
    }

    /**
     * Begins to write, on the caller's context. Does not wait for PostgreSQL and does not fail.
     *
     * @param mayWrite whether the writer's lock is held now
     */
    public void start(BooleanSupplier mayWrite, FlushListener listener) {
        context = vertx.getOrCreateContext();
        WorkerExecutor threads = vertx.createSharedWorkerExecutor("tailrace-writer", Math.max(1, config.lanes()));
        worker = threads;
        shared = new Lane.Shared(vertx, database, journal, config, breaker, threads, counters, mayWrite, listener);
        openLanes();
    }

    /** Where the database says the lanes are; asked until it answers. */
    private void openLanes() {
        if (closed) {
            return;
        }
        registry.cursors(journal.id())
                .onSuccess(this::openLanes)
                .onFailure(error -> openLanesLater("the writer's cursors cannot be read yet: " + error.getMessage()));
    }

    private void openLanesLater(String why) {
        cursorAttempts++;
        LOG.warn("{}", why);
        vertx.setTimer(CURSOR_RETRY.apply(Math.min(cursorAttempts, RETRY_EXPONENT_MAX)), id -> openLanes());
    }

    private void openLanes(List<LaneCursor> cursors) {
        if (closed) {
            return;
        }
        if (cursors.isEmpty()) {
            // Registered once the lock is held, which may come after us if PostgreSQL was away at the start.
            openLanesLater("journal " + journal.id() + " is not registered in PostgreSQL yet");
            return;
        }
        cursorAttempts = 0;
        int stored = cursors.get(0).lanes();
        if (stored == config.lanes()) {
            lanes = make(cursors, Long.MAX_VALUE);
            lanes.forEach(this::gauges);
        } else {
            long target = journal.lastPosition();
            LOG.info("{} lanes become {} once they have drained to position {}", stored, config.lanes(), target);
            lanes = make(cursors, target);
            Future.all(lanes.stream().map(Lane::drained).toList())
                    .compose(drained ->
                            Future.all(lanes.stream().map(Lane::close).toList()))
                    .compose(closed -> registry.relane(journal.id(), stored, config.lanes(), target))
                    .onComplete(done -> {
                        if (done.failed()) {
                            LOG.warn("the number of lanes could not be changed yet", done.cause());
                        }
                        lanes.forEach(Lane::halt);
                        openLanes();
                    });
        }
        tick();
    }

    private List<Lane> make(List<LaneCursor> cursors, long lastPosition) {
        Lane.Shared with = shared;
        if (with == null) {
            throw new IllegalStateException("the writer is not started");
        }
        List<Lane> made = new ArrayList<>(cursors.size());
        for (LaneCursor cursor : cursors) {
            BatchReader reader = new BatchReader(journal, cursor.lane(), cursor.lanes(), config.persistAll());
            BatchSink sink = new BatchSink(
                    database, partitions, journal.id(), cursor.generation(), cursor.lane(), cursor.lanes());
            made.add(new Lane(with, cursor.lane(), cursor.lanes(), reader, sink, cursor.position(), lastPosition));
        }
        return List.copyOf(made);
    }

    private void gauges(Lane lane) {
        String tag = Integer.toString(lane.number());
        metrics.gauge(
                "tailrace.writer.cursor.lag.positions",
                "Journal records the lane's cursor has not passed",
                "lane",
                tag,
                this,
                writer -> writer.lagPositions(lane));
        metrics.gauge(
                "tailrace.writer.cursor.lag.seconds",
                "Age of the oldest journal record the lane's cursor has not passed",
                "lane",
                tag,
                lane,
                Lane::lagSeconds);
    }

    private long lagPositions(Lane lane) {
        try {
            return Math.max(0, journal.lastPosition() - lane.position());
        } catch (JournalUnavailableException e) {
            return 0;
        }
    }

    /**
     * An execution's entries became durable; a wake-up, no more.
     *
     * @param entries how many
     * @param friendly how many of them are user-friendly
     * @param urgent whether to write them at once
     */
    public void appended(String executionId, int entries, int friendly, boolean urgent) {
        List<Lane> now = lanes;
        if (!now.isEmpty()) {
            Lane lane = now.get(BatchReader.laneOf(executionId, now.size()));
            lane.appended(config.persistAll() ? entries : friendly, urgent);
        }
    }

    /** Looks into the journal unasked; to be called every {@code config.interval()}. */
    public void tick() {
        try {
            long end = journal.lastPosition();
            lanes.forEach(lane -> lane.tick(end));
        } catch (JournalUnavailableException e) {
            LOG.debug("the journal is away", e);
        }
    }

    /** PostgreSQL came back, or the lock: try at once. */
    public void resume() {
        breaker.reset();
        lanes.forEach(Lane::retryNow);
    }

    /** Makes the partitions that the first batches need. A failure is logged: a batch makes what is missing itself. */
    public Future<Void> preparePartitions() {
        return partitions.ensureAhead().onFailure(error -> LOG.warn("partitions could not be made ahead", error));
    }

    /**
     * The last flush: writes what the journal holds now, or as much of it as the deadline allows, and closes the lanes.
     * What is left, or all of it where this process may not write, is written after the next start.
     */
    public Future<Void> stop(Duration deadline) {
        Context own = context;
        if (own == null) {
            return Future.succeededFuture();
        }
        Promise<Void> done = Promise.promise();
        own.runOnContext(none -> lastFlush(deadline).onComplete(done));
        return done.future();
    }

    private Future<Void> lastFlush(Duration deadline) {
        long until = System.nanoTime() + deadline.toNanos();
        Lane.Shared with = shared;
        boolean writes = with != null && with.mayWrite().getAsBoolean();
        // Without the lock nothing can be written however long one waits.
        return (writes ? lanesOpen(until).compose(open -> drain(until)) : Future.<Void>succeededFuture())
                .eventually(() -> {
                    closed = true;
                    return Future.join(lanes.stream().map(Lane::close).toList());
                })
                .eventually(() -> {
                    WorkerExecutor threads = worker;
                    return threads == null ? Future.succeededFuture() : threads.close();
                });
    }

    /** A writer stopped right after its start has yet to learn where its cursors are. */
    private Future<Void> lanesOpen(long until) {
        return !lanes.isEmpty() || System.nanoTime() >= until
                ? Future.succeededFuture()
                : vertx.timer(OPENING_POLL.toMillis()).compose(none -> lanesOpen(until));
    }

    private Future<Void> drain(long until) {
        closed = true;
        List<Lane> last = lanes;
        last.forEach(Lane::halt);
        long end;
        try {
            end = journal.lastPosition();
        } catch (JournalUnavailableException e) {
            LOG.warn("the journal is away: no last flush", e);
            return Future.succeededFuture();
        }
        return Future.join(last.stream().map(lane -> lane.drainTo(end, until)).toList())
                .onSuccess(drained -> last.stream()
                        .filter(lane -> lane.position() < end)
                        .forEach(lane -> LOG.warn(
                                "lane {} ends {} journal records behind; they are written after the next start",
                                lane.number(),
                                end - lane.position())))
                .mapEmpty();
    }

    /** The last journal position that every lane has written; 0 while that is not known. Any thread. */
    public long position() {
        return lanes.stream().mapToLong(Lane::position).min().orElse(0);
    }

    /** For {@code /v2/logs/stats}; any thread. */
    public WriterStats stats() {
        List<Lane> now = lanes;
        return new WriterStats(
                now.stream().mapToLong(Lane::waiting).sum(),
                counters.successful.get(),
                counters.failed.get(),
                counters.rows.get(),
                counters.refused.get(),
                now.stream()
                        .map(lane -> new WriterStats.LaneStats(
                                lane.number(), lane.position(), lagPositions(lane), lane.lagSeconds()))
                        .toList(),
                breaker.getState().name(),
                counters.lastError());
    }
}
