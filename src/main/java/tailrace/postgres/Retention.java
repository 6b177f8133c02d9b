package tailrace.postgres;

import io.vertx.core.Vertx;
import io.vertx.pgclient.PgException;
import io.vertx.sqlclient.Row;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Optional;
import tailrace.config.TailraceConfig;
import tailrace.stats.Resolution;

/**
 * One cleanup of PostgreSQL (SPEC 10): days past {@code LOG_RETENTION_DAYS} are dropped whole, policies are applied,
 * executions nobody asks for any more are forgotten. One process at a time does it, held by an advisory lock that goes
 * with its connection. What fails is written down in the report and left for the next run.
 */
public final class Retention {
    /** What {@link RetentionReport#skipped} says where another process has the lock. */
    public static final String TAKEN = "another Tailrace process is cleaning up now";

    private static final String APPLICATION_NAME = "tailrace retention";
    /** After midnight the last entries of a day are still under way for a while. */
    private static final Duration DAY_IS_OVER = Duration.ofMinutes(10);

    private final Vertx vertx;
    private final Database database;
    private final Partitions partitions;
    private final TailraceConfig.Retention config;
    private final Clock clock;
    private final Limits limits;

    /**
     * How gently it goes.
     *
     * @param lockTimeout for others' locks; also the pause before the next attempt
     * @param attempts at a lock
     * @param batchRows deleted in one transaction
     * @param roundRows put down, and archived in one file, before they are deleted
     * @param pause between two transactions
     */
    record Limits(Duration lockTimeout, int attempts, int batchRows, int roundRows, Duration pause) {
        static final Limits DEFAULT = new Limits(Duration.ofSeconds(2), 3, 1_000, 100_000, Duration.ofMillis(20));
    }

    public Retention(
            Vertx vertx, Database database, Partitions partitions, TailraceConfig.Retention config, Clock clock) {
        this(vertx, database, partitions, config, clock, Limits.DEFAULT);
    }

    Retention(
            Vertx vertx,
            Database database,
            Partitions partitions,
            TailraceConfig.Retention config,
            Clock clock,
            Limits limits) {
        this.vertx = vertx;
        this.database = database;
        this.partitions = partitions;
        this.config = config;
        this.clock = clock;
        this.limits = limits;
    }

    /**
     * Cleans up, or only looks what there is to do. Blocks, for hours in the worst case; on no thread of Vert.x.
     * Interrupting its thread ends it soon, at a point where nothing is lost.
     *
     * @return what was done, also where PostgreSQL is away: that is one of its errors then
     */
    public RetentionReport run(boolean dryRun) {
        Instant start = clock.instant();
        RetentionNotes notes = new RetentionNotes();
        String skipped = "";
        if (!dryRun) {
            try {
                BlockingSession.await(partitions.ensureAhead());
            } catch (Exception e) { // also what await throws without saying so
                notes.error("the partitions of the next days", e);
                return report(notes, start, false, "");
            }
        }
        try (BlockingSession session = BlockingSession.open(vertx, database, APPLICATION_NAME)) {
            session.execute("SET lock_timeout = " + limits.lockTimeout().toMillis());
            if (dryRun) {
                look(session, start, notes);
            } else if (session.query(database.retentionSql().tryLock)
                    .iterator()
                    .next()
                    .getBoolean(0)) {
                clean(session, start, notes);
            } else {
                skipped = TAKEN;
            }
        } catch (Exception e) { // also what await throws without saying so
            notes.error("the cleanup ended early", e);
        }
        return report(notes, start, dryRun, skipped);
    }

    private RetentionReport report(RetentionNotes notes, Instant start, boolean dryRun, String skipped) {
        return notes.report(start, Duration.between(start, clock.instant()), dryRun, skipped);
    }

    private void look(BlockingSession session, Instant now, RetentionNotes notes) {
        Optional<Archive> none = Optional.empty();
        new PartitionCleanup(session, database, partitions, none, limits, notes).dryRun(firstKept(now));
        new PolicyCleanup(session, database, none, limits, notes).dryRun(now);
        notes.summaries(session.number(database.retentionSql().countSummaries, before(now, config.summaryDays())));
        notes.rejects(session.number(database.retentionSql().countRejects, before(now, config.logDays())));
        for (Resolution each : Resolution.values()) {
            notes.stats(session.number(
                    database.statsSql().countCells, (short) each.minutes(), before(now, each.keepDays())));
        }
    }

    private void clean(BlockingSession session, Instant now, RetentionNotes notes) {
        Optional<Archive> archive = config.archiveDir().map(Archive::new);
        new PartitionCleanup(session, database, partitions, archive, limits, notes).drop(firstKept(now));
        new PolicyCleanup(session, database, archive, limits, notes).delete(now);
        try {
            forgetSummaries(session, before(now, config.summaryDays()), notes);
        } catch (PgException e) {
            notes.error("summaries", e);
        }
        try {
            deleteRejects(session, before(now, config.logDays()), notes);
        } catch (PgException e) {
            notes.error("log_rejects", e);
        }
        try {
            deleteStats(session, now, notes);
        } catch (PgException e) {
            notes.error("workflow_stats", e);
        }
        new SearchIndexes(session, database, notes).build(LocalDate.ofInstant(now.minus(DAY_IS_OVER), ZoneOffset.UTC));
    }

    /** The first day of which anything is younger than what is kept. */
    private LocalDate firstKept(Instant now) {
        return LocalDate.ofInstant(now, ZoneOffset.UTC).minusDays(config.logDays());
    }

    private static OffsetDateTime before(Instant now, int days) {
        return OffsetDateTime.ofInstant(now, ZoneOffset.UTC).minusDays(days);
    }

    private void forgetSummaries(BlockingSession session, OffsetDateTime cutoff, RetentionNotes notes) {
        String after = "";
        long deleted = 0;
        while (true) {
            Row page = session.query(database.retentionSql().deleteSummaries, cutoff, after, (long) limits.batchRows())
                    .iterator()
                    .next();
            deleted += page.getLong("deleted");
            notes.summaries(page.getLong("deleted"));
            if (page.getLong("found") < limits.batchRows()) {
                break;
            }
            after = page.getString("last");
            session.pause(limits.pause());
        }
        if (deleted > 0) {
            session.execute(database.retentionSql().vacuumSummaries);
        }
    }

    private void deleteRejects(BlockingSession session, OffsetDateTime cutoff, RetentionNotes notes) {
        int deleted;
        do {
            deleted = session.query(database.retentionSql().deleteRejects, cutoff, (long) limits.batchRows())
                    .rowCount();
            notes.rejects(deleted);
            session.pause(limits.pause());
        } while (deleted == limits.batchRows());
    }

    private void deleteStats(BlockingSession session, Instant now, RetentionNotes notes) {
        for (Resolution each : Resolution.values()) {
            int deleted;
            do {
                deleted = session.query(
                                database.statsSql().deleteCells,
                                (short) each.minutes(),
                                before(now, each.keepDays()),
                                (long) limits.batchRows())
                        .rowCount();
                notes.stats(deleted);
                session.pause(limits.pause());
            } while (deleted == limits.batchRows());
        }
    }
}
