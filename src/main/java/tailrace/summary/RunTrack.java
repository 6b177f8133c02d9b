package tailrace.summary;

import java.util.function.LongSupplier;
import tailrace.model.EntryScan;
import tailrace.model.EventType;
import tailrace.model.ExecutionState;
import tailrace.model.ExecutionStatus;
import tailrace.model.LogEntry;
import tailrace.stats.Rollups;

/**
 * Of an execution, which of its runs statistics have counted. A run begins with the execution's first entry, or with a
 * status that a service sets; further ones with each further {@code workflow_started}, or where a service sets one that
 * is over to a live status. It ends once, with the first finished status. What began before there was anybody to count is
 * not counted as a beginning, and what had ended then not as an end. Guarded by its {@link Summary}.
 */
final class RunTrack {
    private static final long MICROS_A_MILLI = 1_000;
    private static final double MILLIS_A_SECOND = 1_000;
    private static final long UNKNOWN_MILLIS = -1;

    enum Phase {
        /** There was something before the first that was counted. */
        UNKNOWN,
        /** Nothing has begun. */
        NONE,
        /** A run is counted; it has not said that it starts. */
        HEARD,
        STARTED,
        ENDED
    }

    Phase phase = Phase.NONE;
    /** When the run began, by its sender's clock; 0 if nobody knows. */
    long startSentMicros;
    /** The same by ours. */
    long startReceivedMicros;

    void copyFrom(RunTrack other) {
        phase = other.phase;
        startSentMicros = other.startSentMicros;
        startReceivedMicros = other.startReceivedMicros;
    }

    /** Whatever there was, nobody has counted it. */
    void unknown() {
        phase = Phase.UNKNOWN;
    }

    void entry(LogEntry entry, EntryScan scan, Rollups counting) {
        if (phase == Phase.NONE) {
            begin(Phase.HEARD, entry, counting);
        }
        if (entry.eventType() == EventType.WORKFLOW_STARTED) {
            if (phase == Phase.HEARD) { // the same run, which now says so
                phase = Phase.STARTED;
                startSentMicros = entry.timestampMicros();
                startReceivedMicros = entry.receivedAtMicros();
            } else {
                begin(Phase.STARTED, entry, counting);
            }
        }
        ExecutionStatus effect = entry.statusEffect();
        if (effect != null && effect.finished() && phase != Phase.ENDED) {
            counting.ended(effect, entry.receivedAtMicros(), millis(entry, scan));
            phase = Phase.ENDED;
        }
    }

    private void begin(Phase to, LogEntry entry, Rollups counting) {
        begin(to, entry.timestampMicros(), entry.receivedAtMicros(), entry.receivedAtMicros(), counting);
    }

    /** What the end reports, else the time since the start, both by the sender's clock. */
    private long millis(LogEntry end, EntryScan scan) {
        Double reported = scan.read(end) ? scan.durationSeconds() : null;
        if (reported != null) {
            return Math.max(0, Math.round(reported * MILLIS_A_SECOND));
        }
        return since(startSentMicros, end.timestampMicros());
    }

    private long since(long startMicros, long endMicros) {
        return phase == Phase.UNKNOWN || startMicros == 0
                ? UNKNOWN_MILLIS
                : Math.max(0, endMicros - startMicros) / MICROS_A_MILLI;
    }

    /** See {@link Summary#reached}. Only what a service set is news here. */
    void state(ExecutionState state, LongSupplier changedMicros, Rollups counting) {
        if (state.status().finished()) {
            if (phase == Phase.NONE) { // begun and ended while nobody looked
                begin(Phase.HEARD, 0, 0, state.finishedAtMicros(), counting);
            }
            if (phase == Phase.HEARD || phase == Phase.STARTED) {
                counting.ended(
                        state.status(), state.finishedAtMicros(), since(startReceivedMicros, state.finishedAtMicros()));
            }
            phase = Phase.ENDED;
        } else if (state.status() != ExecutionStatus.NEW) {
            if (phase == Phase.NONE || phase == Phase.ENDED) {
                long at = Math.max(state.createdAtMicros(), changedMicros.getAsLong());
                begin(Phase.HEARD, at, at, at, counting);
            } else if (phase == Phase.UNKNOWN) {
                phase = Phase.HEARD;
                startSentMicros = 0;
                startReceivedMicros = 0;
            }
        }
    }

    private void begin(Phase to, long sentMicros, long receivedMicros, long atMicros, Rollups counting) {
        phase = to;
        startSentMicros = sentMicros;
        startReceivedMicros = receivedMicros;
        counting.began(atMicros);
    }
}
