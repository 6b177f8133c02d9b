package tailrace.ingest;

/** A request body as a whole cannot be taken: the HTTP status and code to answer with. Nothing of it is taken. */
public final class BodyException extends Exception {
    private static final long serialVersionUID = 1L;

    private final int status;
    private final String code;

    BodyException(int status, String code, String message) {
        super(message, null, false, false);
        this.status = status;
        this.code = code;
    }

    public int status() {
        return status;
    }

    public String code() {
        return code;
    }

    /** What is wrong and what would be right. */
    public String detail() {
        return String.valueOf(getMessage());
    }
}
