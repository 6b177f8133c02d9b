package verticles;

import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.WorkerExecutor;
import io.vertx.core.eventbus.Message;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.bus.Address;
import tailrace.bus.BusMessage;
import tailrace.bus.Failure;
import tailrace.journal.Backlog;
import tailrace.journal.CommitLoop;
import tailrace.journal.IdempotencyConflictException;
import tailrace.journal.JournalFullException;
import tailrace.journal.JournalUnavailableException;
import tailrace.journal.Trimmer;

/**
 * The door of the journal: hands requests from the bus to the journal thread and answers after their fsync. By the clock
 * it has the journal trimmed, on a worker of its own.
 */
public final class JournalVerticle extends VerticleBase {
    private static final Logger LOG = LoggerFactory.getLogger(JournalVerticle.class);

    /** Between two looks at the files' size, and at what cursors still need. */
    private static final Duration SIZE_INTERVAL = Duration.ofMillis(500);

    /** After the start, which has enough to do. */
    private static final Duration FIRST_CLEANUP = Duration.ofSeconds(10);

    /** A run that takes longer is worth a warning of the blocked thread checker. */
    private static final Duration LONG_RUN = Duration.ofMinutes(10);

    private final CommitLoop loop;
    private final Trimmer trimmer;
    private final Backlog backlog;
    private final Duration cleanupInterval;
    private @Nullable WorkerExecutor worker;
    private boolean makingRoom;
    private boolean expiring;
    private boolean refreshing;

    /** @param cleanupInterval between two looks for what has expired */
    public JournalVerticle(CommitLoop loop, Trimmer trimmer, Backlog backlog, Duration cleanupInterval) {
        this.loop = loop;
        this.trimmer = trimmer;
        this.backlog = backlog;
        this.cleanupInterval = cleanupInterval;
    }

    @Override
    public Future<?> start() {
        // One thread, so that runs do not overlap, and long ones do not keep readers waiting for a worker.
        worker = vertx.createSharedWorkerExecutor("journal-upkeep", 1, LONG_RUN.toNanos(), TimeUnit.NANOSECONDS);
        vertx.setPeriodic(SIZE_INTERVAL.toMillis(), id -> {
            refresh();
            makeRoom();
        });
        long first = Math.min(FIRST_CLEANUP.toMillis(), cleanupInterval.toMillis());
        vertx.setPeriodic(first, cleanupInterval.toMillis(), id -> expire());
        return vertx.eventBus()
                .<BusMessage>localConsumer(Address.JOURNAL, this::handle)
                .completion();
    }

    private void refresh() {
        if (!refreshing) {
            refreshing = true;
            told(vertx.executeBlocking(
                            () -> {
                                backlog.refresh();
                                return true;
                            },
                            false))
                    .onComplete(done -> refreshing = false);
        }
    }

    private void makeRoom() {
        WorkerExecutor on = worker;
        if (!makingRoom && on != null) {
            makingRoom = true;
            told(on.executeBlocking(trimmer::makeRoom, false)).onComplete(done -> makingRoom = false);
        }
    }

    private void expire() {
        WorkerExecutor on = worker;
        if (!expiring && on != null) {
            expiring = true;
            told(on.executeBlocking(trimmer::expire, false)).onComplete(done -> expiring = false);
        }
    }

    private static <T> Future<T> told(Future<T> run) {
        return run.onFailure(failure -> {
            if (failure instanceof JournalUnavailableException || failure instanceof JournalFullException) {
                LOG.debug("The journal could not be trimmed now; it is tried again", failure);
            } else {
                LOG.error("The journal could not be trimmed", failure);
            }
        });
    }

    @Override
    public Future<?> stop() {
        trimmer.stop();
        WorkerExecutor on = worker;
        return on == null
                ? Future.succeededFuture()
                : on.executeBlocking(() -> true).eventually(on::close);
    }

    private void handle(Message<BusMessage> message) {
        if (message.body() instanceof BusMessage.Append append) {
            reply(message, loop.append(append.batch()));
        } else if (message.body() instanceof BusMessage.Update update) {
            reply(message, loop.update(update.update()));
        } else {
            message.fail(Failure.INTERNAL, "the journal takes no " + message.body());
        }
    }

    private static void reply(Message<BusMessage> message, CompletableFuture<? extends BusMessage> answer) {
        answer.whenComplete((value, failure) -> {
            if (failure == null) {
                message.reply(value);
            } else {
                message.fail(code(failure), String.valueOf(failure.getMessage()));
            }
        });
    }

    private static int code(Throwable failure) {
        if (failure instanceof JournalUnavailableException) {
            return Failure.JOURNAL_UNAVAILABLE;
        }
        if (failure instanceof JournalFullException) {
            return Failure.JOURNAL_FULL;
        }
        return failure instanceof IdempotencyConflictException ? Failure.IDEMPOTENCY_CONFLICT : Failure.INTERNAL;
    }
}
