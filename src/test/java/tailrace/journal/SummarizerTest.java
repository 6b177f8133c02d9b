package tailrace.journal;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tailrace.bus.BusMessage;
import tailrace.journal.ExecutionIndex.Piece;
import tailrace.journal.ExecutionIndex.Place;
import tailrace.journal.ExecutionIndex.Scope;
import tailrace.journal.SummaryStore.Waiting;
import tailrace.metrics.Metrics;
import tailrace.model.EntryFields;
import tailrace.model.ExecutionState;
import tailrace.model.ExecutionUpdate;
import tailrace.process.AwaitCondition;
import tailrace.summary.PlainSummary;
import tailrace.summary.Summaries;
import tailrace.summary.Summarizer;
import tailrace.summary.Summary;

/** The cursor behind summaries, over a journal on real files. */
class SummarizerTest {
    private final ConcurrentLinkedQueue<BusMessage.Appended> commits = new ConcurrentLinkedQueue<>();
    private Path directory;
    private OpenJournal open;
    private Summarizer summarizer;

    @BeforeEach
    void open(@TempDir Path temp) {
        directory = temp.resolve("journal");
        open = new OpenJournal(directory, OpenJournal.CONFIG, commits::add);
        summarizer = new Summarizer(open.journal, open.clock, new Metrics(open.meters)).start();
    }

    @AfterEach
    void close() {
        summarizer.stop();
        open.close();
    }

    /** The files go away under it: what was not kept is lost. */
    private void crash() {
        open.close();
        summarizer.stop();
        commits.clear();
        open = new OpenJournal(directory, OpenJournal.CONFIG, commits::add);
        summarizer = new Summarizer(open.journal, open.clock, new Metrics(open.meters)).start();
    }

    private void awaitKept() {
        AwaitCondition.until("all is folded and kept", () -> summarizer.position() == open.journal.lastPosition());
    }

    private Summary summary(String executionId) {
        return new Summaries(summarizer, open.journal)
                .of(open.journal.execution(executionId).orElseThrow());
    }

    private List<String> newest(Scope scope, long sinceMicros) {
        var ids = new ArrayList<String>();
        for (Place after = Place.START; after != null; ) {
            Piece piece = open.journal.summaries().newest(scope, after, sinceMicros, 3);
            piece.states().forEach(state -> ids.add(state.executionId()));
            after = piece.end();
        }
        return ids;
    }

    @Test
    void summariesAreRightAtAnyMomentWhateverIsMissedOrCrashes() {
        var random = new Random(3);
        Map<String, PlainSummary> plain = new TreeMap<>();
        for (int i = 0; i < 250; i++) {
            var batch = Batches.batch();
            for (int n = 1 + random.nextInt(30); n > 0; n--) {
                String id = "e" + random.nextInt(6);
                EntryFields fields = PlainSummary.random(random, 5);
                plain.computeIfAbsent(id, key -> new PlainSummary()).add(fields);
                batch.entry(id, into -> into.copyFrom(fields));
            }
            open.append(batch.build());
            for (BusMessage.Appended commit; (commit = commits.poll()) != null; ) {
                if (random.nextInt(4) > 0) {
                    summarizer.offer(commit);
                }
            }
            switch (random.nextInt(25)) {
                case 0 -> crash();
                case 1 -> awaitKept();
                case 2 -> plain.forEach((id, expected) -> expected.requireSame(summary(id)));
                default -> {}
            }
        }
        plain.forEach((id, expected) -> expected.requireSame(summary(id)));
        awaitKept();
        plain.forEach((id, expected) -> expected.requireSame(summarizer.find(id).orElseThrow()));
        assertThat(open.journal.summaries().waiting("", 100))
                .extracting(Waiting::executionId)
                .containsExactlyElementsOf(plain.keySet());
    }

    @Test
    void listsAreTheNewestFirstForEachOwner() {
        var random = new Random(5);
        List<ExecutionState> all = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            String id = "e" + (i * 37 % 60);
            open.after(Duration.ofMillis(random.nextInt(2))); // some at the same time
            if (random.nextBoolean()) {
                open.update(new ExecutionUpdate(
                        id, null, "w" + random.nextInt(3), random.nextBoolean() ? "anna" : null, open.nowMicros()));
            } else {
                String user = random.nextBoolean() ? "bert" : null;
                open.append(Batches.batch().entry(id, f -> f.userId = user).build());
            }
        }
        awaitKept();
        // An owner that comes later, or changes
        open.update(new ExecutionUpdate("e3", null, "w1", "anna", open.nowMicros()));
        open.update(new ExecutionUpdate("e4", null, "w", "ann", open.nowMicros()));
        awaitKept();
        crash();
        all.addAll(open.journal.executions("", 100));
        all.sort(Comparator.comparingLong(ExecutionState::createdAtMicros)
                .reversed()
                .thenComparing(ExecutionState::executionId));
        assertThat(all).hasSize(60);

