package tailrace.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static tailrace.postgres.TestDatabase.await;
import static tailrace.postgres.TestDatabase.eventually;

import io.vertx.core.Vertx;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tailrace.config.TailraceConfig;
import tailrace.model.EntryFields;
import tailrace.model.ExecutionStatus;

class LogWriterIT {
    private static final String ROWS = "SELECT count(*) FROM tailrace.workflow_execution_logs";

    private Vertx vertx;
    private TestDatabase postgres;
    private Database database;
    private final InMemoryJournal journal = new InMemoryJournal();

    @BeforeEach
    void open() {
        vertx = Vertx.vertx();
        postgres = TestDatabase.migrated();
        database = postgres.open(vertx);
    }

    @AfterEach
    void close() {
        postgres.close();
        await(vertx.close());
    }

    @Test
    void everyRowArrivesThoughNoMessageDoes() {
        for (int i = 0; i < 200; i++) {
            journal.append("e" + i % 7, TestEntries.friendly(5));
        }
        try (WriterFixture running = new WriterFixture(vertx, database, journal, WriterFixture.CONFIG)) {
            eventually(() -> postgres.number(ROWS) == 1_000);
            journal.append("later", TestEntries.friendly(3));
            eventually(() -> postgres.number(ROWS) == 1_003);
            eventually(() -> running.writer.stats().lanes().stream()
                    .allMatch(lane -> lane.lagPositions() == 0 && lane.lagSeconds() == 0));
        }
        assertThat(postgres.number("SELECT count(DISTINCT (execution_id, seq)) FROM tailrace.workflow_execution_logs"))
                .isEqualTo(1_003);
        assertThat(postgres.number("SELECT min(position) FROM tailrace.lane_cursors"))
                .isEqualTo(201);
    }

    @Test
    void transactionsGrowWithTheBacklogAndShrinkOnceItIsGone() {
        TailraceConfig.Writer config = new TailraceConfig.Writer(Duration.ofMillis(50), 50, 100, 1_000, false, 1);
        appendRecords(40);
        try (WriterFixture running = new WriterFixture(vertx, database, journal, config)) {
            eventually(() -> running.flushedRows() == 4_000);
            assertThat(running.flushes)
                    .startsWith(100, 200, 400, 800, 1_000, 1_000)
                    .contains(500);

            // Four small ones without a backlog, each by itself: 1,000 goes back to 100
            int before = running.flushes.size();
            for (int small = 1; small <= 4; small++) {
                int flushed = before + small;
                journal.append("e", TestEntries.friendly(1));
                eventually(() -> running.flushes.size() == flushed);
            }
            running.mayWrite.set(false);
            appendRecords(5);
            running.mayWrite.set(true);
            eventually(() -> running.flushedRows() == 4_504);
            assertThat(postgres.number(ROWS)).isEqualTo(4_504);
            assertThat(running.flushes.subList(before + 4, running.flushes.size()))
                    .containsExactly(100, 200, 200);
        }
    }

    private void appendRecords(int hundreds) {
        for (int i = 0; i < hundreds; i++) {
            journal.append("e", TestEntries.friendly(100));
        }
    }

    @Test
    void onlyUserFriendlyEntriesAreKeptButAllAreCounted() {
        journal.append("e", List.of(TestEntries.technical("t"), TestEntries.friendly("f"), TestEntries.technical("u")));
        journal.append("quiet", List.of(TestEntries.technical("only")));
        journal.move("e", ExecutionStatus.PAUSED);

        new WriterFixture(vertx, database, journal, WriterFixture.CONFIG).close();

        assertThat(postgres.number(ROWS)).isEqualTo(1);
        assertThat(postgres.text("SELECT status || ' ' || last_seq || ' ' || (level_counts->>'info')"
                        + " FROM tailrace.workflow_executions WHERE execution_id = 'e'"))
                .isEqualTo("PAUSED 3 3");
        assertThat(postgres.number("SELECT last_seq FROM tailrace.workflow_executions WHERE execution_id = 'quiet'"))
                .isEqualTo(1);
    }

    @Test
    void persistAllKeepsTechnicalEntriesToo() {
        journal.append("e", List.of(TestEntries.technical("t"), TestEntries.friendly("f")));

        TailraceConfig.Writer all = new TailraceConfig.Writer(Duration.ofMillis(50), 50, 100, 5_000, true, 2);
        new WriterFixture(vertx, database, journal, all).close();

        assertThat(postgres.number(ROWS)).isEqualTo(2);
    }

