package tailrace.postgres;

import io.github.resilience4j.core.IntervalFunction;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import io.vertx.pgclient.PgConnection;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.Tuple;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.journal.RocksJournal;
import tailrace.model.LogEntry;
import tailrace.postgres.HotPages.Page;
import tailrace.postgres.HotPages.Place;
import tailrace.postgres.HotPages.Span;

/**
 * Puts into PostgreSQL whatever the hot tier has and PostgreSQL lacks: the technical entries of before {@code
 * LOG_PERSIST} became {@code all}. It asks what is there before it sends anything, so a second run goes quickly over what
 * the first has done; rows, states and cursors that are there stay as they are. While PostgreSQL is away it tries again
 * until it is {@link #stop}ped. Figures may be read by any thread.
 */
public final class Reselection {
    private static final Logger LOG = LoggerFactory.getLogger(Reselection.class);
    private static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(60);
    private static final int RETRY_EXPONENT_MAX = 10;
    private static final IntervalFunction RETRY =
            IntervalFunction.ofExponentialRandomBackoff(Duration.ofMillis(200), 2.0, 0.5, Duration.ofSeconds(5));

    private final Vertx vertx;
    private final Database database;
    private final Partitions partitions;
    private final RocksJournal journal;
    private final int lanes;
    private final BooleanSupplier mayWrite;
    private final AtomicLong looked = new AtomicLong();
    private final AtomicLong inserted = new AtomicLong();
    private final AtomicLong refused = new AtomicLong();
    private volatile String lastError = "";
    private volatile boolean stopped;

    /**
     * @param lanes pages in flight at once, each on a connection of its own
     * @param mayWrite whether the writer's lock is held now
     */
    public Reselection(
            Vertx vertx,
            Database database,
            Partitions partitions,
            RocksJournal journal,
            int lanes,
            BooleanSupplier mayWrite) {
        this.vertx = vertx;
        this.database = database;
        this.partitions = partitions;
        this.journal = journal;
        this.lanes = lanes;
        this.mayWrite = mayWrite;
    }

    /** Completes once PostgreSQL has everything, or after {@link #stop}; fails only if the journal cannot be read. */
    public Future<Void> run() {
        Promise<Void> done = Promise.promise();
        vertx.getOrCreateContext().runOnContext(none -> {
            WorkerExecutor worker = vertx.createSharedWorkerExecutor("tailrace-reselect", lanes);
            List<Future<Void>> running = new ArrayList<>(lanes);
            for (int lane = 0; lane < lanes; lane++) {
                running.add(new Runner(lane, worker).start());
            }
            Future.join(running).eventually(worker::close).<Void>mapEmpty().onComplete(done);
        });
        return done.future();
    }

    /** Ends after the pages under way. */
    public void stop() {
        stopped = true;
    }

    /** Entries of the hot tier that are known to be in PostgreSQL, or in {@code log_rejects}. */
    public long looked() {
        return looked.get();
    }

    /** Rows that were missing. */
    public long inserted() {
        return inserted.get();
    }

    /** Rows that PostgreSQL refused; they are in {@code log_rejects}. */
    public long refused() {
        return refused.get();
    }

    /** Of the last failure since a success, or "". */
    public String lastError() {
        return lastError;
    }

    /** One lane's executions, page by page. Belongs to one context. */
    private final class Runner {
        private final int lane;
        private final WorkerExecutor worker;
        private final HotPages pages;
        private final BatchSink sink;
        private final Promise<Void> done = Promise.promise();
        private @Nullable PgConnection connection;
        private Place place = Place.START;
        private int failures;
        // An outage repeats itself at every attempt; it is told once.
        private String told = "";

        Runner(int lane, WorkerExecutor worker) {
            this.lane = lane;
            this.worker = worker;
            this.pages = new HotPages(journal, lane, lanes);
            // Neither states nor cursors are written: the generation is not used.
            this.sink = new BatchSink(database, partitions, journal.id(), 0, lane, lanes);
        }

        Future<Void> start() {
            next();
            return done.future().eventually(this::disconnect);
        }

        private void next() {
            if (stopped) {
                done.complete();
            } else if (!mayWrite.getAsBoolean()) {
                failed(new IllegalStateException("the writer's lock is not held"));
            } else {
                worker.executeBlocking(() -> pages.read(place), false)
                        .onFailure(done::fail)
                        .onSuccess(page ->
                                write(page).onSuccess(none -> written(page)).onFailure(this::failed));
            }
        }

