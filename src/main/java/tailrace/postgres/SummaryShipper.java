package tailrace.postgres;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
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
import tailrace.journal.SummaryStore;
import tailrace.journal.SummaryStore.Waiting;
import tailrace.metrics.Metrics;
import tailrace.model.Timestamps;

/**
 * Brings summaries into PostgreSQL: those of executions that fell silent soon, those of busy ones now and then, so that a
 * large one is not written anew with every flush.
 */
public final class SummaryShipper extends Shipper<SummaryShipper.Item, String> {
    /** Between two looks for what waits. */
    public static final Duration INTERVAL = Duration.ofSeconds(1);

    /** An execution that was silent for so long has its summary written. */
    static final Duration SILENT = Duration.ofSeconds(2);
    /** One that is busy all the time has it written that often. */
    static final Duration BUSY = Duration.ofSeconds(30);

    private static final int PAGE = 200;
    private static final long PAGE_BYTES = 2L << 20;

    private final Database database;
    private final SummaryStore store;
    private final LongSupplier generation;
    private final Clock clock;
    private final Metrics metrics;

    /** A summary as it is written, and the mark that it leaves. */
    record Item(Waiting waiting, String summary) {}

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
        super(vertx, "summaries", mayWrite);
        this.database = database;
        this.store = store;
        this.generation = generation;
        this.clock = clock;
        this.metrics = metrics;
    }

    @Override
    Page<Item, String> page(@Nullable String after, boolean all) {
        long now = Timestamps.micros(clock.instant());
        long silentSince = now - TimeUnit.NANOSECONDS.toMicros(SILENT.toNanos());
        long busySince = now - TimeUnit.NANOSECONDS.toMicros(BUSY.toNanos());
        var due = new ArrayList<Item>();
        long bytes = 0;
        List<Waiting> found = store.waiting(after == null ? "" : after, PAGE);
        for (Waiting one : found) {
            if (!all && one.changedMicros() > silentSince && one.sinceMicros() > busySince) {
                continue;
            }
            byte[] summary = store.find(one.executionId()).orElse(null);
            if (summary == null) {
                continue; // retired just now, mark and all
            }
            due.add(new Item(one, new String(summary, StandardCharsets.UTF_8)));
            bytes += summary.length;
            if (bytes >= PAGE_BYTES) {
                return new Page<>(due, one.executionId());
            }
        }
        return new Page<>(due, found.size() < PAGE ? null : found.get(PAGE - 1).executionId());
    }

    @Override
    Future<?> put(List<Item> items) {
        return database.pool()
                .preparedQuery(database.summarySql().putSummaries)
                .execute(Tuple.tuple()
                        .addArrayOfString(items.stream()
                                .map(item -> item.waiting.executionId())
                                .toArray(String[]::new))
                        .addArrayOfLong(items.stream()
                                .map(item -> item.waiting.upToSeq())
                                .toArray(Long[]::new))
                        .addArrayOfString(items.stream().map(Item::summary).toArray(String[]::new))
                        .addLong(generation.getAsLong()));
    }

    @Override
    void given(List<Item> items) {
        store.given(items.stream().map(Item::waiting).toList());
    }

    @Override
    String name(Item item) {
        return "execution " + item.waiting.executionId();
    }

    @Override
    void written(int items) {
        metrics.summariesWritten(items);
    }
}
