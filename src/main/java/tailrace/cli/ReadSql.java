package tailrace.cli;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.pgclient.PgConnectOptions;
import io.vertx.pgclient.PgConnection;
import io.vertx.sqlclient.Cursor;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Tuple;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * What PostgreSQL itself needs for the answers that {@link BenchRead} asks the server for: prepared statements over one
 * connection, rows read into memory and nothing made of them. Methods block; belongs to one thread.
 */
final class ReadSql implements AutoCloseable {
    private static final Duration TIMEOUT = Duration.ofMinutes(2);
    private static final int CURSOR_ROWS = 1_000;

    private final Vertx vertx = Vertx.vertx();
    private final SqlConnection connection;
    private final String logs;
    private final String executions;

    /** One of the methods below. */
    interface Question {
        void ask(ReadSql from) throws IOException, InterruptedException;
    }

    /** @param schema a plain identifier */
    ReadSql(PgConnectOptions options, String schema) throws IOException, InterruptedException {
        logs = schema + ".workflow_execution_logs";
        executions = schema + ".workflow_executions";
        try {
            connection = await(PgConnection.connect(vertx, options.setCachePreparedStatements(true)));
        } catch (IOException e) {
            await(vertx.close());
            throw e;
        }
    }

    void page(String id, long afterSeq, int limit) throws IOException, InterruptedException {
        query(
                "SELECT * FROM " + logs + " WHERE execution_id = $1 AND seq > $2 ORDER BY seq LIMIT $3",
                Tuple.of(id, afterSeq, limit));
    }

    void level(String id, String level, int limit) throws IOException, InterruptedException {
        query(
                "SELECT * FROM " + logs + " WHERE execution_id = $1 AND level::text = $2 ORDER BY seq LIMIT $3",
                Tuple.of(id, level, limit));
    }

    void word(String id, String word, int limit) throws IOException, InterruptedException {
        query(
                "SELECT * FROM " + logs + " WHERE execution_id = $1 AND message ILIKE $2 ORDER BY seq LIMIT $3",
                Tuple.of(id, '%' + word + '%', limit));
    }

    void wordNewest(String id, String word, int limit) throws IOException, InterruptedException {
        query(
                "SELECT * FROM " + logs + " WHERE execution_id = $1 AND message ILIKE $2 ORDER BY seq DESC LIMIT $3",
                Tuple.of(id, '%' + word + '%', limit));
    }

    void wordInWorkflow(String workflow, String word, int limit) throws IOException, InterruptedException {
        query(
                "SELECT l.* FROM " + logs + " l JOIN " + executions + " e USING (execution_id)"
                        + " WHERE e.workflow_id = $1 AND l.message ILIKE $2 ORDER BY l.received_at DESC LIMIT $3",
                Tuple.of(workflow, '%' + word + '%', limit));
    }

    void state(String id) throws IOException, InterruptedException {
        query("SELECT * FROM " + executions + " WHERE execution_id = $1", Tuple.of(id));
    }

    /** Reads all rows of an execution through a cursor; how many they are. */
    long all(String id) throws IOException, InterruptedException {
        var transaction = await(connection.begin());
        var statement = await(connection.prepare("SELECT * FROM " + logs + " WHERE execution_id = $1 ORDER BY seq"));
        Cursor cursor = statement.cursor(Tuple.of(id));
        long rows = 0;
        do {
            rows += await(cursor.read(CURSOR_ROWS)).size();
        } while (cursor.hasMore());
        await(cursor.close());
        await(transaction.commit());
        return rows;
    }

    private void query(String sql, Tuple parameters) throws IOException, InterruptedException {
        await(connection.preparedQuery(sql).execute(parameters));
    }

    private static <T> T await(Future<T> future) throws IOException, InterruptedException {
        try {
            return future.toCompletionStage().toCompletableFuture().get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw new IOException("PostgreSQL: " + e.getCause(), e);
        } catch (TimeoutException e) {
            throw new IOException("PostgreSQL did not answer for " + TIMEOUT.toSeconds() + " s", e);
        }
    }

    @Override
    public void close() throws IOException, InterruptedException {
        await(vertx.close()); // and its connection
    }
}