    @Test
    void whoMayNotWriteWaitsForNothingAtTheEnd() {
        WriterFixture running = new WriterFixture(vertx, database, journal, WriterFixture.CONFIG);
        running.mayWrite.set(false);
        journal.append("e", TestEntries.friendly(5));

        running.stop(Duration.ofMinutes(5));

        assertThat(postgres.number(ROWS)).isZero();
        new WriterFixture(vertx, database, journal, WriterFixture.CONFIG).close();
        assertThat(postgres.number(ROWS)).isEqualTo(5);
    }

    @Test
    void restartsInTheMiddleWriteEveryRowOnce() throws Exception {
        Random random = new Random(7);
        Thread producer = new Thread(() -> {
            for (int i = 0; i < 600; i++) {
                journal.append("e" + i % 11, TestEntries.friendly(10));
            }
        });
        producer.start();
        for (int round = 0; round < 8; round++) {
            WriterFixture running = new WriterFixture(vertx, database, journal, WriterFixture.CONFIG);
            Thread.sleep(random.nextInt(80));
            running.abandon();
        }
        producer.join();
        new WriterFixture(vertx, database, journal, WriterFixture.CONFIG).close();

        assertThat(postgres.number(ROWS)).isEqualTo(6_000);
        assertThat(postgres.number("SELECT count(DISTINCT (execution_id, seq)) FROM tailrace.workflow_execution_logs"))
                .isEqualTo(6_000);
        assertThat(postgres.number("SELECT sum(last_seq) FROM tailrace.workflow_executions"))
                .isEqualTo(6_000);
    }

    @Test
    void aRefusedRowIsSetAsideAndTheRestGoesOn() {
        EntryFields poison = TestEntries.friendly("poison");
        poison.data = "{\"x\":\"\\u0000\"}"; // what the door would have normalised
        journal.append("good", TestEntries.friendly(40));
        List<EntryFields> mixed = TestEntries.friendly(40);
        mixed.set(17, poison);
        journal.append("mixed", mixed);
        String tooLong = new Random(3)
                .ints(6_000, 'a', 'z')
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
        journal.append(tooLong, TestEntries.friendly(2)); // no index takes such a key
        journal.append("after", TestEntries.friendly(3));

        WriterFixture running = new WriterFixture(vertx, database, journal, WriterFixture.CONFIG);
        running.close();

        assertThat(postgres.number(ROWS)).isEqualTo(82);
        assertThat(postgres.number("SELECT count(*) FROM tailrace.log_rejects")).isEqualTo(4);
        assertThat(postgres.text("SELECT sqlstate || ' ' || seq || ' ' || position FROM tailrace.log_rejects"
                        + " WHERE execution_id = 'mixed'"))
                .isEqualTo("22P05 18 2");
        assertThat(postgres.text("SELECT convert_from(payload, 'UTF8') FROM tailrace.log_rejects"
                        + " WHERE execution_id = 'mixed'"))
                .contains("\"message\":\"poison\"");
        assertThat(running.writer.stats().rowsRefused()).isEqualTo(4);
        assertThat(postgres.number("SELECT min(position) FROM tailrace.lane_cursors"))
                .isEqualTo(4);
        assertThat(running.writer.stats().breaker()).isEqualTo("CLOSED");
    }

    @Test
    void daysNobodyPreparedAreMade() {
        for (int day = 0; day < 5; day++) {
            EntryFields late = TestEntries.friendly("late " + day);
            late.receivedAtMicros = TestEntries.NOW - 40 * day * TestEntries.DAY;
            journal.append("e", List.of(late));
        }

        new WriterFixture(vertx, database, journal, WriterFixture.CONFIG).close();

        assertThat(postgres.number(ROWS)).isEqualTo(5);
        assertThat(postgres.number("SELECT count(DISTINCT tableoid) FROM tailrace.workflow_execution_logs"))
                .isEqualTo(5);
        assertThat(postgres.number("SELECT count(*) FROM tailrace.log_rejects")).isZero();
    }

