package tailrace.journal;

import java.util.List;
import org.jspecify.annotations.Nullable;
import tailrace.model.ExecutionState;

/** The executions the journal knows, newest first. Reads files: for workers, any number of them. */
public interface ExecutionIndex {
    /**
     * A place in the list: executions made at the same time are in the order of their ids' bytes.
     *
     * @param createdAtMicros epoch microseconds
     * @param executionId {@code ""} for before all of that time
     */
    record Place(long createdAtMicros, String executionId) {
        /** Before all. */
        public static final Place START = new Place(Long.MAX_VALUE, "");
    }

    /** Whose executions; with both, the owner's list is gone through for the workflow's. */
    record Scope(@Nullable String workflowId, @Nullable String userId) {
        public static final Scope ALL = new Scope(null, null);

        public boolean holds(ExecutionState state) {
            return (workflowId == null || workflowId.equals(state.workflowId()))
                    && (userId == null || userId.equals(state.userId()));
        }
    }

    /**
     * A piece of the list.
     *
     * @param states as they are now
     * @param end how far it was looked: the next piece begins behind it; null if there is nothing more
     */
    record Piece(List<ExecutionState> states, @Nullable Place end) {}

    /**
     * The next executions behind a place.
     *
     * @param sinceMicros only those made then or later; 0 for all
     * @param max at most so many
     */
    Piece newest(Scope scope, Place after, long sinceMicros, int max);
}
