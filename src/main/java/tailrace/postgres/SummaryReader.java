package tailrace.postgres;

import io.vertx.core.Future;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.Tuple;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tailrace.journal.ExecutionIndex.Place;
import tailrace.model.ExecutionState;
import tailrace.model.ExecutionStatus;
import tailrace.security.Principal;
import tailrace.summary.Summary;
import tailrace.summary.SummaryCodec;

/**
 * Summaries and lists of executions as PostgreSQL has them, read as whoever asks. Fails with {@link
 * PostgresAwayException} while PostgreSQL is taken to be away. Any event loop.
 */
public final class SummaryReader {
    private static final OffsetDateTime LATEST = OffsetDateTime.of(9999, 12, 31, 0, 0, 0, 0, ZoneOffset.UTC);
    private static final OffsetDateTime EARLIEST = OffsetDateTime.of(1, 1, 1, 0, 0, 0, 0, ZoneOffset.UTC);

    private final Readers readers;
    private final ReadGuard guard;
    private final SummarySql sql;

    public SummaryReader(Database database, Readers readers, ReadGuard guard) {
        this.readers = readers;
        this.guard = guard;
        this.sql = database.summarySql();
    }

    /** The summary, or nothing if there is none that this reader may see. */
    public Future<Optional<Summary>> summary(Principal principal, String executionId) {
        return guard.call(() -> readers.as(principal, executionId, client -> client.preparedQuery(sql.summary)
                        .execute(Tuple.of(executionId))))
                .map(rows -> rows.size() == 0
                        ? Optional.empty()
                        : Optional.of(decode(executionId, rows.iterator().next().getString(0))));
    }

    private static Summary decode(String executionId, String json) {
        byte[] utf8 = json.getBytes(StandardCharsets.UTF_8);
        try {
            return SummaryCodec.decode(utf8, 0, utf8.length);
        } catch (IOException e) {
            throw new IllegalStateException("the summary of " + executionId + " in PostgreSQL", e);
        }
    }

    /**
     * Executions behind a place, newest first.
     *
     * @param workflowId only those of this workflow, if not null
     * @param status only those that had it at their last flush, if not null
     * @param sinceMicros only those made then or later; 0 for all
     */
    public Future<List<ExecutionState>> newest(
            Principal principal,
            @Nullable String workflowId,
            @Nullable ExecutionStatus status,
            Place after,
            long sinceMicros,
            int max) {
        Tuple parameters = Tuple.tuple()
                .addOffsetDateTime(
                        after.createdAtMicros() == Long.MAX_VALUE ? LATEST : Rows.time(after.createdAtMicros()))
                .addString(after.executionId())
                .addOffsetDateTime(sinceMicros <= 0 ? EARLIEST : Rows.time(sinceMicros))
                .addString(status == null ? null : status.name())
                .addInteger(max);
        if (workflowId != null) {
            parameters.addString(workflowId);
        }
        return guard.call(() -> readers.as(principal, client -> client.preparedQuery(
                                workflowId == null ? sql.newest : sql.newestOfWorkflow)
                        .execute(parameters)))
                .map(rows -> {
                    List<ExecutionState> states = new ArrayList<>(rows.size());
                    rows.forEach(row -> states.add(Rows.execution(row)));
                    return states;
                });
    }

    /**
     * How many executions of a workflow this reader may see, those counted in that PostgreSQL may not have yet.
     *
     * @param perhaps visible executions of the workflow, each once
     */
    public Future<Long> count(Principal principal, String workflowId, List<String> perhaps) {
        Tuple parameters = Tuple.tuple().addString(workflowId).addArrayOfString(perhaps.toArray(String[]::new));
        return guard.call(() -> readers.as(principal, client -> client.preparedQuery(sql.countOfWorkflow)
                        .execute(parameters)))
                .map(rows -> {
                    Row row = rows.iterator().next();
                    return row.getLong(0) + perhaps.size() - row.getLong(1);
                });
    }
}
