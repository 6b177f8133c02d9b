package tailrace.query;

import io.vertx.core.Future;
import java.util.List;
import java.util.Optional;
import tailrace.model.ExecutionState;
import tailrace.model.LogEntry;
import tailrace.model.LogFilter;
import tailrace.postgres.LogReader;
import tailrace.postgres.ReadGuard;

/** The cold tier in PostgreSQL, behind a circuit breaker. */
public final class PostgresColdStore implements ColdStore {
    private final LogReader reader;
    private final ReadGuard guard;

    public PostgresColdStore(LogReader reader, ReadGuard guard) {
        this.reader = reader;
        this.guard = guard;
    }

    @Override
    public Future<Optional<ExecutionState>> execution(String executionId) {
        return guard.call(() -> reader.execution(executionId));
    }

    @Override
    public Future<List<LogEntry>> entries(
            String executionId, long fromSeq, long toSeq, boolean ascending, int maxEntries, LogFilter filter) {
        return guard.call(() -> reader.entries(executionId, fromSeq, toSeq, ascending, maxEntries, filter));
    }

    @Override
    public Future<Long> count(String executionId, long fromSeq, long toSeq, LogFilter filter) {
        return guard.call(() -> reader.count(executionId, fromSeq, toSeq, filter));
    }
}
