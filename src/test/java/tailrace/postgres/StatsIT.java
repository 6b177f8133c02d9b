package tailrace.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static tailrace.postgres.TestDatabase.await;
import static tailrace.postgres.TestDatabase.eventually;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tailrace.config.TailraceConfig;
import tailrace.journal.JournalHome;
import tailrace.journal.StatsStore.Kept;
import tailrace.metrics.Metrics;
import tailrace.model.Level;
import tailrace.model.Timestamps;
import tailrace.postgres.TwoTenants.Session;
import tailrace.query.LogSearch;
import tailrace.query.StatsQuery;
import tailrace.query.StatsReads;
import tailrace.query.WorkflowStats;
import tailrace.security.Principal;
import tailrace.stats.CellKey;
import tailrace.stats.Resolution;

/** Statistics on their way into PostgreSQL and back, and who sees what of them. */
class StatsIT {
    private static final Principal SERVICE = new Principal("", true, Long.MAX_VALUE);
    private static final Instant START = Instant.parse("2026-03-01T12:00:00Z");
    private static final long MINUTE = Resolution.MINUTE.micros();

    private final Metrics metrics = new Metrics(new SimpleMeterRegistry());
    private final AtomicBoolean mayWrite = new AtomicBoolean(true);
    private final AtomicLong generation = new AtomicLong(1);
    private final AtomicLong keptUntil = new AtomicLong();
    private Vertx vertx;
    private Context context;
    private TestDatabase postgres;
    private Database database;
    private JournalHome home;
    private StatsShipper shipper;
    private StatsReads reads;
    private long position;

    @BeforeEach
    void open(@TempDir Path temp) {
        vertx = Vertx.vertx();
        context = vertx.getOrCreateContext();
        postgres = TestDatabase.migrated();
        database = postgres.open(vertx);
        await(database.prepareReaders());
        home = new JournalHome(temp, false, Clock.systemUTC());
        shipper = new StatsShipper(
                vertx, database, home.journal().stats(), mayWrite::get, generation::get, keptUntil::get, metrics);
        var readers = new Readers(database);
        var guard = new ReadGuard(metrics);
        reads = new StatsReads(
                vertx,
                new StatsReader(database, readers, guard),
                new LogSearch(new SearchReader(readers, database), guard),
                new Workflows(database, readers, () -> {}));
    }

    @AfterEach
    void close() {
        home.close();
        postgres.close();
        await(vertx.close());
    }

    private <T> T onContext(Supplier<Future<T>> call) {
        Promise<T> done = Promise.promise();
        context.runOnContext(none -> call.get().onComplete(done));
        return await(done.future());
    }

    private void tick() {
        onContext(() -> {
            shipper.tick();
            return Future.succeededFuture(true);
        });
    }

    /** Ships what waits, and sees that it was. */
    private void ship() {
        keptUntil.incrementAndGet();
        eventually(() -> {
            tick();
            return shipper.writtenUntilMicros() == keptUntil.get();
        });
        assertThat(home.journal().stats().waiting(new byte[0], 1, 1)).isEmpty();
    }

    private static CellKey key(String workflow, String owner, int minute, long part) {
        return new CellKey(workflow, owner, Resolution.MINUTE, Timestamps.micros(START) + minute * MINUTE, part);
    }

    private void keep(CellKey key, long countsTo, String json) {
        var cell = new Kept(key.encode(), countsTo, json.getBytes(StandardCharsets.UTF_8));
        assertThat(home.journal().summaries().save(position, ++position, List.of(), List.of(cell), 0))
                .isTrue();
    }

    private static String infos(int count) {
        return "{\"levels\":{\"info\":" + count + "},\"runs\":1}";
    }

    private Optional<WorkflowStats> read(Principal principal, String workflow, int minutes) {
        long from = Timestamps.micros(START);
        return await(
                reads.read(principal, StatsQuery.around(workflow, Resolution.MINUTE, from, from + minutes * MINUTE)));
    }

    private long entries(Principal principal, String workflow) {
        return read(principal, workflow, 60).orElseThrow().total().entries();
    }

