package tailrace.postgres;

import io.vertx.core.Future;
import io.vertx.pgclient.PgConnection;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import io.vertx.sqlclient.Tuple;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import tailrace.model.IncomingEntry;

/** The statements on {@code log_inbox}: one transaction from {@link #lock} to {@link #settle}, on one connection. */
final class InboxTable {
    /**
     * Where we are cut off between the two and PostgreSQL does not notice, it gives the rows back after this long; more
     * than a commit of the journal takes on a bad day.
     */
    private static final String BEGIN = "BEGIN; SET LOCAL idle_in_transaction_session_timeout = '60s'";

    private final Sql sql;
    private final long maxBytes;
    private final int maxEntryBytes;

    /**
     * @param maxBytes of entries locked at once, but one at least
     * @param maxEntryBytes of a larger entry nothing is read
     */
    InboxTable(Database database, long maxBytes, int maxEntryBytes) {
        this.sql = database.sql();
        this.maxBytes = maxBytes;
        this.maxEntryBytes = maxEntryBytes;
    }

    /**
     * A row that nobody else can take now.
     *
     * @param bytes of its entry
     * @param entry null where it is too large to be read
     */
    record Locked(
            UUID id,
            long createdMicros,
            int bytes,
            @Nullable IncomingEntry entry) {}

    /** Begins a transaction and locks pending rows, in the order of their insertion. */
    Future<List<Locked>> lock(PgConnection on, int maxRows) {
        Future<?> begin = on.query(BEGIN).execute();
        Future<RowSet<Row>> rows = on.preparedQuery(sql.lockInbox).execute(Tuple.of(maxRows, maxBytes, maxEntryBytes));
        return begin.compose(begun -> rows).map(InboxTable::locked);
    }

    /** Whether these rows are all that {@link #lock} takes at once, so that there may be more. */
    boolean full(List<Locked> rows, int maxRows) {
        return rows.size() >= maxRows || rows.stream().mapToLong(Locked::bytes).sum() >= maxBytes;
    }

    private static List<Locked> locked(RowSet<Row> rows) {
        List<Locked> locked = new ArrayList<>(rows.size());
        for (Row row : rows) {
            UUID id = row.getUUID("id");
            long created = Rows.micros(row.getOffsetDateTime("created_at"));
            String entry = row.getString("entry");
            locked.add(new Locked(
                    id,
                    created,
                    row.getInteger("bytes"),
                    entry == null ? null : new IncomingEntry(id, created, entry.getBytes(StandardCharsets.UTF_8))));
        }
        return locked;
    }

    /** Deletes what was taken, writes down why the others were not, and commits. */
    Future<Void> settle(PgConnection on, Collection<UUID> taken, Map<UUID, String> refused) {
        Future<?> deleted = taken.isEmpty()
                ? Future.succeededFuture()
                : on.preparedQuery(sql.deleteInbox).execute(Tuple.tuple().addArrayOfUUID(taken.toArray(UUID[]::new)));
        Future<?> marked = refused.isEmpty()
                ? Future.succeededFuture()
                : on.preparedQuery(sql.refuseInbox)
                        .execute(Tuple.tuple()
                                .addArrayOfUUID(refused.keySet().toArray(UUID[]::new))
                                .addArrayOfString(refused.values().toArray(String[]::new)));
        return Future.join(deleted, marked)
                .compose(done -> on.query("COMMIT").execute())
                .mapEmpty();
    }
}
