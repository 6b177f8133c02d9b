package tailrace.query;

import io.vertx.core.Future;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import tailrace.model.ExecutionState;
import tailrace.model.LogEntry;
import tailrace.model.LogFilter;
import tailrace.model.Timestamps;
import tailrace.postgres.LogReader;
import tailrace.postgres.ReadGuard;
import tailrace.security.Principal;

/** The cold tier in PostgreSQL, behind a circuit breaker; for nobody, until {@link #as}. */
public final class PostgresColdStore implements ColdStore {
    private final LogReader reader;
    private final ReadGuard guard;
    private final Clock clock;
    private final int retentionDays;

    /** @param retentionDays that entries are kept, by the day of their receipt */
    public PostgresColdStore(LogReader reader, ReadGuard guard, Clock clock, int retentionDays) {
        this.reader = reader;
        this.guard = guard;
        this.clock = clock;
        this.retentionDays = retentionDays;
    }

    @Override
    public ColdStore as(Principal principal) {
        return new PostgresColdStore(reader.as(principal), guard, clock, retentionDays);
    }

    @Override
    public long keptSinceMicros() {
        return Timestamps.micros(clock.instant().truncatedTo(ChronoUnit.DAYS).minus(retentionDays, ChronoUnit.DAYS));
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
    public Future<Long> nthSeq(String executionId, long fromSeq, long toSeq, boolean ascending, int place) {
        return guard.call(() -> reader.nthSeq(executionId, fromSeq, toSeq, ascending, place));
    }

    @Override
    public Future<Long> count(String executionId, long fromSeq, long toSeq, LogFilter filter) {
        return guard.call(() -> reader.count(executionId, fromSeq, toSeq, filter));
    }
}
