package tailrace.postgres;

import io.vertx.pgclient.PgException;
import org.jspecify.annotations.Nullable;

/** Tells errors of PostgreSQL apart by their SQLSTATE. */
final class SqlErrors {
    private static final String NO_PARTITION = "23514";
    private static final String NO_TABLE = "42P01";
    private static final String NO_SCHEMA = "3F000";
    private static final String CURSOR_MOVED = "TR001";
    private static final String UNDEFINED_FUNCTION = "42883";
    private static final String LOCK_NOT_AVAILABLE = "55P03";

    private SqlErrors() {}

    /** PostgreSQL will never take this row, whatever is tried (SPEC 9): data, constraint or limit. */
    static boolean refused(Throwable error) {
        String state = state(error);
        return state != null && (state.startsWith("22") || state.startsWith("23") || state.startsWith("54"));
    }

    /** A check failed; also what a row of a day without partition gets. */
    static boolean maybeNoPartition(Throwable error) {
        return NO_PARTITION.equals(state(error));
    }

    /** The cursor is not where we left it: a lost answer to a COMMIT, or another writer. */
    static boolean cursorMoved(Throwable error) {
        return CURSOR_MOVED.equals(state(error));
    }

    /** PostgreSQL did not answer the question at all: no connection, a shutdown, too many clients. */
    static boolean away(Throwable error) {
        String state = state(error);
        return state == null
                || state.startsWith("08")
                || state.startsWith("53")
                || state.startsWith("57P")
                || state.startsWith("58");
    }

    /** Somebody else's lock was in the way for longer than we wait. */
    static boolean lockTimeout(Throwable error) {
        return LOCK_NOT_AVAILABLE.equals(state(error));
    }

    /** A table, function or schema of ours is not there: nobody has migrated this database. */
    static boolean notMigrated(Throwable error) {
        String state = state(error);
        return NO_TABLE.equals(state) || UNDEFINED_FUNCTION.equals(state) || NO_SCHEMA.equals(state);
    }

    /** The SQLSTATE, or null where the error is none of PostgreSQL's own. */
    static @Nullable String state(Throwable error) {
        return error instanceof PgException pg ? pg.getSqlState() : null;
    }
}
