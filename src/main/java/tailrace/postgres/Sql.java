package tailrace.postgres;

import java.util.Arrays;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import tailrace.model.EventType;
import tailrace.model.ExecutionStatus;
import tailrace.model.Level;
import tailrace.model.LogCategory;

/**
 * Every statement the server sends (retention's are in {@link RetentionSql}), with the schema put in once. Enumerations travel as ordinals and are looked up in a
 * constant array: PostgreSQL then reads no catalogue per row. Parameters are only ever bound, never put into the text.
 */
final class Sql {
    private static final Pattern SCHEMA = Pattern.compile("[a-z_][a-z0-9_]{0,62}");

    /** So that a channel's name stays within an identifier's 63 bytes; the trigger of log_inbox cuts the same way. */
    private static final int CHANNEL_SCHEMA_MAX = 54;

    private static final String LEVELS = labels(Level.values());
    private static final String EVENT_TYPES = labels(EventType.values());
    private static final String CATEGORIES = labels(LogCategory.values());
    private static final String STATUSES =
            "'{" + Arrays.stream(ExecutionStatus.values()).map(Enum::name).collect(Collectors.joining(",")) + "}'";

    final String insertRows;
    final String upsertExecutions;
    final String advanceCursor;
    final String insertReject;
    final String countRejects;
    final String rejectedSeqs;
    final String countSpans;
    final String makePartition;
    final String currentJournal;
    final String cursors;
    final String lockJournals;
    final String fenceOthers;
    final String unfence;
    final String insertJournal;
    final String insertCursors;
    final String deleteCursors;
    final String executionsAfter;
    final String execution;
    final String entriesAscending;
    final String entriesDescending;
    final String countEntries;
    final String nthSeqAscending;
    final String nthSeqDescending;
    final String search;
    final String ownsAnyOf;
    final String tryLock;
    final String endOwnStaleSession;
    final String lockInbox;
    final String deleteInbox;
    final String refuseInbox;
    final String heartbeat;
    final String leave;
    final String inboxChannel;
    final String flushedChannel;
    final String ownersChannel;
    final String ownsHot;

    /** @throws IllegalArgumentException if the schema is no plain lower-case identifier */
    Sql(String schema) {
        if (!SCHEMA.matcher(schema).matches()) {
            throw new IllegalArgumentException("not a plain lower-case identifier: " + schema);
        }
        insertRows = in(schema, INSERT_ROWS);
        upsertExecutions = in(schema, UPSERT_EXECUTIONS);
        advanceCursor = in(schema, "SELECT {s}.advance_cursor($1, $2, $3, $4, $5)");
        insertReject = in(schema, INSERT_REJECT);
        countRejects = in(schema, "SELECT count(*) FROM {s}.log_rejects");
        rejectedSeqs = in(schema, REJECTED_SEQS);
        countSpans = in(schema, COUNT_SPANS);
        makePartition = in(schema, "SELECT {s}.make_partition($1)");
        currentJournal = in(schema, CURRENT_JOURNAL);
        cursors = in(schema, CURSORS);
        lockJournals = in(schema, "LOCK TABLE {s}.journals IN SHARE ROW EXCLUSIVE MODE");
        fenceOthers = in(schema, FENCE_OTHERS);
        unfence = in(schema, "UPDATE {s}.lane_cursors SET fenced_at = NULL WHERE journal_id = $1");
        insertJournal = in(schema, INSERT_JOURNAL);
        insertCursors = in(schema, INSERT_CURSORS);
        deleteCursors = in(schema, "DELETE FROM {s}.lane_cursors WHERE journal_id = $1 AND position = $2");
        String executionColumns = EXECUTION_COLUMNS;
        executionsAfter = in(
                schema,
                executionColumns
                        + " FROM {s}.workflow_executions WHERE execution_id > $1 ORDER BY execution_id LIMIT $2");
        execution = in(schema, executionColumns + " FROM {s}.workflow_executions WHERE execution_id = $1");
        entriesAscending = in(schema, ENTRY_COLUMNS + ENTRIES_WHERE + " ORDER BY seq LIMIT $16");
        entriesDescending = in(schema, ENTRY_COLUMNS + ENTRIES_WHERE + " ORDER BY seq DESC LIMIT $16");
        countEntries = in(schema, "SELECT count(*)" + ENTRIES_WHERE);
        nthSeqAscending = in(schema, NTH_SEQ.replace("DIRECTION", "ASC"));
        nthSeqDescending = in(schema, NTH_SEQ.replace("DIRECTION", "DESC"));
        search = in(schema, SEARCH);
        ownsAnyOf = in(schema, "SELECT {s}.owns_any_of($1)");
        tryLock = in(schema, "SELECT pg_try_advisory_lock(hashtextextended('tailrace writer {s}', 0))");
        endOwnStaleSession = END_OWN_STALE_SESSION;
        lockInbox = in(schema, LOCK_INBOX);
        deleteInbox = in(schema, "DELETE FROM {s}.log_inbox WHERE id = ANY ($1::uuid[])");
        refuseInbox = in(schema, REFUSE_INBOX);
        heartbeat = in(schema, HEARTBEAT);
        leave = in(schema, "DELETE FROM {s}.processes WHERE id = $1");
        String channels = schema.substring(0, Math.min(schema.length(), CHANNEL_SCHEMA_MAX));
        inboxChannel = channels + "_inbox";
        flushedChannel = channels + "_flushed";
        ownersChannel = channels + "_owners";
        ownsHot = in(schema, OWNS_HOT);
    }

