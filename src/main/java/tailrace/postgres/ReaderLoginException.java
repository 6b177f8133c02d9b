package tailrace.postgres;

/** There is no login for readers, and we may not make one; says what to do. */
public final class ReaderLoginException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    ReaderLoginException(String message) {
        super(message);
    }
}
