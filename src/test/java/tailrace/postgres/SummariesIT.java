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
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tailrace.journal.ExecutionIndex.Place;
import tailrace.journal.JournalHome;
import tailrace.journal.SummaryStore;
import tailrace.journal.SummaryStore.Kept;
import tailrace.metrics.Metrics;
import tailrace.model.EntryFields;
import tailrace.model.EntryScan;
import tailrace.model.ExecutionState;
import tailrace.model.ExecutionStatus;
import tailrace.model.LogEntry;
import tailrace.model.Timestamps;
import tailrace.query.FakeCold;
import tailrace.query.FakeJournal;
import tailrace.query.SummaryReads;
import tailrace.query.Tiers;
import tailrace.security.Principal;
import tailrace.summary.PlainSummary;
import tailrace.summary.Summaries;
import tailrace.summary.Summarizer;
import tailrace.summary.Summary;
import tailrace.summary.SummaryCodec;

/** Summaries on their way into PostgreSQL and back, and lists of executions as it gives them. */
class SummariesIT {
    private static final Principal SERVICE = new Principal("", true, Long.MAX_VALUE);
    private static final Instant START = Instant.parse("2026-03-01T12:00:00Z");

    private final AtomicLong nowMicros = new AtomicLong(Timestamps.micros(START));
    private final Clock clock = new Clock() {
        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }

