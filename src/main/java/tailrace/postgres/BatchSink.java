package tailrace.postgres;

import io.vertx.core.Future;
import io.vertx.pgclient.PgConnection;
import io.vertx.sqlclient.SqlResult;
import io.vertx.sqlclient.Tuple;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.model.ExecutionState;
import tailrace.model.JournalId;

/**
 * Puts a lane's batch into PostgreSQL: rows, executions and cursor in one transaction, its statements sent without
 * waiting for each other. A row that PostgreSQL refuses for what it holds is found by halving, set aside, and the rest
 * goes on (SPEC 9). Everything may be repeated: rows meet their own key, states are absolute, the cursor is guarded.
 */
final class BatchSink {
    private static final Logger LOG = LoggerFactory.getLogger(BatchSink.class);
    private static final int ERROR_TEXT_MAX = 2_000;
    private static final int EXECUTION_ID_TEXT_MAX = 255;

    private final Sql sql;
    private final Partitions partitions;
    private final UUID journal;
    private final long generation;
    private final int lane;
    private final int lanes;

    BatchSink(Database database, Partitions partitions, JournalId journal, long generation, int lane, int lanes) {
        this.sql = database.sql();
        this.partitions = partitions;
        this.journal = journal.value();
        this.generation = generation;
        this.lane = lane;
        this.lanes = lanes;
    }

    /**
     * What became of a batch.
     *
     * @param rows sent and not refused, also those that were there already
     * @param refused set aside
     */
    record Written(int rows, int refused) {}

    /** Fails, with nothing of the cursor moved, for everything but a refused row. */
    Future<Written> write(PgConnection on, Batch batch) {
        RowBatch rows = batch.rows();
        Slice all = new Slice(rows, 0, rows.size(), batch.states(), batch);
        return partitions
                .ensure(on, rows.days())
                .compose(ready -> transaction(on, all))
                .recover(error -> withPartitions(on, all, error))
                .map(done -> new Written(rows.size(), 0))
                .recover(error -> SqlErrors.refused(error) ? isolate(on, batch, error) : Future.failedFuture(error));
    }

    /**
     * Writes rows alone: no execution's state and no cursor. Those that are there already stay as they are.
     *
     * @return rows that were not there before, and those set aside
     */
    Future<Written> writeRows(PgConnection on, RowBatch rows) {
        Slice all = new Slice(rows, 0, rows.size(), List.of(), null);
        return partitions
                .ensure(on, rows.days())
                .compose(ready -> transaction(on, all))
                .recover(error -> withPartitions(on, all, error))
                .map(inserted -> new Written(inserted, 0))
                .recover(error -> SqlErrors.refused(error)
                        ? isolateRows(on, rows, 0, rows.size())
                                .map(refused -> new Written(rows.size() - refused, refused))
                        : Future.failedFuture(error));
    }

    /** Part of a batch; the cursor moves only where {@code cursor} is not null. */
    private record Slice(
            RowBatch rows,
            int from,
            int to,
            List<ExecutionState> states,
            @Nullable Batch cursor) {}

    private Future<Integer> withPartitions(PgConnection on, Slice slice, Throwable error) {
        if (!SqlErrors.maybeNoPartition(error)) {
            return Future.failedFuture(error);
        }
        partitions.forget();
        return partitions.ensure(on, slice.rows().days()).compose(ready -> transaction(on, slice));
    }

    /** How many rows were not there before. */
    private Future<Integer> transaction(PgConnection on, Slice slice) {
        Future<?> begin = on.query("BEGIN").execute();
        Future<Integer> rows = slice.from() == slice.to()
                ? Future.succeededFuture(0)
                : on.preparedQuery(sql.insertRows)
                        .execute(slice.rows().parameters(slice.from(), slice.to()))
                        .map(SqlResult::rowCount);
        Future<?> states = slice.states().isEmpty()
                ? Future.succeededFuture()
                : on.preparedQuery(sql.upsertExecutions).execute(StateBatch.parameters(slice.states(), generation));
        Future<?> cursor = cursor(on, slice.cursor());
        // COMMIT waits for the answers: an error of the client itself would not have told the server to take back.
        return Future.join(begin, rows, states, cursor)
                .mapEmpty()
                .recover(any -> Future.failedFuture(first(begin, rows, states, cursor)))
                .compose(done -> on.query("COMMIT").execute(), error -> rollback(on, error))
                .map(committed -> rows.result());
    }

