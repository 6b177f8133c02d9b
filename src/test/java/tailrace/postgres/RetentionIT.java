package tailrace.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static tailrace.postgres.TestDatabase.await;
import static tailrace.postgres.TestDatabase.eventually;

import io.vertx.core.Vertx;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import tailrace.config.TailraceConfig;
import tailrace.model.EntryFields;

/** Cleanups of a real PostgreSQL, as of 15 July 2026. */
class RetentionIT {
    private static final LocalDate TODAY = LocalDate.of(2026, 7, 15);
    private static final Instant NOW = Instant.parse("2026-07-15T09:00:00Z");
    private static final Clock CLOCK = Clock.fixed(NOW, ZoneOffset.UTC);
    private static final int LOG_DAYS = 10;
    private static final LocalDate FIRST_KEPT = TODAY.minusDays(LOG_DAYS);
    private static final Retention.Limits LIMITS =
            new Retention.Limits(Duration.ofMillis(200), 2, 100, 1_000, Duration.ZERO);
    private static final TailraceConfig.Retention CONFIG =
            new TailraceConfig.Retention(LOG_DAYS, Duration.ofDays(1), Duration.ofHours(1), 30, Optional.empty());

    private Vertx vertx;
    private TestDatabase postgres;
    private Database database;
    private ColdData data;

    @BeforeEach
    void open() {
        vertx = Vertx.vertx();
        postgres = TestDatabase.migrated();
        database = postgres.open(vertx);
        data = new ColdData(postgres);
    }

    @AfterEach
    void close() {
        postgres.close();
        await(vertx.close());
    }

    private RetentionReport run(boolean dryRun) {
        return new Retention(vertx, database, new Partitions(database, CLOCK), CONFIG, CLOCK, LIMITS).run(dryRun);
    }

    private long walBytes() {
        return postgres.number("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn");
    }

    @Test
    @Tag("alone")
    void aDroppedDayCostsNothingLikeItsDelete() throws Exception {
        // Given 30 days, two of them large, and the same row count to delete as to drop
        int large = 40_000;
        LocalDate dropped = FIRST_KEPT.minusDays(1);
        for (int age = 0; age < 30; age++) {
            LocalDate day = TODAY.minusDays(age);
            data.day(day, day.equals(dropped) || day.equals(TODAY) ? large : 200, 20);
        }
        LocalDate first = TODAY.minusDays(29);
        postgres.execute("CREATE EXTENSION IF NOT EXISTS pgstattuple; CHECKPOINT");

        // When one day is deleted, and all 19 that are past their time are dropped
        long before = walBytes();
        long start = System.nanoTime();
        postgres.execute("DELETE FROM tailrace.workflow_execution_logs WHERE received_at >= '" + TODAY + " 00:00Z'");
        long deleteNanos = System.nanoTime() - start;
        long deleteWal = walBytes() - before;
        // Those ahead are made by the run too, and are not what is measured here.
        await(new Partitions(database, CLOCK).ensureAhead());
        before = walBytes();
        start = System.nanoTime();
        RetentionReport report = run(false);
        long dropNanos = (System.nanoTime() - start) / 19;
        long dropWal = (walBytes() - before) / 19;

        // Then they are gone whole, the younger days are untouched, and a drop cost a fraction of the delete
        assertThat(report.errors()).isEmpty();
        assertThat(report.partitions())
                .extracting(RetentionReport.Partition::day)
                .containsExactlyElementsOf(first.datesUntil(FIRST_KEPT).toList());
        assertThat(report.partitions())
                .allSatisfy(day -> assertThat(day.bytes()).isPositive());
        assertThat(data.table(dropped)).isFalse();
        assertThat(data.rows()).isEqualTo(10L * 200);
        assertThat(dropWal).as("WAL bytes of a drop").isLessThan(deleteWal / 10);
        assertThat(dropNanos).as("time of a drop, of a delete: %s", deleteNanos).isLessThan(deleteNanos);
        assertThat(postgres.number("SELECT sum((pgstattuple(c.oid)).dead_tuple_count)::int8 FROM pg_class c"
                        + " WHERE relispartition AND relkind = 'r' AND relname < '" + ColdData.name(TODAY) + "'"))
                .as("dead rows in the days that are kept")
                .isZero();
    }

    @Test
    void aDryRunShowsAllAndChangesNothing() {
        data.day(FIRST_KEPT.minusDays(1), 30, 3).day(FIRST_KEPT, 20, 2).day(TODAY, 10, 1);
        data.execution("e0-" + FIRST_KEPT, "w", 20, ColdData.noon(FIRST_KEPT)).policy("short", "w", null, 5.0, null);
        data.execution("old", "w", 1, NOW.minus(Duration.ofDays(31)));
        long relations = postgres.number("SELECT count(*) FROM pg_class");

        RetentionReport report = run(true);

        assertThat(report.errors()).isEmpty();
        assertThat(report.dryRun()).isTrue();
        assertThat(report.partitions()).singleElement().satisfies(day -> {
            assertThat(day.rows()).isEqualTo(30);
            assertThat(day.exact()).isTrue();
        });
        assertThat(report.policies()).containsExactly(new RetentionReport.ByPolicy("short", 10));
        assertThat(report.summaries()).isEqualTo(1);
        assertThat(data.rows()).isEqualTo(60);
        assertThat(postgres.number("SELECT count(*) FROM pg_class")).isEqualTo(relations);

        // And the real run removes exactly that
        assertThat(run(false).policies()).isEqualTo(report.policies());
        assertThat(data.rows()).isEqualTo(20);
    }

