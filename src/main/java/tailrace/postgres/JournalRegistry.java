package tailrace.postgres;

import io.vertx.core.Future;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Tuple;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import tailrace.journal.SummaryStore;
import tailrace.model.ExecutionState;
import tailrace.model.JournalId;

/**
 * Which journal PostgreSQL belongs to. The steps of a start, under the writer's lock: {@link #standing}; for a successor
 * {@link #knownExecutions}, until the journal has kept them all durably; then {@link #register}, after which entries may
 * be taken. A crash between any two steps begins them again and gives no seq twice.
 */
public final class JournalRegistry {
    private final Database database;
    private final Sql sql;

    public JournalRegistry(Database database) {
        this.database = database;
        this.sql = database.sql();
    }

    /**
     * @param lastPosition of the journal
     * @param empty whether the journal was made now or never held an entry
     */
    public Future<JournalStanding> standing(JournalId ours, long lastPosition, boolean empty) {
        return current().compose(found -> {
            if (found == null) {
                return Future.succeededFuture(new JournalStanding.First());
            }
            if (!found.id().equals(ours)) {
                return Future.succeededFuture(
                        empty
                                ? new JournalStanding.Successor(found.generation(), found.id())
                                : new JournalStanding.Foreign(found.generation(), found.id()));
            }
            return cursors(ours).map(cursors -> {
                long furthest =
                        cursors.stream().mapToLong(LaneCursor::position).max().orElse(0);
                return furthest > lastPosition
                        ? new JournalStanding.Stale(found.generation(), furthest, lastPosition)
                        : new JournalStanding.Continue(found.generation());
            });
        });
    }

    /**
     * Every execution PostgreSQL knows, in pages, the next one when the last was taken. First stops all cursors for good:
     * what another process still has under way cannot be committed behind our back.
     *
     * @param pageSize executions a page
     * @return how many there were
     */
    public Future<Long> knownExecutions(
            JournalId ours, int pageSize, Function<List<ExecutionState>, Future<Void>> page) {
        return database.pool()
                .preparedQuery(sql.fenceOthers)
                .execute(Tuple.of(ours.value()))
                .compose(fenced -> nextPage("", pageSize, page, 0));
    }

    private Future<Long> nextPage(
            String after, int pageSize, Function<List<ExecutionState>, Future<Void>> page, long before) {
        return database.pool()
                .preparedQuery(sql.executionsAfter)
                .execute(Tuple.of(after, pageSize))
                .compose(rows -> {
                    List<ExecutionState> states = new ArrayList<>(rows.size());
                    rows.forEach(row -> states.add(Rows.execution(row)));
                    if (states.isEmpty()) {
                        return Future.succeededFuture(before);
                    }
                    String last = states.get(states.size() - 1).executionId();
                    return page.apply(states).compose(taken -> nextPage(last, pageSize, page, before + states.size()));
                });
    }

    /**
     * All summaries there are, page by page, in the order of their executions' ids.
     *
     * @param pageSize summaries a page; each may be some hundred KiB
     * @return how many there were
     */
    public Future<Long> knownSummaries(int pageSize, Function<List<SummaryStore.Kept>, Future<Void>> page) {
        return nextSummaries("", pageSize, page, 0);
    }

    private Future<Long> nextSummaries(
            String after, int pageSize, Function<List<SummaryStore.Kept>, Future<Void>> page, long before) {
        return database.pool()
                .preparedQuery(database.summarySql().summariesAfter)
                .execute(Tuple.of(after, pageSize))
                .compose(rows -> {
                    List<SummaryStore.Kept> kept = new ArrayList<>(rows.size());
                    rows.forEach(row -> kept.add(new SummaryStore.Kept(
                            row.getString(0), 0, row.getString(1).getBytes(StandardCharsets.UTF_8))));
                    if (kept.isEmpty()) {
                        return Future.succeededFuture(before);
                    }
                    String last = kept.get(kept.size() - 1).executionId();
                    return page.apply(kept).compose(taken -> nextSummaries(last, pageSize, page, before + kept.size()));
                });
    }

