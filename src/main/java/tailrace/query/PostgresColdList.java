package tailrace.query;

import io.vertx.core.Future;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tailrace.journal.ExecutionIndex.Place;
import tailrace.model.ExecutionState;
import tailrace.model.ExecutionStatus;
import tailrace.postgres.SummaryReader;
import tailrace.security.Principal;

/** PostgreSQL's list of executions, read as whoever asks. */
public record PostgresColdList(SummaryReader reader) implements ColdList {
    @Override
    public Future<List<ExecutionState>> newest(
            Principal principal,
            @Nullable String workflowId,
            @Nullable ExecutionStatus status,
            Place after,
            long sinceMicros,
            int max) {
        return reader.newest(principal, workflowId, status, after, sinceMicros, max);
    }

    @Override
    public Future<Long> count(Principal principal, String workflowId, List<String> perhaps) {
        return reader.count(principal, workflowId, perhaps);
    }
}
