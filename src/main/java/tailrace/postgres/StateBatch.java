package tailrace.postgres;

import io.vertx.sqlclient.Tuple;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import tailrace.model.EventType;
import tailrace.model.ExecutionState;
import tailrace.model.Level;

/** Executions' states as the columns of {@link Sql#upsertExecutions}. */
final class StateBatch {
    private StateBatch() {}

    /** @param generation of the journal the states' positions belong to */
    static Tuple parameters(List<ExecutionState> states, long generation) {
        int size = states.size();
        Column<String> id = new Column<>(String.class, size);
        Column<String> workflow = new Column<>(String.class, size);
        Column<String> user = new Column<>(String.class, size);
        Column<Short> status = new Column<>(Short.class, size);
        Column<Long> lastSeq = new Column<>(Long.class, size);
        Column<Long> total = new Column<>(Long.class, size);
        Column<String> levels = new Column<>(String.class, size);
        Column<String> events = new Column<>(String.class, size);
        Column<Long> milestones = new Column<>(Long.class, size);
        Column<Short> progress = new Column<>(Short.class, size);
        Column<OffsetDateTime> created = new Column<>(OffsetDateTime.class, size);
        Column<OffsetDateTime> started = new Column<>(OffsetDateTime.class, size);
        Column<OffsetDateTime> finished = new Column<>(OffsetDateTime.class, size);
        Column<OffsetDateTime> firstEntry = new Column<>(OffsetDateTime.class, size);
        Column<OffsetDateTime> lastEntry = new Column<>(OffsetDateTime.class, size);
        Column<OffsetDateTime> lastReceived = new Column<>(OffsetDateTime.class, size);
        Column<Long> position = new Column<>(Long.class, size);
        for (ExecutionState s : states) {
            id.add(s.executionId());
            workflow.add(s.workflowId());
            user.add(s.userId());
            status.add((short) s.status().ordinal());
            lastSeq.add(s.lastSeq());
            total.add(s.totalLogs());
            levels.add(Rows.counts(s.levelCounts(), Level.values()));
            events.add(Rows.counts(s.eventCounts(), EventType.values()));
            milestones.add(s.milestoneCount());
            progress.add(s.progressHundredths() < 0 ? null : (short) s.progressHundredths());
            created.add(Rows.time(s.createdAtMicros()));
            started.add(Rows.timeOrNull(s.startedAtMicros()));
            finished.add(Rows.timeOrNull(s.finishedAtMicros()));
            firstEntry.add(Rows.timeOrNull(s.firstEntryAtMicros()));
            lastEntry.add(Rows.timeOrNull(s.lastEntryAtMicros()));
            lastReceived.add(Rows.timeOrNull(s.lastReceivedAtMicros()));
            position.add(s.lastPosition());
        }
        Tuple tuple = Tuple.tuple(new ArrayList<>(18));
        List.of(
                        id,
                        workflow,
                        user,
                        status,
                        lastSeq,
                        total,
                        levels,
                        events,
                        milestones,
                        progress,
                        created,
                        started,
                        finished,
                        firstEntry,
                        lastEntry,
                        lastReceived,
                        position)
                .forEach(column -> tuple.addValue(column.array(0, size)));
        return tuple.addLong(generation);
    }
}
