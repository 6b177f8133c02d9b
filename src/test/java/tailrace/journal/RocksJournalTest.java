package tailrace.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tailrace.model.ExecutionState;
import tailrace.model.ExecutionUpdate;
import tailrace.model.JournalRecord;
import tailrace.model.Level;
import tailrace.model.LogEntry;

/** The reading side, as cursors and readers see it. */
class RocksJournalTest {
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

    private List<Long> seqs(String execution, long from, long to, boolean ascending, int maxEntries, long maxBytes) {
        return open.journal.entries(execution, from, to, ascending, maxEntries, maxBytes, any -> true).stream()
                .map(LogEntry::seq)
                .toList();
    }

    @Test
    void anEmptyJournalSaysSo() {
        assertThat(open.journal.lastPosition()).isZero();
        assertThat(open.journal.firstPosition()).isEqualTo(1);
        assertThat(open.journal.records(0, 10, 10)).isEmpty();
        assertThat(open.journal.execution("e")).isEmpty();
        assertThat(seqs("e", 0, Long.MAX_VALUE, true, 10, 10)).isEmpty();
        assertThat(open.journal.executions("", 10)).isEmpty();
    }

    @Test
    void recordsComeInOrderOfPositionUpToEitherLimit() {
        open.append(Batches.of("a", "1", "2", "3"));
        open.append(Batches.batch().entry("b", f -> f.level = Level.ERROR).build());
        open.update(new ExecutionUpdate("a", null, "w", null, Batches.NOW));
        open.append(Batches.of("a", "4"));

        assertThat(open.journal.records(0, 10, 100))
                .usingRecursiveFieldByFieldElementComparatorIgnoringFields("bytes", "totalBytes")
                .containsExactly(
                        new JournalRecord(1, "a", 1, 3, 0, false),
                        new JournalRecord(2, "b", 1, 1, 1, true),
                        new JournalRecord(3, "a", 4, 0, 0, true),
                        new JournalRecord(4, "a", 4, 1, 0, false));
        assertThat(open.journal.records(1, 2, 100))
                .extracting(JournalRecord::position)
                .containsExactly(2L, 3L);
        assertThat(open.journal.records(0, 10, 3)).hasSize(1);
        assertThat(open.journal.records(0, 10, 4)).hasSize(2);
        assertThat(open.journal.records(4, 10, 100)).isEmpty();
        assertThat(open.journal.lastPosition()).isEqualTo(4);
        assertThat(open.journal.firstPosition()).isEqualTo(1);
    }

    @Test
    void entriesComeInEitherOrderWithinTheirBoundsAndLimits() {
        open.append(Batches.of("e", "1", "2", "3", "4", "5"));

        assertThat(seqs("e", 2, 4, true, 10, 1 << 20)).containsExactly(2L, 3L, 4L);
        assertThat(seqs("e", 2, 4, false, 10, 1 << 20)).containsExactly(4L, 3L, 2L);
        assertThat(seqs("e", 0, Long.MAX_VALUE, true, 2, 1 << 20)).containsExactly(1L, 2L);
        assertThat(seqs("e", 0, Long.MAX_VALUE, false, 2, 1 << 20)).containsExactly(5L, 4L);
        assertThat(seqs("e", 4, 3, true, 10, 1 << 20)).isEmpty();
        assertThat(seqs("e", 6, Long.MAX_VALUE, true, 10, 1 << 20)).isEmpty();
        assertThat(seqs("e", 3, 3, true, 10, 1)).as("one at least").containsExactly(3L);
        assertThat(seqs("e", 1, 5, true, 10, 1)).as("no more bytes").containsExactly(1L);
    }

    @Test
    void limitsCountOnlyWhatTheFilterAccepts() {
        open.append(Batches.batch()
                .entry("e", "info")
                .entry("e", f -> f.level = Level.ERROR)
                .entry("e", "info")
                .entry("e", f -> f.level = Level.ERROR)
                .build());

        assertThat(open.journal.entries("e", 1, 9, true, 2, 1 << 20, entry -> entry.level() == Level.ERROR))
                .extracting(LogEntry::seq)
                .containsExactly(2L, 4L);
        assertThat(open.journal.count("e", 1, 9, entry -> entry.level() == Level.ERROR))
                .isEqualTo(2);
        assertThat(open.journal.count("e", 2, 3, any -> true)).isEqualTo(2);
    }

    @Test
    void anIdThatBeginsLikeAnotherIsAnother() {
        String longest = "x".repeat(255);
        for (String id : List.of("a", "ab", "abc", "b", "", "ä", longest)) {
            open.append(Batches.of(id, "of " + id));
        }

        for (String id : List.of("a", "ab", "abc", "b", "", "ä", longest)) {
            assertThat(Batches.told(open.journal, id)).containsExactly("1:of " + id);
        }
        assertThat(open.journal.execution("x")).isEmpty();
        assertThat(Batches.told(open.journal, "x")).isEmpty();
    }

    @Test
    void everythingSurvivesReopening() {
        open.append(Batches.batch()
                .entry("e", f -> {
                    f.userId = "anna";
                    f.workflowId = "w";
                    f.level = Level.ERROR;
                })
                .entry("e", "2")
                .build());
        var id = open.journal.id();
        List<ExecutionState> states = open.journal.executions("", 10);
        List<JournalRecord> records = open.journal.records(0, 10, 100);
        open.journal.registered(3);
        open.close();

        open = new OpenJournal(temp.resolve("journal"));

        assertThat(open.journal.id()).isEqualTo(id);
        assertThat(open.journal.registeredGeneration()).isEqualTo(3);
        assertThat(open.journal.executions("", 10)).isEqualTo(states);
        assertThat(open.journal.records(0, 10, 100)).isEqualTo(records);
        assertThat(open.journal.lastPosition()).isEqualTo(1);
        assertThat(Batches.told(open.journal, "e")).containsExactly("1:a message", "2:2");
    }

    @Test
    void aClosedJournalSaysSoInsteadOfCrashing() {
        open.append(Batches.of("e", "1"));
        open.loop.close();
        open.journal.close();

        assertThatThrownBy(() -> Batches.told(open.journal, "e")).isInstanceOf(JournalUnavailableException.class);
        assertThatThrownBy(() -> open.journal.records(0, 1, 1)).isInstanceOf(JournalUnavailableException.class);
        assertThatThrownBy(() -> open.journal.walSyncs()).isInstanceOf(JournalUnavailableException.class);
    }

    @Test
    void aSecondProcessIsToldThatTheJournalIsInUse() {
        assertThatThrownBy(() -> RocksJournal.open(temp.resolve("journal"), true))
                .isInstanceOf(JournalUnavailableException.class)
                .hasMessageContaining("in use");
    }
}
