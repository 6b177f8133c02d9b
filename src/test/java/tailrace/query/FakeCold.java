package tailrace.query;

import io.vertx.core.Future;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import tailrace.model.ExecutionState;
import tailrace.model.LogEntry;
import tailrace.model.LogFilter;

/** A cold tier in memory that can be taken away. */
public final class FakeCold implements ColdStore {
    private final Map<String, List<LogEntry>> entries = new HashMap<>();
    private final Map<String, ExecutionState> states = new HashMap<>();
    private boolean away;
    private long keptSince = Long.MIN_VALUE;

    /** Entries received before are not kept any more. */
    public synchronized void keptSince(long micros) {
        keptSince = micros;
    }

    @Override
    public synchronized long keptSinceMicros() {
        return keptSince;
    }

    public synchronized void away(boolean now) {
        away = now;
    }

    public synchronized void add(ExecutionState state, List<LogEntry> added) {
        states.put(state.executionId(), state);
        entries.computeIfAbsent(state.executionId(), key -> new ArrayList<>()).addAll(added);
    }

    /** Moves what the journal holds below a seq: the user-friendly entries come here, the others are gone. */
    public void takeFrom(FakeJournal journal, String executionId, long belowSeq) {
        List<LogEntry> gone = journal.purgeBelow(executionId, belowSeq);
        add(
                journal.state(executionId),
                gone.stream().filter(LogEntry::userFriendly).toList());
    }

    @Override
    public synchronized Future<Optional<ExecutionState>> execution(String executionId) {
        return away
                ? Future.failedFuture("PostgreSQL is away")
                : Future.succeededFuture(Optional.ofNullable(states.get(executionId)));
    }

    @Override
    public synchronized Future<List<LogEntry>> entries(
            String executionId, long fromSeq, long toSeq, boolean ascending, int maxEntries, LogFilter filter) {
        return away
                ? Future.failedFuture("PostgreSQL is away")
                : Future.succeededFuture(matching(executionId, fromSeq, toSeq, filter)
                        .sorted(
                                ascending
                                        ? Comparator.comparingLong(LogEntry::seq)
                                        : Comparator.comparingLong(LogEntry::seq)
                                                .reversed())
                        .limit(maxEntries)
                        .toList());
    }

    @Override
    public synchronized Future<Long> count(String executionId, long fromSeq, long toSeq, LogFilter filter) {
        return away
                ? Future.failedFuture("PostgreSQL is away")
                : Future.succeededFuture(
                        matching(executionId, fromSeq, toSeq, filter).count());
    }

    private Stream<LogEntry> matching(String executionId, long fromSeq, long toSeq, LogFilter filter) {
        return entries.getOrDefault(executionId, List.of()).stream()
                .filter(entry -> entry.seq() >= fromSeq && entry.seq() <= toSeq && filter.test(entry));
    }
}
