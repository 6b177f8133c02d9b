package tailrace.journal;

import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tailrace.model.ExecutionState;

/**
 * What the journal's files say of an execution: its state and where its entries lie; or, once it is retired, nothing but
 * the highest seq it may have been given, so that none is given twice.
 *
 * @param state null once it is retired
 * @param bucket where its entries lie, {@link Keys#NO_BUCKET} for those stored by earlier versions
 * @param changedAtMicros when it was last changed, 0 where an earlier version did not keep it
 * @param highestSeq no seq up to it may be given again
 */
record StoredState(@Nullable ExecutionState state, int bucket, long changedAtMicros, long highestSeq) {

    static StoredState of(ExecutionState state, int bucket, long changedAtMicros) {
        return new StoredState(state, bucket, changedAtMicros, Math.max(state.lastSeq(), state.hotFromSeq() - 1));
    }

    static StoredState retired(long highestSeq) {
        return new StoredState(null, Keys.NO_BUCKET, 0, highestSeq);
    }

    Optional<ExecutionState> known() {
        return Optional.ofNullable(state);
    }

    /** The time of the last change, epoch microseconds; the best that is known of it. */
    long lastChangeMicros() {
        if (changedAtMicros > 0 || state == null) {
            return changedAtMicros;
        }
        return Math.max(state.createdAtMicros(), Math.max(state.lastReceivedAtMicros(), state.finishedAtMicros()));
    }
}
