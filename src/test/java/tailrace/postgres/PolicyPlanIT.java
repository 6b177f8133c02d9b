package tailrace.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tailrace.postgres.TwoTenants.Session;

/** What the policies cost: indexes still serve, and who owns an execution is asked once for it and not once a row. */
class PolicyPlanIT {
    private static final String LARGE = """
            SELECT tailrace.make_partition(current_date + d) FROM generate_series(-3, 2) AS d;
            INSERT INTO tailrace.workflows (workflow_id, user_id) SELECT 'w' || n, 'u' || n % 100
            FROM generate_series(1, 500) AS n;
            INSERT INTO tailrace.workflow_executions (execution_id, workflow_id, user_id, last_seq, total_logs,
              milestone_count, created_at, generation, last_position, status, level_counts, event_counts)
            SELECT 'e' || n, 'w' || n % 500 + 1, CASE WHEN n % 2 = 0 THEN 'u' || n % 100 END, 1, 1, 0,
              now() - n * interval '1 s', 1, 1, 'SUCCEEDED', '{}', '{}' FROM generate_series(1, 20000) AS n;
            INSERT INTO tailrace.workflow_execution_logs (seq, received_at, timestamp, id, level, event_type,
              log_category, display_priority, is_milestone, execution_id, message)
            SELECT n / 20, current_date + (n % 6 - 3) * interval '1 day', now(), gen_random_uuid(), 'info', 'log',
              'business', 5, false, 'e' || (n % 20) * 100 + 2, 'm' FROM generate_series(20, 120019) AS n;
            ANALYZE
            """;
    private static final ObjectMapper JSON = new ObjectMapper();

    private static TestDatabase postgres;
    private static final Sql SQL = new Sql("tailrace");

    @BeforeAll
    static void fill() {
        postgres = TestDatabase.migrated();
        postgres.execute(LARGE);
    }

    @AfterAll
    static void drop() {
        postgres.close();
    }

    private record Seen(JsonNode plan, long asked) {
        Stream<JsonNode> nodes() {
            return nodes(plan.get(0).get("Plan"));
        }

        private static Stream<JsonNode> nodes(JsonNode node) {
            return Stream.concat(
                    Stream.of(node),
                    StreamSupport.stream(node.path("Plans").spliterator(), false)
                            .flatMap(Seen::nodes));
        }

        List<String> scansOf(String relation) {
            return nodes().filter(node -> node.path("Relation Name").asText().startsWith(relation))
                    .map(node -> node.get("Node Type").asText())
                    .toList();
        }
    }

    /** Explains a statement of ours as u2 executes it, who owns e2, and counts how often ownership was asked about. */
    private static Seen explain(String opened, String sql, String arguments) throws Exception {
        try (Session session = new Session(postgres.url())) {
            session.ask("SET track_functions = 'all'");
            session.as("u2");
            session.ask("SELECT set_config('tailrace.opened_execution', '" + opened + "', true)");
            session.ask("PREPARE statement AS " + sql);
            String plan = String.join("", session.ask("EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE statement" + arguments));
            session.ask("RESET ROLE");
            List<String> calls =
                    session.ask("SELECT calls FROM pg_stat_xact_user_functions WHERE funcname = 'owns_execution'");
            return new Seen(JSON.readTree(plan), calls.isEmpty() ? 0 : Long.parseLong(calls.get(0)));
        }
    }

    @Test
    void aPageOfOneExecutionReadsItsKeyAndAsksOnce() throws Exception {
        String rest = ", NULL, NULL, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL";
        String filter = "'{info,error}'" + rest;
        for (String statement : List.of(SQL.entriesAscending, SQL.entriesDescending)) {
            Seen seen = explain("e2", statement, "('e2', 500, 749, " + filter + ", 250)");

            assertThat(seen.scansOf("workflow_execution_logs_")).hasSize(6).doesNotContain("Seq Scan");
            assertThat(seen.plan.get(0).get("Plan").get("Actual Rows").asLong()).isEqualTo(250);
            assertThat(seen.asked).isEqualTo(1);
        }
        Seen counted = explain("e2", SQL.countEntries, "('e2', 1, 100000, NULL" + rest + ")");
        assertThat(counted.scansOf("workflow_execution_logs_")).hasSize(6).doesNotContain("Seq Scan");
        assertThat(counted.asked).isEqualTo(1);
        String word = "NULL, NULL, NULL, 1, NULL, NULL, NULL, NULL, '{%no such word%}', NULL, NULL, NULL";
        Seen searched = explain("e2", SQL.entriesAscending, "('e2', 500, 749, " + word + ", 250)");
        assertThat(searched.scansOf("workflow_execution_logs_")).hasSize(6).doesNotContain("Seq Scan");
        assertThat(searched.asked).isLessThanOrEqualTo(1);
        assertThat(explain("e3", SQL.entriesAscending, "('e3', 1, 749, " + filter + ", 250)").asked)
                .as("of another's")
                .isLessThanOrEqualTo(1);
    }

    @Test
    void oneExecutionIsFoundByItsKey() throws Exception {
        Seen seen = explain("e2", SQL.execution, "('e2')");

        assertThat(seen.scansOf("workflow_executions")).isNotEmpty().doesNotContain("Seq Scan");
        assertThat(seen.asked).isLessThanOrEqualTo(2);
    }

    @Test
    void aListIsServedByAnIndexAndAsksAboutCandidatesOnly() throws Exception {
        Seen seen = explain(
                "", "SELECT * FROM tailrace.workflow_executions ORDER BY created_at DESC, execution_id LIMIT 50", "");

        assertThat(seen.scansOf("workflow_executions")).isNotEmpty().doesNotContain("Seq Scan");
        assertThat(seen.nodes()
                        .map(node -> node.path("Index Name").asText())
                        .filter(name -> name.startsWith("workflow_executions_by_")))
                .isNotEmpty();
        assertThat(seen.asked).as("of 20,000 executions").isLessThan(1_000);
    }

    @Test
    void aServicesListIsReadInTheOrderOfTime() throws Exception {
        try (Session session = new Session(postgres.url())) {
            session.ask("SET ROLE service_role");
            assertThat(String.join(
                            "\n",
                            session.ask("EXPLAIN SELECT * FROM tailrace.workflow_executions"
                                    + " ORDER BY created_at DESC, execution_id LIMIT 50")))
                    .contains("Index Scan using workflow_executions_by_time")
                    .doesNotContain("Seq Scan");
        }
    }
}