    private static String in(String schema, String text) {
        return text.replace("{s}", schema);
    }

    private static String labels(Enum<?>[] values) {
        return "'{"
                + Arrays.stream(values)
                        .map(value -> value.name().toLowerCase(Locale.ROOT))
                        .collect(Collectors.joining(","))
                + "}'";
    }

    // unnest fills shorter arrays up with NULL: a column nobody used costs nothing, see RowBatch.
    private static final String INSERT_ROWS = """
            INSERT INTO {s}.workflow_execution_logs (
              execution_id, seq, received_at, timestamp, id, level, event_type, log_category, message,
              user_friendly_message, display_priority, is_milestone, data, technical_details, performance_metrics,
              stack_trace, error_code, node_id, node_name, node_type, parent_node_id, step_number, total_steps,
              attempt, progress_percentage, duration_seconds, workflow_id, user_id, trace_id, span_id,
              original_bytes, status_effect)
            SELECT e, s, ra, ts, id, (LEVELS::{s}.level[])[lv + 1], (EVENT_TYPES::{s}.event_type[])[et + 1],
              (CATEGORIES::{s}.log_category[])[ca + 1], m, uf, coalesce(dp, 5), coalesce(ms, false),
              da::jsonb, td::jsonb, pm::jsonb, st, ec, ni, nn, nt, pn, sn, tt, at, pp / 100.0, ds, wi, ui, ti, si,
              ob, (STATUSES::{s}.execution_status[])[se + 1]
            FROM unnest($1::text[], $2::int8[], $3::timestamptz[], $4::timestamptz[], $5::uuid[], $6::int2[],
              $7::int2[], $8::int2[], $9::text[], $10::text[], $11::int2[], $12::bool[], $13::text[], $14::text[],
              $15::text[], $16::text[], $17::text[], $18::text[], $19::text[], $20::text[], $21::text[], $22::int4[],
              $23::int4[], $24::int4[], $25::int2[], $26::float8[], $27::text[], $28::text[], $29::text[],
              $30::text[], $31::int4[], $32::int2[])
              AS r(e, s, ra, ts, id, lv, et, ca, m, uf, dp, ms, da, td, pm, st, ec, ni, nn, nt, pn, sn, tt, at, pp,
              ds, wi, ui, ti, si, ob, se)
            ON CONFLICT DO NOTHING
            """.replace("LEVELS", LEVELS)
            .replace("EVENT_TYPES", EVENT_TYPES)
            .replace("CATEGORIES", CATEGORIES)
            .replace("STATUSES", STATUSES);

