package tailrace.model;

/**
 * One step of the journal: consecutive entries of one execution, or a change of its state alone ({@code count} 0).
 *
 * @param position its place in the journal; positions ascend by one from 1
 * @param executionId whose entries
 * @param firstSeq the first entry's seq
 * @param count how many entries, 0 where only the execution's state changed
 * @param friendlyCount how many of them are user-friendly
 * @param urgent whether it should be flushed at once: an error, a milestone or an end is among them
 * @param bytes of its encoded entries; 0 where an earlier version did not count them
 * @param totalBytes of all encoded entries ever appended, up to and including these
 */
public record JournalRecord(
        long position,
        String executionId,
        long firstSeq,
        int count,
        int friendlyCount,
        boolean urgent,
        long bytes,
        long totalBytes) {

    /** One whose bytes nobody counted. */
    public JournalRecord(
            long position, String executionId, long firstSeq, int count, int friendlyCount, boolean urgent) {
        this(position, executionId, firstSeq, count, friendlyCount, urgent, 0, 0);
    }

    /** The last entry's seq; {@code firstSeq - 1} where there is none. */
    public long lastSeq() {
        return firstSeq + count - 1;
    }
}
