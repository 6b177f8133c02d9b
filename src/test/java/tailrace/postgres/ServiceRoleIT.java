package tailrace.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.vertx.pgclient.SslMode;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;
import tailrace.config.TailraceConfig.Secret;

/** What a service may do that has nothing but {@code service_role}. */
class ServiceRoleIT {
    private static final String DENIED = "42501";

    @Test
    void itMayPutRowsIn() throws Exception {
        try (TestDatabase postgres = TestDatabase.migrated()) {
            as(postgres, "INSERT INTO tailrace.log_inbox (entry) VALUES ('{}'), ('[]'), ('\"\\u0000\"')");
            as(postgres, "INSERT INTO tailrace.log_inbox (id, entry) VALUES (gen_random_uuid(), '{}'::jsonb)");
            as(postgres, "INSERT INTO tailrace.thread_logs (thread_id, message, level) VALUES (NULL, 'm', 'Info')");
            as(
                    postgres,
                    "INSERT INTO tailrace.thread_logs (thread_id, message, created_at)"
                            + " VALUES (gen_random_uuid(), 'm', timestamp '2026-01-02 03:04:05')");
            as(postgres, "SELECT * FROM tailrace.thread_logs");

            assertThat(postgres.number("SELECT count(*) FROM tailrace.log_inbox"))
                    .isEqualTo(6);
            assertThat(postgres.text("SELECT entry->>'execution_id' FROM tailrace.log_inbox WHERE n = 5"))
                    .isEqualTo("unassigned");
        }
    }

    @Test
    void itMayConnectWhereThePublicMayNot() {
        try (TestDatabase postgres = TestDatabase.empty()) {
            String connects = "SELECT has_database_privilege('service_role', current_database(), 'CONNECT')";
            postgres.execute("REVOKE ALL ON DATABASE " + postgres.url().database() + " FROM PUBLIC");

            new Migrations("tailrace").apply(postgres.url());

            assertThat(postgres.text(connects)).isEqualTo("t");
        }
    }

    @Test
    void itMayDoNothingElse() {
        try (TestDatabase postgres = TestDatabase.migrated()) {
            for (String statement : List.of(
                    "SELECT id FROM tailrace.log_inbox",
                    "UPDATE tailrace.log_inbox SET error = NULL",
                    "DELETE FROM tailrace.log_inbox",
                    "TRUNCATE tailrace.log_inbox",
                    "INSERT INTO tailrace.log_inbox (entry) VALUES ('{}') RETURNING id",
                    "DELETE FROM tailrace.workflow_execution_logs",
                    "UPDATE tailrace.workflow_executions SET user_id = 'me'",
                    "SELECT payload FROM tailrace.log_rejects",
                    "INSERT INTO tailrace.journals (journal_id) VALUES (gen_random_uuid())",
                    "SELECT id FROM tailrace.processes",
                    "SELECT tailrace.grant_to_service_role()",
                    "SELECT tailrace.make_partition('2026-01-01')",
                    "CREATE TABLE tailrace.mine (a int)")) {
                assertThatThrownBy(() -> as(postgres, statement))
                        .as(statement)
                        .isInstanceOfSatisfying(SQLException.class, error -> assertThat(error.getSQLState())
                                .isEqualTo(DENIED));
            }
        }
    }

    @Test
    void aLoginThatMayNotMakeTheRoleMigratesAndTheAdministratorDoesTheRest() throws Exception {
        try (TestDatabase postgres = TestDatabase.empty()) {
            // Given a server without the role, and a login that owns its database and no more
            postgres.execute("CREATE ROLE humble LOGIN PASSWORD 'humble'");
            postgres.execute("ALTER DATABASE " + postgres.url().database() + " OWNER TO humble");
            postgres.execute("DO $$ BEGIN IF to_regrole('service_role') IS NOT NULL THEN"
                    + " ALTER ROLE service_role RENAME TO service_role_away; END IF; END $$");
            ListAppender<ILoggingEvent> told = new ListAppender<>();
            Logger flyway = (Logger) LoggerFactory.getLogger("org.flywaydb");
            try {
                flyway.setLevel(Level.WARN);
                flyway.addAppender(told);
                told.start();
                new Migrations("tailrace").apply(login(postgres, "humble"));
                assertThat(told.list)
                        .extracting(ILoggingEvent::getFormattedMessage)
                        .anySatisfy(message -> assertThat(message)
                                .contains(
                                        "humble may not make the role service_role",
                                        "CREATE ROLE service_role NOLOGIN; SELECT tailrace.grant_to_service_role();"));
                assertThat(postgres.number("SELECT count(*) FROM tailrace.log_inbox"))
                        .isZero();
                assertThat(postgres.text("SELECT to_regrole('service_role') IS NULL"))
                        .isEqualTo("t");

                postgres.execute("CREATE ROLE service_role NOLOGIN");
                postgres.execute("SELECT tailrace.grant_to_service_role()");

                as(postgres, "INSERT INTO tailrace.log_inbox (entry) VALUES ('{}')");
            } finally {
                flyway.detachAppender(told);
                flyway.setLevel(null);
                postgres.execute("DO $$ BEGIN IF to_regrole('service_role_away') IS NOT NULL THEN"
                        + " IF to_regrole('service_role') IS NOT NULL THEN"
                        + " DROP OWNED BY service_role; DROP ROLE service_role; END IF;"
                        + " ALTER ROLE service_role_away RENAME TO service_role; END IF; END $$");
                postgres.execute("ALTER DATABASE " + postgres.url().database() + " OWNER TO "
                        + postgres.url().user());
                postgres.execute("DROP OWNED BY humble CASCADE");
                postgres.execute("DROP ROLE humble");
            }
        }
    }

    private static DatabaseUrl login(TestDatabase postgres, String user) {
        DatabaseUrl url = postgres.url();
        return new DatabaseUrl(url.host(), url.port(), url.database(), user, new Secret(user), SslMode.DISABLE, null);
    }

    private static void as(TestDatabase postgres, String statement) throws SQLException {
        try (Connection connection = TestDatabase.connect(postgres.url());
                Statement session = connection.createStatement()) {
            for (String each : List.of("SET ROLE service_role", statement)) {
                session.execute(each);
            }
        }
    }
}
