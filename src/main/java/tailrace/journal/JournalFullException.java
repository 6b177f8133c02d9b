package tailrace.journal;

/** More waits for its commit than configuration allows; the sender should come again in a moment. */
public final class JournalFullException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    JournalFullException() {
        super("The ingest queue is full. Nothing of this request was taken; send it again after Retry-After.");
    }
}
