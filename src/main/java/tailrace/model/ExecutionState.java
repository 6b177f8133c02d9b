package tailrace.model;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What is known of one execution after a commit: whose it is, how far it is, what it counts. Covers all its entries,
 * technical ones too (SPEC 4). Immutable; the counters are absolute, so writing the same state twice changes nothing.
 *
 * @param hotFromSeq the lowest seq the journal's store holds; everything from there to {@code lastSeq} is there.
 *     At least {@code lastSeq + 1} while it holds nothing; above it, the next entry jumps there (promise 7)
 * @param lastSeq the highest seq given, 0 before the first entry
 * @param totalLogs entries ever accepted; less than {@code lastSeq} only after a journal was lost
 * @param levelCounts entries by {@link Level#ordinal()}
 * @param eventCounts entries by {@link EventType#ordinal()}
 * @param milestoneCount entries marked as milestones
 * @param progressHundredths the last progress reported, in hundredths of a percent, -1 before the first
 * @param createdAtMicros epoch microseconds of the first entry's receipt or of registration
 * @param startedAtMicros sender's time of the last {@code workflow_started}, 0 before it
 * @param finishedAtMicros time of receipt of what finished it, 0 while it is live
 * @param firstEntryAtMicros lowest sender's time of an entry, 0 before the first
 * @param lastEntryAtMicros highest sender's time of an entry, 0 before the first
 * @param lastReceivedAtMicros time of receipt of the last entry, 0 before the first
 * @param lastPosition journal position of the last change
 */
public record ExecutionState(
        String executionId,
        @Nullable String workflowId,
        @Nullable String userId,
        ExecutionStatus status,
        long hotFromSeq,
        long lastSeq,
        long totalLogs,
        Counts levelCounts,
        Counts eventCounts,
        long milestoneCount,
        int progressHundredths,
        long createdAtMicros,
        long startedAtMicros,
        long finishedAtMicros,
        long firstEntryAtMicros,
        long lastEntryAtMicros,
        long lastReceivedAtMicros,
        long lastPosition) {

    /** Counters by an enum's ordinal; immutable. */
    public static final class Counts {
        private final long[] values;

        /** Takes a copy. */
        public Counts(long... values) {
            this.values = values.clone();
        }

        public static Counts zero(int length) {
            return new Counts(new long[length]);
        }

        public long get(Enum<?> of) {
            return values[of.ordinal()];
        }

        /** A copy, indexed by ordinal. */
        public long[] toArray() {
            return values.clone();
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Counts that && Arrays.equals(values, that.values);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(values);
        }

        @Override
        public String toString() {
            return Arrays.toString(values);
        }
    }

    /** The same, of which the journal's store holds only what is at this seq or above it. */
    public ExecutionState withHotFromSeq(long seq) {
        return new ExecutionState(
                executionId,
                workflowId,
                userId,
                status,
                seq,
                lastSeq,
                totalLogs,
                levelCounts,
                eventCounts,
                milestoneCount,
                progressHundredths,
                createdAtMicros,
                startedAtMicros,
                finishedAtMicros,
                firstEntryAtMicros,
                lastEntryAtMicros,
                lastReceivedAtMicros,
                lastPosition);
    }

    /** Entries of level WARNING. */
    public long warningCount() {
        return levelCounts.get(Level.WARNING);
    }

    /** Entries of level ERROR and above. */
    public long errorCount() {
        return levelCounts.get(Level.ERROR) + levelCounts.get(Level.CRITICAL);
    }
}
