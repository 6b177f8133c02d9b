package tailrace.postgres;

import io.vertx.core.Future;
import io.vertx.sqlclient.Row;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import tailrace.journal.JournalSurvey;
import tailrace.model.JournalId;
import tailrace.postgres.JournalRegistry.LaneCursor;

/**
 * What PostgreSQL knows of a journal; asking changes nothing, not even a schema that is older than this program.
 *
 * @param standing whether PostgreSQL is this journal's
 * @param cursors of its lanes; none where it was never registered
 * @param rejects rows in {@code log_rejects}, of whatever journal
 */
public record JournalOverview(JournalStanding standing, List<LaneCursor> cursors, long rejects) {
    private static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(30);

    public JournalOverview {
        cursors = List.copyOf(cursors);
    }

    /** Fails while PostgreSQL is away. */
    public static Future<JournalOverview> of(Database database, JournalId journal, long lastPosition) {
        JournalRegistry registry = new JournalRegistry(database);
        return registry.standing(journal, lastPosition, lastPosition == 0)
                .compose(standing -> registry.cursors(journal).compose(cursors -> rejects(database)
                        .map(count -> new JournalOverview(standing, cursors, count))))
                .recover(error -> SqlErrors.notMigrated(error)
                        ? Future.succeededFuture(new JournalOverview(new JournalStanding.First(), List.of(), 0))
                        : Future.failedFuture(error))
                .timeout(ANSWER_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    }

    private static Future<Long> rejects(Database database) {
        return database.pool().query(database.sql().countRejects).execute().map(rows -> {
            Row row = rows.iterator().next();
            return row.getLong(0);
        });
    }

    /** The lanes as readers of the journal. A journal PostgreSQL has no cursor for is read from its beginning. */
    public List<JournalSurvey.Reader> readers() {
        return cursors.isEmpty()
                ? List.of(new JournalSurvey.Reader("postgres", 0, record -> true))
                : cursors.stream().map(JournalOverview::reader).toList();
    }

    private static JournalSurvey.Reader reader(LaneCursor cursor) {
        return new JournalSurvey.Reader(
                "postgres lane " + cursor.lane(),
                cursor.position(),
                record -> BatchReader.laneOf(record.executionId(), cursor.lanes()) == cursor.lane());
    }
}