    @Test
    void onlyOneCleansUp() throws Exception {
        for (int age = 11; age < 17; age++) {
            data.day(TODAY.minusDays(age), 50, 2);
        }
        try (Connection other = TestDatabase.connect(postgres.url());
                Statement statement = other.createStatement()) {
            statement.execute("SELECT pg_advisory_lock(hashtextextended('tailrace retention tailrace', 0))");
            assertThat(run(false).skipped()).isEqualTo(Retention.TAKEN);
            assertThat(data.rows()).isEqualTo(300);
        }
        eventually(() -> postgres.number("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0);

        var first = CompletableFuture.supplyAsync(() -> run(false));
        var second = CompletableFuture.supplyAsync(() -> run(false));
        RetentionReport one = first.get(60, TimeUnit.SECONDS);
        RetentionReport two = second.get(60, TimeUnit.SECONDS);

        assertThat(one.errors()).isEmpty();
        assertThat(two.errors()).isEmpty();
        assertThat(one.partitions().size() + two.partitions().size()).isEqualTo(6);
        assertThat(data.rows()).isZero();
        eventually(() -> postgres.number("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0);
    }

    @Test
    void aLongReaderHoldsUpNobodyButTheCleanup() throws Exception {
        LocalDate old = FIRST_KEPT.minusDays(1);
        data.day(old.minusDays(1), 20, 1).day(old, 20, 1).day(TODAY, 20, 1);
        try (Connection reader = TestDatabase.connect(postgres.url());
                Statement reading = reader.createStatement()) {
            // Given a reader in the middle of a long transaction
            reader.setAutoCommit(false);
            assertThat(count(reading)).isEqualTo(60);

            // When a cleanup would drop what he reads
            CompletableFuture<RetentionReport> cleanup = CompletableFuture.supplyAsync(() -> run(false));
            int written = 0;
            while (!cleanup.isDone()) {
                // Then writers and other readers wait for nothing: this fails where they have to queue
                postgres.execute("SET lock_timeout = 50; SELECT count(*) FROM tailrace.workflow_execution_logs;"
                        + " INSERT INTO tailrace.workflow_execution_logs SELECT * FROM"
                        + " tailrace.workflow_execution_logs LIMIT 1 ON CONFLICT DO NOTHING");
                written++;
            }
            assertThat(written).isPositive();
            RetentionReport report = cleanup.get();
            assertThat(report.partitions()).isEmpty();
            assertThat(report.errors()).singleElement().asString().contains("lock timeout");
            assertThat(postgres.number("SELECT count(*) FROM pg_inherits WHERE inhdetachpending"))
                    .as("a detaching that was broken off")
                    .isEqualTo(1);
            assertThatThrownBy(() -> data.partition(old.minusDays(1)))
                    .hasRootCauseInstanceOf(SQLException.class)
                    .hasStackTraceContaining("it is made again once that is done");
        }

        // And the next cleanup goes on where that one stopped
        RetentionReport next = run(false);
        assertThat(next.errors()).isEmpty();
        assertThat(next.partitions()).hasSize(2);
        assertThat(data.table(old)).isFalse();
        assertThat(data.table(old.minusDays(1))).isFalse();
        assertThat(data.rows(TODAY)).isEqualTo(20);
    }

    private static long count(Statement on) throws SQLException {
        try (ResultSet rows = on.executeQuery("SELECT count(*) FROM tailrace.workflow_execution_logs")) {
            rows.next();
            return rows.getLong(1);
        }
    }

    @Test
    void aDayDetachedBeforeACrashIsDroppedAfterIt() {
        LocalDate old = FIRST_KEPT.minusDays(1);
        data.day(old, 20, 1);
        postgres.execute(
                "ALTER TABLE tailrace.workflow_execution_logs DETACH PARTITION tailrace." + ColdData.name(old));

        assertThat(run(false).partitions()).singleElement().satisfies(day -> assertThat(day.day())
                .isEqualTo(old));
        assertThat(data.table(old)).isFalse();
    }

    @Test
    void aWriterThatMeetsADroppedDayMakesItAgain() {
        InMemoryJournal journal = new InMemoryJournal();
        LocalDate old = LocalDate.of(2026, 3, 1); // what TestEntries says
        List<EntryFields> entries = TestEntries.friendly(5);
        try (WriterFixture running = new WriterFixture(vertx, database, journal, WriterFixture.CONFIG)) {
            journal.append("e", entries);
            eventually(() -> data.rows() == 5);
            assertThat(run(false).partitions()).hasSize(1);
            assertThat(data.table(old)).isFalse();

            journal.append("e", TestEntries.friendly(3));

            eventually(() -> data.rows(old) == 3);
            assertThat(running.writer.stats().rowsRefused()).isZero();
        }
    }

    @Test
    void executionsAreForgottenOnceNothingIsLeftOfThem() {
        Instant old = NOW.minus(Duration.ofDays(30)).minusMillis(1);
        data.partition(TODAY).collect();
        for (int i = 0; i < 250; i++) {
            data.execution("old" + i, "w", 3, old);
        }
        data.flush();
        data.execution("young", "w", 3, NOW.minus(Duration.ofDays(30)));
        data.execution("has-rows", "w", 3, old).row("has-rows", 3, NOW);

        assertThat(run(false).summaries()).isEqualTo(250);
        assertThat(postgres.text("SELECT string_agg(execution_id, ',' ORDER BY execution_id)"
                        + " FROM tailrace.workflow_executions"))
                .isEqualTo("has-rows,young");
    }

    @Test
    void aSummaryTheWriterIsChangingIsNotForgotten() throws Exception {
        data.execution("e", "w", 3, NOW.minus(Duration.ofDays(31)));
        try (Connection writer = TestDatabase.connect(postgres.url());
                Statement writing = writer.createStatement()) {
            // Given a flush that has moved the execution and not committed yet
            writer.setAutoCommit(false);
            writing.execute(
                    "UPDATE tailrace.workflow_executions SET last_position = 2, last_received_at = '" + NOW + "'");
            var limits = new Retention.Limits(Duration.ofSeconds(30), 1, 100, 1_000, Duration.ZERO);
            CompletableFuture<RetentionReport> cleanup = CompletableFuture.supplyAsync(() ->
                    new Retention(vertx, database, new Partitions(database, CLOCK), CONFIG, CLOCK, limits).run(false));
            eventually(() -> postgres.number("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                            + " AND application_name = 'tailrace retention'")
                    == 1);
            writer.commit();
            assertThat(cleanup.get(30, TimeUnit.SECONDS).summaries()).isZero();
        }
        assertThat(postgres.number("SELECT count(*) FROM tailrace.workflow_executions"))
                .isEqualTo(1);
    }

    @Test
    void rejectsGoAfterTheSameTime() {
        postgres.execute("INSERT INTO tailrace.log_rejects (journal_id, position, seq, execution_id, sqlstate, error,"
                + " payload, rejected_at) SELECT gen_random_uuid(), n, 1, 'e', '22000', 'no', '', timestamptz '" + NOW
                + "' - interval '10 days' + (n - 150) * interval '1 ms' FROM generate_series(1, 300) AS n");

        assertThat(run(false).rejects()).isEqualTo(149);
        assertThat(postgres.number("SELECT count(*) FROM tailrace.log_rejects")).isEqualTo(151);
    }

    @Test
    void aDatabaseThatIsAwayIsAnErrorOfTheReport() {
        try (CutProxy proxy = new CutProxy(vertx, postgres.url().port())) {
            Database through = postgres.open(vertx, proxy.port());
            proxy.cut();

            RetentionReport report =
                    new Retention(vertx, through, new Partitions(through, CLOCK), CONFIG, CLOCK, LIMITS).run(false);

            assertThat(report.errors()).singleElement().asString().startsWith("the partitions of the next days: ");
            assertThat(report.partitions()).isEmpty();
        }
    }

    @Test
    void aDatabaseWithoutOurSchemaIsToldWhatToDo() {
        postgres.execute("DROP SCHEMA tailrace CASCADE");
        for (boolean dryRun : new boolean[] {false, true}) {
            assertThat(run(dryRun).errors()).singleElement().asString().endsWith("See `tailrace migrate`)");
        }
    }

    @Test
    void anInterruptedCleanupEndsSoonAndGivesTheLockBack() throws Exception {
        data.day(FIRST_KEPT.minusDays(1), 20, 1);
        List<RetentionReport> reports = new ArrayList<>();
        try (Connection reader = TestDatabase.connect(postgres.url());
                Statement reading = reader.createStatement()) {
            reader.setAutoCommit(false);
            count(reading);
            var patient = new Retention.Limits(Duration.ofMinutes(5), 1, 100, 1_000, Duration.ZERO);
            Thread cleanup = new Thread(() ->
                    reports.add(new Retention(vertx, database, new Partitions(database, CLOCK), CONFIG, CLOCK, patient)
                            .run(false)));
            cleanup.start();
            eventually(() -> postgres.number("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                            + " AND application_name = 'tailrace retention'")
                    == 1);

            cleanup.interrupt();

            cleanup.join(TimeUnit.SECONDS.toMillis(30));
            assertThat(reports).singleElement().satisfies(report -> assertThat(report.errors())
                    .isNotEmpty());
            eventually(() -> postgres.number("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0);
        }
    }
}