    /**
     * Makes ours the one journal that may write, with cursors at 0 unless it has some; the same again changes nothing.
     * Fails with {@link IllegalStateException} for one that was already succeeded by another.
     *
     * @param lanes of the writer, where cursors are made now
     * @return the journal's generation
     */
    public Future<Long> register(JournalId ours, int lanes) {
        UUID id = ours.value();
        return database.pool().withTransaction(on -> on.query(sql.lockJournals)
                .execute()
                .compose(locked -> on.preparedQuery(sql.insertJournal).execute(Tuple.of(id)))
                .compose(inserted -> requireCurrent(on, ours))
                .compose(generation -> on.preparedQuery(sql.fenceOthers)
                        .execute(Tuple.of(id))
                        .compose(fenced -> on.preparedQuery(sql.unfence).execute(Tuple.of(id)))
                        .compose(open -> on.preparedQuery(sql.insertCursors).execute(Tuple.of(id, lanes, 0L)))
                        .map(made -> generation)));
    }

    private Future<Long> requireCurrent(SqlConnection on, JournalId ours) {
        return on.query(sql.currentJournal).execute().compose(rows -> {
            Row row = rows.iterator().next();
            return row.getUUID("journal_id").equals(ours.value())
                    ? Future.succeededFuture(row.getLong("generation"))
                    : Future.failedFuture(new IllegalStateException("journal " + ours + " was succeeded by "
                            + row.getUUID("journal_id") + " and may not write any more"));
        });
    }

    /** For {@link WriterLock#admission}: why ours may not write any more, or nothing. */
    public Future<Optional<String>> refusal(JournalId ours) {
        return current()
                .map(found -> found == null || found.id().equals(ours)
                        ? Optional.empty()
                        : Optional.of("another Tailrace process took this database over with journal " + found.id()));
    }

    private Future<@Nullable Current> current() {
        return database.pool().query(sql.currentJournal).execute().map(rows -> {
            if (rows.size() == 0) {
                return null;
            }
            Row row = rows.iterator().next();
            return new Current(row.getLong("generation"), new JournalId(row.getUUID("journal_id")));
        });
    }

    private record Current(long generation, JournalId id) {}

    /** Where a lane is; fenced once another journal took over. */
    public record LaneCursor(int lane, int lanes, long position, boolean fenced, long generation) {}

    /** Where a journal's lanes are; none where it was never registered. */
    public Future<List<LaneCursor>> cursors(JournalId ours) {
        return database.pool()
                .preparedQuery(sql.cursors)
                .execute(Tuple.of(ours.value()))
                .map(JournalRegistry::toCursors);
    }

    private static List<LaneCursor> toCursors(RowSet<Row> rows) {
        List<LaneCursor> cursors = new ArrayList<>(rows.size());
        for (Row row : rows) {
            cursors.add(new LaneCursor(
                    row.getInteger("lane"),
                    row.getInteger("lanes"),
                    row.getLong("position"),
                    row.getBoolean("fenced"),
                    row.getLong("generation")));
        }
        return cursors;
    }

    /** Changes the number of lanes; fails and changes nothing unless every cursor stands at exactly that position. */
    Future<Void> relane(JournalId ours, int oldLanes, int newLanes, long position) {
        UUID id = ours.value();
        return database.pool().withTransaction(on -> on.preparedQuery(sql.deleteCursors)
                .execute(Tuple.of(id, position))
                .compose(deleted -> deleted.rowCount() == oldLanes
                        ? on.preparedQuery(sql.insertCursors).execute(Tuple.of(id, newLanes, position))
                        : Future.failedFuture(new IllegalStateException(
                                deleted.rowCount() + " of " + oldLanes + " lanes are drained to " + position)))
                .mapEmpty());
    }
}
