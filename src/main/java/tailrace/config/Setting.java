package tailrace.config;

import java.util.List;
import tailrace.model.Visible;

/**
 * What one key was set to, and where.
 *
 * @param values as written; empty where the key is unset, more than one only for a list
 * @param origin {@code environment} or {@code file:line}
 */
record Setting(ConfigKey key, List<String> values, String origin) {
    private static final int SHOWN_CHARS = 80;

    Setting {
        values = List.copyOf(values);
    }

    boolean set() {
        return !values.isEmpty();
    }

    /** A problem with this setting as one sentence; the value is part of it unless it might be a secret. */
    String problem(String whatWouldBeRight) {
        if (!set()) {
            return key + ": " + whatWouldBeRight;
        }
        String value = key.printable() ? " = " + shown(String.join(", ", values)) : "";
        return key + value + " (" + origin + "): " + whatWouldBeRight;
    }

    /** Text from outside, harmless on a terminal. */
    static String shown(String text) {
        String cut = text.length() > SHOWN_CHARS ? text.substring(0, SHOWN_CHARS) + "…" : text;
        return Visible.line(cut);
    }
}
