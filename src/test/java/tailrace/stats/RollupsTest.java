package tailrace.stats;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import tailrace.model.LogEntry;
import tailrace.postgres.TestStates;
import tailrace.summary.PlainSummary;

/** What is open at a time is bounded, and what is put away begins anew; StatsCountTest has the counting itself. */
class RollupsTest {
    private final Rollups rollups = new Rollups();
    private final LogEntry entry = PlainSummary.entry(1, PlainSummary.random(new Random(1), 3));

    private void count(String owner, long position) {
        assertThat(rollups.turnTo(TestStates.state("e", owner, "w"), position)).isTrue();
        rollups.entry(entry);
    }

    private List<Long> parts() {
        return rollups.changed().stream()
                .map(changed -> CellKey.decode(changed.key()).part())
                .distinct()
                .toList();
    }

    @Test
    void whoWasQuietLongestIsPutAwayWhereThereAreTooMany() {
        int owners = (int) (Rollups.MAX_OPEN_BYTES / 1_000);
        for (int i = 0; i < owners; i++) {
            count("o" + i, 1);
        }
        assertThat(rollups.changedCells()).isEqualTo(owners * Resolution.values().length);
        assertThat(rollups.changed()).hasSize(rollups.changedCells());
        rollups.saved();
        assertThat(rollups.changedCells()).isZero();
        count("o" + (owners - 1), 2);
        assertThat(parts()).containsExactly(1L);
        rollups.saved();
        count("o0", 3);
        assertThat(parts()).containsExactly(3L);
    }

    @Test
    void whatWasNotKeptIsForgotten() {
        count("o", 1);
        rollups.saved();
        count("o", 2);
        rollups.forget();
        assertThat(rollups.changed()).isEmpty();
        count("o", 2);
        assertThat(parts()).containsExactly(2L);
        assertThat(rollups.turnTo(TestStates.state("e", null, null), 3))
                .as("without a workflow")
                .isFalse();
        assertThat(rollups.turnTo(null, 4)).isFalse();
    }
}
