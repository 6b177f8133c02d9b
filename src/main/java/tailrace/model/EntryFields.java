package tailrace.model;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The fields of one entry while it is being taken in or read back from a table: a reusable, mutable form that never
 * outlives the call. Everything is already normalised (SPEC 2). The JSON members hold the text of a JSON object, or null
 * for an empty one. Belongs to one thread.
 */
public final class EntryFields {
    private static final EntryFields DEFAULTS = new EntryFields();

    public @Nullable UUID id;
    public String message = "";
    public Level level = Level.INFO;
    public EventType eventType = EventType.LOG;
    public LogCategory category = LogCategory.TECHNICAL;
    public @Nullable String userFriendlyMessage;
    public int displayPriority = 5;
    public boolean milestone;
    public @Nullable String data;
    public @Nullable String technicalDetails;
    public @Nullable String performanceMetrics;
    public @Nullable String stackTrace;
    public @Nullable String errorCode;
    public @Nullable String nodeId;
    public @Nullable String nodeName;
    public @Nullable String nodeType;
    public @Nullable String parentNodeId;
    public @Nullable Integer stepNumber;
    public @Nullable Integer totalSteps;
    public @Nullable Integer attempt;
    /** Hundredths of a percent, 0–10,000, or -1 where the sender gave none. */
    public int progressHundredths = -1;
    /** Finite seconds, or null. */
    public @Nullable Double durationSeconds;

    public @Nullable String workflowId;
    public @Nullable String userId;
    public @Nullable String traceId;
    public @Nullable String spanId;
    /** Epoch microseconds at the sender. */
    public long timestampMicros;
    /** Epoch microseconds at receipt. */
    public long receivedAtMicros;
    /** Whether oversize fields were cut. */
    public boolean truncated;
    /** JSON bytes before the cut; 0 unless {@link #truncated}. */
    public int originalBytes;
    /** The status this entry moves its execution to, or null. */
    public @Nullable ExecutionStatus statusEffect;

    /** Whether the entry is kept in PostgreSQL under {@code LOG_PERSIST=selective} (SPEC 4). */
    public boolean userFriendly() {
        return userFriendlyMessage != null
                || eventType.userFriendly()
                || milestone
                || displayPriority >= 7
                || level.compareTo(Level.ERROR) >= 0;
    }

    /** Takes every field of another: how an entry starts from its batch's defaults. */
    public void copyFrom(EntryFields other) {
        id = other.id;
        message = other.message;
        level = other.level;
        eventType = other.eventType;
        category = other.category;
        userFriendlyMessage = other.userFriendlyMessage;
        displayPriority = other.displayPriority;
        milestone = other.milestone;
        data = other.data;
        technicalDetails = other.technicalDetails;
        performanceMetrics = other.performanceMetrics;
        stackTrace = other.stackTrace;
        errorCode = other.errorCode;
        nodeId = other.nodeId;
        nodeName = other.nodeName;
        nodeType = other.nodeType;
        parentNodeId = other.parentNodeId;
        stepNumber = other.stepNumber;
        totalSteps = other.totalSteps;
        attempt = other.attempt;
        progressHundredths = other.progressHundredths;
        durationSeconds = other.durationSeconds;
        workflowId = other.workflowId;
        userId = other.userId;
        traceId = other.traceId;
        spanId = other.spanId;
        timestampMicros = other.timestampMicros;
        receivedAtMicros = other.receivedAtMicros;
        truncated = other.truncated;
        originalBytes = other.originalBytes;
        statusEffect = other.statusEffect;
    }

    /** Sets every field to its default, for the next entry. */
    public void clear() {
        copyFrom(DEFAULTS);
    }
}
