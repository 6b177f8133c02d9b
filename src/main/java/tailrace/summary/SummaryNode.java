package tailrace.summary;

import org.jspecify.annotations.Nullable;
import tailrace.model.EntryScan;
import tailrace.model.EventType;
import tailrace.model.ExecutionStatus;
import tailrace.model.Level;
import tailrace.model.LogEntry;

/** One step of an execution: what its entries say of it. Guarded by its {@link Summary}. */
public final class SummaryNode {
    /** What a step is doing. */
    public enum Status {
        /** Only heard of: it has entries, but none that begins or ends a step. */
        HEARD,
        RUNNING,
        COMPLETED,
        FAILED
    }

    final String id;

    @Nullable
    String name;

    @Nullable
    String type;

    @Nullable
    String parent;

    /** {@link Integer#MIN_VALUE} before the first. */
    int step = Integer.MIN_VALUE;

    Status status = Status.HEARD;
    /** The highest that an entry named; 0 before the first. */
    int attempt;
    /** Begins that named no attempt. */
    int starts;

    long logs;
    long errors;
    /** Epoch microseconds, by the senders' clocks. */
    long firstMicros = Long.MAX_VALUE;

    long lastMicros = Long.MIN_VALUE;

    @Nullable
    Double durationSeconds;

    /** Its id as entries write it; null until it was met in one. */
    byte @Nullable [] idBytes;

    SummaryNode(String id) {
        this.id = id;
    }

    SummaryNode(SummaryNode from) {
        this(from.id, from);
    }

    SummaryNode(String id, SummaryNode from) {
        this.id = id;
        name = from.name;
        type = from.type;
        parent = from.parent;
        step = from.step;
        status = from.status;
        attempt = from.attempt;
        starts = from.starts;
        logs = from.logs;
        errors = from.errors;
        firstMicros = from.firstMicros;
        lastMicros = from.lastMicros;
        durationSeconds = from.durationSeconds;
        idBytes = from.idBytes;
    }

    /** How many chars of text it takes more. */
    int add(LogEntry entry, EntryScan scan) {
        logs++;
        if (entry.level().compareTo(Level.ERROR) >= 0) {
            errors++;
        }
        firstMicros = Math.min(firstMicros, entry.timestampMicros());
        lastMicros = Math.max(lastMicros, entry.timestampMicros());
        int chars = 0;
        if (name == null) {
            name = scan.nodeName();
            chars += Summary.length(name);
        }
        if (type == null) {
            type = scan.nodeType();
            chars += Summary.length(type);
        }
        if (parent == null) {
            parent = scan.parentNodeId();
            chars += Summary.length(parent);
        }
        int number = scan.stepNumber();
        if (number != Integer.MIN_VALUE) {
            step = number;
        }
        move(entry.eventType(), scan);
        return chars;
    }

    private void move(EventType event, EntryScan scan) {
        int named = scan.attempt();
        if (named != Integer.MIN_VALUE && named < attempt) {
            return; // what is still told of an attempt that was given up
        }
        attempt = Math.max(attempt, named);
        switch (event) {
            case STEP_STARTED -> {
                status = Status.RUNNING;
                starts += named == Integer.MIN_VALUE ? 1 : 0;
            }
            case STEP_COMPLETED -> {
                status = Status.COMPLETED;
                durationSeconds = scan.durationSeconds();
            }
            case STEP_ERROR -> status = Status.FAILED;
            default -> {}
        }
    }

    public String id() {
        return id;
    }

    public @Nullable String name() {
        return name;
    }

    public @Nullable String type() {
        return type;
    }

    public @Nullable String parent() {
        return parent;
    }

    /** {@link Integer#MIN_VALUE} where no entry named it. */
    public int step() {
        return step;
    }

    /**
     * What it is doing, never {@link Status#HEARD}. Once the execution is over nothing runs: what had begun failed with
     * it, or else is done.
     */
    public Status statusIn(ExecutionStatus execution) {
        boolean over = execution.finished();
        return switch (status) {
            case HEARD -> over ? Status.COMPLETED : Status.RUNNING;
            case RUNNING ->
                !over ? Status.RUNNING : execution == ExecutionStatus.SUCCEEDED ? Status.COMPLETED : Status.FAILED;
            default -> status;
        };
    }

    /** How often it was tried, 1 at least. */
    public int attempts() {
        return Math.max(1, Math.max(attempt, starts));
    }

    public long logs() {
        return logs;
    }

    /** Entries of level ERROR and above. */
    public long errors() {
        return errors;
    }

    /** Epoch microseconds, by the senders' clocks. */
    public long firstMicros() {
        return firstMicros;
    }

    /** Epoch microseconds, by the senders' clocks. */
    public long lastMicros() {
        return lastMicros;
    }

    /** What its end reported, else the time between its first and its last entry. */
    public double durationSeconds() {
        Double reported = durationSeconds;
        return reported == null ? (lastMicros - firstMicros) / 1e6 : reported;
    }
}
