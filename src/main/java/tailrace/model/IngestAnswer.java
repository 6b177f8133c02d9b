package tailrace.model;

import java.util.List;

/**
 * What became of a batch (SPEC 5).
 *
 * @param accepted entries that are durable now
 * @param rejected in order of index
 * @param duplicates entries that were there already by their id
 * @param dropped entries shed under load
 * @param executions the seqs given, by execution in order of first appearance
 */
public record IngestAnswer(
        int accepted, List<Rejection> rejected, int duplicates, int dropped, List<SeqRange> executions) {
    public IngestAnswer {
        rejected = List.copyOf(rejected);
        executions = List.copyOf(executions);
    }

    /** Whether nothing of the batch could be taken because of what it says: answered with 400. */
    public boolean allRejected() {
        return accepted == 0 && duplicates == 0 && dropped == 0 && !rejected.isEmpty();
    }
}