        assertThat(newest(Scope.ALL, 0)).isEqualTo(ids(all));
        long since = all.get(20).createdAtMicros();
        assertThat(newest(Scope.ALL, since))
                .isEqualTo(ids(all.stream()
                        .filter(state -> state.createdAtMicros() >= since)
                        .toList()));
        for (Scope scope : List.of(
                new Scope("w1", null),
                new Scope("w", null),
                new Scope(null, "anna"),
                new Scope(null, "ann"),
                new Scope("w1", "anna"),
                new Scope(null, "nobody"))) {
            assertThat(newest(scope, 0))
                    .as(scope.toString())
                    .isEqualTo(ids(all.stream().filter(scope::holds).toList()));
        }
    }

    private static List<String> ids(List<ExecutionState> states) {
        return states.stream().map(ExecutionState::executionId).toList();
    }

    @Test
    void whatPostgresHasWaitsNoMoreUnlessItChanged() {
        open.append(Batches.of("a", "1"));
        open.append(Batches.of("b", "1"));
        open.update(new ExecutionUpdate("empty", null, "w", null, Batches.NOW));
        awaitKept();
        SummaryStore store = open.journal.summaries();
        List<Waiting> waiting = store.waiting("", 10);
        assertThat(waiting).extracting(Waiting::executionId).containsExactly("a", "b");
        assertThat(store.waiting("a", 10)).extracting(Waiting::executionId).containsExactly("b");

        open.after(Duration.ofSeconds(1));
        open.append(Batches.of("b", "2"));
        awaitKept();
        store.given(waiting);

        List<Waiting> left = store.waiting("", 10);
        assertThat(left).extracting(Waiting::executionId).containsExactly("b");
        assertThat(left.get(0).upToSeq()).isEqualTo(2);
        assertThat(left.get(0).sinceMicros()).isEqualTo(Batches.NOW);
        assertThat(left.get(0).changedMicros()).isEqualTo(open.nowMicros());
        store.given(left);
        assertThat(store.waiting("", 10)).isEmpty();
    }

    @Test
    void aRetiredExecutionTakesItsSummaryAlong() {
        open.append(Batches.batch().entry("e", f -> f.userId = "anna").build());
        open.append(Batches.of("last", "1"));
        awaitKept();
        open.after(Duration.ofDays(40));
        open.append(Batches.of("last", "2"));
        awaitKept();

        assertThat(open.trimmer(new AtomicLong(summarizer.passed()), 1L << 30)
                        .expire()
                        .executions())
                .isEqualTo(1);

        assertThat(summarizer.find("e")).isEmpty();
        assertThat(newest(Scope.ALL, 0)).containsExactly("last");
        assertThat(newest(new Scope(null, "anna"), 0)).isEmpty();
        assertThat(open.journal.summaries().waiting("", 10))
                .extracting(Waiting::executionId)
                .containsExactly("last");

        // Under the same id it is another one
        open.append(Batches.of("e", "again"));
        assertThat(summary("e").folded()).isEqualTo(1);
        awaitKept();
        assertThat(summary("e").folded()).isEqualTo(1);
    }

    @Test
    void aJournalOfAnEarlierVersionHoldsNothingBackForIt() {
        for (int i = 0; i < 50; i++) {
            open.append(Batches.of("e", "1", "2"));
        }
        summarizer.stop();
        long end = open.journal.lastPosition();
        // As if it had never been there
        open.journal.reading(files -> {
            files.db.delete(files.meta, Keys.utf8("summaries_position"));
            files.db.delete(files.meta, Keys.utf8("summaries_catch_up"));
            files.db.delete(files.summaries(), Keys.of('s', "e"));
            return true;
        });
        summarizer = new Summarizer(open.journal, open.clock, new Metrics(open.meters));
        assertThat(summarizer.position()).isZero();
        assertThat(summarizer.passed()).isEqualTo(end);
        assertThat(summary("e").folded()).as("before it has caught up").isEqualTo(100);
        summarizer.start();
        awaitKept();
        assertThat(summarizer.find("e").orElseThrow().folded()).isEqualTo(100);
        assertThat(Objects.requireNonNull(summary("e")).fromSeq()).isEqualTo(1);
    }

    @Test
    void aSummaryThatWasLostWithItsPositionIsMadeAnew() {
        open.append(Batches.of("e", "1"));
        awaitKept();
        // A failed disk took the last of what was kept: the position in the files is older than the one in memory
        open.journal.reading(files -> {
            files.db.delete(files.meta, Keys.utf8("summaries_position"));
            files.db.delete(files.summaries(), Keys.of('s', "e"));
            return true;
        });
        open.append(Batches.of("e", "2"));
        AwaitCondition.until(
                "both are counted again",
                () -> open.journal.summaries().position() == 2 && summary("e").folded() == 2);
    }
}
