package tailrace.model;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** State of an execution (SPEC 3). */
public enum ExecutionStatus {
    NEW,
    RUNNING,
    WAITING_FOR_HUMAN,
    PAUSED,
    SUCCEEDED,
    FAILED,
    STOPPED;

    /** Whether the run is over; entries that arrive later are kept all the same. */
    public boolean finished() {
        return this == SUCCEEDED || this == FAILED || this == STOPPED;
    }

    /** The status of that name in any case, or null. */
    public static @Nullable ExecutionStatus parse(String text) {
        String name = text.toUpperCase(Locale.ROOT);
        for (ExecutionStatus status : values()) {
            if (status.name().equals(name)) {
                return status;
            }
        }
        return null;
    }
}
