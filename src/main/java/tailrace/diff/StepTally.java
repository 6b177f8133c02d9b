package tailrace.diff;

import java.util.Locale;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;
import tailrace.model.EntryFields;

/** What the entries of one step of a run say, seen one after the other. Belongs to its {@link RunTally}. */
final class StepTally {
    final @Nullable String nodeId;
    final @Nullable String nodeName;
    final long firstSeq;

    private @Nullable Status status;
    private int attempts;
    private int starts;
    private double seconds;
    private boolean told;
    private long startedMicros = Long.MIN_VALUE;
    private long endedMicros = Long.MIN_VALUE;

    /** By the last entry that says it. */
    enum Status {
        RUNNING,
        COMPLETED,
        FAILED;

        String wire() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    StepTally(@Nullable String nodeId, @Nullable String nodeName, long firstSeq) {
        this.nodeId = nodeId;
        this.nodeName = nodeName;
        this.firstSeq = firstSeq;
    }

    void add(EntryFields entry) {
        attempts = Math.max(attempts, entry.attempt == null ? 0 : entry.attempt);
        switch (entry.eventType) {
            case STEP_STARTED -> {
                status = Status.RUNNING;
                starts++;
                if (startedMicros == Long.MIN_VALUE) {
                    startedMicros = entry.timestampMicros;
                }
            }
            case STEP_COMPLETED -> end(Status.COMPLETED, entry);
            case STEP_ERROR -> end(Status.FAILED, entry);
            default -> {
                // says nothing of the step's course
            }
        }
    }

    private void end(Status how, EntryFields entry) {
        status = how;
        endedMicros = entry.timestampMicros;
        if (entry.durationSeconds != null) {
            seconds += entry.durationSeconds;
            told = true;
        }
    }

    /** Null where no entry said it. */
    @Nullable
    Status status() {
        return status;
    }

    /** As counted by the sender, or by its starts; 0 where neither says anything. */
    int attempts() {
        return Math.max(attempts, starts);
    }

    /** All attempts together: what the entries tell, else from the first start to the last end by the sender's clock. */
    OptionalDouble seconds() {
        if (told) {
            return OptionalDouble.of(seconds);
        }
        return startedMicros != Long.MIN_VALUE && endedMicros >= startedMicros
                ? OptionalDouble.of((endedMicros - startedMicros) / 1e6)
                : OptionalDouble.empty();
    }
}
