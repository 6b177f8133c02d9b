package tailrace.postgres;

import io.vertx.core.Future;
import io.vertx.core.json.JsonObject;
import io.vertx.sqlclient.SqlClient;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Tuple;
import java.time.Duration;
import java.util.function.Function;
import tailrace.model.StorableText;
import tailrace.security.Principal;
import tailrace.security.Role;

/**
 * Runs readers' queries as whoever asks. The one way to PostgreSQL for every reading endpoint: row-level security decides
 * what is there, and no query has a condition of its own about owners. A reader's query runs on a connection whose login
 * may do nothing, in a transaction of its own that takes the role {@code authenticated} and the reader's claims; all of
 * it is sent at once and costs one round trip. A service reads as the owner of the tables, whose policy shows all. Any
 * event loop.
 */
public final class Readers {
    /** The server ends a reader's query after this long, before {@link ReadGuard} stops waiting for it. */
    static final Duration STATEMENT_TIMEOUT = ReadGuard.ANSWER_TIMEOUT.minusSeconds(1);

    private final Database database;
    private final String begin;

    public Readers(Database database) {
        this(database, Sql.BECOME_READER, STATEMENT_TIMEOUT);
    }

    /** @param become another statement, for the test that sees everything fail without the right one */
    Readers(Database database, String become, Duration statementTimeout) {
        this.database = database;
        this.begin = "BEGIN READ ONLY; SET LOCAL statement_timeout = " + statementTimeout.toMillis() + "; " + become;
    }

    /**
     * The query's result.
     *
     * @param query sends its statements before it returns; one that needs the answer of another is a call of its own
     */
    public <T> Future<T> as(Principal principal, Function<SqlClient, Future<T>> query) {
        return as(principal, "", query);
    }

    /**
     * The same for a query about a single execution: who may read it is then asked once and not for each row.
     *
     * @param executionId of whoever's; if the principal may not read it, the query finds nothing
     */
    public <T> Future<T> as(Principal principal, String executionId, Function<SqlClient, Future<T>> query) {
        return principal.service()
                ? query.apply(database.pool())
                : database.readerPool()
                        .getConnection()
                        .compose(connection -> visit(connection, claims(principal), executionId, query));
    }

    /** Nothing here waits for an answer before the next statement is sent; an error takes the rest with it. */
    private <T> Future<T> visit(
            SqlConnection connection, String claims, String executionId, Function<SqlClient, Future<T>> query) {
        Future<?> begun = connection.query(begin).execute();
        Future<?> claimed = connection.preparedQuery(Sql.CLAIMS).execute(Tuple.of(claims, executionId));
        Visit visit = new Visit(connection);
        Future<T> answer;
        try {
            answer = query.apply(visit);
        } catch (RuntimeException e) {
            answer = Future.failedFuture(e);
        }
        visit.end();
        Future<T> asked = answer;
        // After an error it is a ROLLBACK; in either case role and claims end with it, and the connection is as before.
        return connection.query("COMMIT").execute().transform(ended -> connection
                .close()
                .otherwiseEmpty()
                .compose(returned -> begun.compose(role -> claimed)
                        .compose(reader -> asked)
                        .compose(result ->
                                ended.failed() ? Future.failedFuture(ended.cause()) : Future.succeededFuture(result))));
    }

    /** PostgreSQL can hold no such subject, so nothing is theirs; and it must not become another's by being mended. */
    private static String claims(Principal principal) {
        String subject = principal.subject();
        return new JsonObject()
                .put("sub", StorableText.of(subject).equals(subject) ? subject : "")
                .put("role", Role.AUTHENTICATED.wire())
                .encode();
    }
}
