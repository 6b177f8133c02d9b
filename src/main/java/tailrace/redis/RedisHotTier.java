package tailrace.redis;

import io.github.resilience4j.circuitbreaker.CallNotPermittedException;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.core.IntervalFunction;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.config.RedisUrl;
import tailrace.config.TailraceConfig;
import tailrace.journal.Journal;
import tailrace.journal.JournalUnavailableException;
import tailrace.journal.LagClock;
import tailrace.metrics.Metrics;
import tailrace.metrics.RedisMetrics;

/**
 * Carries the journal into Redis: a cursor that stands in Redis itself and moves when everything up to it is there. One
 * batch after the other, so that what was missed is caught up without a rush. Whatever fails, the cursor stands still and
 * is asked for again: a cursor that is gone means that Redis was emptied or exchanged, and everything the journal holds
 * is written again; one that went back (a replica took over) is gone on from. Writing again changes nothing that is
 * there.
 *
 * <p>The writing belongs to the context on which {@link #start} was called; {@link #status}, {@link #available} and
 * {@link #position} may be called on any thread. Longer than most files: the states of one cursor belong together.
 */
public final class RedisHotTier {
    private static final Logger LOG = LoggerFactory.getLogger(RedisHotTier.class);

    private static final IntervalFunction RETRY =
            IntervalFunction.ofExponentialRandomBackoff(Duration.ofMillis(100), 2.0, 0.5, Duration.ofSeconds(5));
    private static final IntervalFunction BREAKER_WAIT =
            IntervalFunction.ofExponentialRandomBackoff(Duration.ofMillis(500), 2.0, 0.5, Duration.ofSeconds(5));
    private static final int RETRY_EXPONENT_MAX = 10;
    private static final int BREAKER_WINDOW = 10;
    /** Commits within it share scripts. */
    private static final Duration MIN_GAP = Duration.ofMillis(5);

    private static final Duration DRAIN_PAUSE = Duration.ofMillis(20);

    private final Vertx vertx;
    private final TailraceConfig.Redis config;
    private final Duration hotTtl;
    private final Journal journal;
    private final Clock clock;
    private final RedisMetrics metrics;
    private final RedisClients clients;
    private final Keys keys;
    private final CircuitBreaker breaker = breaker("redis-writer");
    private final CircuitBreaker readBreaker = breaker("redis-readers");
    private final List<RedisReader> readers = new CopyOnWriteArrayList<>();
    private final LagClock lag = new LagClock();
    private final RedisLink link;
    private final HotCursor place;
    private final Reachability reach;

    private volatile @Nullable Context context;
    private volatile boolean ours;
    private volatile long position;
    private @Nullable WorkerExecutor worker;
    private @Nullable HotWriter writer;
    private @Nullable Cursor cursor;
    private boolean running;
    private boolean wakeAgain;
    private boolean stopped;
    private boolean checkDue;
    private int failures;
    private long timer = -1;

    /**
     * @param position the last record that is in Redis as a whole
     * @param nextSeq where the record after it goes on, 0 if it has not begun
     */
    private record Cursor(long position, long nextSeq) {}

    public RedisHotTier(
            Vertx vertx,
            RedisUrl url,
            TailraceConfig.Redis config,
            Duration hotTtl,
            Journal journal,
            Clock clock,
            Metrics metrics) {
        this.vertx = vertx;
        this.config = config;
        this.hotTtl = hotTtl;
        this.journal = journal;
        this.clock = clock;
        this.metrics = new RedisMetrics(metrics.registry());
        this.clients = new RedisClients(url);
        this.keys = Keys.of(journal.id());
        this.link = new RedisLink(vertx, clients, this::linkEnded);
        this.place = new HotCursor(link, keys, hotTtl);
        this.reach = new Reachability(this.metrics);
        metrics.gauge(
                "tailrace.redis.available", "1 while Redis takes entries", this, tier -> tier.available() ? 1 : 0);
        metrics.gauge(
                "tailrace.redis.cursor.lag.positions",
                "Journal records that are not in Redis yet",
                this,
                RedisHotTier::lagPositions);
        metrics.gauge(
                "tailrace.redis.cursor.lag.seconds",
                "Age of the oldest journal record that is not in Redis yet",
                this,
                RedisHotTier::lagSeconds);
    }

