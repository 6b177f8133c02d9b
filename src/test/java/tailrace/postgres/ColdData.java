package tailrace.postgres;

import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Rows of days gone by, put into PostgreSQL past the writer. */
public final class ColdData {
    private final TestDatabase database;
    private @Nullable StringBuilder collected;

    public ColdData(TestDatabase database) {
        this.database = database;
    }

    /** From here on statements are only collected, until {@link #flush}: a connection each would take most of the time. */
    public ColdData collect() {
        collected = new StringBuilder();
        return this;
    }

    /** Executes what was collected, at once. */
    public ColdData flush() {
        database.execute(String.valueOf(collected));
        collected = null;
        return this;
    }

    private void run(String sql) {
        StringBuilder script = collected;
        if (script == null) {
            database.execute(sql);
        } else {
            script.append(sql).append(";\n");
        }
    }

    /** A day's partition, and so many rows in it, evenly over the day, spread over so many executions. */
    public ColdData day(LocalDate day, int rows, int executions) {
        partition(day);
        run(String.format(Locale.ROOT, """
                INSERT INTO tailrace.workflow_execution_logs (seq, received_at, timestamp, id, level, event_type,
                  log_category, display_priority, is_milestone, execution_id, message, user_friendly_message, data)
                SELECT n, at, at, gen_random_uuid(), 'info', 'log', 'business', 5, false,
                  'e' || n %% %3$d || '-%1$s', 'raw ' || n, 'message ' || n, '{"n": 1}'
                FROM (SELECT n, timestamptz '%1$s 00:00Z' + n * interval '1 day' / (%2$d + 1) AS at
                  FROM generate_series(1, %2$d) AS n) AS s
                """, day, rows, executions));
        return this;
    }

    public ColdData partition(LocalDate day) {
        run("SELECT tailrace.make_partition('" + day + "')");
        return this;
    }

    /** One row; its day's partition is there. */
    public ColdData row(String execution, long seq, Instant receivedAt) {
        run(String.format(Locale.ROOT, """
                INSERT INTO tailrace.workflow_execution_logs (seq, received_at, timestamp, id, level, event_type,
                  log_category, display_priority, is_milestone, execution_id, message)
                VALUES (%1$d, '%2$s', '%2$s', gen_random_uuid(), 'error', 'log', 'technical', 5, false, '%3$s', 'm')
                """, seq, receivedAt, execution));
        return this;
    }

    /** The execution's own row. */
    public ColdData execution(String execution, String workflow, long totalLogs, Instant lastReceived) {
        run(String.format(Locale.ROOT, """
                INSERT INTO tailrace.workflow_executions (execution_id, workflow_id, last_seq, total_logs,
                  milestone_count, created_at, last_received_at, generation, last_position, status, level_counts,
                  event_counts)
                VALUES ('%1$s', '%2$s', %3$d, %3$d, 0, '%4$s', '%4$s', 1, 1, 'SUCCEEDED', '{}', '{}')
                """, execution, workflow, totalLogs, lastReceived));
        return this;
    }

    public ColdData workflow(String workflow, String tier) {
        run("INSERT INTO tailrace.workflows (workflow_id, tier) VALUES ('" + workflow + "', '" + tier + "')");
        return this;
    }

    /** Null for what is not given. */
    public ColdData policy(
            String id,
            @Nullable String workflow,
            @Nullable String tier,
            @Nullable Double maxAgeDays,
            @Nullable Long newestN) {
        run("INSERT INTO tailrace.retention_policies (id, workflow_id, tier, max_age_days, newest_n)"
                + " VALUES ('" + id + "', " + quoted(workflow) + ", " + quoted(tier) + ", " + maxAgeDays + ", "
                + newestN
                + ")");
        return this;
    }

    private static String quoted(@Nullable String text) {
        return text == null ? "NULL" : "'" + text + "'";
    }

    public long rows() {
        return database.number("SELECT count(*) FROM tailrace.workflow_execution_logs");
    }

    public long rows(LocalDate day) {
        return database.number("SELECT count(*) FROM tailrace.workflow_execution_logs WHERE received_at >= '" + day
                + " 00:00Z' AND received_at < '" + day.plusDays(1) + " 00:00Z'");
    }

    /** Whether there is a table of the day, attached or not. */
    public boolean table(LocalDate day) {
        return database.number("SELECT count(*) FROM pg_class WHERE relname = '" + name(day) + "'") == 1;
    }

    public static String name(LocalDate day) {
        return "workflow_execution_logs_" + day.toString().replace("-", "");
    }

    /** Noon. */
    public static Instant noon(LocalDate day) {
        return day.atTime(12, 0).toInstant(ZoneOffset.UTC);
    }
}
