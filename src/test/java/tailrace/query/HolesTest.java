package tailrace.query;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Set;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import tailrace.model.EntryCodec;
import tailrace.model.EventType;
import tailrace.model.Level;
import tailrace.model.LogEntry;
import tailrace.model.LogFilter;
import tailrace.query.Coverage.Gap;
import tailrace.query.Coverage.Reason;

class HolesTest {
    private static List<LogEntry> entries(long... seqs) {
        byte[] encoded = new EntryCodec().encode(FakeJournal.entry("m", 1));
        return LongStream.of(seqs).mapToObj(seq -> new LogEntry(seq, encoded)).toList();
    }

    @Test
    void namesEveryHole() {
        assertThat(Holes.between(entries(2, 3, 6), 1, 8))
                .containsExactly(
                        new Gap(1, 1, Reason.TECHNICAL_EXPIRED),
                        new Gap(4, 5, Reason.TECHNICAL_EXPIRED),
                        new Gap(7, 8, Reason.TECHNICAL_EXPIRED));
        assertThat(Holes.between(entries(1, 2), 1, 2)).isEmpty();
        assertThat(Holes.between(entries(), 5, 5)).containsExactly(new Gap(5, 5, Reason.TECHNICAL_EXPIRED));
    }

    @Test
    void aHoleThatEndsBelowAJumpIsLost() {
        long jump = Holes.JUMP;
        assertThat(Holes.between(entries(499, jump + 2), 498, jump + 3))
                .containsExactly(
                        new Gap(498, 498, Reason.TECHNICAL_EXPIRED),
                        new Gap(500, jump - 1, Reason.LOST),
                        new Gap(jump, jump + 1, Reason.TECHNICAL_EXPIRED),
                        new Gap(jump + 3, jump + 3, Reason.TECHNICAL_EXPIRED));
    }

    @Test
    void twoLossesInARowAreOneGap() {
        assertThat(Holes.between(entries(499), 499, 2 * Holes.JUMP - 1))
                .containsExactly(new Gap(500, 2 * Holes.JUMP - 1, Reason.LOST));
    }

    @Test
    void filtersThatTechnicalEntriesCannotPassMissNothingByTheirLoss() {
        var all = LogFilter.ALL;
        assertThat(Holes.concern(all)).isTrue();
        assertThat(Holes.concern(with(Set.of(Level.ERROR, Level.CRITICAL), Set.of(), 1, null)))
                .isFalse();
        assertThat(Holes.concern(with(Set.of(Level.ERROR, Level.INFO), Set.of(), 1, null)))
                .isTrue();
        assertThat(Holes.concern(with(Set.of(), Set.of(EventType.STEP_ERROR), 1, null)))
                .isFalse();
        assertThat(Holes.concern(with(Set.of(), Set.of(EventType.LOG), 1, null)))
                .isTrue();
        assertThat(Holes.concern(with(Set.of(), Set.of(), 7, null))).isFalse();
        assertThat(Holes.concern(with(Set.of(), Set.of(), 6, null))).isTrue();
        assertThat(Holes.concern(with(Set.of(), Set.of(), 1, true))).isFalse();
        assertThat(Holes.concern(with(Set.of(), Set.of(), 1, false))).isTrue();
        var gaps = List.of(new Gap(1, 2, Reason.TECHNICAL_EXPIRED), new Gap(3, 4, Reason.LOST));
        assertThat(Holes.told(gaps, with(Set.of(), Set.of(), 7, null))).containsExactly(gaps.get(1));
    }

    private static LogFilter with(
            Set<Level> levels,
            Set<EventType> types,
            int priority,
            @org.jspecify.annotations.Nullable Boolean milestone) {
        return new LogFilter(levels, types, null, priority, milestone, Long.MIN_VALUE, Long.MAX_VALUE);
    }
}