    @Test
    void cellsAreWrittenOnceAndAddedUp() {
        keep(key("w", "", 0, 1), 1, infos(3));
        mayWrite.set(false);
        tick();
        assertThat(shipper.writtenUntilMicros()).isZero();
        mayWrite.set(true);
        ship();
        assertThat(entries(SERVICE, "w")).isEqualTo(3);
        // Grown, and a retry of what it was before that arrives late
        keep(key("w", "", 0, 1), 9, infos(5));
        ship();
        keep(key("w", "", 0, 1), 4, infos(4));
        ship();
        assertThat(entries(SERVICE, "w")).isEqualTo(5);
        // Another part, another owner, another bucket, another journal
        keep(key("w", "", 0, 2), 10, infos(10));
        keep(key("w", "ann", 0, 1), 10, infos(100));
        keep(key("w", "", 7, 1), 10, infos(1_000));
        keep(key("other", "", 0, 1), 10, infos(7));
        ship();
        generation.set(2);
        keep(key("w", "", 0, 1), 1, infos(10_000));
        ship();
        WorkflowStats stats = read(SERVICE, "w", 60).orElseThrow();
        assertThat(stats.total().count(Level.INFO)).isEqualTo(11_115);
        assertThat(stats.total().runs()).isEqualTo(5);
        long first = Timestamps.micros(START);
        assertThat(stats.buckets()).containsOnlyKeys(first, first + 7 * MINUTE);
        assertThat(stats.buckets().tailMap(first + 1).values())
                .singleElement()
                .satisfies(cell -> assertThat(cell.entries()).isEqualTo(1_000));
        assertThat(read(SERVICE, "w", 7).orElseThrow().total().entries()).isEqualTo(10_115);
        assertThat(read(SERVICE, "nothing", 7)).isEmpty();
    }

    @Test
    void manyCellsComeInPagesAndWhatPostgresRefusesStopsNothing() {
        for (int i = 0; i < 1_203; i++) {
            keep(key("w", "o" + i % 401, i / 401, 1), 1, infos(1));
        }
        keep(key("w", "", 3, 1), 1, "{\"levels\":");
        onContext(() -> shipper.stop(Duration.ofSeconds(30)));
        assertThat(postgres.number("SELECT count(*) FROM tailrace.workflow_stats"))
                .isEqualTo(1_203);
        assertThat(home.journal().stats().waiting(new byte[0], 1, 1)).isEmpty();
        assertThat(entries(SERVICE, "w")).isEqualTo(1_203);
    }

    @Test
    void aReaderSeesWhatTheExecutionsOrTheWorkflowsOwnerMay() throws Exception {
        TwoTenants.fill(postgres); // ann-w is ann's; bob-own is bob's, and of ann-w
        keep(key("ann-w", "", 0, 1), 1, infos(1));
        keep(key("ann-w", "bob", 0, 1), 1, infos(10));
        keep(key("ann-w", "ann", 0, 1), 1, infos(100));
        keep(key("nobodys-w", "", 0, 1), 1, infos(1_000));
        keep(key("bob-w", "", 0, 1), 1, infos(10_000));
        ship();
        assertThat(entries(TwoTenants.ANN, "ann-w")).isEqualTo(101);
        assertThat(entries(TwoTenants.BOB, "ann-w")).isEqualTo(10);
        assertThat(entries(SERVICE, "ann-w")).isEqualTo(111);
        assertThat(read(TwoTenants.ANN, "bob-w", 60)).isEmpty();
        assertThat(read(TwoTenants.ANN, "nobodys-w", 60)).isEmpty();
        assertThat(read(TwoTenants.ANN, "unknown", 60)).isEmpty();
        assertThat(read(TwoTenants.ANN, "ann-w", 1).orElseThrow().buckets()).hasSize(1);

        try (Session session = new Session(ReaderLogin.derived(postgres.url()))) {
            assertThat(session.as("ann")
                            .ask("SELECT owner || ' ' || workflow_id FROM tailrace.workflow_stats ORDER BY 1"))
                    .containsExactly(" ann-w", "ann ann-w");
            assertThat(session.as("").ask("SELECT 1 FROM tailrace.workflow_stats"))
                    .isEmpty();
            assertThat(session.as("eve").ask("SELECT 1 FROM tailrace.workflow_stats"))
                    .isEmpty();
        }
    }

