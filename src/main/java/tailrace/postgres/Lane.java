package tailrace.postgres;

import io.github.resilience4j.circuitbreaker.CallNotPermittedException;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.core.IntervalFunction;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import io.vertx.pgclient.PgConnection;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.Tuple;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import tailrace.config.TailraceConfig;
import tailrace.journal.Journal;
import tailrace.journal.JournalUnavailableException;
import tailrace.journal.LagClock;
import tailrace.postgres.Batch.Resume;

/**
 * One cursor of the writer: reads its share of the journal, writes it, moves on; one transaction at a time, so nothing
 * overtakes. It owns its connection. What it knows of its cursor it forgets with every failure and asks the database:
 * a COMMIT whose answer was lost may have happened. Runs on the writer's context; figures may be read by any thread.
 */
final class Lane {
    private static final Duration FLUSH_TIMEOUT = Duration.ofSeconds(60);
    // What is urgent goes at once, but a stream of it shares transactions: each costs an fsync and PostgreSQL's CPU.
    private static final Duration MIN_GAP = Duration.ofMillis(20);
    // A transaction of many rows costs a third less of PostgreSQL's time for each than many of few: who has just
    // written
    // much waits a little, so that the next is fuller. Never near the interval, and not at all while there is a
    // backlog.
    private static final Duration MAX_GAP = Duration.ofMillis(250);
    private static final Duration GAP_A_ROW = Duration.ofNanos(500_000);
    /** A transaction that failed is halved down to so many rows: one too large for its link must not fail for ever. */
    private static final int MIN_ROWS_AFTER_FAILURE = 10;

    private static final int RETRY_EXPONENT_MAX = 10;
    private static final IntervalFunction RETRY =
            IntervalFunction.ofExponentialRandomBackoff(Duration.ofMillis(100), 2.0, 0.5, Duration.ofSeconds(5));

    /** What all lanes share. */
    record Shared(
            Vertx vertx,
            Database database,
            Journal journal,
            TailraceConfig.Writer config,
            CircuitBreaker breaker,
            WorkerExecutor worker,
            WriterCounters counters,
            BooleanSupplier mayWrite,
            LogWriter.FlushListener listener) {}

    private final Shared shared;
    private final int number;
    private final int lanes;
    private final BatchReader reader;
    private final BatchSink sink;
    private final LagClock lag = new LagClock();
    private final long lastPosition;
    private final Promise<Void> drained = Promise.promise();

    private volatile long position;
    private final AtomicLong waiting = new AtomicLong();
    private @Nullable PgConnection connection;
    private Resume resume;
    private boolean cursorKnown;
    private boolean running;
    private boolean wakeAgain;
    private boolean stopped;
    private int batchSize;
    private int failures;
    private boolean backlog;
    private long nextFlushNanos = System.nanoTime();
    private long timer = -1;

    /**
     * @param lanes how many there are with it
     * @param position where the cursor was last seen
     * @param lastPosition where the lane ends, {@code Long.MAX_VALUE} for never
     */
    Lane(Shared shared, int number, int lanes, BatchReader reader, BatchSink sink, long position, long lastPosition) {
        this.shared = shared;
        this.number = number;
        this.lanes = lanes;
        this.reader = reader;
        this.sink = sink;
        this.position = position;
        this.lastPosition = lastPosition;
        this.resume = Resume.at(position);
        this.batchSize = shared.config().batchSize();
        if (position >= lastPosition) {
            drained.complete();
        }
    }

    /** Completes once the cursor reached the position where the lane ends. */
    Future<Void> drained() {
        return drained.future();
    }

    /** Entries to be written were appended to the journal. */
    void appended(int wanted, boolean urgent) {
        if (waiting.addAndGet(wanted) >= shared.config().trigger() || urgent) {
            wake();
        }
    }

    /** The interval has passed: look whether there is anything, whoever forgot to say so. */
    void tick(long journalEnd) {
        lag.sample(journalEnd, System.nanoTime());
        if (journalEnd > position) {
            wake();
        }
    }

    /** PostgreSQL came back: no need to wait for the next attempt. */
    void retryNow() {
        cancelTimer();
        wake();
    }

    private void wake() {
        if (running || stopped) {
            wakeAgain = true;
            return;
        }
        if (timer >= 0) {
            return;
        }
        long early = nextFlushNanos - System.nanoTime();
        if (early > 0 && !backlog) {
            later(Duration.ofNanos(early));
            return;
        }
        running = true;
        wakeAgain = false;
        nextFlushNanos = System.nanoTime() + MIN_GAP.toNanos();
        flush(lastPosition).onComplete(done -> {
            running = false;
            backlog = done.succeeded() && done.result();
            if (done.failed()) {
                later(Duration.ofMillis(RETRY.apply(Math.max(1, Math.min(failures, RETRY_EXPONENT_MAX)))));
            } else if (backlog || waiting.get() >= shared.config().trigger() || wakeAgain && waiting.get() > 0) {
                wake();
            }
        });
    }

    private void later(Duration delay) {
        if (!stopped) {
            timer = shared.vertx().setTimer(Math.max(1, delay.toMillis()), id -> {
                timer = -1;
                wake();
            });
        }
    }

    private void cancelTimer() {
        if (timer >= 0) {
            shared.vertx().cancelTimer(timer);
            timer = -1;
        }
    }

