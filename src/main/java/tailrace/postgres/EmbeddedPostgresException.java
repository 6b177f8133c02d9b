package tailrace.postgres;

/** The embedded PostgreSQL cannot run here; the message says what to do instead. */
public final class EmbeddedPostgresException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private static final String REMEDY = "; set DATABASE_URL=postgres://user:password@host/database to use another one";

    EmbeddedPostgresException(String message) {
        super(message + REMEDY);
    }

    EmbeddedPostgresException(String message, Throwable cause) {
        super(message + REMEDY, cause);
    }
}
