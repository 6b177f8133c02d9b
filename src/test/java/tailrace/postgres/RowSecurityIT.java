package tailrace.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static tailrace.postgres.TestDatabase.await;

import io.vertx.core.Vertx;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Statement;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tailrace.postgres.TwoTenants.Session;

/** What SQL of any kind finds that comes in by the readers' login. */
class RowSecurityIT {
    private static final String DENIED = "42501";
    private static final String LOG_OF_TODAY =
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid AND c.relkind = 'r' LIMIT 1";

    private static Vertx vertx;
    private static TestDatabase postgres;
    private static DatabaseUrl login;
    private static String partition;

    @BeforeAll
    static void open() {
        vertx = Vertx.vertx();
        postgres = TestDatabase.migrated();
        await(postgres.open(vertx).prepareReaders());
        login = ReaderLogin.derived(postgres.url());
        TwoTenants.fill(postgres);
        partition = "tailrace." + postgres.text(LOG_OF_TODAY);
    }

    @AfterAll
    static void close() {
        postgres.close();
        await(vertx.close());
    }

    private static void assertDenied(Session session, String subject, String sql) throws SQLException {
        session.as(subject);
        assertThatThrownBy(() -> session.ask(sql))
                .as(sql)
                .isInstanceOfSatisfying(SQLException.class, error -> assertThat(error.getSQLState())
                        .as(error.getMessage())
                        .isEqualTo(DENIED));
    }

    @Test
    void aReaderSeesTheirOwnAndNothingElse() throws Exception {
        try (Session session = new Session(login)) {
            for (String who : List.of("ann", "bob")) {
                session.as(who);
                assertThat(session.ask("SELECT execution_id FROM tailrace.workflow_executions ORDER BY 1"))
                        .containsExactly(who + "-flow", who + "-own");
                assertThat(session.ask("SELECT DISTINCT message FROM tailrace.workflow_execution_logs ORDER BY 1"))
                        .containsExactly("of " + who + "-flow", "of " + who + "-own");
                assertThat(session.ask("SELECT DISTINCT thread_id FROM tailrace.thread_logs ORDER BY 1"))
                        .containsExactly(who + "-flow", who + "-own");
                assertThat(session.ask("SELECT workflow_id FROM tailrace.workflows"))
                        .containsExactly(who + "-w");
                assertThat(session.ask("SELECT message FROM tailrace.workflow_execution_logs WHERE execution_id = '"
                                + (who.equals("ann") ? "bob-own" : "ann-own") + "'"))
                        .isEmpty();
            }
        }
    }

    @Test
    void whoeverIsNobodySeesNothing() throws Exception {
        try (Session session = new Session(login)) {
            for (String claims : List.of("", "{}", "{\"sub\": null}", "{\"sub\": \"\"}", "{\"sub\": \"eve\"}")) {
                session.as("");
                session.ask("SELECT set_config('request.jwt.claims', '" + claims + "', true)");
                for (String table : List.of("workflows", "workflow_executions", "workflow_execution_logs")) {
                    assertThat(session.ask("SELECT 1 FROM tailrace." + table))
                            .as(table + " with " + claims)
                            .isEmpty();
                }
            }
        }
    }

    @Test
    void aSettingThatLiesGainsNothing() throws Exception {
        try (Session session = new Session(login)) {
            session.as("ann");
            session.ask("SELECT set_config('tailrace.opened_execution', 'bob-own', true)");

            assertThat(session.ask("SELECT DISTINCT execution_id FROM tailrace.workflow_execution_logs ORDER BY 1"))
                    .containsExactly("ann-flow", "ann-own");
            assertThat(session.ask("SELECT execution_id FROM tailrace.workflow_executions ORDER BY 1"))
                    .containsExactly("ann-flow", "ann-own");
        }
    }

