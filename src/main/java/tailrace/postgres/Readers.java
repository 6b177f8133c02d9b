package tailrace.postgres;

import io.vertx.core.Future;
import io.vertx.sqlclient.SqlClient;
import java.util.function.Function;
import tailrace.security.Principal;

/** Runs readers' queries as whoever asks. The one way to PostgreSQL for every reading endpoint. Any event loop. */
public final class Readers {
    private final Database database;

    public Readers(Database database) {
        this.database = database;
    }

    /**
     * The query's result.
     *
     * @param query sends its statements before it returns; one that needs the answer of another is a call of its own
     */
    public <T> Future<T> as(Principal principal, Function<SqlClient, Future<T>> query) {
        return query.apply(database.pool());
    }
}
