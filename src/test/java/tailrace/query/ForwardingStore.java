package tailrace.query;

import io.vertx.core.Future;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import tailrace.model.ExecutionState;
import tailrace.model.LogFilter;

/** Asks another store for everything; for tests that change one answer. */
public class ForwardingStore implements EntryStore {
    private final EntryStore store;

    public ForwardingStore(EntryStore store) {
        this.store = store;
    }

    @Override
    public Future<Optional<ExecutionState>> execution(String executionId) {
        return store.execution(executionId);
    }

    @Override
    public Future<Map<String, ExecutionState>> hotStates(Collection<String> executionIds) {
        return store.hotStates(executionIds);
    }

    @Override
    public Future<Slice> ascending(
            String executionId,
            long fromSeq,
            long toSeq,
            int maxEntries,
            long maxBytes,
            LogFilter filter,
            boolean exactHoles) {
        return store.ascending(executionId, fromSeq, toSeq, maxEntries, maxBytes, filter, exactHoles);
    }

    @Override
    public Future<Slice> descending(
            String executionId, long fromSeq, long toSeq, int maxEntries, long maxBytes, LogFilter filter) {
        return store.descending(executionId, fromSeq, toSeq, maxEntries, maxBytes, filter);
    }

    @Override
    public Future<Optional<Long>> count(String executionId, long fromSeq, long toSeq, LogFilter filter) {
        return store.count(executionId, fromSeq, toSeq, filter);
    }
}
