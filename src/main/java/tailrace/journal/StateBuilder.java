package tailrace.journal;

import org.jspecify.annotations.Nullable;
import tailrace.model.EventType;
import tailrace.model.ExecutionState;
import tailrace.model.ExecutionState.Counts;
import tailrace.model.ExecutionStatus;
import tailrace.model.ExecutionUpdate;
import tailrace.model.Level;
import tailrace.model.LogEntry;

/** An execution's state while a group is being built. Belongs to the journal thread. */
final class StateBuilder {
    final String executionId;
    final byte[] utf8;
    private @Nullable String workflowId;
    private @Nullable String userId;
    private ExecutionStatus status = ExecutionStatus.NEW;
    private long hotFromSeq = 1;
    private long lastSeq;
    private long totalLogs;
    private long[] levelCounts = new long[Level.values().length];
    private long[] eventCounts = new long[EventType.values().length];
    private long milestoneCount;
    private int progressHundredths = -1;
    private long createdAtMicros;
    private long startedAtMicros;
    private long finishedAtMicros;
    private long firstEntryAtMicros;
    private long lastEntryAtMicros;
    private long lastReceivedAtMicros;
    private int bucket;
    private long changedAtMicros;

    /**
     * A new execution.
     *
     * @param lastSeq the highest seq it had in an earlier life, long retired; 0 if it had none
     */
    StateBuilder(String executionId, long lastSeq, long firstSeq, long createdAtMicros) {
        this.executionId = executionId;
        this.utf8 = Keys.utf8(executionId);
        this.lastSeq = lastSeq;
        this.hotFromSeq = firstSeq;
        this.createdAtMicros = createdAtMicros;
    }

    /** @param bucket where its entries lie */
    StateBuilder(ExecutionState from, int bucket) {
        this.bucket = bucket;
        executionId = from.executionId();
        utf8 = Keys.utf8(executionId);
        workflowId = from.workflowId();
        userId = from.userId();
        status = from.status();
        hotFromSeq = from.hotFromSeq();
        lastSeq = from.lastSeq();
        totalLogs = from.totalLogs();
        levelCounts = from.levelCounts().toArray();
        eventCounts = from.eventCounts().toArray();
        milestoneCount = from.milestoneCount();
        progressHundredths = from.progressHundredths();
        createdAtMicros = from.createdAtMicros();
        startedAtMicros = from.startedAtMicros();
        finishedAtMicros = from.finishedAtMicros();
        firstEntryAtMicros = from.firstEntryAtMicros();
        lastEntryAtMicros = from.lastEntryAtMicros();
        lastReceivedAtMicros = from.lastReceivedAtMicros();
    }

    @Nullable
    String workflowId() {
        return workflowId;
    }

    @Nullable
    String userId() {
        return userId;
    }

    /** First writer wins: sets what is not set yet (SPEC 2). */
    void claim(@Nullable String workflow, @Nullable String user) {
        if (workflowId == null) {
            workflowId = workflow;
        }
        if (userId == null) {
            userId = user;
        }
    }

    /** Whether the journal holds entries of it; those to come have to lie where these do. */
    boolean holdsEntries() {
        return hotFromSeq <= lastSeq;
    }

    int bucket() {
        return bucket;
    }

    /** Where its entries will lie; only while it holds none. */
    void begin(int bucket) {
        this.bucket = bucket;
    }

    void changed(long atMicros) {
        changedAtMicros = atMicros;
    }

    /** The next seq: one more than the last, unless a lost journal makes it jump. */
    long nextSeq() {
        lastSeq = Math.max(lastSeq + 1, hotFromSeq);
        return lastSeq;
    }

    void count(LogEntry entry) {
        totalLogs++;
        levelCounts[entry.level().ordinal()]++;
        eventCounts[entry.eventType().ordinal()]++;
        if (entry.milestone()) {
            milestoneCount++;
        }
        if (entry.progressHundredths() >= 0) {
            progressHundredths = entry.progressHundredths();
        }
        long at = entry.timestampMicros();
        firstEntryAtMicros = firstEntryAtMicros == 0 ? at : Math.min(firstEntryAtMicros, at);
        lastEntryAtMicros = Math.max(lastEntryAtMicros, at);
        lastReceivedAtMicros = entry.receivedAtMicros();
        ExecutionStatus effect = entry.statusEffect();
        if (effect != null) {
            move(effect, entry.receivedAtMicros());
            if (entry.eventType() == EventType.WORKFLOW_STARTED) {
                startedAtMicros = at;
            }
        }
    }

    void update(ExecutionUpdate update) {
        if (update.status() != null) {
            move(update.status(), update.receivedAtMicros());
        }
        if (update.workflowId() != null) {
            workflowId = update.workflowId();
        }
        if (update.userId() != null) {
            userId = update.userId();
        }
    }

    private void move(ExecutionStatus to, long atMicros) {
        status = to;
        finishedAtMicros = to.finished() ? atMicros : 0;
    }

    StoredState build(long position) {
        return StoredState.of(state(position), bucket, changedAtMicros);
    }

    private ExecutionState state(long position) {
        return new ExecutionState(
                executionId,
                workflowId,
                userId,
                status,
                hotFromSeq,
                lastSeq,
                totalLogs,
                new Counts(levelCounts),
                new Counts(eventCounts),
                milestoneCount,
                progressHundredths,
                createdAtMicros,
                startedAtMicros,
                finishedAtMicros,
                firstEntryAtMicros,
                lastEntryAtMicros,
                lastReceivedAtMicros,
                position);
    }
}
