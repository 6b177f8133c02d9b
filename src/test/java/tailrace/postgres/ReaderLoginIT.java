package tailrace.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tailrace.postgres.TwoTenants.Session;

/** How readers come to a login, by what the owner of the database may do. */
class ReaderLoginIT {
    private static final String SCHEMA = "tailrace";

    private final String owner = "rl" + ProcessHandle.current().pid();
    private TestDatabase postgres;
    private DatabaseUrl url;

    /** A login that owns its database and no more. */
    @BeforeEach
    void open() {
        TestDatabase.migrated().close(); // so that the server has the roles
        postgres = TestDatabase.empty();
        postgres.execute("CREATE ROLE " + owner + " LOGIN PASSWORD 'secret'");
        postgres.execute("ALTER DATABASE " + postgres.url().database() + " OWNER TO " + owner);
        url = postgres.url().as(owner, "secret");
        new Migrations(SCHEMA).apply(url);
    }

    @AfterEach
    void close() {
        for (String role : List.of(owner + "_reader", owner + "_power", owner)) {
            postgres.execute("DO $$ BEGIN IF to_regrole('" + role + "') IS NOT NULL THEN REASSIGN OWNED BY " + role
                    + " TO CURRENT_USER; DROP OWNED BY " + role + " CASCADE; DROP ROLE " + role + "; END IF; END $$");
        }
        postgres.close();
    }

    private void mayMakeRoles() {
        postgres.execute("ALTER ROLE " + owner + " CREATEROLE");
        postgres.execute("GRANT authenticated TO " + owner + " WITH ADMIN OPTION");
        postgres.execute("GRANT authenticated TO " + owner + " WITH INHERIT FALSE, SET FALSE");
    }

    private void prepare() throws Exception {
        new ReaderLogin(SCHEMA, url, null).prepare();
    }

    private void assertReads() throws Exception {
        try (Session owners = new Session(url);
                Session reader = new Session(ReaderLogin.derived(url))) {
            owners.ask("INSERT INTO tailrace.workflows (workflow_id, user_id) VALUES ('a', 'ann'), ('b', 'bob')"
                    + " ON CONFLICT DO NOTHING");
            assertThat(owners.ask("SELECT workflow_id FROM tailrace.workflows ORDER BY 1"))
                    .as("the owner is held to a policy, and sees all by it")
                    .containsExactly("a", "b");
            assertThat(reader.as("ann").ask("SELECT workflow_id FROM tailrace.workflows"))
                    .containsExactly("a");
        }
    }

    @Test
    void itIsMadeOnceByWhoeverMayMakeRoles() throws Exception {
        mayMakeRoles();
        ExecutorService processes = Executors.newFixedThreadPool(4);
        try {
            Callable<Boolean> one = () -> {
                prepare();
                return true;
            };
            List<Future<Boolean>> all = new ArrayList<>(processes.invokeAll(List.of(one, one, one, one)));
            for (Future<Boolean> each : all) {
                assertThat(each.get()).isTrue();
            }
        } finally {
            processes.shutdownNow();
        }
        assertReads();
        assertThat(postgres.text("SELECT rolinherit OR rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb"
                        + " FROM pg_roles WHERE rolname = '" + owner + "_reader'"))
                .isEqualTo("f");
    }

    @Test
    void anotherPasswordOfTheOwnersIsAnotherOfTheReaders() throws Exception {
        mayMakeRoles();
        prepare();
        postgres.execute("ALTER ROLE " + owner + " PASSWORD 'changed'");
        url = url.as(owner, "changed");

        prepare();

        assertReads();
    }

    @Test
    void whatWasTakenAwayIsGivenBack() throws Exception {
        mayMakeRoles();
        prepare();
        postgres.execute("REVOKE authenticated FROM " + owner + "_reader");
        postgres.execute("REVOKE ALL ON DATABASE " + postgres.url().database() + " FROM PUBLIC, " + owner + "_reader");

        prepare();

        assertReads();
    }

    @Test
    void whoeverMayNotMakeRolesIsToldWhatAnAdministratorHasToRun() throws Exception {
        ReaderLoginException told = catchThrowableOfType(ReaderLoginException.class, this::prepare);

        assertThat(told)
                .hasMessageContaining(owner + " may not make their login")
                .hasMessageNotContaining("secret");
        Matcher sql = Pattern.compile("DATABASE_READER_URL: (CREATE ROLE .*;)$").matcher(told.getMessage());
        assertThat(sql.find()).as(told.getMessage()).isTrue();
        postgres.execute(sql.group(1));
        prepare();
        assertReads();
    }

    @Test
    void aRoleOfThatNameThatIsSomebodyElsesIsLeftAlone() {
        mayMakeRoles();
        postgres.execute("CREATE ROLE " + owner + "_reader LOGIN PASSWORD 'another''s'");

        assertThatThrownBy(this::prepare)
                .isInstanceOf(ReaderLoginException.class)
                .hasMessageContaining("is not Tailrace's to change", "DATABASE_READER_URL");

        DatabaseUrl theirs = url.as(owner + "_reader", "another's");
        assertThatCode(() -> TestDatabase.connect(theirs).close()).doesNotThrowAnyException();
    }

    @Test
    void aConfiguredLoginThatCanDoMoreIsRefused() throws Exception {
        DatabaseUrl configured = url.as(owner + "_power", "p");
        postgres.execute("CREATE ROLE " + owner + "_power LOGIN NOINHERIT PASSWORD 'p' IN ROLE authenticated");
        ReaderLogin login = new ReaderLogin(SCHEMA, url, configured);
        login.prepare();
        for (String more :
                List.of("GRANT service_role TO ", "GRANT USAGE ON SCHEMA tailrace TO ", "GRANT pg_monitor TO ")) {
            postgres.execute(more + owner + "_power");
            assertThatThrownBy(login::prepare)
                    .as(more)
                    .isInstanceOf(ReaderLoginException.class)
                    .hasMessageContaining("must not log in as " + owner + "_power");
            postgres.execute(more.replace("GRANT", "REVOKE").replace(" TO ", " FROM ") + owner + "_power");
        }
        postgres.execute("ALTER ROLE " + owner + "_power BYPASSRLS");
        assertThatThrownBy(login::prepare).hasMessageContaining("passes by row-level security");
        assertThatThrownBy(new ReaderLogin(SCHEMA, url, url)::prepare).isInstanceOf(ReaderLoginException.class);
    }

    @Test
    void aUrlWithoutPasswordNeedsALoginForReaders() {
        assertThatThrownBy(() -> ReaderLogin.derived(url.as(owner, "")))
                .isInstanceOf(ReaderLoginException.class)
                .hasMessageContaining("set DATABASE_READER_URL");
        assertThatThrownBy(() -> ReaderLogin.derived(url.as("x".repeat(60), "p")))
                .hasMessageContaining("set DATABASE_READER_URL");
    }
}