        @Override
        public Instant instant() {
            return Timestamps.instant(nowMicros.get());
        }
    };
    private final Metrics metrics = new Metrics(new SimpleMeterRegistry());
    private final AtomicBoolean mayWrite = new AtomicBoolean(true);
    private Vertx vertx;
    private Context context;
    private TestDatabase postgres;
    private Database database;
    private JournalHome home;
    private SummaryStore store;
    private SummaryShipper shipper;
    private SummaryReader reader;
    private long position;

    @BeforeEach
    void open(@TempDir Path temp) {
        vertx = Vertx.vertx();
        context = vertx.getOrCreateContext();
        postgres = TestDatabase.migrated();
        database = postgres.open(vertx);
        home = new JournalHome(temp, false, clock);
        store = home.journal().summaries();
        shipper = new SummaryShipper(vertx, database, store, mayWrite::get, () -> 1, clock, metrics);
        reader = new SummaryReader(database, new Readers(database), new ReadGuard(metrics));
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

    private static Summary summary(long entries) {
        var random = new Random(entries);
        var summary = new Summary();
        var scan = new EntryScan();
        for (long seq = 1; seq <= entries; seq++) {
            summary.add(List.of(PlainSummary.entry(seq, PlainSummary.random(random, 9))), scan);
        }
        return summary;
    }

    private void keep(String id, long upToSeq, byte[] json) {
        home.adopt(1, List.of(FakeJournal.fresh(id)));
        assertThat(store.save(position, ++position, List.of(new Kept(id, upToSeq, json)), nowMicros.get()))
                .isTrue();
    }

    private void keep(String id, long entries) {
        keep(id, entries, SummaryCodec.encode(summary(entries)));
    }

    private long upTo(String id) {
        String found =
                postgres.text("SELECT up_to_seq FROM tailrace.execution_summaries WHERE execution_id = '" + id + "'");
        return found.isEmpty() ? 0 : Long.parseLong(found);
    }

    private void after(Duration time) {
        nowMicros.addAndGet(time.toMillis() * 1_000);
    }

    private static String text(Summary summary) {
        return new String(SummaryCodec.encode(summary), StandardCharsets.UTF_8);
    }

    @Test
    void aSilentExecutionIsWrittenSoonABusyOneNowAndThenNoneWithoutTheLock() {
        keep("silent", 700);
        after(SummaryShipper.SILENT);
        mayWrite.set(false);
        tick();
        mayWrite.set(true);
        keep("busy", 10);
        tick();
        eventually(() -> upTo("silent") == 700);
        assertThat(upTo("busy")).isZero();
        assertThat(text(await(reader.summary(SERVICE, "silent")).orElseThrow())).isEqualTo(text(summary(700)));
        assertThat(await(reader.summary(SERVICE, "nobody"))).isEmpty();

        for (int i = 11; i <= 40; i++) {
            after(Duration.ofSeconds(1));
            keep("busy", i);
        }
        eventually(() -> {
            tick();
            return upTo("busy") == 40;
        });
        keep("busy", 41);
        tick();
        onContext(() -> shipper.stop(Duration.ofSeconds(20)));
        assertThat(upTo("busy")).as("the end writes all").isEqualTo(41);
        assertThat(store.waiting("", 10)).isEmpty();
    }

    @Test
    void whatPostgresRefusesStopsNothing() {
        for (int i = 0; i < 250; i++) {
            keep("e" + i, 3);
        }
        keep("bad", 3, "{\"from_seq\":".getBytes(StandardCharsets.UTF_8));
        onContext(() -> shipper.stop(Duration.ofSeconds(20)));
        assertThat(postgres.number("SELECT count(*) FROM tailrace.execution_summaries"))
                .isEqualTo(250);
        assertThat(upTo("bad")).isZero();
        assertThat(store.waiting("", 10)).isEmpty();
    }

    @Test
    void anOlderSummaryNeverReplacesANewer() {
        postgres.execute("INSERT INTO tailrace.execution_summaries (execution_id, generation, up_to_seq, summary)"
                + " VALUES ('e', 2, 1, '{}'), ('f', 1, 99, '{}'), ('g', 0, 99, '{}')");
        keep("e", 5);
        keep("f", 5);
        keep("g", 5);
        onContext(() -> shipper.stop(Duration.ofSeconds(20)));
        assertThat(List.of(upTo("e"), upTo("f"), upTo("g"))).containsExactly(1L, 99L, 5L);
    }

    @Test
    void postgresAloneAnswersForWhatTheJournalForgot() {
        keep("kept", 60);
        onContext(() -> shipper.stop(Duration.ofSeconds(20)));
        var journal = new FakeJournal(); // it knows nothing any more
        var cold = new FakeCold();
        var old = new ArrayList<LogEntry>();
        var plain = new PlainSummary();
        var random = new Random(9);
        for (int seq = 2; seq <= 600; seq += 2) {
            EntryFields fields = PlainSummary.random(random, 4);
            plain.add(fields);
            old.add(PlainSummary.entry(seq, fields));
        }
        ExecutionState before = FakeJournal.fresh("before");
        cold.add(state(before, 600), old);
        var tiers = new Tiers(vertx, journal, cold);
        var summarizer = new Summarizer(home.journal(), clock, metrics);
        var reads = new SummaryReads(vertx, journal, new Summaries(summarizer, journal), reader, tiers);

        Summary kept = onContext(() -> reads.of(SERVICE, state(FakeJournal.fresh("kept"), 60)));
        assertThat(text(kept)).isEqualTo(text(summary(60)));
        // One of a time when there were no summaries: as much as is left of it
        plain.requireSame(onContext(() -> reads.of(SERVICE, state(before, 600))));
    }

    private static ExecutionState state(ExecutionState s, long lastSeq) {
        return new ExecutionState(
                s.executionId(),
                s.workflowId(),
                s.userId(),
                s.status(),
                lastSeq + 1,
                lastSeq,
                lastSeq,
                s.levelCounts(),
                s.eventCounts(),
                0,
                -1,
                1,
                0,
                0,
                0,
                0,
                0,
                0);
    }

    @Test
    void executionsAreListedBehindAPlaceAlsoWhereManyAreMadeAtOnce() {
        postgres.execute(
                "INSERT INTO tailrace.workflow_executions (execution_id, last_seq, total_logs, milestone_count,"
                        + " created_at, generation, last_position, status, workflow_id, level_counts, event_counts)"
                        + " SELECT 'e' || n, 0, 0, 0, timestamptz '2026-03-01 12:00Z' + (n / 10) * interval '1 us', 1, n,"
                        + " (CASE WHEN n % 2 = 0 THEN 'RUNNING' ELSE 'FAILED' END)::tailrace.execution_status,"
                        + " 'w' || n % 3, '{}', '{}' FROM generate_series(1, 300) AS n");
        for (String workflow : Arrays.asList(null, "w1")) {
            List<String> walked = new ArrayList<>();
            Place after = Place.START;
            while (true) {
                List<ExecutionState> page = await(reader.newest(SERVICE, workflow, null, after, 0, 7));
                if (page.isEmpty()) {
                    break;
                }
                page.forEach(state -> walked.add(state.executionId()));
                ExecutionState last = page.get(page.size() - 1);
                after = new Place(last.createdAtMicros(), last.executionId());
            }
            String where = workflow == null ? "true" : "workflow_id = '" + workflow + "'";
            assertThat(String.join(",", walked))
                    .isEqualTo(
                            postgres.text("SELECT string_agg(execution_id, ',' ORDER BY created_at DESC, execution_id)"
                                    + " FROM tailrace.workflow_executions WHERE " + where));
        }
        long since = Timestamps.micros(START) + 29; // 290 and above: of w1 292, 295 and 298
        assertThat(await(reader.newest(SERVICE, "w1", ExecutionStatus.FAILED, Place.START, since, 100)))
                .extracting(ExecutionState::executionId)
                .containsExactly("e295");
        assertThat(await(reader.count(SERVICE, "w1", List.of("e1", "new")))).isEqualTo(101);
    }
}
