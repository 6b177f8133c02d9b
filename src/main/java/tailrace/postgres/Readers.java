package tailrace.postgres;

import io.vertx.core.Future;
import io.vertx.core.json.JsonObject;
import io.vertx.sqlclient.SqlClient;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Tuple;
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
        if (principal.service()) {
            return query.apply(database.pool());
        }
        return database.pool().withTransaction(connection -> become(connection, principal)
                .compose(became -> query.apply(connection)));
    }

    private static Future<Void> become(SqlConnection connection, Principal principal) {
        String claims = new JsonObject()
                .put("sub", principal.subject())
                .put("role", "authenticated")
                .encode();
        return connection
                .query("SET LOCAL ROLE authenticated")
                .execute()
                .compose(set -> connection
                        .preparedQuery("SELECT set_config('request.jwt.claims', $1, true)")
                        .execute(Tuple.of(claims)))
                .mapEmpty();
    }
}
