package tailrace.model;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Severity of an entry, ascending (SPEC 2). */
public enum Level {
    DEBUG,
    INFO,
    WARNING,
    ERROR,
    CRITICAL;

    private final String wire = name().toLowerCase(Locale.ROOT);

    /** The lower-case name readers get. */
    public String wire() {
        return wire;
    }

    /** The level a sender means, in any case and with the usual aliases, or null if there is none of that name. */
    public static @Nullable Level parse(String text) {
        return switch (text.toUpperCase(Locale.ROOT)) {
            case "DEBUG", "TRACE" -> DEBUG;
            case "INFO" -> INFO;
            case "WARNING", "WARN" -> WARNING;
            case "ERROR" -> ERROR;
            case "CRITICAL", "FATAL" -> CRITICAL;
            default -> null;
        };
    }
}
