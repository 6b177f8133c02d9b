package tailrace.postgres;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.journal.JournalUnavailableException;

/**
 * Brings into PostgreSQL what waits for it in the journal's files, page by page. What waits stays there until it is
 * written, so that none is forgotten, whatever stops in between. One statement at a time; while PostgreSQL is away
 * everything goes on waiting, and what it refuses is found by halving and given up.
 *
 * <p>Belongs to the context that calls it.
 *
 * @param <T> what waits
 * @param <P> a place in the order of what waits
 */
public abstract class Shipper<T, P> {
    private static final Logger LOG = LoggerFactory.getLogger(Shipper.class);

    private static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(60);

    private final Vertx vertx;
    private final String what;
    private final BooleanSupplier mayWrite;
    private @Nullable WorkerExecutor worker;
    private @Nullable Future<Void> round;
    private boolean stopped;
    private boolean failing;

    /**
     * @param what is brought, for people and the names of threads
     * @param mayWrite whether the writer's lock is held now
     */
    Shipper(Vertx vertx, String what, BooleanSupplier mayWrite) {
        this.vertx = vertx;
        this.what = what;
        this.mayWrite = mayWrite;
    }

    /** What goes together, and behind which place the search goes on; null if there is nothing more. */
    record Page<T, P>(List<T> items, @Nullable P next) {}

    /**
     * What is due. Blocks.
     *
     * @param after the place where the page before ended, null for the first
     * @param all also what is not due yet: this is the last round
     */
    abstract Page<T, P> page(@Nullable P after, boolean all);

    /** Writes them with one statement. */
    abstract Future<?> put(List<T> items);

    /** PostgreSQL has them. Blocks. */
    abstract void given(List<T> items);

    /** One of them, for people. */
    abstract String name(T item);

    /** How many were written. */
    abstract void written(int items);

    /** Everything that was there when the round began is written. Blocks. */
    void roundDone() {}

    /** Looks whether something is due; to be called now and then. */
    public final void tick() {
        if (round == null && !stopped && mayWrite.getAsBoolean()) {
            begin(false);
        }
    }

    private Future<Void> begin(boolean all) {
        WorkerExecutor on = worker == null ? vertx.createSharedWorkerExecutor("tailrace-" + what, 1) : worker;
        worker = on;
        Future<Void> begun = pages(on, null, all)
                .compose(done -> blocking(on, this::roundDone))
                .onComplete(done -> {
                    round = null;
                    told(done.cause());
                });
        if (!begun.isComplete()) {
            round = begun;
        }
        return begun;
    }

    private void told(@Nullable Throwable failure) {
        if (failure != null && !(failure instanceof JournalUnavailableException) && !failing) {
            LOG.warn("Could not write {} to PostgreSQL; it is tried again", what, failure);
        }
        failing = failure != null;
    }

    private Future<Void> pages(WorkerExecutor on, @Nullable P after, boolean all) {
        return on.executeBlocking(() -> page(after, all), false).compose(page -> write(on, page.items)
                .compose(done -> page.next == null ? Future.succeededFuture() : pages(on, page.next, all)));
    }

    /** A page or a part of it. */
    private Future<Void> write(WorkerExecutor on, List<T> items) {
        if (items.isEmpty()) {
            return Future.succeededFuture();
        }
        if (!mayWrite.getAsBoolean()) {
            return Future.failedFuture(new IllegalStateException("the writer's lock was lost"));
        }
        return put(items)
                .timeout(ANSWER_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
                .transform(done -> {
                    if (done.succeeded()) {
                        written(items.size());
                        return blocking(on, () -> given(items));
                    }
                    if (!SqlErrors.refused(done.cause())) {
                        return Future.failedFuture(done.cause());
                    }
                    if (items.size() == 1) {
                        LOG.error(
                                "PostgreSQL refused {} of {}; they stay out of it",
                                what,
                                name(items.get(0)),
                                done.cause());
                        return blocking(on, () -> given(items));
                    }
                    int middle = items.size() >>> 1;
                    return write(on, items.subList(0, middle))
                            .compose(left -> write(on, items.subList(middle, items.size())));
                });
    }

    private static Future<Void> blocking(WorkerExecutor on, Runnable work) {
        return on.executeBlocking(
                        () -> {
                            work.run();
                            return true;
                        },
                        false)
                .mapEmpty();
    }

    /** Writes all that waits, or what the deadline allows; the rest after the next start. */
    public final Future<Void> stop(Duration deadline) {
        stopped = true;
        Future<Void> last = round == null ? Future.succeededFuture() : round.otherwiseEmpty();
        return last.compose(done -> mayWrite.getAsBoolean() ? begin(true) : Future.succeededFuture())
                .timeout(deadline.toMillis(), TimeUnit.MILLISECONDS)
                .otherwiseEmpty()
                .compose(done -> {
                    WorkerExecutor on = worker;
                    return on == null ? Future.succeededFuture() : on.close();
                });
    }
}
