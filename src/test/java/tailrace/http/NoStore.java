package tailrace.http;

import io.vertx.core.Future;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import tailrace.model.ExecutionState;
import tailrace.model.LogFilter;
import tailrace.query.EntryStore;

/** Stands where a store will be once the server has made it. */
final class NoStore implements EntryStore {
    @Override
    public Future<Optional<ExecutionState>> execution(String executionId) {
        return Future.failedFuture("no store");
    }

    @Override
    public Future<Map<String, ExecutionState>> hotStates(Collection<String> executionIds) {
        return Future.failedFuture("no store");
    }

    @Override
    public Future<Slice> ascending(
            String id, long fromSeq, long toSeq, int maxEntries, long maxBytes, LogFilter filter, boolean exactHoles) {
        return Future.failedFuture("no store");
    }

    @Override
    public Future<Slice> descending(
            String id, long fromSeq, long toSeq, int maxEntries, long maxBytes, LogFilter filter) {
        return Future.failedFuture("no store");
    }

    @Override
    public Future<Optional<Long>> count(String executionId, long fromSeq, long toSeq, LogFilter filter) {
        return Future.failedFuture("no store");
    }
}
