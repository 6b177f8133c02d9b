package tailrace.postgres;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.pgclient.PgConnection;
import io.vertx.pgclient.PgException;
import io.vertx.sqlclient.Cursor;
import io.vertx.sqlclient.PreparedStatement;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import io.vertx.sqlclient.Tuple;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection whose caller waits for each answer: retention alternates between the database and files, one step after
 * the other, on a thread of its own. Never on a thread of Vert.x. Interrupting the thread ends the wait; the statement
 * is cancelled when the session is closed. Fails with {@link io.vertx.pgclient.PgException} where PostgreSQL refused,
 * after which it can be used on, and with anything else where the connection is of no more use.
 */
final class BlockingSession implements AutoCloseable {
    /** VACUUM or the sorting of a large day may take long; what takes longer has hung. */
    private static final Duration ANSWER_TIMEOUT = Duration.ofHours(1);

    private static final Logger LOG = LoggerFactory.getLogger(BlockingSession.class);
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);
    private static final int ROWS_A_FETCH = 500;

    private final Vertx vertx;
    private final PgConnection connection;
    private volatile boolean answering;

    private BlockingSession(Vertx vertx, PgConnection connection) {
        this.vertx = vertx;
        this.connection = connection;
    }

    /** What is done with each row of a {@link #stream}. */
    @FunctionalInterface
    interface RowConsumer {
        void accept(Row row) throws IOException;
    }

    static BlockingSession open(Vertx vertx, Database database, String applicationName) {
        return new BlockingSession(vertx, await(database.connect(applicationName)));
    }

    /** The result of a future that another part made. */
    static <T> T await(Future<T> future) {
        try {
            return future.await(ANSWER_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new IllegalStateException(
                    "PostgreSQL did not answer within " + ANSWER_TIMEOUT.toMinutes() + " min", e);
        }
    }

    private <T> T answer(Future<T> future) {
        answering = true;
        return await(future.onComplete(done -> answering = false));
    }

    /** One statement, prepared. */
    RowSet<Row> query(String sql, @Nullable Object... parameters) {
        Tuple tuple = Tuple.tuple();
        for (Object parameter : parameters) {
            tuple.addValue(parameter);
        }
        return answer(connection.preparedQuery(sql).execute(tuple));
    }

    /** One statement by the simple protocol, as utility commands outside of a transaction need it. */
    void execute(String sql) {
        answer(connection.query(sql).execute());
    }

    /** The number in the first column of the only row. */
    long number(String sql, @Nullable Object... parameters) {
        return query(sql, parameters).iterator().next().getLong(0);
    }

    /** Row after row, some hundred in memory at a time. */
    void stream(String sql, RowConsumer consumer) throws IOException {
        execute("BEGIN");
        try {
            PreparedStatement statement = answer(connection.prepare(sql));
            Cursor cursor = statement.cursor(Tuple.tuple());
            do {
                for (Row row : answer(cursor.read(ROWS_A_FETCH))) {
                    consumer.accept(row);
                }
            } while (cursor.hasMore());
            answer(cursor.close());
            answer(statement.close());
        } catch (PgException | IOException e) {
            execute("ROLLBACK");
            throw e;
        }
        execute("COMMIT");
    }

    /** Lets others have the database for a while. */
    void pause(Duration time) {
        if (!time.isZero()) {
            await(vertx.timer(time.toMillis(), TimeUnit.MILLISECONDS));
        }
    }

    /** Gives back what the session holds, its advisory locks too, whatever happened before. */
    @Override
    public void close() {
        // A flag of an interrupted thread would end the waiting below before it began.
        boolean interrupted = Thread.interrupted();
        Future<Void> cancelled = answering ? connection.cancelRequest() : Future.succeededFuture();
        try {
            cancelled
                    .otherwiseEmpty()
                    .eventually(connection::close)
                    .otherwiseEmpty() // broken: the server gives everything back with the session
                    .await(CLOSE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            LOG.debug("a connection took longer than {} s to close", CLOSE_TIMEOUT.toSeconds());
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