    // Absolute values: the same state twice changes nothing, and an older one never replaces a newer.
    private static final String UPSERT_EXECUTIONS = """
            INSERT INTO {s}.workflow_executions AS t (
              execution_id, workflow_id, user_id, status, last_seq, total_logs, level_counts, event_counts,
              milestone_count, progress_percentage, created_at, started_at, finished_at, first_entry_at,
              last_entry_at, last_received_at, last_position, generation)
            SELECT e, wi, ui, (STATUSES::{s}.execution_status[])[st + 1], ls, tl, lc::jsonb, ec::jsonb, mc, pp / 100.0,
              ca, sa, fa, fe, le, lr, lp, $18
            FROM unnest($1::text[], $2::text[], $3::text[], $4::int2[], $5::int8[], $6::int8[], $7::text[],
              $8::text[], $9::int8[], $10::int2[], $11::timestamptz[], $12::timestamptz[], $13::timestamptz[],
              $14::timestamptz[], $15::timestamptz[], $16::timestamptz[], $17::int8[])
              AS r(e, wi, ui, st, ls, tl, lc, ec, mc, pp, ca, sa, fa, fe, le, lr, lp)
            ON CONFLICT (execution_id) DO UPDATE SET
              workflow_id = excluded.workflow_id, user_id = excluded.user_id, status = excluded.status,
              last_seq = excluded.last_seq, total_logs = excluded.total_logs, level_counts = excluded.level_counts,
              event_counts = excluded.event_counts, milestone_count = excluded.milestone_count,
              progress_percentage = excluded.progress_percentage, created_at = excluded.created_at,
              started_at = excluded.started_at, finished_at = excluded.finished_at,
              first_entry_at = excluded.first_entry_at, last_entry_at = excluded.last_entry_at,
              last_received_at = excluded.last_received_at, last_position = excluded.last_position,
              generation = excluded.generation
            WHERE (t.generation, t.last_position) < (excluded.generation, excluded.last_position)
              AND t.last_seq <= excluded.last_seq
            """.replace("STATUSES", STATUSES);

    private static final String INSERT_REJECT = """
            INSERT INTO {s}.log_rejects (journal_id, position, seq, execution_id, sqlstate, error, payload)
            VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING
            """;

    private static final String REJECTED_SEQS = """
            SELECT DISTINCT execution_id, seq FROM {s}.log_rejects
            WHERE journal_id = $1 AND seq > 0 AND execution_id = ANY ($2::text[])
            """;

    // The times of receipt keep it to the partitions in question.
    private static final String COUNT_SPANS = """
            SELECT (SELECT count(*) FROM {s}.workflow_execution_logs l
                    WHERE l.execution_id = w.e AND l.seq BETWEEN w.lo AND w.hi
                      AND l.received_at BETWEEN w.since AND w.until)
            FROM unnest($1::text[], $2::int8[], $3::int8[], $4::timestamptz[], $5::timestamptz[])
              WITH ORDINALITY AS w(e, lo, hi, since, until, n) ORDER BY w.n
            """;

    private static final String CURRENT_JOURNAL =
            "SELECT generation, journal_id FROM {s}.journals ORDER BY generation DESC LIMIT 1";

    private static final String CURSORS = """
            SELECT c.lane, c.lanes, c.position, c.fenced_at IS NOT NULL AS fenced, j.generation
            FROM {s}.lane_cursors c JOIN {s}.journals j USING (journal_id) WHERE journal_id = $1 ORDER BY c.lane
            """;

    private static final String FENCE_OTHERS =
            "UPDATE {s}.lane_cursors SET fenced_at = now() WHERE journal_id <> $1 AND fenced_at IS NULL";

    // Not by ON CONFLICT, which uses up a generation at every start, and seqs jump by generations. The table is locked.
    private static final String INSERT_JOURNAL = """
            INSERT INTO {s}.journals (journal_id)
            SELECT $1::uuid WHERE NOT EXISTS (SELECT FROM {s}.journals WHERE journal_id = $1)
            """;

    private static final String INSERT_CURSORS = """
            INSERT INTO {s}.lane_cursors (journal_id, lane, lanes, position)
            SELECT $1, lane, $2::int4, $3::int8 FROM generate_series(0, $2::int4 - 1) AS lane
            WHERE NOT EXISTS (SELECT FROM {s}.lane_cursors WHERE journal_id = $1)
            """;

    static final String EXECUTION_COLUMNS = """
            SELECT execution_id, workflow_id, user_id, status::text, last_seq, total_logs, level_counts::text,
              event_counts::text, milestone_count, (progress_percentage * 100)::int4 AS progress, created_at,
              started_at, finished_at, first_entry_at, last_entry_at, last_received_at, last_position""";

    static final String ENTRY_COLUMNS = """
            SELECT seq, received_at, timestamp, id, level::text, event_type::text, log_category::text, message,
              user_friendly_message, display_priority, is_milestone, data::text, technical_details::text,
              performance_metrics::text, stack_trace, error_code, node_id, node_name, node_type, parent_node_id,
              step_number, total_steps, attempt, (progress_percentage * 100)::int4 AS progress, duration_seconds,
              workflow_id, user_id, trace_id, span_id, original_bytes, status_effect::text""";

