package tailrace.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;
import tailrace.model.EntryFields;
import tailrace.model.ExecutionStatus;
import tailrace.postgres.Batch.Resume;

class BatchReaderTest {
    private final InMemoryJournal journal = new InMemoryJournal();

    @Property(tries = 200)
    void lanesTogetherBringEveryRowOnceAndInOrder(
            @ForAll @Size(min = 1, max = 30) List<@IntRange(min = 0, max = 12) Integer> counts,
            @ForAll @IntRange(min = 1, max = 4) int lanes,
            @ForAll @IntRange(min = 1, max = 9) int maxRows) {
        InMemoryJournal of = new InMemoryJournal();
        for (int i = 0; i < counts.size(); i++) {
            of.append("e" + i % 5, TestEntries.friendly(counts.get(i)));
        }
        List<String> rows = new ArrayList<>();
        for (int lane = 0; lane < lanes; lane++) {
            BatchReader reader = new BatchReader(of, lane, lanes, false);
            Resume at = Resume.at(0);
            boolean more = true;
            while (more) {
                Batch batch = reader.read(at, maxRows, Long.MAX_VALUE);
                assertThat(batch.rows().size()).isLessThanOrEqualTo(maxRows);
                assertThat(batch.resume().position()).isEqualTo(batch.toPosition());
                for (int row = 0; row < batch.rows().size(); row++) {
                    rows.add(batch.rows().execution(row) + ":"
                            + batch.rows().entry(row).seq());
                }
                at = batch.resume();
                more = batch.more();
            }
            assertThat(at).isEqualTo(Resume.at(counts.size()));
        }
        List<String> expected = new ArrayList<>();
        for (int e = 0; e < 5; e++) {
            int execution = e;
            int total = IntStream.range(0, counts.size())
                    .filter(i -> i % 5 == execution)
                    .map(counts::get)
                    .sum();
            IntStream.rangeClosed(1, total).forEach(seq -> expected.add("e" + execution + ":" + seq));
        }
        assertThat(rows).containsExactlyInAnyOrderElementsOf(expected);
        for (int e = 0; e < 5; e++) {
            String prefix = "e" + e + ":";
            assertThat(rows.stream().filter(row -> row.startsWith(prefix)).toList())
                    .isEqualTo(expected.stream()
                            .filter(row -> row.startsWith(prefix))
                            .toList());
        }
    }

    @Test
    void aBatchEndsWhereItsBytesDo() {
        EntryFields large = TestEntries.friendly("large");
        large.message = "x".repeat(3 << 20);
        journal.append("e", List.of(large, large, large, large));
        BatchReader reader = new BatchReader(journal, 0, 1, false);

        Batch first = reader.read(Resume.at(0), 100, Long.MAX_VALUE);
        Batch second = reader.read(first.resume(), 100, Long.MAX_VALUE);

        assertThat(first.rows().size()).isEqualTo(3);
        assertThat(first.toPosition()).isZero();
        assertThat(first.more()).isTrue();
        assertThat(second.rows().size()).isEqualTo(1);
        assertThat(second.toPosition()).isEqualTo(1);
        assertThat(second.more()).isFalse();
    }

    @Test
    void aChangeOfStatusAloneBringsTheExecution() {
        journal.move("e", ExecutionStatus.RUNNING);

        Batch batch = new BatchReader(journal, 0, 1, false).read(Resume.at(0), 10, Long.MAX_VALUE);

        assertThat(batch.rows().size()).isZero();
        assertThat(batch.states()).extracting(state -> state.status()).containsExactly(ExecutionStatus.RUNNING);
        assertThat(batch.toPosition()).isEqualTo(1);
    }

    @Test
    void nothingBeyondTheGivenPositionIsTaken() {
        journal.append("a", TestEntries.friendly(1));
        journal.append("b", TestEntries.friendly(1));

        Batch batch = new BatchReader(journal, 0, 1, false).read(Resume.at(0), 10, 1);

        assertThat(batch.rows().size()).isEqualTo(1);
        assertThat(batch.toPosition()).isEqualTo(1);
    }

    /** Cursors in databases depend on it. */
    @Test
    void theLaneOfAnExecutionNeverChanges() {
        assertThat(IntStream.range(0, 12)
                        .map(i -> BatchReader.laneOf("execution-" + i, 3))
                        .toArray())
                .containsExactly(2, 2, 1, 2, 0, 1, 2, 1, 1, 2, 2, 0);
    }
}
