package tailrace.postgres;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import io.vertx.sqlclient.Tuple;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.journal.JournalUnavailableException;
import tailrace.journal.SummaryStore;
import tailrace.journal.SummaryStore.Waiting;
import tailrace.metrics.Metrics;
import tailrace.model.Timestamps;

/**
 * Brings summaries into PostgreSQL: those of executions that fell silent soon, those of busy ones now and then, so that a
 * large one is not written anew with every flush. What waits is marked in the journal's files, so that none is forgotten,
 * whatever stops in between. One statement at a time; while PostgreSQL is away the marks stay.
 *
 * <p>Belongs to the context that calls it.
 */
public final class SummaryShipper {
    private static final Logger LOG = LoggerFactory.getLogger(SummaryShipper.class);

    /** Between two looks for what waits. */
    public static final Duration INTERVAL = Duration.ofSeconds(1);

    /** An execution that was silent for so long has its summary written. */
    static final Duration SILENT = Duration.ofSeconds(2);
    /** One that is busy all the time has it written that often. */
    static final Duration BUSY = Duration.ofSeconds(30);

    private static final int PAGE = 200;
    private static final long PAGE_BYTES = 2L << 20;
    private static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(60);

    private final Vertx vertx;
    private final Database database;
    private final SummaryStore store;
    private final BooleanSupplier mayWrite;
    private final LongSupplier generation;
    private final Clock clock;
    private final Metrics metrics;
    private @Nullable WorkerExecutor worker;
    private @Nullable Future<Void> round;
    private boolean stopped;
    private boolean failing;

    /**
     * @param mayWrite whether the writer's lock is held now
     * @param generation of the journal; read while the lock is held
     */
    public SummaryShipper(
            Vertx vertx,
            Database database,
            SummaryStore store,
            BooleanSupplier mayWrite,
            LongSupplier generation,
            Clock clock,
            Metrics metrics) {
        this.vertx = vertx;
        this.database = database;
        this.store = store;
        this.mayWrite = mayWrite;
        this.generation = generation;
        this.clock = clock;
        this.metrics = metrics;
    }

    /** Summaries that go together, and behind which execution the search goes on; "" if there is none. */
    private record Page(List<Waiting> waiting, List<String> summaries, String next) {}

    /** Looks whether something is due; to be called every {@link #INTERVAL}. */
    public void tick() {
        if (round == null && !stopped && mayWrite.getAsBoolean()) {
            begin(false);
        }
    }

    private Future<Void> begin(boolean all) {
        WorkerExecutor on = worker == null ? vertx.createSharedWorkerExecutor("tailrace-summaries", 1) : worker;
        worker = on;
        Future<Void> begun = pages(on, "", all).onComplete(done -> {
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
            LOG.warn("Summaries could not be written to PostgreSQL; it is tried again", failure);
        }
        failing = failure != null;
    }

    private Future<Void> pages(WorkerExecutor on, String after, boolean all) {
        return on.executeBlocking(() -> page(after, all), false).compose(page -> write(on, page, 0, page.waiting.size())
                .compose(done -> page.next.isEmpty() ? Future.succeededFuture() : pages(on, page.next, all)));
    }

    /** Blocks. */
    private Page page(String after, boolean all) {
        long now = Timestamps.micros(clock.instant());
        long silentSince = now - TimeUnit.NANOSECONDS.toMicros(SILENT.toNanos());
        long busySince = now - TimeUnit.NANOSECONDS.toMicros(BUSY.toNanos());
        var due = new ArrayList<Waiting>();
        var summaries = new ArrayList<String>();
        long bytes = 0;
        List<Waiting> found = store.waiting(after, PAGE);
        for (Waiting one : found) {
            if (!all && one.changedMicros() > silentSince && one.sinceMicros() > busySince) {
                continue;
            }
            byte[] summary = store.find(one.executionId()).orElse(null);
            if (summary == null) {
                continue; // retired just now, mark and all
            }
            due.add(one);
            summaries.add(new String(summary, StandardCharsets.UTF_8));
            bytes += summary.length;
            if (bytes >= PAGE_BYTES) {
                return new Page(due, summaries, one.executionId());
            }
        }
        return new Page(
                due, summaries, found.size() < PAGE ? "" : found.get(PAGE - 1).executionId());
    }

    /** Part of a page; one that PostgreSQL refuses is found by halving and given up. */
    private Future<Void> write(WorkerExecutor on, Page page, int from, int to) {
        if (from == to) {
            return Future.succeededFuture();
        }
        if (!mayWrite.getAsBoolean()) {
            return Future.failedFuture(new IllegalStateException("the writer's lock was lost"));
        }
        List<Waiting> waiting = page.waiting.subList(from, to);
        return database.pool()
                .preparedQuery(database.summarySql().putSummaries)
                .execute(parameters(waiting, page.summaries.subList(from, to)))
                .timeout(ANSWER_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
                .transform(done -> {
                    if (done.succeeded()) {
                        metrics.summariesWritten(to - from);
                        return given(on, waiting);
                    }
                    if (!SqlErrors.refused(done.cause())) {
                        return Future.failedFuture(done.cause());
                    }
                    if (to - from == 1) {
                        LOG.error(
                                "PostgreSQL refused the summary of execution {}; it stays in the journal alone",
                                waiting.get(0).executionId(),
                                done.cause());
                        return given(on, waiting);
                    }
                    int middle = (from + to) >>> 1;
                    return write(on, page, from, middle).compose(left -> write(on, page, middle, to));
                });
    }

    private Future<Void> given(WorkerExecutor on, List<Waiting> waiting) {
        return on.executeBlocking(
                        () -> {
                            store.given(waiting);
                            return true;
                        },
                        false)
                .mapEmpty();
    }

    private Tuple parameters(List<Waiting> waiting, List<String> summaries) {
        return Tuple.tuple()
                .addArrayOfString(waiting.stream().map(Waiting::executionId).toArray(String[]::new))
                .addArrayOfLong(waiting.stream().map(Waiting::upToSeq).toArray(Long[]::new))
                .addArrayOfString(summaries.toArray(String[]::new))
                .addLong(generation.getAsLong());
    }

    /** Writes all that waits, or what the deadline allows; the rest after the next start. */
    public Future<Void> stop(Duration deadline) {
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