    /** One batch; whether there is more. Fails without a trace in the database but that of a lost answer. */
    private Future<Boolean> flush(long upTo) {
        if (!shared.mayWrite().getAsBoolean()) {
            return Future.succeededFuture(false);
        }
        try {
            shared.breaker().acquirePermission();
        } catch (CallNotPermittedException e) {
            failures = Math.max(failures, 1);
            return Future.failedFuture(e);
        }
        long started = System.nanoTime();
        return connected()
                .compose(this::cursor)
                .compose(on -> {
                    waiting.set(0);
                    int rows = batchSize;
                    return shared.worker()
                            .executeBlocking(() -> reader.read(resume, rows, upTo), false)
                            .compose(batch -> write(on, batch));
                })
                .onSuccess(more -> {
                    failures = 0;
                    shared.breaker().onSuccess(System.nanoTime() - started, TimeUnit.NANOSECONDS);
                })
                .onFailure(error -> {
                    failures++;
                    forgetCursor();
                    if (error instanceof JournalUnavailableException) {
                        shared.breaker().releasePermission();
                    } else {
                        shared.breaker().onError(System.nanoTime() - started, TimeUnit.NANOSECONDS, error);
                    }
                    shared.counters().failed(number, error);
                });
    }

    private Future<Boolean> write(PgConnection on, Batch batch) {
        if (batch.empty()) {
            return Future.succeededFuture(false);
        }
        long started = System.nanoTime();
        return sink.write(on, batch)
                .timeout(FLUSH_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
                .onFailure(error -> batchSize = Math.min(batchSize, Math.max(MIN_ROWS_AFTER_FAILURE, batchSize / 2)))
                .map(written -> {
                    resume = batch.resume();
                    position = batch.toPosition();
                    batchSize = nextSize(batch);
                    long gap = Math.min(MAX_GAP.toNanos(), written.rows() * GAP_A_ROW.toNanos());
                    nextFlushNanos = System.nanoTime() + Math.max(MIN_GAP.toNanos(), gap);
                    shared.counters().flushed(System.nanoTime() - started, written);
                    shared.listener().flushed(number, position, written.rows(), batch.states());
                    if (position >= lastPosition) {
                        drained.tryComplete();
                    }
                    return batch.more();
                });
    }

    /** Doubles while there is a backlog, for fewer and fuller transactions; goes back step by step once there is none. */
    private int nextSize(Batch batch) {
        TailraceConfig.Writer config = shared.config();
        return batch.more()
                ? Math.min(Math.max(config.batchMaxSize(), config.batchSize()), batchSize * 2)
                : Math.max(config.batchSize(), batchSize / 2);
    }

    private Future<PgConnection> connected() {
        PgConnection open = connection;
        if (open != null) {
            return Future.succeededFuture(open);
        }
        return shared.database().connect("tailrace lane " + number).map(fresh -> {
            connection = fresh;
            fresh.closeHandler(none -> {
                if (connection == fresh) {
                    connection = null;
                    cursorKnown = false;
                }
            });
            return fresh;
        });
    }

    private Future<PgConnection> cursor(PgConnection on) {
        if (cursorKnown) {
            return Future.succeededFuture(on);
        }
        return on.preparedQuery(shared.database().sql().cursors)
                .execute(Tuple.of(shared.journal().id().value()))
                .compose(rows -> {
                    for (Row row : rows) {
                        if (row.getInteger("lane") == number
                                && row.getInteger("lanes") == lanes
                                && !row.getBoolean("fenced")) {
                            position = row.getLong("position");
                            resume = Resume.at(position);
                            cursorKnown = true;
                            return Future.succeededFuture(on);
                        }
                    }
                    return Future.failedFuture(new IllegalStateException(
                            "the cursor of lane " + number + " is closed: another journal took this database over"));
                })
                .timeout(FLUSH_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    }

    private void forgetCursor() {
        cursorKnown = false;
        PgConnection open = connection;
        connection = null;
        if (open != null) {
            open.close();
        }
    }

    /** Ends after the batch under way; then {@link #drainTo} may be called. */
    void halt() {
        stopped = true;
        cancelTimer();
    }

    /** Writes what the journal holds up to a position, trying again until the deadline; false if that did not suffice. */
    Future<Boolean> drainTo(long target, long deadlineNanos) {
        if (position >= target) {
            return Future.succeededFuture(true);
        }
        if (System.nanoTime() >= deadlineNanos) {
            return Future.succeededFuture(false);
        }
        if (running) {
            return shared.vertx().timer(10).compose(none -> drainTo(target, deadlineNanos));
        }
        return flush(Math.min(target, lastPosition)).transform(done -> {
            if (done.succeeded() && position >= target) {
                return Future.succeededFuture(true);
            }
            if (done.succeeded() && done.result()) {
                return drainTo(target, deadlineNanos);
            }
            long pause = Math.min(RETRY.apply(Math.max(1, Math.min(failures, RETRY_EXPONENT_MAX))), 500);
            return shared.vertx().timer(Math.max(1, pause)).compose(none -> drainTo(target, deadlineNanos));
        });
    }

    Future<Void> close() {
        halt();
        PgConnection open = connection;
        connection = null;
        return open == null ? Future.succeededFuture() : open.close().otherwiseEmpty();
    }

    int number() {
        return number;
    }

    long position() {
        return position;
    }

    long waiting() {
        return waiting.get();
    }

    double lagSeconds() {
        return lag.ageSeconds(position, System.nanoTime());
    }
}
