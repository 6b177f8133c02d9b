package tailrace.query;

import org.jspecify.annotations.Nullable;
import tailrace.journal.ExecutionIndex.Place;
import tailrace.model.ExecutionStatus;

/**
 * What a list of executions is asked for.
 *
 * @param workflowId only this workflow's, if not null
 * @param status only those that have it now, if not null
 * @param sinceMicros only those made then or later; 0 for all
 * @param after where the page before ended
 */
public record ListQuery(
        @Nullable String workflowId, @Nullable ExecutionStatus status, long sinceMicros, int limit, Place after) {
    public static final int MAX_LIMIT = 500;
    public static final int DEFAULT_LIMIT = 50;
}
