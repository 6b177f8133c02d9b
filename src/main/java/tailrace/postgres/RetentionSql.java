package tailrace.postgres;

/**
 * The statements of retention, policies and workflows: {@link Sql}'s second page, because one file for all would be too
 * long to read. Partitions are named by {@link #partition}, from what the catalogue told; everything else is bound.
 */
final class RetentionSql {
    /** Digits of the day follow. */
    private static final String PARTITION = "workflow_execution_logs_";

    final String tryLock;
    final String partitions;
    final String createVictims;
    final String forgetVictims;
    final String analyzeVictims;
    final String victimsByAge;
    final String victimsByCount;
    final String countByAge;
    final String countByCount;
    final String victimDays;
    final String victimRows;
    final String deleteVictims;
    final String policies;
    final String putPolicy;
    final String deletePolicy;
    final String deleteSummaries;
    final String countSummaries;
    final String vacuumSummaries;
    final String deleteRejects;
    final String countRejects;
    final String trigramSchema;
    final String daysWithoutText;
    final String workflow;
    final String putWorkflow;

    private final String schema;

    RetentionSql(String schema) {
        this.schema = schema;
        tryLock = in(schema, "SELECT pg_try_advisory_lock(hashtextextended('tailrace retention {s}', 0))");
        partitions = in(schema, PARTITIONS);
        createVictims = CREATE_VICTIMS;
        forgetVictims = "TRUNCATE pg_temp.tailrace_victims";
        analyzeVictims = "ANALYZE pg_temp.tailrace_victims"; // nobody else does that to a temporary table
        victimsByAge = in(schema, INSERT_VICTIMS + BY_AGE + ") AS v");
        victimsByCount = in(schema, INSERT_VICTIMS + BY_COUNT + ") AS v");
        countByAge = in(schema, "SELECT count(*) FROM (" + BY_AGE + ") AS v");
        countByCount = in(schema, "SELECT count(*) FROM (" + BY_COUNT + ") AS v");
        victimDays = VICTIM_DAYS;
        victimRows = in(schema, VICTIM_ROWS);
        deleteVictims = in(schema, DELETE_VICTIMS);
        policies = in(schema, "SELECT " + POLICY_COLUMNS + " FROM {s}.retention_policies ORDER BY id");
        putPolicy = in(schema, PUT_POLICY);
        deletePolicy = in(schema, "DELETE FROM {s}.retention_policies WHERE id = $1");
        deleteSummaries = in(schema, DELETE_SUMMARIES);
        countSummaries = in(schema, "SELECT count(*) FROM {s}.workflow_executions e WHERE " + FORGOTTEN);
        vacuumSummaries = in(schema, "VACUUM {s}.workflow_executions");
        deleteRejects = in(schema, DELETE_REJECTS);
        countRejects = in(schema, "SELECT count(*) FROM {s}.log_rejects WHERE rejected_at < $1");
        trigramSchema = """
                SELECT quote_ident(n.nspname) FROM pg_catalog.pg_extension e
                  JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_trgm'
                """;
        daysWithoutText = in(schema, DAYS_WITHOUT_TEXT);
        workflow = in(schema, "SELECT " + WORKFLOW_COLUMNS + " FROM {s}.workflows WHERE workflow_id = $1");
        putWorkflow = in(schema, PUT_WORKFLOW);
    }

    private static String in(String schema, String text) {
        return text.replace("{s}", schema);
    }

    /** The partition's qualified name. */
    String partition(String name) {
        if (!name.matches(PARTITION + "[0-9]{8}")) {
            throw new IllegalArgumentException("no partition: " + name);
        }
        return schema + "." + name;
    }

    /** Stops nobody: it waits for those who are reading, and who comes after does not see the partition. */
    String detach(String name) {
        return "ALTER TABLE " + schema + ".workflow_execution_logs DETACH PARTITION " + partition(name)
                + " CONCURRENTLY";
    }

    /** Ends a {@link #detach} that was broken off. */
    String finishDetach(String name) {
        return "ALTER TABLE " + schema + ".workflow_execution_logs DETACH PARTITION " + partition(name) + " FINALIZE";
    }

    String drop(String name) {
        return "DROP TABLE " + partition(name);
    }

    String count(String name) {
        return "SELECT count(*) FROM " + partition(name);
    }

    String vacuum(String name) {
        return "VACUUM " + partition(name);
    }

