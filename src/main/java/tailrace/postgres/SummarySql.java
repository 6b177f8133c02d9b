package tailrace.postgres;

/** The statements of summaries and of lists of executions: {@link Sql}'s third page. Everything is bound. */
final class SummarySql {
    final String putSummaries;
    final String summary;
    final String summariesAfter;
    final String newest;
    final String newestOfWorkflow;
    final String countOfWorkflow;

    SummarySql(String schema) {
        putSummaries = in(schema, PUT_SUMMARIES);
        summary = in(schema, "SELECT summary::text FROM {s}.execution_summaries WHERE execution_id = $1");
        summariesAfter = in(schema, SUMMARIES_AFTER);
        newest = in(schema, newest("true"));
        newestOfWorkflow = in(schema, newest("workflow_id = $6"));
        countOfWorkflow = in(schema, COUNT_OF_WORKFLOW);
    }

    private static String in(String schema, String text) {
        return text.replace("{s}", schema);
    }

    // Absolute: the same twice changes nothing, and an older one never replaces a newer.
    private static final String PUT_SUMMARIES = """
            INSERT INTO {s}.execution_summaries AS t (execution_id, generation, up_to_seq, summary)
            SELECT e, $4, u, s::jsonb FROM unnest($1::text[], $2::int8[], $3::text[]) AS r(e, u, s)
            ON CONFLICT (execution_id) DO UPDATE SET generation = excluded.generation,
              up_to_seq = excluded.up_to_seq, summary = excluded.summary, updated_at = now()
            WHERE (t.generation, t.up_to_seq) < (excluded.generation, excluded.up_to_seq)
            """;

    private static final String SUMMARIES_AFTER = """
            SELECT execution_id, summary::text FROM {s}.execution_summaries
            WHERE execution_id > $1 ORDER BY execution_id LIMIT $2
            """;

    // Behind the place ($1, $2), in the order of the indexes by time. Two statements, so that each has its index
    // whatever
    // its parameters are.
    private static String newest(String owner) {
        return Sql.EXECUTION_COLUMNS + """
                 FROM {s}.workflow_executions
                WHERE OWNER AND created_at <= $1 AND (created_at < $1 OR execution_id > $2)
                  AND created_at >= $3 AND ($4::text IS NULL OR status = $4::text::{s}.execution_status)
                ORDER BY created_at DESC, execution_id LIMIT $5
                """.replace("OWNER", owner);
    }

    private static final String COUNT_OF_WORKFLOW = """
            SELECT count(*), count(*) FILTER (WHERE execution_id = ANY ($2::text[]))
            FROM {s}.workflow_executions WHERE workflow_id = $1
            """;
}
