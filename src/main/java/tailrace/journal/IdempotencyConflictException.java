package tailrace.journal;

/** The same Idempotency-Key came with another body. */
public final class IdempotencyConflictException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    IdempotencyConflictException() {
        super("This Idempotency-Key was used with another body within 24 h. Use a new key for a new batch.");
    }
}
