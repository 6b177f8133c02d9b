package tailrace.ingest;

/** An entry breaks a rule of SPEC 2: the reason that becomes its rejection. Carries no stack trace; it is an answer. */
final class EntryException extends Exception {
    private static final long serialVersionUID = 1L;

    private final String field;
    private final String code;

    EntryException(String field, String code, String message) {
        super(message, null, false, false);
        this.field = field;
        this.code = code;
    }

    String field() {
        return field;
    }

    String code() {
        return code;
    }

    String reason() {
        return String.valueOf(getMessage());
    }
}