    @Test
    void aReaderWritesNothing() throws Exception {
        try (Session session = new Session(login)) {
            for (String statement : List.of(
                    "INSERT INTO tailrace.workflows (workflow_id, user_id) VALUES ('x', 'ann')",
                    "UPDATE tailrace.workflows SET user_id = 'ann'",
                    "UPDATE tailrace.workflow_executions SET user_id = 'ann' WHERE execution_id = 'ann-own'",
                    "DELETE FROM tailrace.workflow_execution_logs WHERE execution_id = 'ann-own'",
                    "TRUNCATE tailrace.workflow_execution_logs",
                    "TRUNCATE " + partition,
                    "INSERT INTO tailrace.log_inbox (entry) VALUES ('{}')",
                    "INSERT INTO tailrace.thread_logs (message) VALUES ('m')",
                    "INSERT INTO tailrace.readable_tables VALUES ('log_inbox', 'true')",
                    "CREATE TABLE tailrace.mine (a int)",
                    "ALTER TABLE tailrace.workflow_execution_logs DISABLE ROW LEVEL SECURITY",
                    "LOCK TABLE tailrace.workflow_execution_logs",
                    "SELECT message FROM tailrace.workflow_execution_logs FOR UPDATE")) {
                assertDenied(session, "ann", statement);
            }
        }
    }

    @Test
    void aReaderSeesNothingBesides() throws Exception {
        try (Session session = new Session(login)) {
            for (String what : List.of(
                    partition,
                    "tailrace.log_inbox",
                    "tailrace.log_rejects",
                    "tailrace.journals",
                    "tailrace.lane_cursors",
                    "tailrace.processes",
                    "tailrace.retention_policies",
                    "tailrace.readable_tables",
                    "tailrace.flyway_schema_history",
                    "tailrace.make_partition('2026-01-01')",
                    "tailrace.advance_cursor(gen_random_uuid(), 1, 1, 1, 1)",
                    "tailrace.guard_table('workflows')",
                    "tailrace.let_see('authenticated', 'log_inbox', 'true')",
                    "tailrace.readers_may_see('log_inbox', 'true')",
                    "tailrace.grant_to_authenticated()",
                    "tailrace.grant_to_service_role()",
                    "tailrace.grant_connect('authenticated')")) {
                assertDenied(session, "ann", "SELECT * FROM " + what);
            }
        }
    }

    @Test
    void theFunctionsForReadersTellOnlyWhatIsTheirs() throws Exception {
        try (Session session = new Session(login)) {
            session.as("ann");
            assertThat(session.ask("SELECT tailrace.owns_execution(e) FROM unnest('{ann-own,ann-flow,bob-own,bob-flow,"
                            + "nobodys,unknown}'::text[]) WITH ORDINALITY AS u (e, n) ORDER BY n"))
                    .containsExactly("t", "t", "f", "f", "f", "f");
            assertThat(session.ask("SELECT unnest(tailrace.own_workflows())")).containsExactly("ann-w");
            // Asked about another's execution and about one that there is not, whatever owner is made up for it
            for (String owner :
                    List.of("NULL, NULL", "'ann', NULL", "'bob', 'ann-w'", "NULL, 'bob-w'", "'bob', NULL")) {
                assertThat(session.ask("SELECT tailrace.owns_hot_execution('bob-own', " + owner + ")"))
                        .as(owner)
                        .isEqualTo(session.ask("SELECT tailrace.owns_hot_execution('unknown', " + owner + ")"));
            }
        }
    }

    @Test
    void theLoginBecomesNobodyElseAndIsNothingByItself() throws Exception {
        try (Session session = new Session(login)) {
            for (String role : List.of("service_role", login.user().replace("_reader", ""))) {
                assertDenied(session, "ann", "SET ROLE " + role);
                assertDenied(session, "ann", "SET SESSION AUTHORIZATION " + role);
            }
            session.ask("ROLLBACK");
            for (String table : List.of("workflows", "workflow_executions", "workflow_execution_logs", "log_inbox")) {
                assertThatThrownBy(() -> session.ask("SELECT 1 FROM tailrace." + table))
                        .as(table)
                        .isInstanceOfSatisfying(SQLException.class, error -> assertThat(error.getSQLState())
                                .isEqualTo(DENIED));
            }
        }
    }

