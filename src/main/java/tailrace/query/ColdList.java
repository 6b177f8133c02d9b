package tailrace.query;

import io.vertx.core.Future;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tailrace.journal.ExecutionIndex.Place;
import tailrace.model.ExecutionState;
import tailrace.model.ExecutionStatus;
import tailrace.security.Principal;

/** Executions as PostgreSQL lists them to a reader; fails while it does not answer. Blocks nothing. */
public interface ColdList {
    /** The next ones behind a place; what they mean is said where {@link ListQuery} says it. */
    Future<List<ExecutionState>> newest(
            Principal principal,
            @Nullable String workflowId,
            @Nullable ExecutionStatus status,
            Place after,
            long sinceMicros,
            int max);

    /** How many of a workflow there are, those that it may not have yet counted in. */
    Future<Long> count(Principal principal, String workflowId, List<String> perhaps);
}