    private static final String ENTRIES_WHERE =
            """
             FROM {s}.workflow_execution_logs
            WHERE execution_id = $1 AND seq BETWEEN $2 AND $3
              AND ($4::text[] IS NULL OR level = ANY ($4::text[]::{s}.level[]))
              AND ($5::text[] IS NULL OR event_type = ANY ($5::text[]::{s}.event_type[]))
              AND ($6::text IS NULL OR log_category = $6::text::{s}.log_category)
              AND display_priority >= $7::int4
              AND ($8::bool IS NULL OR is_milestone = $8::bool)
              AND ($9::timestamptz IS NULL OR timestamp >= $9::timestamptz)
              AND ($10::timestamptz IS NULL OR timestamp <= $10::timestamptz)
              AND ($11::text[] IS NULL OR node_id = ANY ($11::text[]))
              AND ($12::text[] IS NULL OR TEXT LIKE ALL ($12::text[]))
              AND ($13::text[] IS NULL OR NOT TEXT LIKE ANY ($13::text[]))
              AND ($14::text[] IS NULL OR TEXT ~ ALL ($14::text[]))
              AND ($15::text[] IS NULL OR NOT TEXT ~ ANY ($15::text[]))""".replace("TEXT", "{s}.log_text(message, user_friendly_message, error_code, stack_trace)");

    // Looked up in the key alone; so a range of which a filter accepts little is read in pieces of bounded work.
    private static final String NTH_SEQ = """
            SELECT seq FROM {s}.workflow_execution_logs WHERE execution_id = $1 AND seq BETWEEN $2 AND $3
            ORDER BY seq DIRECTION OFFSET $4 LIMIT 1
            """;

    private static final String SEARCH = ENTRY_COLUMNS + """
            , execution_id, searched_to FROM (
              SELECT searched_to, (log).* FROM {s}.search_logs(
                $1, $2, $3, $4, $5::int4, $6::text[], $7::text[], $8, $9::int4, $10, $11, $12, $13::text[], $14::text[],
                $15::text[], $16::text[], $17::text[], $18)) AS found
            """;

    /** The role in which every reader's query runs. */
    static final String BECOME_READER = "SET LOCAL ROLE authenticated";

    /** Whoever asks, and the execution asked for, if it is one: for this transaction alone. */
    static final String CLAIMS =
            "SELECT set_config('request.jwt.claims', $1, true)," + " set_config('tailrace.opened_execution', $2, true)";

    private static final String OWNS_HOT = """
            SELECT {s}.owns_hot_execution(e, u, w) FROM unnest($1::text[], $2::text[], $3::text[])
              WITH ORDINALITY AS r(e, u, w, n) ORDER BY n
            """;

    // A session of this very process whose connection was cut may live on in the server and keep the lock.
    private static final String END_OWN_STALE_SESSION = """
            SELECT pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
            WHERE application_name = current_setting('application_name') AND pid <> pg_backend_pid()
              AND datname = current_database()
            """;

    // At most $1 rows, and no more once $2 bytes are reached; of an entry over $3 bytes the size alone. A created_at
    // that no entry can have (infinity) becomes one that it can.
    private static final String LOCK_INBOX = """
            WITH locked AS (
              SELECT n, id, created_at, entry, octet_length(entry::text) AS bytes FROM {s}.log_inbox
              WHERE error IS NULL ORDER BY n LIMIT $1 FOR UPDATE SKIP LOCKED
            ), measured AS (SELECT *, sum(bytes) OVER (ORDER BY n) - bytes AS before FROM locked)
            SELECT id, least(greatest(created_at, '0001-01-02 00:00Z'), '9999-12-30 00:00Z') AS created_at, bytes,
              CASE WHEN bytes <= $3::int4 THEN entry::text END AS entry
            FROM measured WHERE before < $2::int8 ORDER BY n
            """;

    private static final String REFUSE_INBOX = """
            UPDATE {s}.log_inbox SET error = r.error, failed_at = now()
            FROM unnest($1::uuid[], $2::text[]) AS r(id, error) WHERE log_inbox.id = r.id
            """;

    // Rows of the dead are passed over where another process is about to delete them, too.
    private static final String HEARTBEAT = """
            WITH dead AS (
              DELETE FROM {s}.processes WHERE id IN (
                SELECT id FROM {s}.processes WHERE id <> $1 AND heartbeat_at < now() - make_interval(secs => $6)
                FOR UPDATE SKIP LOCKED)
            ), ours AS (
              INSERT INTO {s}.processes (id, started_at, host, version, writer) VALUES ($1, $2, $3, $4, $5)
              ON CONFLICT (id) DO UPDATE SET heartbeat_at = now(), writer = excluded.writer
            )
            SELECT count(*) FROM {s}.processes WHERE id <> $1 AND heartbeat_at >= now() - make_interval(secs => $6)
            """;
}
