package tailrace.postgres;

import io.vertx.pgclient.PgException;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives the days that are over their index over trigrams, which makes rare words quick to find. The day being written has
 * none: it would cost most of the insert rate. Built without stopping anybody; what was broken off is begun again by the
 * next cleanup. Without the extension {@code pg_trgm} there is nothing to do, and search reads through every day.
 */
final class SearchIndexes {
    private static final Logger LOG = LoggerFactory.getLogger(SearchIndexes.class);

    /** Bytes of a day that is worth an index: a smaller one is read through in less than 50 ms. */
    private static final long WORTH_BYTES = 8L << 20;

    private final BlockingSession session;
    private final RetentionSql sql;
    private final RetentionNotes notes;
    private final long worthBytes;

    SearchIndexes(BlockingSession session, Database database, RetentionNotes notes) {
        this(session, database, notes, WORTH_BYTES);
    }

    /** @param worthBytes smaller days get none */
    SearchIndexes(BlockingSession session, Database database, RetentionNotes notes, long worthBytes) {
        this.worthBytes = worthBytes;
        this.session = session;
        this.sql = database.retentionSql();
        this.notes = notes;
    }

    /** A day without a usable index; the name of one that was broken off may be taken. */
    private record Day(String name, boolean brokenOff) {}

    /** Builds what is missing, newest first. What fails is noted. */
    void build(LocalDate today) {
        try {
            RowSet<Row> trigrams = session.query(sql.trigramSchema);
            if (trigrams.size() == 0) {
                return;
            }
            String operators = trigrams.iterator().next().getString(0);
            for (Day day : missing(today)) {
                if (!build(day, operators)) {
                    return;
                }
            }
        } catch (PgException e) {
            notes.error("the search indexes", e);
        }
    }

    private List<Day> missing(LocalDate today) {
        List<Day> days = new ArrayList<>();
        for (Row row : session.query(sql.daysWithoutText, today, worthBytes)) {
            days.add(new Day(row.getString("name"), row.getBoolean("broken_off")));
        }
        return days;
    }

    /** Whether to go on. */
    private boolean build(Day day, String operators) {
        try {
            session.execute("SET maintenance_work_mem = '128MB'");
            if (day.brokenOff()) {
                session.execute(sql.dropText(day.name()));
            }
            long began = System.nanoTime();
            session.execute(sql.createText(day.name(), operators));
            // What the planner knows of the words, and the pages an index alone can answer for.
            session.execute(sql.vacuumAnalyze(day.name()));
            LOG.info("search index of {} built in {} ms", day.name(), (System.nanoTime() - began) / 1_000_000);
            return true;
        } catch (PgException e) {
            if (!SqlErrors.lockTimeout(e)) {
                notes.error("search index of " + day.name(), e);
                return true;
            }
            LOG.info("search index of {} is left for the next cleanup: somebody reads for a long time", day.name());
            return false;
        }
    }
}
