package tailrace.postgres;

import io.vertx.core.Future;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.Tuple;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tailrace.security.Principal;
import tailrace.stats.Resolution;

/**
 * Cells of workflows' statistics, read as whoever asks. Fails with {@link PostgresAwayException} while PostgreSQL is taken
 * to be away. Any event loop.
 */
public final class StatsReader {
    private final Readers readers;
    private final ReadGuard guard;
    private final StatsSql sql;

    public StatsReader(Database database, Readers readers, ReadGuard guard) {
        this.readers = readers;
        this.guard = guard;
        this.sql = database.statsSql();
    }

    /** A row: the time it counts, what else is in its key, and the cell's JSON. */
    public record Found(long startMicros, String owner, long generation, long part, String cell) {}

    /**
     * Some of the cells of a span of time, in the order of their time.
     *
     * @param after those behind it, null for the first
     * @return as many as asked for, unless there are no more
     */
    public Future<List<Found>> cells(
            Principal principal,
            String workflowId,
            Resolution resolution,
            long fromMicros,
            long toMicros,
            @Nullable Found after,
            int max) {
        Tuple parameters = Tuple.tuple()
                .addString(workflowId)
                .addInteger(resolution.minutes())
                .addOffsetDateTime(Rows.time(after == null ? fromMicros : after.startMicros))
                .addOffsetDateTime(Rows.time(toMicros))
                .addString(after == null ? "" : after.owner)
                .addLong(after == null ? -1 : after.generation)
                .addLong(after == null ? -1 : after.part)
                .addInteger(max);
        return guard.call(() -> readers.as(
                        principal, client -> client.preparedQuery(sql.cells).execute(parameters)))
                .map(rows -> {
                    List<Found> found = new ArrayList<>(rows.size());
                    for (Row row : rows) {
                        found.add(new Found(
                                Rows.micros(row.getOffsetDateTime(0)),
                                row.getString(1),
                                row.getLong(2),
                                row.getLong(3),
                                row.getString(4)));
                    }
                    return found;
                });
    }
}
