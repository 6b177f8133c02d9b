package tailrace.postgres;

import io.vertx.pgclient.PgException;
import io.vertx.sqlclient.Row;
import java.io.IOException;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Drops whole days. A day is first detached without stopping anybody: {@code DETACH … CONCURRENTLY} queues behind nobody
 * in a way that others have to queue behind it, which a plain DROP TABLE would do to every writer as soon as one reader
 * takes his time. A reader who takes longer than the lock timeout leaves the detaching half done; the next attempt, in
 * this run or another, finishes it.
 */
final class PartitionCleanup {
    private final BlockingSession session;
    private final Database database;
    private final RetentionSql sql;
    private final Partitions partitions;
    private final Optional<Archive> archive;
    private final Retention.Limits limits;
    private final RetentionNotes notes;

    PartitionCleanup(
            BlockingSession session,
            Database database,
            Partitions partitions,
            Optional<Archive> archive,
            Retention.Limits limits,
            RetentionNotes notes) {
        this.session = session;
        this.database = database;
        this.sql = database.retentionSql();
        this.partitions = partitions;
        this.archive = archive;
        this.limits = limits;
        this.notes = notes;
    }

    /**
     * A day's table.
     *
     * @param attached false if a crash came between its detaching and its dropping
     * @param pending whether its detaching was broken off
     */
    private record Day(String name, LocalDate day, boolean attached, boolean pending, long bytes, long estimatedRows) {}

    /** Notes what {@link #drop} would drop. */
    void dryRun(LocalDate firstKept) {
        for (Day day : before(firstKept)) {
            notes.partition(report(day, session.number(sql.count(day.name())), true));
        }
    }

    /** Drops every day before one. What does not go is noted. */
    void drop(LocalDate firstKept) {
        for (Day day : before(firstKept)) {
            try {
                drop(day);
            } catch (IOException e) {
                notes.error("partition " + day.name() + " stays, because it cannot be archived", e);
            } catch (PgException e) {
                notes.error("partition " + day.name(), e);
                if (SqlErrors.lockTimeout(e)) {
                    return; // whoever holds it up holds up the others too, and only one can be half detached
                }
            }
        }
    }

    private List<Day> before(LocalDate firstKept) {
        List<Day> days = new ArrayList<>();
        for (Row row : session.query(sql.partitions, firstKept)) {
            days.add(new Day(
                    row.getString("name"),
                    row.getLocalDate("day"),
                    row.getBoolean("attached"),
                    row.getBoolean("pending"),
                    row.getLong("bytes"),
                    row.getLong("estimated_rows")));
        }
        return days;
    }

    private void drop(Day day) throws IOException {
        long archived = -1;
        if (archive.isPresent()) {
            // Before anything is changed: a day that cannot be archived stays as it is.
            archived = archive(archive.get(), day);
        }
        if (day.attached()) {
            detach(day);
        }
        if (archive.isPresent() && session.number(sql.count(day.name())) != archived) {
            // Rows came until it was detached: from a backlog older than what is kept.
            archived = archive(archive.get(), day);
        }
        patiently(() -> session.execute(sql.drop(day.name())));
        partitions.forget();
        notes.partition(report(day, archived < 0 ? day.estimatedRows() : archived, archived >= 0));
    }

    private long archive(Archive to, Day day) throws IOException {
        Archive.Written written =
                to.write(database.schema() + "-" + day.day(), rows -> session.stream(sql.rows(day.name()), rows));
        notes.archived(written);
        return written.rows();
    }

    private void detach(Day first) {
        patiently(() -> {
            // Again each time: an attempt that was broken off may have left it half detached.
            Day now = before(first.day().plusDays(1)).stream()
                    .filter(day -> day.name().equals(first.name()))
                    .findFirst()
                    .orElse(first);
            if (now.attached()) {
                session.execute(now.pending() ? sql.finishDetach(now.name()) : sql.detach(now.name()));
            }
        });
    }

    /** Tries again where somebody else's lock was in the way. */
    private void patiently(Runnable step) {
        for (int attempt = 1; ; attempt++) {
            try {
                step.run();
                return;
            } catch (PgException e) {
                if (!SqlErrors.lockTimeout(e) || attempt >= limits.attempts()) {
                    throw e;
                }
            }
            session.pause(limits.lockTimeout());
        }
    }

    private static RetentionReport.Partition report(Day day, long rows, boolean exact) {
        return new RetentionReport.Partition(day.name(), day.day(), rows, exact, day.bytes());
    }
}
