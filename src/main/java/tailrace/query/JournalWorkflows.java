package tailrace.query;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import tailrace.journal.Journal;
import tailrace.model.ExecutionState;
import tailrace.model.JournalRecord;

/** The executions of workflows as the journal knows them. Safe for any event loop; files are read on workers. */
public final class JournalWorkflows implements WorkflowExecutions {
    /** Looked through at once; whoever needs more comes again. */
    private static final int MAX_RECORDS = 10_000;

    private final Vertx vertx;
    private final Journal journal;

    public JournalWorkflows(Vertx vertx, Journal journal) {
        this.vertx = vertx;
        this.journal = journal;
    }

    @Override
    public long position() {
        return journal.lastPosition();
    }

    @Override
    public Future<List<ExecutionState>> recent(String workflowId, int max, Predicate<ExecutionState> wanted) {
        return vertx.executeBlocking(
                () -> journal.recentExecutions(
                        max, state -> workflowId.equals(state.workflowId()) && wanted.test(state)),
                false);
    }

    @Override
    public Future<Changes> changedAfter(long position, Set<String> workflowIds) {
        Set<String> wanted = Set.copyOf(workflowIds);
        return vertx.executeBlocking(
                () -> {
                    List<JournalRecord> records = journal.records(position, MAX_RECORDS, Integer.MAX_VALUE);
                    Set<String> ids = new LinkedHashSet<>();
                    records.forEach(record -> ids.add(record.executionId()));
                    List<ExecutionState> changed = new ArrayList<>();
                    for (String id : ids) {
                        journal.execution(id)
                                .filter(state -> state.workflowId() != null && wanted.contains(state.workflowId()))
                                .ifPresent(changed::add);
                    }
                    long to = records.isEmpty()
                            ? position
                            : records.get(records.size() - 1).position();
                    return new Changes(to, changed);
                },
                false);
    }
}