    @Test
    void aPageIsReadByItsKey() throws Exception {
        postgres.execute(
                "INSERT INTO tailrace.workflow_stats (workflow_id, resolution, bucket_start, owner, generation,"
                        + " part, position, cell) SELECT 'w' || n % 200, 1, timestamptz '2026-03-01 12:00Z' + n / 200 *"
                        + " interval '1 minute', '', 1, 1, 1, '{}' FROM generate_series(0, 39999) AS n; ANALYZE");
        postgres.execute("INSERT INTO tailrace.workflows (workflow_id, user_id) VALUES ('w7', 'ann')");
        try (Session session = new Session(postgres.url())) {
            session.as("ann");
            session.ask("PREPARE statement AS " + new StatsSql("tailrace").cells);
            String plan = String.join(
                    "\n",
                    session.ask("EXPLAIN EXECUTE statement ('w7', 1, '2026-03-01 12:10Z', '2026-03-01 12:40Z', '', -1,"
                            + " -1, 500)"));
            assertThat(plan)
                    .contains("workflow_stats_pkey", "workflow_id = 'w7'")
                    .containsPattern("Index Cond: .*resolution.*bucket_start")
                    .doesNotContain("Seq Scan on workflow_stats");
            assertThat(session.ask(
                            "EXECUTE statement ('w7', 1, '2026-03-01 12:10Z', '2026-03-01 12:40Z', '', -1, -1, 500)"))
                    .hasSize(30);
        }
    }

    @Test
    void whereOwnershipIsDecidedElsewhereReadersSeeNothingUntilTheyMay() throws Exception {
        TwoTenants.fill(postgres);
        keep(key("ann-w", "ann", 0, 1), 1, infos(1));
        ship();
        String migration = Files.readString(Path.of("sql", "V007__workflow_stats.sql"));
        String check = migration.substring(migration.indexOf("DO $$")).replace("${schema}", "tailrace");
        try (Session session = new Session(ReaderLogin.derived(postgres.url()))) {
            postgres.execute(check);
            assertThat(session.as("ann").ask("SELECT 1 FROM tailrace.workflow_stats"))
                    .as("as it comes")
                    .hasSize(1);
            session.ask("ROLLBACK");
            postgres.execute("CREATE OR REPLACE FUNCTION tailrace.owns_execution(execution_id text) RETURNS boolean"
                    + " LANGUAGE sql STABLE AS 'SELECT false'");
            postgres.execute(check);
            assertThat(session.as("ann").ask("SELECT 1 FROM tailrace.workflow_stats"))
                    .isEmpty();
        }
    }

    @Test
    void eachResolutionIsKeptForItsTime() {
        postgres.execute(
                "INSERT INTO tailrace.workflow_stats (workflow_id, resolution, bucket_start, owner, generation,"
                        + " part, position, cell) SELECT 'w', r, timestamptz '2026-03-01 12:00Z' - d * interval '1 day', '', 1, 1,"
                        + " 1, '{}' FROM unnest('{1,60,1440}'::int[]) AS r, generate_series(0, 410) AS d");
        var config = new TailraceConfig.Retention(10, Duration.ofDays(1), Duration.ofHours(1), 30, Optional.empty());
        Clock clock = Clock.fixed(START, java.time.ZoneOffset.UTC);
        var retention = new Retention(vertx, database, new Partitions(database, clock), config, clock);
        RetentionReport looked = retention.run(true);
        assertThat(looked.errors()).isEmpty();
        assertThat(looked.stats()).isEqualTo(408 + 375 + 10);
        RetentionReport report = retention.run(false);
        assertThat(report.errors()).isEmpty();
        assertThat(report.stats()).isEqualTo(looked.stats());
        assertThat(postgres.text("SELECT string_agg(resolution || ' ' || n, ',' ORDER BY resolution) FROM"
                        + " (SELECT resolution, count(*) AS n FROM tailrace.workflow_stats GROUP BY 1) AS v"))
                .isEqualTo("1 3,60 36,1440 401");
    }
}
