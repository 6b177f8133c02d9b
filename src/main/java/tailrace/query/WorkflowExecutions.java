package tailrace.query;

import io.vertx.core.Future;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import tailrace.model.ExecutionState;

/** Finds the executions of workflows, for those who watch a whole workflow. Called on an event loop; blocks nothing. */
public interface WorkflowExecutions {
    /** How far the journal is now. Reads no file. */
    long position();

    /** The workflow's executions that are wanted, newest first; of a workflow with very many the oldest may be missing. */
    Future<List<ExecutionState>> recent(String workflowId, int max, Predicate<ExecutionState> wanted);

    /** Which executions of these workflows have changed after a position. */
    Future<Changes> changedAfter(long position, Set<String> workflowIds);

    /**
     * What has changed.
     *
     * @param position up to which was looked; go on behind it
     */
    record Changes(long position, List<ExecutionState> executions) {}
}
