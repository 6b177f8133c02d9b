package tailrace.postgres;

import io.vertx.core.Future;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import io.vertx.sqlclient.Tuple;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import tailrace.model.EntryCodec;
import tailrace.model.EntryFields;
import tailrace.model.LogEntry;
import tailrace.model.LogFilter;
import tailrace.security.Principal;

/**
 * Entries of many executions, by {@code search_logs}: as whoever asks, who owns what is left to PostgreSQL. Any event
 * loop; a future fails while PostgreSQL is away.
 */
public final class SearchReader {
    /** Column of the execution's id, behind those of an entry; then how far was searched. */
    private static final int EXECUTION_ID = 31;

    private final Readers readers;
    private final Sql sql;

    public SearchReader(Readers readers, Database database) {
        this.readers = readers;
        this.sql = database.sql();
    }

    /** An entry and whose it is. */
    public record Hit(String executionId, LogEntry entry) {}

    /** Entries are looked for behind it, in the order of the answer. */
    public record Place(long receivedAtMicros, String executionId, long seq) {}

    /**
     * Hits, newest first.
     *
     * @param searchedToMicros if the search stopped before it had all it was to find: the time of receipt down to which
     *     it looked, included
     */
    public record Piece(List<Hit> hits, OptionalLong searchedToMicros) {}

    /**
     * Searches for a quarter of a second, or until it has enough.
     *
     * @param maxHits 1 to 1,001
     */
    public Future<Piece> search(
            Principal principal, Optional<String> workflowId, Optional<Place> after, int maxHits, LogFilter filter) {
        Tuple parameters = Tuple.tuple().addString(workflowId.orElse(null));
        after.ifPresentOrElse(
                place -> parameters
                        .addOffsetDateTime(Rows.time(place.receivedAtMicros))
                        .addString(place.executionId)
                        .addLong(place.seq),
                () -> parameters.addOffsetDateTime(null).addString(null).addLong(null));
        LogReader.withFilter(parameters.addInteger(maxHits), filter)
                .addBoolean(filter.text() != null && filter.text().patterns().indexable());
        return readers.as(principal, client -> client.preparedQuery(sql.search).execute(parameters))
                .map(SearchReader::piece);
    }

    private static Piece piece(RowSet<Row> rows) {
        EntryCodec codec = new EntryCodec();
        EntryFields fields = new EntryFields();
        List<Hit> hits = new ArrayList<>(rows.size());
        OptionalLong searchedTo = OptionalLong.empty();
        for (Row row : rows) {
            String executionId = row.getString(EXECUTION_ID);
            if (executionId != null) {
                Rows.entry(row, fields);
                hits.add(new Hit(executionId, new LogEntry(row.getLong(0), codec.encode(fields))));
                continue;
            }
            OffsetDateTime reached = row.getOffsetDateTime(EXECUTION_ID + 1);
            searchedTo = reached == null ? OptionalLong.empty() : OptionalLong.of(Rows.micros(reached));
        }
        return new Piece(hits, searchedTo);
    }

    /** Whether there is an execution of the workflow that the principal owns. */
    public Future<Boolean> ownsAnyOf(Principal principal, String workflowId) {
        return readers.as(
                        principal, client -> client.preparedQuery(sql.ownsAnyOf).execute(Tuple.of(workflowId)))
                .map(rows -> rows.iterator().next().getBoolean(0));
    }
}
