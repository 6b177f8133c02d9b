package tailrace.model;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** For whom an entry was written (SPEC 2). */
public enum LogCategory {
    BUSINESS,
    TECHNICAL;

    private final String wire = name().toLowerCase(Locale.ROOT);

    /** The lower-case name used in JSON and PostgreSQL. */
    public String wire() {
        return wire;
    }

    /** The category of that name in any case, or null. */
    public static @Nullable LogCategory parse(String text) {
        return switch (text.toLowerCase(Locale.ROOT)) {
            case "business" -> BUSINESS;
            case "technical" -> TECHNICAL;
            default -> null;
        };
    }
}
