package tailrace.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tailrace.postgres.TwoTenants.Session;

/** A database as Supabase has it, and what docs/supabase.md says about it. */
class SupabaseIT {
    private static final String ANN = "2f1d9d3e-0a70-4bd5-9d1c-8a6fca0aa001";
    private static final String BOB = "2f1d9d3e-0a70-4bd5-9d1c-8a6fca0aa002";
    private static final String FUNCTIONS =
            "SELECT string_agg(pg_get_functiondef(p.oid) || p.proowner, '' ORDER BY p.oid)"
                    + " FROM pg_proc p WHERE pronamespace = 'auth'::regnamespace";

    private final String admin = "sba" + ProcessHandle.current().pid();
    private final String owner = "sbo" + ProcessHandle.current().pid();
    private TestDatabase postgres;
    private DatabaseUrl url;
    private DatabaseUrl reader;

    @BeforeEach
    void open() {
        TestDatabase.migrated().close(); // so that the server has the roles
        postgres = TestDatabase.empty();
        postgres.execute("ALTER ROLE service_role BYPASSRLS");
        postgres.execute("CREATE ROLE " + admin + " NOLOGIN");
        postgres.execute("CREATE ROLE " + owner + " LOGIN PASSWORD 'o'");
        postgres.execute("CREATE ROLE " + owner + "_reads LOGIN NOINHERIT PASSWORD 'r' IN ROLE authenticated");
        postgres.execute("ALTER DATABASE " + postgres.url().database() + " OWNER TO " + owner);
        postgres.execute("CREATE SCHEMA auth AUTHORIZATION " + admin + "; GRANT USAGE ON SCHEMA auth TO authenticated");
        postgres.execute("SET ROLE " + admin + ";"
                + " CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS $$ SELECT coalesce("
                + " nullif(current_setting('request.jwt.claim.sub', true), ''),"
                + " (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'))::uuid $$;"
                + " CREATE FUNCTION auth.role() RETURNS text LANGUAGE sql STABLE AS"
                + " $$ SELECT (current_setting('request.jwt.claims', true)::jsonb ->> 'role')::text $$");
        url = postgres.url().as(owner, "o");
        reader = postgres.url().as(owner + "_reads", "r");
    }

    @AfterEach
    void close() {
        postgres.execute("ALTER ROLE service_role NOBYPASSRLS");
        for (String role : List.of(owner + "_reads", owner, admin)) {
            postgres.execute("REASSIGN OWNED BY " + role + " TO CURRENT_USER; DROP OWNED BY " + role
                    + " CASCADE; DROP ROLE " + role);
        }
        postgres.close();
    }

    @Test
    void whatSupabaseHasStaysAsItIs() throws Exception {
        String before = postgres.text(FUNCTIONS);

        new Migrations("tailrace").apply(url);
        new ReaderLogin("tailrace", url, reader).prepare();

        assertThat(postgres.text(FUNCTIONS)).isEqualTo(before);
        assertThat(postgres.text("SELECT rolbypassrls FROM pg_roles WHERE rolname = 'service_role'"))
                .isEqualTo("t");
        try (Session session = new Session(reader)) {
            // A sub that auth.uid() cannot read is no error for us
            assertThat(session.as("no uuid").ask("SELECT 1 FROM tailrace.workflow_executions"))
                    .isEmpty();
        }
    }

    @Test
    void ownershipCanBeDecidedByTablesOfTheirs() throws Exception {
        // Given their workflows, one of each, and what the engine sent with an owner of its own
        new Migrations("tailrace").apply(url);
        try (Session session = new Session(url)) {
            session.ask("CREATE TABLE public.workflows (id uuid PRIMARY KEY, user_id uuid NOT NULL)");
            session.ask("INSERT INTO public.workflows VALUES ('" + ANN + "', '" + ANN + "'), ('" + BOB + "', '" + BOB
                    + "')");
            session.ask("SELECT tailrace.make_partition(current_date)");
            session.ask("INSERT INTO tailrace.workflow_executions (execution_id, workflow_id, user_id, last_seq,"
                    + " total_logs, milestone_count, created_at, generation, last_position, status, level_counts,"
                    + " event_counts) SELECT e, w, '" + BOB + "', 1, 1, 0, now(), 1, 1, 'RUNNING', '{}', '{}'"
                    + " FROM (VALUES ('of-ann', '" + ANN + "'), ('of-bob', '" + BOB + "')) AS v (e, w)");
            session.ask("INSERT INTO tailrace.workflow_execution_logs (seq, received_at, timestamp, id, level,"
                    + " event_type, log_category, display_priority, is_milestone, execution_id, message)"
                    + " SELECT 1, now(), now(), gen_random_uuid(), 'info', 'log', 'business', 5, false, execution_id,"
                    + " execution_id FROM tailrace.workflow_executions");
            session.ask("INSERT INTO tailrace.workflow_stats (workflow_id, resolution, bucket_start, owner, generation,"
                    + " part, position, cell) SELECT w, 1, now(), '" + BOB + "', 1, 1, 1, '{}' FROM unnest('{" + ANN
                    + "," + BOB + "}'::text[]) AS w");

            // When the functions are replaced as the docs say
            Matcher sql = Pattern.compile("```sql\n(.*?)```", Pattern.DOTALL)
                    .matcher(Files.readString(Path.of("docs", "supabase.md")));
            assertThat(sql.find()).isTrue();
            session.ask(sql.group(1));
        }

        // Then they decide, and the execution's user_id no longer does
        try (Session session = new Session(reader)) {
            for (String who : List.of(ANN, BOB)) {
                String theirs = who.equals(ANN) ? "of-ann" : "of-bob";
                session.as(who);
                assertThat(session.ask("SELECT message FROM tailrace.workflow_execution_logs"))
                        .containsExactly(theirs);
                assertThat(session.ask("SELECT execution_id FROM tailrace.workflow_executions"))
                        .containsExactly(theirs);
                assertThat(session.ask("SELECT workflow_id FROM tailrace.workflow_stats"))
                        .containsExactly(who);
                assertThat(session.ask("SELECT tailrace.owns_hot_execution('of-ann', '" + BOB + "', '" + ANN + "')"))
                        .as("the hot tier, too")
                        .containsExactly(who.equals(ANN) ? "t" : "f");
            }
            session.as(ANN);
            session.ask("SELECT set_config('tailrace.opened_execution', 'of-ann', true)");
            assertThat(session.ask(
                            "SELECT execution_id FROM tailrace.workflow_executions" + " WHERE execution_id = 'of-ann'"))
                    .containsExactly("of-ann");
        }
    }
}
