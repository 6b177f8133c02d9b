package tailrace.postgres;

/** PostgreSQL did not answer the last times, so it was not asked. */
public final class PostgresAwayException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    PostgresAwayException(Throwable refusal) {
        super("PostgreSQL does not answer; it is asked again in a moment", refusal, false, false);
    }
}
