package tailrace.security;

/** A token that is not accepted. Its message says why in our own words and holds nothing of the token. */
public class InvalidTokenException extends Exception {
    private static final long serialVersionUID = 1L;

    /** Without a stack trace: it is an everyday answer, not a fault. */
    public InvalidTokenException(String reason) {
        super(reason, null, false, false);
    }

    public String reason() {
        String message = getMessage();
        return message == null ? "" : message;
    }
}