    @Test
    void aPartitionDroppedByRetentionIsMadeAgain() {
        try (WriterFixture running = new WriterFixture(vertx, database, journal, WriterFixture.CONFIG)) {
            journal.append("e", TestEntries.friendly(1));
            eventually(() -> postgres.number(ROWS) == 1);
            postgres.execute("DROP TABLE tailrace.workflow_execution_logs_20260301");
            journal.append("e", TestEntries.friendly(1));
            eventually(() -> postgres.number(ROWS) == 1);
            assertThat(running.writer.stats().rowsRefused()).isZero();
        }
    }

    @Test
    void aRecordLargerThanABatchGoesOutInSeveral() {
        TailraceConfig.Writer small = new TailraceConfig.Writer(Duration.ofMillis(50), 1, 7, 20, false, 2);
        journal.append("e", TestEntries.friendly(500));
        journal.append("e", TestEntries.friendly(3));

        WriterFixture running = new WriterFixture(vertx, database, journal, small);
        running.close();

        assertThat(postgres.number(ROWS)).isEqualTo(503);
        assertThat(running.writer.stats().successfulBatches()).isGreaterThanOrEqualTo(26);
        assertThat(postgres.number("SELECT min(position) FROM tailrace.lane_cursors"))
                .isEqualTo(2);
    }

    @Test
    void theNumberOfLanesChangesOnceTheyAreDrained() {
        for (int i = 0; i < 50; i++) {
            journal.append("e" + i, TestEntries.friendly(4));
        }
        TailraceConfig.Writer one = new TailraceConfig.Writer(Duration.ofMillis(50), 50, 10, 20, false, 1);
        WriterFixture first = new WriterFixture(vertx, database, journal, one);
        eventually(() -> first.writer.stats().rowsWritten() > 0);
        first.abandon();

        TailraceConfig.Writer three = new TailraceConfig.Writer(Duration.ofMillis(50), 50, 10, 20, false, 3);
        try (WriterFixture second = new WriterFixture(vertx, database, journal, three)) {
            eventually(() -> second.writer.stats().lanes().size() == 3);
            journal.append("more", TestEntries.friendly(4));
            eventually(() -> postgres.number(ROWS) == 204);
        }
        assertThat(postgres.text(
                        "SELECT count(*) || ' ' || min(lanes) || ' ' || min(position) FROM tailrace.lane_cursors"))
                .isEqualTo("3 3 51");
    }

    @Test
    void aCursorThatMovedTakesTheTransactionBack() {
        journal.append("e", TestEntries.friendly(2));
        JournalRegistry registry = new JournalRegistry(database);
        long generation = await(registry.register(journal.id(), 1));
        Batch batch = new BatchReader(journal, 0, 1, false).read(Batch.Resume.at(0), 10, 1);
        BatchSink sink =
                new BatchSink(database, new Partitions(database, Clock.systemUTC()), journal.id(), generation, 0, 1);
        postgres.execute("UPDATE tailrace.lane_cursors SET position = 1");

        Throwable error = await(database.connect("test").compose(on -> sink.write(on, batch)
                .transform(done -> on.close().map(none -> done.cause()))));

        assertThat(SqlErrors.cursorMoved(error)).isTrue();
        assertThat(postgres.number(ROWS)).isZero();
        assertThat(postgres.number("SELECT count(*) FROM tailrace.workflow_executions"))
                .isZero();
    }

    @Test
    void nothingIsWrittenWithoutTheLock() throws Exception {
        journal.append("e", TestEntries.friendly(2));
        try (WriterFixture running = new WriterFixture(vertx, database, journal, WriterFixture.CONFIG)) {
            eventually(() -> postgres.number(ROWS) == 2);
            running.mayWrite.set(false);
            journal.append("e", TestEntries.friendly(2));
            Thread.sleep(300);
            assertThat(postgres.number(ROWS)).isEqualTo(2);
            running.mayWrite.set(true);
            running.context.runOnContext(none -> running.writer.resume());
            eventually(() -> postgres.number(ROWS) == 4);
        }
    }

    @Test
    void afterATakeoverTheOldJournalWritesNoMore() {
        journal.append("e", TestEntries.friendly(2));
        WriterFixture old = new WriterFixture(vertx, database, journal, WriterFixture.CONFIG);
        eventually(() -> postgres.number(ROWS) == 2);

        await(new JournalRegistry(database).register(new InMemoryJournal().id(), 2));
        journal.append("e", TestEntries.friendly(2));
        eventually(() -> old.writer.stats().failedBatches() > 0);
        old.abandon();

        assertThat(postgres.number(ROWS)).isEqualTo(2);
    }
}
