package tailrace.model;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What an entry reports (SPEC 2). */
public enum EventType {
    WORKFLOW_STARTED,
    WORKFLOW_COMPLETED,
    WORKFLOW_PROGRESS,
    STEP_STARTED,
    STEP_INPUT,
    STEP_OUTPUT,
    STEP_COMPLETED,
    STEP_ERROR,
    SEPARATOR,
    LOG;

    private final String wire = name().toLowerCase(Locale.ROOT);

    /** The lower-case name used in JSON and PostgreSQL. */
    public String wire() {
        return wire;
    }

    /** Whether this type alone makes an entry user-friendly (SPEC 4). */
    public boolean userFriendly() {
        return this == WORKFLOW_STARTED || this == WORKFLOW_COMPLETED || this == STEP_COMPLETED || this == STEP_ERROR;
    }

    /** The type of that name in any case, or null. */
    public static @Nullable EventType parse(String text) {
        String name = text.toUpperCase(Locale.ROOT);
        for (EventType type : values()) {
            if (type.name().equals(name)) {
                return type;
            }
        }
        return null;
    }
}
