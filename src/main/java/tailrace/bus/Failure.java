package tailrace.bus;

/** Failure codes of replies: what a request over the bus can fail with. */
public final class Failure {
    /** The journal cannot be written now; nothing was acknowledged. */
    public static final int JOURNAL_UNAVAILABLE = 1;

    /** More waits than configuration allows; nothing was taken. */
    public static final int JOURNAL_FULL = 2;

    /** The same idempotency key came with another body. */
    public static final int IDEMPOTENCY_CONFLICT = 3;

    /** A defect: the message names it. */
    public static final int INTERNAL = 4;

    private Failure() {}
}
