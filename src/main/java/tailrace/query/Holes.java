package tailrace.query;

import java.util.ArrayList;
import java.util.List;
import tailrace.model.EventType;
import tailrace.model.Level;
import tailrace.model.LogEntry;
import tailrace.model.LogFilter;
import tailrace.query.Coverage.Gap;
import tailrace.query.Coverage.Reason;

/** Names the seqs that the cold tier does not hold, and why (SPEC 6 and promise 7). */
final class Holes {
    /** After the loss of a journal an execution goes on at the next multiple of this (SPEC 9.7). */
    static final long JUMP = 1_000_000_000L;

    private Holes() {}

    /**
     * The seqs between {@code fromSeq} and {@code toSeq} (both included) that are not among the entries.
     *
     * @param ascending entries within the range, by seq
     */
    static List<Gap> between(List<LogEntry> ascending, long fromSeq, long toSeq) {
        var gaps = new ArrayList<Gap>();
        long next = fromSeq;
        for (LogEntry entry : ascending) {
            add(gaps, next, entry.seq() - 1);
            next = entry.seq() + 1;
        }
        add(gaps, next, toSeq);
        return gaps;
    }

    /** Whether a reader with this filter can miss anything where only technical entries are gone. */
    static boolean concern(LogFilter filter) {
        return !(Boolean.TRUE.equals(filter.milestone())
                || filter.minPriority() >= 7
                || (!filter.levels().isEmpty()
                        && filter.levels().stream().allMatch(level -> level.compareTo(Level.ERROR) >= 0))
                || (!filter.eventTypes().isEmpty()
                        && filter.eventTypes().stream().allMatch(EventType::userFriendly)));
    }

    /** What of these a reader with this filter has to be told. */
    static List<Gap> told(List<Gap> gaps, LogFilter filter) {
        return concern(filter)
                ? gaps
                : gaps.stream()
                        .filter(gap -> gap.reason() != Reason.TECHNICAL_EXPIRED)
                        .toList();
    }

    /** The first seq above this one at which an execution may go on after a loss. */
    static long nextJump(long seq) {
        return (seq / JUMP + 1) * JUMP;
    }

    /** A hole that ends right below a jump is what the lost journal held, or never gave. */
    private static void add(List<Gap> gaps, long fromSeq, long toSeq) {
        long from = fromSeq;
        for (long jump = nextJump(from - 1); from <= toSeq; jump += JUMP) {
            boolean lost = toSeq >= jump - 1;
            long to = lost ? jump - 1 : toSeq;
            if (to >= from) {
                append(gaps, new Gap(from, to, lost ? Reason.LOST : Reason.TECHNICAL_EXPIRED));
            }
            from = to + 1;
        }
    }

    /** Adds a gap, joined to the one before where both say the same. */
    static void append(List<Gap> gaps, Gap gap) {
        if (!gaps.isEmpty()) {
            Gap before = gaps.get(gaps.size() - 1);
            if (before.toSeq() + 1 == gap.fromSeq() && before.reason() == gap.reason()) {
                gaps.set(gaps.size() - 1, new Gap(before.fromSeq(), gap.toSeq(), gap.reason()));
                return;
            }
        }
        gaps.add(gap);
    }
}
