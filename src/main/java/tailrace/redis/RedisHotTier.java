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
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;
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
 * {@link #position} may be called on any thread.
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
    /** The cursor outlives the streams by so much, so that a quiet time does not look like an emptied Redis. */
    private static final Duration CURSOR_TTL = Duration.ofDays(7);

    /** Nothing stands before it in Redis, so it shows soon whether Redis hangs. */
    private static final Duration MOVE_TIMEOUT = Duration.ofSeconds(2);

    private static final Duration DRAIN_PAUSE = Duration.ofMillis(20);
    private static final int DETAIL_CHARS = 200;
    /** An error Redis answers with begins with its code, such as OOM or READONLY. */
    private static final Pattern REPLY = Pattern.compile("[A-Z]{2,} ");

    private static final String AHEAD = "Redis is ahead of this journal";

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

    private volatile @Nullable Context context;
    private volatile boolean available;
    private volatile boolean ours;
    private volatile String detail = "not reached yet";
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

    /** Where the cursor stands in Redis, and whether we put it there. */
    private record Moved(String there, boolean moved) {}

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
        metrics.gauge("tailrace.redis.available", "1 while Redis takes entries", this, tier -> tier.available ? 1 : 0);
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
                    succeeded();
                })
                .onFailure(failure -> {
                    cursor = null;
                    failures++;
                    if (failure instanceof JournalUnavailableException) {
                        breaker.releasePermission();
                    } else {
                        breaker.onError(System.nanoTime() - started, TimeUnit.NANOSECONDS, failure);
                        failed(failure);
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
                .compose(first -> moveTo("", first - 1).compose(this::opened));
    }

    private Future<Cursor> opened(Moved found) {
        long at = Long.parseLong(found.there);
        long end = journal.lastPosition();
        if (at > end) {
            ours = false;
            return Future.failedFuture(AHEAD + " (position " + at + ", the journal ends at " + end
                    + "): the data directory is an old copy, or lost its end. Redis is not used; delete "
                    + keys.cursor()
                    + " and " + keys.logPrefix() + "* there once this journal is the right one");
        }
        if (found.moved && end > at) {
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
        return moveTo(Long.toString(from.position), batch.toPosition()).map(found -> {
            if (!found.moved) {
                // Emptied, exchanged or replaced while we wrote.
                cursor = null;
                return true;
            }
            cursor = new Cursor(batch.toPosition(), batch.nextSeq());
            position = batch.toPosition();
            return batch.more();
        });
    }

    /** @param expected where it is thought to be, "" for nowhere */
    private Future<Moved> moveTo(String expected, long to) {
        return Script.MOVE
                .run(
                        link,
                        keys.cursor(),
                        List.of(
                                Script.argument(expected),
                                Script.argument(to),
                                Script.argument(hotTtl.plus(CURSOR_TTL).toMillis())))
                .timeout(MOVE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
                .map(answer -> {
                    if (answer == null || answer.size() != 2) {
                        throw new IllegalStateException("Redis answered a script with " + answer);
                    }
                    return new Moved(answer.get(0).toString(), answer.get(1).toInteger() == 1);
                });
    }

    private void succeeded() {
        failures = 0;
        if (!available) {
            LOG.info("Redis takes entries; it is {} journal records behind", lagPositions());
            available = true;
            detail = "";
        }
    }

    private void failed(Throwable failure) {
        link.drop(); // it may be hung, or no longer the master
        metrics.failed();
        String text = describe(failure);
        // An outage repeats itself at every attempt; it is told once.
        if (available || !text.equals(detail)) {
            LOG.warn("Redis takes no entries, it will be tried again; the journal has them: {}", failure.getMessage());
            LOG.debug("The attempt to write to Redis that failed", failure);
        }
        available = false;
        detail = text;
    }

    /** For everybody: what Redis says of itself, but not where it is. */
    private static String describe(Throwable failure) {
        String message = String.valueOf(failure.getMessage());
        if (failure instanceof TimeoutException) {
            return "does not answer";
        }
        if (!REPLY.matcher(message).lookingAt() && !message.startsWith(AHEAD)) {
            return "cannot be reached";
        }
        return message.length() > DETAIL_CHARS ? message.substring(0, DETAIL_CHARS) : message;
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
        if (!available || lagPositions() == 0) {
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
        return available;
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
                available,
                detail,
                position,
                lagPositions(),
                lagSeconds(),
                metrics.entriesWritten(),
                metrics.rebuilds(),
                breaker.getState().name(),
                readBreaker.getState().name());
    }
}
