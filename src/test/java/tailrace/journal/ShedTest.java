package tailrace.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tailrace.bus.BusMessage;
import tailrace.config.TailraceConfig.Backpressure.Strategy;
import tailrace.degradation.Shedder;
import tailrace.degradation.Standing;
import tailrace.metrics.Metrics;
import tailrace.model.EventType;
import tailrace.model.ExecutionStatus;
import tailrace.model.ExecutionUpdate;
import tailrace.model.IngestAnswer;
import tailrace.model.IngestBatch;
import tailrace.model.Level;
import tailrace.model.LogEntry;

/** What is shed, what is said of it, and that no crash makes it silent. */
class ShedTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration EPISODE = Duration.ofSeconds(10);

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path temp;

    @SuppressWarnings("NullAway.Init")
    private OpenJournal open;

    @BeforeEach
    void open() {
        open = new OpenJournal(temp.resolve("journal"));
    }

    @AfterEach
    void close() {
        open.close();
    }

    private static Batches mixed(Batches batch, String executionId, int technical, int friendly) {
        for (int i = 0; i < technical; i++) {
            batch.entry(executionId, fields -> fields.level = Level.DEBUG);
        }
        for (int i = 0; i < friendly; i++) {
            batch.entry(executionId, fields -> fields.userFriendlyMessage = "for people");
        }
        return batch;
    }

    private IngestAnswer send(String executionId, int technical, int friendly) {
        return open.append(
                mixed(Batches.batch(), executionId, technical, friendly).build());
    }

    private List<LogEntry> entries(String executionId) {
        return open.journal.entries(executionId, 0, Long.MAX_VALUE, true, 10_000, Long.MAX_VALUE, any -> true);
    }

    private List<JsonNode> reports(String executionId) throws Exception {
        var reports = new ArrayList<JsonNode>();
        for (LogEntry entry : entries(executionId)) {
            JsonNode json = JSON.readTree(entry.json());
            if (json.get("data").has("shed")) {
                assertThat(entry.userFriendly()).isTrue();
                reports.add(json);
            }
        }
        return reports;
    }

    /** The journal thread looks by itself, so nobody needs to send. */
    private void awaitReports(String executionId, int count) throws Exception {
        long deadline = System.nanoTime() + 30_000_000_000L;
        while (reports(executionId).size() < count) {
            assertThat(System.nanoTime()).as("reports of " + executionId).isLessThan(deadline);
            Thread.onSpinWait();
        }
        assertThat(reports(executionId)).hasSize(count);
    }

    @Test
    void whatIsShedGetsNoSeqAndIsCountedInTheAnswer() {
        open.level(4, 0);
        IngestAnswer answer = send("e", 3, 2);
        assertThat(answer.accepted()).isEqualTo(2);
        assertThat(answer.dropped()).isEqualTo(3);
        assertThat(answer.rejected()).isEmpty();
        assertThat(answer.executions().get(0).firstSeq()).isEqualTo(1);
        assertThat(answer.executions().get(0).lastSeq()).isEqualTo(2);
        assertThat(open.journal.execution("e").orElseThrow().totalLogs()).isEqualTo(2);
        assertThat(open.loop.shedEntries()).isEqualTo(3);
        assertThat(open.meters
                        .get("tailrace.entries.shed")
                        .tags("reason", "journal_backlog", "workflow", "none")
                        .counter()
                        .count())
                .isEqualTo(3);
    }

    @Test
    void aBatchThatIsShedAsAWholeIsNoRejectedOneAndMakesNoExecution() {
        open.level(4, 0);
        IngestAnswer answer = send("e", 3, 0);
        assertThat(answer).isEqualTo(new IngestAnswer(0, List.of(), 0, 3, List.of()));
        assertThat(answer.allRejected()).isFalse();
        assertThat(open.journal.execution("e")).isEmpty();
    }

    @Test
    void oneEntryTellsReadersHowManyFromWhenToWhenAndWhy() throws Exception {
        open.level(4, 0);
        send("e", 3, 1);
        open.after(Duration.ofSeconds(2));
        send("e", 2, 1);
        assertThat(reports("e")).isEmpty();

        open.level(1, 0);
        awaitReports("e", 1);

        JsonNode report = reports("e").get(0);
        assertThat(report.get("seq").asLong()).isEqualTo(3);
        assertThat(report.get("level").asText()).isEqualTo("warning");
        assertThat(report.get("event_type").asText()).isEqualTo("log");
        assertThat(report.get("message").asText())
                .isEqualTo("5 technical log entries were left out here, between 12:00:00 and 12:00:02 UTC, because the"
                        + " journal was filling up.");
        assertThat(report.get("data")).isEqualTo(JSON.readTree("""
                        {"shed":5,"from":"2026-03-01T12:00:00.000000Z","to":"2026-03-01T12:00:02.000000Z",
                         "reason":"journal_backlog","strategy":"drop_debug_first"}
                        """));
        // And it is told once
        send("e", 1, 1);
        assertThat(reports("e")).hasSize(1);
        assertThat(entries("e")).hasSize(5);
    }

    @Test
    void anEpisodeIsToldAfterTenSecondsAtTheLatest() throws Exception {
        open.level(4, 0);
        send("e", 3, 1);
        open.after(EPISODE);
        awaitReports("e", 1);
        send("e", 4, 1);
        open.after(EPISODE);
        awaitReports("e", 2);
        assertThat(reports("e").get(1).get("data").get("shed").asInt()).isEqualTo(4);
    }

    @Test
    void theEndOfAnExecutionEndsItsEpisode() throws Exception {
        open.level(4, 0);
        IngestAnswer answer = open.append(mixed(Batches.batch(), "e", 2, 1)
                .entry("e", fields -> fields.eventType = EventType.WORKFLOW_STARTED)
                .entry("e", fields -> {
                    fields.eventType = EventType.WORKFLOW_COMPLETED;
                    fields.statusEffect = ExecutionStatus.SUCCEEDED;
                })
                .entry("e", fields -> fields.level = Level.DEBUG)
                .build());
        // Its own seqs have no stranger among them
        assertThat(answer.executions().get(0).lastSeq()).isEqualTo(3);
        assertThat(answer.dropped()).isEqualTo(3);
        assertThat(reports("e")).hasSize(1);
        assertThat(reports("e").get(0).get("seq").asLong()).isEqualTo(4);

        send("moved", 2, 1);
        open.update(new ExecutionUpdate("moved", ExecutionStatus.STOPPED, null, null, Batches.NOW));
        assertThat(reports("moved")).hasSize(1);
    }

    @Test
    void whatWasShedBeforeACrashIsToldAfterIt() throws Exception {
        open.level(4, 0);
        open.append(mixed(Batches.batch(), "e", 3, 0)
                .entry("e", fields -> {
                    fields.level = Level.DEBUG;
                    fields.userId = "u1";
                })
                .build());
        send("f", 1, 1);
        // Closed without a word, as a crash leaves it: all that counts is in the files.
        open.close();
        open = new OpenJournal(temp.resolve("journal"));
        awaitReports("e", 1);
        awaitReports("f", 1);
        assertThat(reports("e").get(0).get("data").get("shed").asInt()).isEqualTo(4);
        assertThat(open.journal.execution("e").orElseThrow().userId()).isEqualTo("u1");
        assertThat(reports("f").get(0).get("seq").asLong()).isEqualTo(2);

        open.close();
        open = new OpenJournal(temp.resolve("journal"));
        send("e", 0, 1);
        assertThat(reports("e")).as("told once for ever").hasSize(1);
    }

    @Test
    void whoMayNotWriteTellsNothing() throws Exception {
        open.level(4, 0);
        send("e", 3, 1);
        open.standing.set(Standing.UNKNOWN); // not taking
        open.after(EPISODE);
        send("e", 0, 1);
        assertThat(reports("e")).isEmpty();
    }

    @Test
    void aGroupThatCouldNotBeWrittenHasShedNothing() throws Exception {
        open.close();
        var held = new CountDownLatch(1);
        var go = new CountDownLatch(1);
        var first = new AtomicBoolean(true);
        open = new OpenJournal(temp.resolve("other"), OpenJournal.CONFIG, commit -> {
            if (first.getAndSet(false)) {
                held.countDown();
                FsyncTest.awaitQuietly(go);
            }
        });
        open.level(4, 0);
        CompletableFuture<BusMessage.Answer> durable =
                open.loop.append(mixed(Batches.batch(), "e", 2, 1).build());
        held.await();
        CompletableFuture<BusMessage.Answer> lost =
                open.loop.append(mixed(Batches.batch(), "e", 50, 1).build());
        open.journal.close();
        go.countDown();
        OpenJournal.get(durable);
        assertThatThrownBy(() -> OpenJournal.get(lost)).isInstanceOf(JournalUnavailableException.class);

        // Once it is open again, what the files have is told: two, not fifty-two
        awaitAvailable();
        awaitReports("e", 1);
        assertThat(reports("e").get(0).get("data").get("shed").asInt()).isEqualTo(2);
        assertThat(open.loop.shedEntries()).isEqualTo(2);
    }

    private void awaitAvailable() {
        long deadline = System.nanoTime() + 30_000_000_000L;
        while (!open.loop.unavailable().isEmpty()) {
            assertThat(System.nanoTime()).as(open.loop.unavailable()).isLessThan(deadline);
            Thread.onSpinWait();
        }
    }

    @Test
    void anIdThatWasShedIsNotTakenAndTheFirstAnswerIsGivenAgain() {
        var id = new UUID(1, 2);
        open.level(4, 0);
        IngestBatch batch = Batches.batch()
                .entry("e", id, fields -> fields.level = Level.DEBUG)
                .key("k", "f")
                .build();
        IngestAnswer first = open.append(batch);
        assertThat(first.dropped()).isEqualTo(1);
        open.level(1, 0);
        assertThat(open.append(batch)).isEqualTo(first);
        IngestAnswer later = open.append(Batches.batch()
                .entry("e", id, fields -> fields.level = Level.DEBUG)
                .build());
        assertThat(later.accepted()).isEqualTo(1);
        assertThat(later.duplicates()).isZero();
    }

    @Test
    void atAnyPressureFriendlyEntriesAreAllTakenSeqsHaveNoHoleAndReportsSumUp() throws Exception {
        var random = new Random(20_260_301);
        long dropped = 0;
        int friendly = 0;
        for (int round = 0; round < 200; round++) {
            open.level(random.nextInt(4) == 0 ? 1 : 4, random.nextDouble());
            Batches batch = Batches.batch();
            int people = 0;
            for (int i = random.nextInt(20); i >= 0; i--) {
                boolean forPeople = random.nextBoolean();
                Level level = Level.values()[random.nextInt(3)];
                people += forPeople ? 1 : 0;
                batch.entry("e" + random.nextInt(3), fields -> {
                    fields.level = level;
                    fields.userFriendlyMessage = forPeople ? "for people" : null;
                });
            }
            IngestBatch sent = batch.build();
            IngestAnswer answer = open.append(sent);
            assertThat(answer.accepted() + answer.dropped())
                    .isEqualTo(sent.entries().size());
            assertThat(answer.accepted()).isGreaterThanOrEqualTo(people);
            dropped += answer.dropped();
            friendly += people;
            open.after(Duration.ofMillis(random.nextInt(500)));
        }
        open.level(1, 0);
        open.append(Batches.of("other", "to begin a group"));
        open.append(Batches.of("other", "and another"));
        long told = 0;
        long kept = 0;
        for (int e = 0; e < 3; e++) {
            List<LogEntry> all = entries("e" + e);
            for (int i = 0; i < all.size(); i++) {
                assertThat(all.get(i).seq()).isEqualTo(i + 1L);
            }
            for (JsonNode report : reports("e" + e)) {
                told += report.get("data").get("shed").asLong();
            }
            kept += all.stream().filter(LogEntry::userFriendly).count()
                    - reports("e" + e).size();
        }
        assertThat(dropped).isPositive();
        assertThat(told).isEqualTo(dropped);
        assertThat(kept).isEqualTo(friendly);
    }

    @Test
    void beyondSoManyOpenEpisodesTheOldestIsToldEarly() {
        var shedder = new Shedder(Strategy.DROP_DEBUG_FIRST, open.standing::get, java.time.Clock.systemUTC());
        open.level(4, 0);
        var ledger = new ShedLedger(open.journal, shedder, new Metrics(new SimpleMeterRegistry()), 3);
        for (int i = 0; i < 5; i++) {
            IngestBatch batch = mixed(Batches.batch(), "e" + i, 1, 0).build();
            assertThat(ledger.sheds(
                            new StateBuilder("e" + i, 0, 1, Batches.NOW),
                            batch.entries().get(0),
                            Batches.NOW + i))
                    .isTrue();
        }
        assertThat(ledger.takeDue(Batches.NOW + 5))
                .extracting(ShedCount::executionId)
                .containsExactly("e0", "e1");
        assertThat(ledger.anyDue(Batches.NOW + 5)).isFalse();
    }
}