    private Future<?> cursor(PgConnection on, @Nullable Batch batch) {
        return batch == null || batch.fromPosition() == batch.toPosition()
                ? Future.succeededFuture()
                : on.preparedQuery(sql.advanceCursor)
                        .execute(Tuple.of(journal, lane, lanes, batch.fromPosition(), batch.toPosition()));
    }

    /** Of statements in a row the first error is the cause; those after it only say that the transaction is over. */
    private static Throwable first(Future<?>... statements) {
        for (Future<?> statement : statements) {
            Throwable cause = statement.cause();
            if (cause != null) {
                return cause;
            }
        }
        return new IllegalStateException("a statement failed without a cause");
    }

    private static <T> Future<T> rollback(PgConnection on, Throwable error) {
        return on.query("ROLLBACK").execute().transform(done -> {
            if (done.failed() && done.cause() != error) {
                error.addSuppressed(done.cause());
            }
            return Future.failedFuture(error);
        });
    }

    private Future<Written> isolate(PgConnection on, Batch batch, Throwable error) {
        LOG.warn(
                "lane {}: PostgreSQL refuses a row, looking for it among {}",
                lane,
                batch.rows().size(),
                error);
        RowBatch rows = batch.rows();
        return isolateRows(on, rows, 0, rows.size())
                .compose(refused -> isolateStates(on, batch, batch.states()).map(states -> refused + states))
                .compose(refused -> transaction(on, new Slice(rows, 0, 0, List.of(), batch))
                        .map(done -> new Written(rows.size() - refused, refused)));
    }

    /** The number of rows set aside. */
    private Future<Integer> isolateRows(PgConnection on, RowBatch rows, int from, int to) {
        if (from == to) {
            return Future.succeededFuture(0);
        }
        return transaction(on, new Slice(rows, from, to, List.of(), null))
                .map(0)
                .recover(error -> {
                    if (!SqlErrors.refused(error)) {
                        return Future.failedFuture(error);
                    }
                    if (to - from == 1) {
                        return setAside(
                                on,
                                rows.position(from),
                                rows.entry(from).seq(),
                                rows.execution(from),
                                rows.entry(from).json(),
                                error);
                    }
                    int middle = (from + to) >>> 1;
                    return isolateRows(on, rows, from, middle)
                            .compose(left -> isolateRows(on, rows, middle, to).map(right -> left + right));
                });
    }

    private Future<Integer> isolateStates(PgConnection on, Batch batch, List<ExecutionState> states) {
        if (states.isEmpty()) {
            return Future.succeededFuture(0);
        }
        return transaction(on, new Slice(batch.rows(), 0, 0, states, null))
                .map(0)
                .recover(error -> {
                    if (!SqlErrors.refused(error)) {
                        return Future.failedFuture(error);
                    }
                    if (states.size() == 1) {
                        ExecutionState state = states.get(0);
                        return setAside(on, state.lastPosition(), 0, state.executionId(), new byte[0], error);
                    }
                    int middle = states.size() >>> 1;
                    return isolateStates(on, batch, states.subList(0, middle))
                            .compose(left -> isolateStates(on, batch, states.subList(middle, states.size()))
                                    .map(right -> left + right));
                });
    }

    private Future<Integer> setAside(
            PgConnection on, long position, long seq, String execution, byte[] payload, Throwable error) {
        String state = SqlErrors.state(error);
        LOG.error(
                "PostgreSQL refused entry {} of execution {} (journal position {}); it is in log_rejects now",
                seq,
                text(execution, EXECUTION_ID_TEXT_MAX),
                position,
                error);
        return on.preparedQuery(sql.insertReject)
                .execute(Tuple.tuple(List.of(
                        journal,
                        position,
                        seq,
                        text(execution, EXECUTION_ID_TEXT_MAX),
                        state == null ? "" : state,
                        text(String.valueOf(error.getMessage()), ERROR_TEXT_MAX),
                        io.vertx.core.buffer.Buffer.buffer(payload))))
                .map(1);
    }

    /** What PostgreSQL takes as text whatever it says, and a terminal shows harmlessly. */
    private static String text(String any, int maxChars) {
        StringBuilder text = new StringBuilder(Math.min(any.length(), maxChars));
        for (int i = 0; i < any.length() && i < maxChars; i++) {
            char c = any.charAt(i);
            text.append(c < 0x20 || c >= 0x7f && c < 0xa0 || Character.isSurrogate(c) ? '\uFFFD' : c);
        }
        return text.toString();
    }
}
