package tailrace.postgres;

import org.jspecify.annotations.Nullable;
import tailrace.model.EventType;
import tailrace.model.ExecutionState;
import tailrace.model.ExecutionState.Counts;
import tailrace.model.ExecutionStatus;
import tailrace.model.Level;

/** Executions of which nothing matters but whose they are. */
public final class TestStates {
    private TestStates() {}

    public static ExecutionState state(String id, @Nullable String userId, @Nullable String workflowId) {
        return new ExecutionState(
                id,
                workflowId,
                userId,
                ExecutionStatus.RUNNING,
                1,
                3,
                3,
                Counts.zero(Level.values().length),
                Counts.zero(EventType.values().length),
                0,
                -1,
                TestEntries.NOW,
                0,
                0,
                TestEntries.NOW,
                TestEntries.NOW,
                TestEntries.NOW,
                7);
    }
}