        private void written(Page page) {
            failures = 0;
            told = "";
            lastError = "";
            place = page.next();
            looked.addAndGet(page.entries());
            if (page.end()) {
                done.complete();
            } else {
                next();
            }
        }

        /** What became of the page nobody knows; it is done again. */
        private void failed(Throwable error) {
            String text = String.valueOf(error.getMessage());
            if (!text.equals(told)) {
                LOG.warn("lane {}: a page could not be written and will be tried again: {}", lane, text);
            }
            told = text;
            lastError = text;
            failures++;
            disconnect()
                    .onComplete(closed -> vertx.setTimer(
                            Math.max(1, RETRY.apply(Math.min(failures, RETRY_EXPONENT_MAX))), id -> next()));
        }

        private Future<Void> write(Page page) {
            if (page.spans().isEmpty()) {
                return Future.succeededFuture();
            }
            return connected()
                    .compose(on -> rejected(on, page.spans())
                            .compose(rejects -> missing(on, page.spans(), rejects))
                            .compose(missing -> worker.executeBlocking(() -> rows(missing), false))
                            .compose(rows -> rows.size() == 0
                                    ? Future.succeededFuture(new BatchSink.Written(0, 0))
                                    : sink.writeRows(on, rows)))
                    .timeout(ANSWER_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
                    .map(result -> {
                        inserted.addAndGet(result.rows());
                        refused.addAndGet(result.refused());
                        return null;
                    });
        }

        private Future<PgConnection> connected() {
            PgConnection open = connection;
            return open != null
                    ? Future.succeededFuture(open)
                    : database.connect("tailrace reselect " + lane).onSuccess(fresh -> connection = fresh);
        }

        private Future<Void> disconnect() {
            PgConnection open = connection;
            connection = null;
            return open == null ? Future.succeededFuture() : open.close().otherwiseEmpty();
        }

        /** Seqs that were refused before, by execution: not to be sent and set aside again and again. */
        private Future<Map<String, Set<Long>>> rejected(PgConnection on, List<Span> spans) {
            String[] ids =
                    spans.stream().map(span -> span.state().executionId()).toArray(String[]::new);
            return on.preparedQuery(database.sql().rejectedSeqs)
                    .execute(Tuple.of(journal.id().value()).addValue(ids))
                    .map(found -> {
                        Map<String, Set<Long>> rejects = new HashMap<>();
                        for (Row row : found) {
                            rejects.computeIfAbsent(row.getString(0), id -> new HashSet<>())
                                    .add(row.getLong(1));
                        }
                        return rejects;
                    });
        }

        /** The spans of which a row is missing, without what was refused. */
        private Future<List<Span>> missing(PgConnection on, List<Span> all, Map<String, Set<Long>> rejects) {
            List<Span> spans = all.stream()
                    .map(span -> without(span, rejects.getOrDefault(span.state().executionId(), Set.of())))
                    .filter(span -> !span.entries().isEmpty())
                    .toList();
            if (spans.isEmpty()) {
                return Future.succeededFuture(spans);
            }
            return on.preparedQuery(database.sql().countSpans)
                    .execute(SpanBatch.parameters(spans))
                    .map(counts -> {
                        List<Span> missing = new ArrayList<>();
                        int at = 0;
                        for (Row row : counts) {
                            Span span = spans.get(at++);
                            if (row.getLong(0) < span.entries().size()) {
                                missing.add(span);
                            }
                        }
                        return missing;
                    });
        }
    }

    private static Span without(Span span, Set<Long> seqs) {
        return seqs.isEmpty()
                ? span
                : new Span(
                        span.state(),
                        span.entries().stream()
                                .filter(entry -> !seqs.contains(entry.seq()))
                                .toList());
    }

    private static RowBatch rows(List<Span> spans) {
        RowBatch rows = new RowBatch(HotPages.PAGE_ENTRIES);
        for (Span span : spans) {
            for (LogEntry entry : span.entries()) {
                // The record that brought it may be gone; the execution's last one names no other execution either.
                rows.add(span.state().lastPosition(), span.state().executionId(), entry);
            }
        }
        return rows;
    }
}