    /**
     * The index over the texts of a day; its name is known to {@code search_logs}.
     *
     * @param operators schema of the extension, quoted
     */
    String createText(String name, String operators) {
        return "CREATE INDEX CONCURRENTLY " + name + "_text ON " + partition(name) + " USING gin (" + schema
                + ".log_text(message, user_friendly_message, error_code, stack_trace) " + operators
                + ".gin_trgm_ops)";
    }

    String dropText(String name) {
        return "DROP INDEX CONCURRENTLY IF EXISTS " + partition(name) + "_text";
    }

    String vacuumAnalyze(String name) {
        return "VACUUM (ANALYZE) " + partition(name);
    }

    /** Every row, in the order of an archive; columns of {@link Rows#entry}, and the execution's id. */
    String rows(String name) {
        return Sql.ENTRY_COLUMNS + ", execution_id FROM " + partition(name) + " ORDER BY execution_id, seq";
    }

    // Also those that are no partition any more: detached and, after a crash, not yet dropped. The rows are
    // PostgreSQL's estimate, which costs nothing.
    private static final String PARTITIONS = """
            SELECT c.relname::text AS name, to_date(right(c.relname, 8), 'YYYYMMDD') AS day,
              i.inhrelid IS NOT NULL AS attached, coalesce(i.inhdetachpending, false) AS pending,
              pg_total_relation_size(c.oid) AS bytes,
              greatest(c.reltuples::int8, pg_stat_get_live_tuples(c.oid), 0) AS estimated_rows
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
              LEFT JOIN pg_catalog.pg_inherits i
                ON i.inhrelid = c.oid AND i.inhparent = '{s}.workflow_execution_logs'::regclass
            WHERE n.nspname = '{s}' AND c.relkind = 'r' AND c.relname ~ '^workflow_execution_logs_[0-9]{8}$'
              AND right(c.relname, 8) < to_char($1::date, 'YYYYMMDD')
            ORDER BY pending DESC, name
            """;

    // A small day needs none, and late rows come cheaper without.
    private static final String DAYS_WITHOUT_TEXT = """
            SELECT c.relname::text AS name, t.indexrelid IS NOT NULL AS broken_off
            FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
              LEFT JOIN (pg_catalog.pg_index t JOIN pg_catalog.pg_class tc ON tc.oid = t.indexrelid)
                ON t.indrelid = c.oid AND tc.relname = c.relname || '_text'
            WHERE i.inhparent = '{s}.workflow_execution_logs'::regclass AND NOT i.inhdetachpending
              AND c.relname ~ '^workflow_execution_logs_[0-9]{8}$'
              AND right(c.relname, 8) < to_char($1::date, 'YYYYMMDD')
              AND pg_relation_size(c.oid) >= $2::int8 AND t.indisvalid IS NOT TRUE
            ORDER BY name DESC
            """;

    private static final String CREATE_VICTIMS = """
            CREATE TEMP TABLE IF NOT EXISTS tailrace_victims (
              n int8 PRIMARY KEY, execution_id text COLLATE "C" NOT NULL, seq int8 NOT NULL,
              received_at timestamptz NOT NULL)
            """;

    private static final String INSERT_VICTIMS = """
            INSERT INTO pg_temp.tailrace_victims (n, execution_id, seq, received_at)
            SELECT row_number() OVER (ORDER BY execution_id, seq), execution_id, seq, received_at FROM (
            """;

    // $1 workflow or null, $2 tier or null. total_logs counts more entries than there are rows, never fewer.
    private static final String OF_POLICY = """
            FROM {s}.workflow_executions e
            WHERE (e.workflow_id = $1::text OR $1::text IS NULL)
              AND ($2::text IS NULL OR e.workflow_id IN (SELECT workflow_id FROM {s}.workflows WHERE tier = $2::text))
            """;

    private static final String BY_AGE = """
            SELECT l.execution_id, l.seq, l.received_at FROM (SELECT e.execution_id OF_POLICY) AS x
              JOIN {s}.workflow_execution_logs l USING (execution_id)
            WHERE l.received_at < $3::timestamptz LIMIT $4::int8
            """.replace("OF_POLICY", OF_POLICY);

