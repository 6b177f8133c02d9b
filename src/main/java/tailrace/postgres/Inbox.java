package tailrace.postgres;

import io.github.resilience4j.core.IntervalFunction;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.pgclient.PgConnection;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.metrics.Metrics;
import tailrace.model.IncomingEntry;
import tailrace.model.IngestAnswer;
import tailrace.model.Timestamps;
import tailrace.postgres.InboxTable.Locked;

/**
 * Takes the rows of {@code log_inbox} in (SPEC 11): locks some, has them appended to the journal, and deletes them once
 * they are durable there. A crash in between repeats them, and the journal knows them by their ids; so each is stored
 * once. A row that breaks a rule stays with its error and holds up nobody. Whatever else fails (PostgreSQL, a journal
 * that takes nothing now) leaves the rows where they are and is tried again after a while.
 *
 * <p>Being woken is a hint; what counts is the table. One batch at a time, so rows keep their order. Belongs to the
 * context on which it is used; figures may be read by any thread.
 */
public final class Inbox {
    private static final Logger LOG = LoggerFactory.getLogger(Inbox.class);

    /** Rows a transaction; also what the event loop decodes at once. */
    static final int MAX_ROWS = 500;

    private static final long MAX_BYTES = 1L << 20;
    private static final Duration BATCH_TIMEOUT = Duration.ofSeconds(60);
    private static final Duration STOP_TIMEOUT = Duration.ofSeconds(2);
    private static final Duration REFUSAL_LOG_INTERVAL = Duration.ofMinutes(1);
    private static final int RETRY_EXPONENT_MAX = 10;
    private static final IntervalFunction RETRY =
            IntervalFunction.ofExponentialRandomBackoff(Duration.ofMillis(100), 2.0, 0.5, Duration.ofSeconds(5));

    /** Makes entries durable, by the rules of a request; see {@code ingest.EntryIntake}. */
    @FunctionalInterface
    public interface Intake {
        /** Fails with a {@link ReplyException} where the same may be tried again later; anything else is a defect. */
        Future<IngestAnswer> take(List<IncomingEntry> entries);
    }

    private final Vertx vertx;
    private final Database database;
    private final InboxTable table;
    private final InboxAppend append;
    private final BooleanSupplier mayTake;
    private final Clock clock;
    private final Listener listener;
    private final AtomicLong taken = new AtomicLong();
    private final AtomicLong rejected = new AtomicLong();
    private final AtomicLong pollFound = new AtomicLong();

    private volatile long oldestPendingMicros;
    private @Nullable PgConnection connection;
    private @Nullable Promise<Void> running;
    private boolean again;
    private boolean stopped;
    private int limit = MAX_ROWS;
    private int failures;
    private long timer = -1;
    private long refusalLoggedNanos = System.nanoTime() - REFUSAL_LOG_INTERVAL.toNanos();

    /**
     * @param mayTake whether this process is the one that writes, and takes entries now
     * @param maxEntryBytes a larger row is refused unread
     */
    public Inbox(
            Vertx vertx,
            Database database,
            Intake intake,
            BooleanSupplier mayTake,
            int maxEntryBytes,
            Listener listener,
            Clock clock,
            Metrics metrics) {
        this.vertx = vertx;
        this.database = database;
        this.table = new InboxTable(database, MAX_BYTES, maxEntryBytes);
        this.append = new InboxAppend(intake);
        this.mayTake = mayTake;
        this.clock = clock;
        this.listener = listener;
        metrics.counter("tailrace.inbox.taken", "Rows of log_inbox taken in", taken);
        metrics.counter("tailrace.inbox.rejected", "Rows of log_inbox that break a rule and stay", rejected);
        metrics.counter("tailrace.inbox.poll.found", "Times the slow poll found rows nobody had announced", pollFound);
        metrics.gauge(
                "tailrace.inbox.pending.age.seconds",
                "Age of the oldest row of log_inbox seen and not settled",
                this,
                Inbox::pendingSeconds);
    }

    /** Rows were put in, somebody said. Does not shorten the wait after a failure. */
    public void wake() {
        if (timer < 0) {
            look(false);
        }
    }

    /** What was said meanwhile may be lost, or what failed works again: look at once. */
    public void resume() {
        cancelTimer();
        look(false);
    }

    /** The net under lost notifications; to be called now and then. */
    public void poll() {
        if (timer < 0 && running == null) {
            look(true);
        }
    }

