package tailrace.bus;

import java.util.List;
import tailrace.model.ExecutionState;
import tailrace.model.ExecutionUpdate;
import tailrace.model.IngestAnswer;
import tailrace.model.IngestBatch;
import tailrace.model.LogEntry;

/** What crosses the event bus: immutable, passed by reference within the process. */
public sealed interface BusMessage {
    /** Asks for a batch to become durable. Answered with {@link Answer}. */
    record Append(IngestBatch batch) implements BusMessage {}

    /** Asks for an execution to be registered or moved. Answered with {@link Updated}. */
    record Update(ExecutionUpdate update) implements BusMessage {}

    /**
     * The batch is durable.
     *
     * @param replayed whether this is the first answer to the same idempotency key again
     */
    record Answer(IngestAnswer answer, boolean replayed) implements BusMessage {}

    /** The update is durable; the state after it. */
    record Updated(ExecutionState state, boolean created) implements BusMessage {}

    /** A group commit: what each execution it touched got. */
    record Appended(long lastPosition, List<Run> runs) implements BusMessage {}

    /**
     * One execution's part of a commit.
     *
     * @param entries consecutive, ascending by seq; empty where only the state changed
     * @param state after the commit
     * @param friendly how many of the entries are user-friendly
     * @param urgent whether the writer should flush at once
     */
    record Run(ExecutionState state, List<LogEntry> entries, int friendly, boolean urgent) {}

    /**
     * The writer committed entries up to this position of this lane.
     *
     * @param executions those it touched, as PostgreSQL knows them now; not to be changed
     */
    record Flushed(int lane, long position, int rows, List<ExecutionState> executions) implements BusMessage {}

    /**
     * How the writer stands.
     *
     * @param database whether PostgreSQL answers
     * @param taking whether this process may take entries: it holds the writer's lock, or lost sight of PostgreSQL while
     *     holding it
     * @param detail for people, why not
     */
    record WriterState(boolean database, boolean taking, String detail) implements BusMessage {}

    /**
     * The level of degradation changed (SPEC 9).
     *
     * @param reasons for people; empty where all is well again
     */
    record LevelChanged(int from, int to, List<String> reasons) implements BusMessage {}
}
