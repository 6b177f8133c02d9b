package tailrace.ingest;

import java.util.List;

/** An entry breaks a rule of SPEC 2: the reason that becomes its rejection. Carries no stack trace; it is an answer. */
final class EntryException extends Exception {
    private static final long serialVersionUID = 1L;

    private static final String PLACE = "{}";

    private final String field;
    private final String code;
    private final List<String> values;

    /**
     * @param message with {@code {}} in place of each value
     * @param values what the sender sent; masked and cut before anybody sees them
     */
    EntryException(String field, String code, String message, String... values) {
        super(message, null, false, false);
        this.field = field;
        this.code = code;
        this.values = List.of(values);
    }

    String field() {
        return field;
    }

    String code() {
        return code;
    }

    /** One line, for the sender, for {@code log_inbox} and for our own log. */
    String reason(Masking masking) {
        String message = String.valueOf(getMessage());
        var reason = new StringBuilder();
        int done = 0;
        for (String value : values) {
            int at = message.indexOf(PLACE, done);
            reason.append(message, done, at).append(Values.shown(masking.mask(value)));
            done = at + PLACE.length();
        }
        return reason.append(message, done, message.length()).toString();
    }
}