    /** A cheap function of the attacker's own in the condition must not be shown the rows that the policy hides. */
    @Test
    void aLeakyFunctionIsShownNothing() throws Exception {
        postgres.execute("CREATE FUNCTION public.leak(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001"
                + " AS 'BEGIN RAISE WARNING ''seen %'', $1; RETURN true; END'");
        try (Session session = new Session(login)) {
            for (String query : List.of(
                    "SELECT count(*) FROM tailrace.workflow_execution_logs WHERE public.leak(message)",
                    "SELECT count(*) FROM tailrace.thread_logs WHERE public.leak(message)",
                    "SELECT count(*) FROM tailrace.workflow_executions WHERE public.leak(execution_id)",
                    "SELECT count(*) FROM tailrace.workflows WHERE public.leak(workflow_id)")) {
                session.as("ann");
                StringBuilder seen = new StringBuilder();
                try (Statement statement = session.connection.createStatement()) {
                    statement.execute(query);
                    for (SQLWarning each = statement.getWarnings(); each != null; each = each.getNextWarning()) {
                        seen.append(each.getMessage()).append('\n');
                    }
                }
                assertThat(seen.toString()).as(query).contains("ann").doesNotContain("bob", "nobodys");
            }
        }
    }

    @Test
    void everyTableIsForced() {
        assertThat(postgres.text("SELECT coalesce(string_agg(relname, ','), '') FROM pg_class"
                        + " WHERE relnamespace = 'tailrace'::regnamespace AND relkind IN ('r', 'p')"
                        + " AND relname <> 'flyway_schema_history' AND NOT (relrowsecurity AND relforcerowsecurity)"))
                .isEmpty();
    }

    @Test
    void aPartitionShowsNothingEvenIfSomebodyGrantedIt() throws Exception {
        postgres.execute("ALTER DEFAULT PRIVILEGES IN SCHEMA tailrace GRANT ALL ON TABLES TO authenticated");
        postgres.execute("SELECT tailrace.make_partition(current_date + 1)");
        postgres.execute("ALTER DEFAULT PRIVILEGES IN SCHEMA tailrace REVOKE ALL ON TABLES FROM authenticated");
        String tomorrow = postgres.text("SELECT max(relname) FROM pg_class WHERE relispartition AND relkind = 'r'");
        postgres.execute("GRANT SELECT ON " + partition + " TO authenticated");
        try (Session session = new Session(login)) {
            assertThat(session.as("ann").ask("SELECT message FROM " + partition))
                    .isEmpty();
            assertDenied(session, "ann", "SELECT 1 FROM tailrace." + tomorrow);
            assertDenied(session, "ann", "TRUNCATE tailrace." + tomorrow);
        } finally {
            postgres.execute("REVOKE SELECT ON " + partition + " FROM authenticated");
        }
    }

    @Test
    void aServiceReadsAll() throws Exception {
        try (Session session = new Session(postgres.url())) {
            session.ask("SET ROLE service_role");
            assertThat(session.ask("SELECT DISTINCT execution_id FROM tailrace.workflow_execution_logs"))
                    .hasSize(5);
            assertThat(session.ask("SELECT DISTINCT thread_id FROM tailrace.thread_logs"))
                    .hasSize(5);
            assertThat(session.ask("SELECT workflow_id FROM tailrace.workflows"))
                    .hasSize(2);
        }
    }

    @Test
    void supabasesFunctionsSayWhoAsks() throws Exception {
        String uuid = "2f1d9d3e-0a70-4bd5-9d1c-8a6fca0aa001";
        try (Session session = new Session(login)) {
            assertThat(session.as(uuid).ask("SELECT auth.uid()")).containsExactly(uuid);
            assertThat(session.as("no uuid").ask("SELECT coalesce(auth.uid()::text, 'nobody')"))
                    .containsExactly("nobody");
            session.ask("SELECT set_config('request.jwt.claims', '{\"role\": \"authenticated\"}', true)");
            assertThat(session.ask("SELECT auth.role()")).containsExactly("authenticated");
        }
    }
}
