package tailrace.query;

import io.vertx.core.Future;
import java.util.List;
import java.util.Optional;
import tailrace.model.ExecutionState;
import tailrace.model.LogEntry;
import tailrace.model.LogFilter;
import tailrace.postgres.LogReader;

/** The cold tier in PostgreSQL. */
public final class PostgresColdStore implements ColdStore {
    private final LogReader reader;

    public PostgresColdStore(LogReader reader) {
        this.reader = reader;
    }

    @Override
    public Future<Optional<ExecutionState>> execution(String executionId) {
        return reader.execution(executionId);
    }

    @Override
    public Future<List<LogEntry>> entries(
            String executionId, long fromSeq, long toSeq, boolean ascending, int maxEntries, LogFilter filter) {
        return reader.entries(executionId, fromSeq, toSeq, ascending, maxEntries, filter);
    }

    @Override
    public Future<Long> count(String executionId, long fromSeq, long toSeq, LogFilter filter) {
        return reader.count(executionId, fromSeq, toSeq, filter);
    }
}
