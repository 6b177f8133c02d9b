package tailrace.postgres;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.sqlclient.Tuple;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import tailrace.journal.StatsStore;
import tailrace.journal.StatsStore.Kept;
import tailrace.metrics.Metrics;
import tailrace.stats.CellKey;

/** Brings cells of statistics into PostgreSQL, and knows how far those that are there reach. */
public final class StatsShipper extends Shipper<StatsShipper.Item, byte[]> {
    /** Between two looks for what waits: so often a cell is written that changes all the time. */
    public static final Duration INTERVAL = Duration.ofSeconds(2);

    private static final int PAGE = 500;
    private static final long PAGE_BYTES = 1L << 20;
    private static final byte[] FIRST = {};

    private final Database database;
    private final StatsStore store;
    private final LongSupplier generation;
    private final LongSupplier keptUntilMicros;
    private final Metrics metrics;
    private long roundUntilMicros;
    private volatile long writtenUntilMicros;

    /** A cell, and what it counts. */
    record Item(Kept kept, CellKey key) {}

    /**
     * @param mayWrite whether the writer's lock is held now
     * @param generation of the journal; read while the lock is held
     * @param keptUntilMicros up to which time what was accepted is counted in what waits, or was written before
     */
    public StatsShipper(
            Vertx vertx,
            Database database,
            StatsStore store,
            BooleanSupplier mayWrite,
            LongSupplier generation,
            LongSupplier keptUntilMicros,
            Metrics metrics) {
        super(vertx, "statistics", mayWrite);
        this.database = database;
        this.store = store;
        this.generation = generation;
        this.keptUntilMicros = keptUntilMicros;
        this.metrics = metrics;
    }

    /**
     * Up to which time everything that this process accepted is counted in PostgreSQL; epoch microseconds, 0 if that is
     * not known. Any thread.
     */
    public long writtenUntilMicros() {
        return writtenUntilMicros;
    }

    @Override
    Page<Item, byte[]> page(byte @Nullable [] after, boolean all) {
        if (after == null) {
            roundUntilMicros = keptUntilMicros.getAsLong(); // before the first look
        }
        var items = new ArrayList<Item>();
        long bytes = 0;
        for (Kept each : store.waiting(after == null ? FIRST : after, PAGE, PAGE_BYTES)) {
            items.add(new Item(each, CellKey.decode(each.key())));
            bytes += each.bytes().length;
        }
        boolean more = items.size() == PAGE || bytes >= PAGE_BYTES;
        return new Page<>(items, more ? items.get(items.size() - 1).kept.key() : null);
    }

    @Override
    Future<?> put(List<Item> items) {
        return database.pool()
                .preparedQuery(database.statsSql().putCells)
                .execute(Tuple.tuple()
                        .addArrayOfString(items.stream()
                                .map(item -> item.key.workflowId())
                                .toArray(String[]::new))
                        .addArrayOfString(
                                items.stream().map(item -> item.key.owner()).toArray(String[]::new))
                        .addArrayOfInteger(items.stream()
                                .map(item -> item.key.resolution().minutes())
                                .toArray(Integer[]::new))
                        .addArrayOfOffsetDateTime(items.stream()
                                .map(item -> Rows.time(item.key.startMicros()))
                                .toArray(OffsetDateTime[]::new))
                        .addArrayOfLong(
                                items.stream().map(item -> item.key.part()).toArray(Long[]::new))
                        .addArrayOfLong(
                                items.stream().map(item -> item.kept.position()).toArray(Long[]::new))
                        .addArrayOfString(items.stream()
                                .map(item -> new String(item.kept.bytes(), StandardCharsets.UTF_8))
                                .toArray(String[]::new))
                        .addLong(generation.getAsLong()));
    }

    @Override
    void given(List<Item> items) {
        store.given(items.stream().map(Item::kept).toList());
    }

    @Override
    String name(Item item) {
        return "workflow " + item.key.workflowId();
    }

    @Override
    void written(int items) {
        metrics.statsWritten(items);
    }

    @Override
    void roundDone() {
        writtenUntilMicros = roundUntilMicros;
    }
}