    private static CircuitBreaker breaker(String name) {
        return CircuitBreaker.of(
                name,
                CircuitBreakerConfig.custom()
                        .slidingWindowSize(BREAKER_WINDOW)
                        .minimumNumberOfCalls(BREAKER_WINDOW / 2)
                        .permittedNumberOfCallsInHalfOpenState(1)
                        .waitIntervalFunctionInOpenState(BREAKER_WAIT)
                        .build());
    }

    /** Begins to write, on the caller's context. Does not wait for Redis and does not fail. */
    public void start() {
        context = vertx.getOrCreateContext();
        WorkerExecutor thread = vertx.createSharedWorkerExecutor("tailrace-redis", 1);
        worker = thread;
        writer = new HotWriter(journal, link, keys, thread, clock, hotTtl, metrics);
        wake();
    }

    /** A reader for the event loop it is called on; closed with this. */
    public RedisReader reader() {
        var reader = new RedisReader(vertx, clients, keys, config.timeout(), readBreaker, () -> ours);
        readers.add(reader);
        return reader;
    }

    /** Something was appended; a wake-up, no more. */
    public void wake() {
        if (running) {
            wakeAgain = true;
        } else if (timer < 0 && !stopped) {
            step();
        }
    }

    /** Looks whether there is anything, whoever forgot to say so, and whether Redis still is what it was. */
    public void tick() {
        try {
            lag.sample(journal.lastPosition(), System.nanoTime());
        } catch (JournalUnavailableException e) {
            LOG.debug("the journal is away", e);
        }
        checkDue = true;
        wake();
    }

    private void linkEnded() {
        checkDue = true;
        wake();
    }

    private void step() {
        running = true;
        wakeAgain = false;
        write().onComplete(done -> {
            running = false;
            if (done.failed()) {
                later(RETRY.apply(Math.max(1, Math.min(failures, RETRY_EXPONENT_MAX))));
            } else if (done.result() || wakeAgain) {
                later(done.result() ? 0 : MIN_GAP.toMillis());
            }
        });
    }

    private void later(long millis) {
        if (!stopped) {
            timer = vertx.setTimer(Math.max(1, millis), id -> {
                timer = -1;
                wake();
            });
        }
    }

    /** One batch; whether there is more. */
    private Future<Boolean> write() {
        HotWriter into = writer;
        WorkerExecutor thread = worker;
        if (into == null || thread == null) {
            return Future.failedFuture("not started");
        }
        long started = System.nanoTime();
        try {
            breaker.acquirePermission();
        } catch (CallNotPermittedException e) {
            failures = Math.max(failures, 1);
            return Future.failedFuture(e);
        }
        return link.connect()
                .compose(connected -> cursor(thread))
                .compose(
                        from -> thread.executeBlocking(() -> HotBatch.read(journal, from.position, from.nextSeq), false)
                                .compose(batch -> into.write(batch).compose(done -> move(from, batch))))
                .onSuccess(more -> {
                    breaker.onSuccess(System.nanoTime() - started, TimeUnit.NANOSECONDS);
                    failures = 0;
                    reach.succeeded(lagPositions());
                })
                .onFailure(failure -> {
                    cursor = null;
                    failures++;
                    if (failure instanceof JournalUnavailableException) {
                        breaker.releasePermission();
                    } else {
                        breaker.onError(System.nanoTime() - started, TimeUnit.NANOSECONDS, failure);
                        link.drop(); // it may be hung, or no longer the master
                        reach.failed(failure);
                    }
                });
    }