    private static final String BY_COUNT = """
            SELECT x.execution_id, l.seq, l.received_at
            FROM (SELECT e.execution_id OF_POLICY AND e.total_logs > $3::int8) AS x,
              LATERAL (SELECT seq, received_at FROM {s}.workflow_execution_logs
                WHERE execution_id = x.execution_id ORDER BY seq DESC OFFSET $3::int8) AS l
            LIMIT $4::int8
            """.replace("OF_POLICY", OF_POLICY);

    private static final String VICTIM_DAYS = """
            SELECT DISTINCT (received_at AT TIME ZONE 'UTC')::date AS day FROM pg_temp.tailrace_victims
            """;

    private static final String VICTIM_ROWS = Sql.ENTRY_COLUMNS + """
            , execution_id FROM {s}.workflow_execution_logs
              JOIN pg_temp.tailrace_victims USING (execution_id, seq, received_at) ORDER BY n
            """;

    // The day in the key leads each row to its partition.
    private static final String DELETE_VICTIMS = """
            DELETE FROM {s}.workflow_execution_logs l
            USING (SELECT execution_id, seq, received_at FROM pg_temp.tailrace_victims WHERE n > $1 AND n <= $2) AS v
            WHERE l.execution_id = v.execution_id AND l.seq = v.seq AND l.received_at = v.received_at
            """;

    private static final String POLICY_COLUMNS =
            "id, workflow_id, tier, max_age_days, newest_n, created_at, updated_at";

    private static final String PUT_POLICY = """
            INSERT INTO {s}.retention_policies AS p (id, workflow_id, tier, max_age_days, newest_n)
            VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (id) DO UPDATE SET workflow_id = excluded.workflow_id, tier = excluded.tier,
              max_age_days = excluded.max_age_days, newest_n = excluded.newest_n, updated_at = now()
            RETURNING POLICY_COLUMNS, (xmax = 0) AS created
            """.replace("POLICY_COLUMNS", POLICY_COLUMNS);

    // Last seen by our clock, not the sender's. An execution that has a row anywhere is kept.
    private static final String FORGOTTEN = """
            coalesce(e.last_received_at, e.created_at) < $1::timestamptz
              AND NOT EXISTS (SELECT FROM {s}.workflow_execution_logs l WHERE l.execution_id = e.execution_id)
            """;

    // The time and the position again: what the writer changed while we waited for the row is not ours to remove.
    private static final String DELETE_SUMMARIES = """
            WITH page AS (
              SELECT e.execution_id, e.generation, e.last_position FROM {s}.workflow_executions e
              WHERE e.execution_id > $2::text AND FORGOTTEN ORDER BY e.execution_id LIMIT $3::int8),
            gone AS (
              DELETE FROM {s}.workflow_executions t USING page
              WHERE t.execution_id = page.execution_id AND t.generation = page.generation
                AND t.last_position = page.last_position AND coalesce(t.last_received_at, t.created_at) < $1::timestamptz
              RETURNING t.execution_id),
            steps AS (DELETE FROM {s}.execution_summaries s USING gone WHERE s.execution_id = gone.execution_id)
            SELECT (SELECT count(*) FROM gone) AS deleted, (SELECT count(*) FROM page) AS found,
              (SELECT max(execution_id) FROM page) AS last
            """.replace("FORGOTTEN", FORGOTTEN);

    private static final String DELETE_REJECTS = """
            DELETE FROM {s}.log_rejects WHERE ctid = ANY (ARRAY(
              SELECT ctid FROM {s}.log_rejects WHERE rejected_at < $1::timestamptz ORDER BY rejected_at LIMIT $2::int8))
            """;

    private static final String WORKFLOW_COLUMNS = "workflow_id, name, user_id, tier, created_at, updated_at";

    // Of each column whether it was given, and its value.
    private static final String PUT_WORKFLOW = """
            INSERT INTO {s}.workflows AS w (workflow_id, name, user_id, tier) VALUES ($1, $3, $5, $7)
            ON CONFLICT (workflow_id) DO UPDATE SET
              name = CASE WHEN $2::bool THEN excluded.name ELSE w.name END,
              user_id = CASE WHEN $4::bool THEN excluded.user_id ELSE w.user_id END,
              tier = CASE WHEN $6::bool THEN excluded.tier ELSE w.tier END,
              updated_at = now()
            RETURNING WORKFLOW_COLUMNS, (xmax = 0) AS created
            """.replace("WORKFLOW_COLUMNS", WORKFLOW_COLUMNS);
}
