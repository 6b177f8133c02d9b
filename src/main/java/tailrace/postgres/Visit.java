package tailrace.postgres;

import io.vertx.core.Future;
import io.vertx.sqlclient.PrepareOptions;
import io.vertx.sqlclient.PreparedQuery;
import io.vertx.sqlclient.Query;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import io.vertx.sqlclient.SqlClient;

/**
 * A reader's turn on a connection. What is asked after its end would run in the turn of whoever comes next, as them: it
 * is refused. Belongs to one thread.
 */
final class Visit implements SqlClient {
    private final SqlClient connection;
    private boolean ended;

    Visit(SqlClient connection) {
        this.connection = connection;
    }

    void end() {
        ended = true;
    }

    private SqlClient open() {
        if (ended) {
            throw new IllegalStateException("asked after the reader's turn; it needs a Readers.as of its own");
        }
        return connection;
    }

    @Override
    public Query<RowSet<Row>> query(String sql) {
        return open().query(sql);
    }

    @Override
    public PreparedQuery<RowSet<Row>> preparedQuery(String sql) {
        return open().preparedQuery(sql);
    }

    @Override
    public PreparedQuery<RowSet<Row>> preparedQuery(String sql, PrepareOptions options) {
        return open().preparedQuery(sql, options);
    }

    /** The connection is not the visitor's to close. */
    @Override
    public Future<Void> close() {
        return Future.succeededFuture();
    }
}