    /** Where to go on: as known, else as Redis says, else from the journal's beginning. */
    private Future<Cursor> cursor(WorkerExecutor thread) {
        Cursor known = cursor;
        if (known != null) {
            return Future.succeededFuture(known);
        }
        return thread.executeBlocking(journal::firstPosition, false)
                .compose(first -> place.open(first - 1).compose(this::opened));
    }

    private Future<Cursor> opened(HotCursor.Moved found) {
        long at = found.position();
        long end = journal.lastPosition();
        if (at > end) {
            ours = false;
            return Future.failedFuture(Reachability.AHEAD + " (position " + at + ", the journal ends at " + end
                    + "): the data directory is an old copy, or lost its end. Redis is not used; delete "
                    + keys.cursor()
                    + " and " + keys.logPrefix() + "* there once this journal is the right one");
        }
        if (found.moved() && end > at) {
            metrics.rebuilt();
            LOG.warn(
                    "Redis holds nothing of this journal: it is new, or was emptied or exchanged. It is filled from the"
                            + " journal, positions {} to {}.",
                    at + 1,
                    end);
        } else if (at < position) {
            LOG.warn("Redis went back from position {} to {}; what is missing is written again.", position, at);
        }
        Cursor opened = new Cursor(at, 0);
        cursor = opened;
        position = at;
        ours = true;
        return Future.succeededFuture(opened);
    }

    private Future<Boolean> move(Cursor from, HotBatch batch) {
        boolean moves = batch.toPosition() != from.position;
        if (!moves && !checkDue) {
            cursor = new Cursor(from.position, batch.nextSeq());
            return Future.succeededFuture(batch.more());
        }
        checkDue = false;
        return place.move(from.position, batch.toPosition()).map(found -> {
            if (!found.moved()) {
                // Emptied, exchanged or replaced while we wrote.
                cursor = null;
                return true;
            }
            cursor = new Cursor(batch.toPosition(), batch.nextSeq());
            position = batch.toPosition();
            return batch.more();
        });
    }

    /** Writes what the journal holds now, or as much as the deadline and Redis allow, and ends all connections. */
    public Future<Void> stop(Duration deadline) {
        Context own = context;
        if (own == null) {
            return Future.succeededFuture();
        }
        long until = System.nanoTime() + deadline.toNanos();
        Promise<Void> done = Promise.promise();
        own.runOnContext(none -> {
            stopped = true;
            vertx.cancelTimer(timer);
            drain(until).transform(drained -> close()).onComplete(done);
        });
        return done.future();
    }

    private Future<Void> drain(long until) {
        if (System.nanoTime() >= until) {
            return Future.succeededFuture();
        }
        if (running) {
            return vertx.timer(DRAIN_PAUSE.toMillis()).compose(none -> drain(until));
        }
        if (!available() || lagPositions() == 0) {
            return Future.succeededFuture(); // what is missing is written after the next start
        }
        return write().compose(more -> drain(until));
    }

    private Future<Void> close() {
        readers.forEach(RedisReader::close);
        link.close();
        WorkerExecutor thread = worker;
        return thread == null ? Future.succeededFuture() : thread.close();
    }

    /** Whether the last attempt to write to it succeeded. */
    public boolean available() {
        return reach.available();
    }

    /** The last journal position that is in Redis as a whole; 0 until Redis has said. */
    public long position() {
        return position;
    }

    private long lagPositions() {
        try {
            return Math.max(0, journal.lastPosition() - position);
        } catch (JournalUnavailableException e) {
            return 0;
        }
    }

    private double lagSeconds() {
        return lag.ageSeconds(position, System.nanoTime());
    }

    /** Counts a piece of history that was asked for while Redis was configured. */
    public void read(boolean byRedis) {
        metrics.read(byRedis);
    }

    public HotTierStatus status() {
        return new HotTierStatus(
                reach.available(),
                reach.detail(),
                position,
                lagPositions(),
                lagSeconds(),
                metrics.entriesWritten(),
                metrics.rebuilds(),
                breaker.getState().name(),
                readBreaker.getState().name());
    }
}
