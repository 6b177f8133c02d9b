package tailrace.postgres;

import io.vertx.pgclient.PgException;
import io.vertx.sqlclient.Row;
import java.io.IOException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Deletes what policies let go before its day does. In rounds: the keys of some rows are put down in a temporary table,
 * the rows archived, and deleted in small transactions with pauses between; then the days they were in are vacuumed. So
 * exactly what was archived is deleted, whatever is written meanwhile.
 */
final class PolicyCleanup {
    private static final double MICROS_A_DAY = TimeUnit.DAYS.toMicros(1);

    private final BlockingSession session;
    private final Database database;
    private final RetentionSql sql;
    private final Optional<Archive> archive;
    private final Retention.Limits limits;
    private final RetentionNotes notes;
    private final Set<LocalDate> touched = new TreeSet<>();

    PolicyCleanup(
            BlockingSession session,
            Database database,
            Optional<Archive> archive,
            Retention.Limits limits,
            RetentionNotes notes) {
        this.session = session;
        this.database = database;
        this.sql = database.retentionSql();
        this.archive = archive;
        this.limits = limits;
        this.notes = notes;
    }

    /** Notes what each policy would delete, as if it were the only one. */
    void dryRun(Instant now) {
        for (RetentionPolicy policy : RetentionPolicies.policies(session.query(sql.policies))) {
            OffsetDateTime cutoff = cutoff(policy, now);
            long rows = cutoff == null
                    ? 0
                    : session.number(sql.countByAge, policy.workflowId(), policy.tier(), cutoff, null);
            Long newest = policy.newestN();
            rows += newest == null
                    ? 0
                    : session.number(sql.countByCount, policy.workflowId(), policy.tier(), newest, null);
            notes.policy(policy.id(), rows);
        }
    }

    /** Applies every policy. What does not go is noted. */
    void delete(Instant now) {
        for (RetentionPolicy policy : RetentionPolicies.policies(session.query(sql.policies))) {
            try {
                OffsetDateTime cutoff = cutoff(policy, now);
                if (cutoff != null) {
                    delete(policy, now, sql.victimsByAge, cutoff);
                }
                if (policy.newestN() != null) {
                    delete(policy, now, sql.victimsByCount, policy.newestN());
                }
            } catch (IOException e) {
                notes.error("what policy " + policy.id() + " lets go stays, because it cannot be archived", e);
            } catch (PgException e) {
                notes.error("policy " + policy.id(), e);
            }
        }
        vacuum();
    }

    private static @Nullable OffsetDateTime cutoff(RetentionPolicy policy, Instant now) {
        Double days = policy.maxAgeDays();
        // Younger by less than a microsecond still counts as younger.
        return days == null
                ? null
                : OffsetDateTime.ofInstant(now, ZoneOffset.UTC)
                        .minus((long) Math.ceil(days * MICROS_A_DAY), java.time.temporal.ChronoUnit.MICROS);
    }

    private void delete(RetentionPolicy policy, Instant now, String victims, Object limit) throws IOException {
        session.execute(sql.createVictims);
        int found;
        do {
            session.execute(sql.forgetVictims);
            found = session.query(victims, policy.workflowId(), policy.tier(), limit, (long) limits.roundRows())
                    .rowCount();
            if (found > 0) {
                session.execute(sql.analyzeVictims);
                archive(policy, now, found);
                deleteFound(policy, found);
            }
        } while (found == limits.roundRows());
    }

    private void archive(RetentionPolicy policy, Instant now, int found) throws IOException {
        if (archive.isEmpty()) {
            return;
        }
        String name = database.schema() + "-" + LocalDate.ofInstant(now, ZoneOffset.UTC) + "-policy-" + policy.id();
        Archive.Written written = archive.get().write(name, rows -> session.stream(sql.victimRows, rows));
        notes.archived(written);
        if (written.rows() != found) {
            throw new IOException(written.rows() + " of " + found + " rows were archived");
        }
    }

    private void deleteFound(RetentionPolicy policy, int found) {
        for (Row row : session.query(sql.victimDays)) {
            touched.add(row.getLocalDate("day"));
        }
        for (long from = 0; from < found; from += limits.batchRows()) {
            long deleted = session.query(sql.deleteVictims, from, from + limits.batchRows())
                    .rowCount();
            notes.policy(policy.id(), deleted);
            session.pause(limits.pause());
        }
    }

    /** Deleted rows, and what they had in TOAST, would otherwise stay until autovacuum thinks them worth its while. */
    private void vacuum() {
        for (LocalDate day : touched) {
            String name = "workflow_execution_logs_" + day.format(DateTimeFormatter.BASIC_ISO_DATE);
            try {
                session.execute(sql.vacuum(name));
            } catch (PgException e) {
                notes.error("partition " + name + " was not vacuumed", e);
            }
        }
    }
}
