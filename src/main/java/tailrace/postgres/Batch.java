package tailrace.postgres;

import java.util.List;
import tailrace.model.ExecutionState;

/**
 * What one transaction of a lane brings: rows, the executions they belong to, and how far the cursor moves.
 *
 * @param fromPosition the cursor before
 * @param toPosition the cursor after; the same where the batch ends within a record
 * @param resume where the next batch begins
 * @param more whether the journal held more than fitted
 */
record Batch(
        RowBatch rows, List<ExecutionState> states, long fromPosition, long toPosition, Resume resume, boolean more) {
    /**
     * A place in the journal, perhaps within a record.
     *
     * @param position records up to here are done
     * @param nextSeq entries of the record after it that are below this are done, too; 0 for none
     */
    record Resume(long position, long nextSeq) {
        static Resume at(long position) {
            return new Resume(position, 0);
        }
    }

    /** Whether it would change nothing. */
    boolean empty() {
        return rows.size() == 0 && states.isEmpty() && toPosition == fromPosition;
    }
}