    private void look(boolean byPoll) {
        if (stopped || !mayTake.getAsBoolean()) {
            oldestPendingMicros = 0; // not ours to know
            return;
        }
        if (running != null) {
            again = true;
            return;
        }
        again = false;
        Promise<Void> run = Promise.promise();
        running = run;
        batch().onComplete(done -> {
            running = null;
            run.complete();
            if (done.failed()) {
                failed(done.cause());
                return;
            }
            if (byPoll && done.result().rows() > 0) {
                pollFound.incrementAndGet();
            }
            if (done.result().more() || again) {
                look(false);
            }
        });
    }

    private void failed(Throwable error) {
        limit = error instanceof InboxAppend.DefectException ? 1 : limit;
        PgConnection open = connection;
        connection = null;
        if (open != null) {
            open.close(); // and with it the transaction: the rows are pending again
        }
        // An outage repeats itself at every attempt; it is told once.
        if (failures++ == 0) {
            LOG.warn("log_inbox: rows are not taken in now and stay there, trying again: {}", error.getMessage());
            LOG.debug("log_inbox: what failed", error);
        }
        if (!stopped) {
            timer = vertx.setTimer(RETRY.apply(Math.min(failures, RETRY_EXPONENT_MAX)), id -> {
                timer = -1;
                look(false);
            });
        }
    }

    private void cancelTimer() {
        if (timer >= 0) {
            vertx.cancelTimer(timer);
            timer = -1;
        }
    }

    /**
     * What a transaction did.
     *
     * @param more whether it left rows behind, for the next one
     */
    private record Settled(int rows, boolean more) {}

    private Future<Settled> batch() {
        return connected()
                .compose(on -> table.lock(on, limit).compose(rows -> settle(on, rows)))
                .timeout(BATCH_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
                .onSuccess(settled -> {
                    limit = Math.min(MAX_ROWS, limit * 2);
                    if (failures > 0) {
                        failures = 0;
                        LOG.info("log_inbox: rows are taken in again");
                    }
                });
    }

    private Future<PgConnection> connected() {
        PgConnection open = connection;
        if (open != null) {
            return Future.succeededFuture(open);
        }
        return database.connect("tailrace inbox").map(fresh -> {
            connection = fresh;
            fresh.closeHandler(none -> {
                if (connection == fresh) {
                    connection = null;
                }
            });
            return fresh;
        });
    }

    private Future<Settled> settle(PgConnection on, List<Locked> rows) {
        oldestPendingMicros = rows.isEmpty() ? 0 : rows.get(0).createdMicros();
        boolean more = table.full(rows, limit);
        return append.append(rows).compose(outcome -> table.settle(on, outcome.taken(), outcome.refused())
                .map(committed -> {
                    oldestPendingMicros = more ? oldestPendingMicros : 0;
                    append.deleted(outcome.taken());
                    count(outcome);
                    return new Settled(rows.size(), more);
                }));
    }

    private void count(InboxAppend.Outcome outcome) {
        taken.addAndGet(outcome.taken().size());
        int refused = outcome.refused().size();
        rejected.addAndGet(refused);
        long now = System.nanoTime();
        if (refused > 0 && now - refusalLoggedNanos >= REFUSAL_LOG_INTERVAL.toNanos()) {
            refusalLoggedNanos = now;
            Map.Entry<UUID, String> first =
                    outcome.refused().entrySet().iterator().next();
            LOG.warn(
                    "log_inbox: {} rows were refused and stay there with their error, such as {}: {}",
                    refused,
                    first.getKey(),
                    first.getValue());
        }
    }

    private double pendingSeconds() {
        long oldest = oldestPendingMicros;
        return oldest == 0 ? 0 : Math.max(0, Timestamps.micros(clock.instant()) - oldest) / 1e6;
    }

    /** Any thread. */
    public InboxStats stats() {
        return new InboxStats(
                taken.get(),
                rejected.get(),
                pendingSeconds(),
                listener.connected(),
                listener.reconnects(),
                pollFound.get());
    }

    /** Ends after the batch under way, or without it if it takes too long; its rows are then repeated. */
    public Future<Void> stop() {
        stopped = true;
        cancelTimer();
        Promise<Void> run = running;
        Future<Void> idle = run == null
                ? Future.succeededFuture()
                : run.future().timeout(STOP_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
        return idle.otherwiseEmpty().compose(none -> {
            PgConnection open = connection;
            connection = null;
            return open == null ? Future.succeededFuture() : open.close().otherwiseEmpty();
        });
    }
}
