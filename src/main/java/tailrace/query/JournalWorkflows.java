package tailrace.query;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import tailrace.journal.ExecutionIndex;
import tailrace.journal.ExecutionIndex.Place;
import tailrace.journal.ExecutionIndex.Scope;
import tailrace.journal.Journal;
import tailrace.model.ExecutionState;
import tailrace.model.JournalRecord;

/** The executions of workflows as the journal knows them. Safe for any event loop; files are read on workers. */
public final class JournalWorkflows implements WorkflowExecutions {
    /** Looked through at once; whoever needs more comes again. */
    private static final int MAX_RECORDS = 10_000;

    /** Of the index; a workflow with more has too many executions for one who begins to watch it. */
    private static final int MAX_PIECES = 1_000;

    private final Vertx vertx;
    private final Journal journal;
    private final ExecutionIndex index;
    private final LongSupplier indexed;

    /** @param indexed the journal position up to which the index has everything */
    public JournalWorkflows(Vertx vertx, Journal journal, ExecutionIndex index, LongSupplier indexed) {
        this.index = index;
        this.indexed = indexed;
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
                () -> {
                    // Before the index is read: what joins it meanwhile is found twice rather than never.
                    long position = indexed.getAsLong();
                    Map<String, ExecutionState> found = new LinkedHashMap<>();
                    Set<String> ids = Set.of(workflowId);
                    for (long end = journal.lastPosition(); position < end && found.size() < max; ) {
                        Changes changes = changes(position, ids);
                        changes.executions().stream()
                                .filter(wanted)
                                .forEach(state -> found.put(state.executionId(), state));
                        position = changes.position() > position ? changes.position() : end;
                    }
                    indexed(workflowId, max, wanted, found);
                    return found.values().stream().limit(max).toList();
                },
                false);
    }

    private void indexed(
            String workflowId, int max, Predicate<ExecutionState> wanted, Map<String, ExecutionState> found) {
        Scope scope = new Scope(workflowId, null);
        Place after = Place.START;
        for (int pieces = 0; after != null && found.size() < max && pieces < MAX_PIECES; pieces++) {
            ExecutionIndex.Piece piece = index.newest(scope, after, 0, max);
            piece.states().stream().filter(wanted).forEach(state -> found.putIfAbsent(state.executionId(), state));
            after = piece.end();
        }
    }

    @Override
    public Future<Changes> changedAfter(long position, Set<String> workflowIds) {
        Set<String> wanted = Set.copyOf(workflowIds);
        return vertx.executeBlocking(() -> changes(position, wanted), false);
    }

    private Changes changes(long position, Set<String> workflowIds) {
        List<JournalRecord> records = journal.records(position, MAX_RECORDS, Integer.MAX_VALUE);
        Set<String> ids = new LinkedHashSet<>();
        records.forEach(record -> ids.add(record.executionId()));
        List<ExecutionState> changed = new ArrayList<>();
        for (String id : ids) {
            journal.execution(id)
                    .filter(state -> state.workflowId() != null && workflowIds.contains(state.workflowId()))
                    .ifPresent(changed::add);
        }
        long to = records.isEmpty() ? position : records.get(records.size() - 1).position();
        return new Changes(to, changed);
    }
}
