package tailrace.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static tailrace.postgres.TestDatabase.eventually;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A crash of either process, and the doors that are shut. */
class EmbeddedPostgresIT {
    private final Path dataDir;
    private EmbeddedPostgres postgres;

    // One directory for all: each test then finds a database that was used before, and the programs are unpacked once.
    EmbeddedPostgresIT() {
        this.dataDir = Path.of("target", "embedded-postgres-it").toAbsolutePath();
        this.postgres = new EmbeddedPostgres(dataDir);
    }

    @BeforeEach
    void start() {
        postgres = new EmbeddedPostgres(dataDir);
        postgres.start();
    }

    @AfterEach
    void stop() {
        postgres.close();
    }

    @Test
    void isDurableAndClosed() throws Exception {
        assertThat(List.of("fsync", "synchronous_commit", "full_page_writes", "data_checksums"))
                .allSatisfy(setting -> assertThat(query("SHOW " + setting)).isEqualTo("on"));
        assertThat(query("SHOW listen_addresses")).isEqualTo("127.0.0.1");
        assertThat(query("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"))
                .isEqualTo("f");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(dataDir.resolve("postgres.password"))))
                .isEqualTo("rw-------");
        assertThat(Files.readString(dataDir.resolve("postgres/pg_hba.conf")).lines())
                .filteredOn(line -> !line.isBlank() && !line.startsWith("#"))
                .allSatisfy(line -> assertThat(line).endsWith("scram-sha-256"));
    }

    @Test
    void asksForThePassword() {
        DatabaseUrl url = postgres.url();
        for (String user : List.of("postgres", EmbeddedPostgres.ROLE)) {
            assertThatThrownBy(() -> DriverManager.getConnection(url.jdbcUrl(), user, "guess"))
                    .isInstanceOf(SQLException.class)
                    .hasMessageContaining("password authentication failed");
        }
    }

    @Test
    void whatWasCommittedIsThereAfterARestart() throws Exception {
        query("CREATE TABLE IF NOT EXISTS kept AS SELECT 42 AS n");
        String password = postgres.url().password().value();
        postgres.close();

        start();

        assertThat(query("SELECT n FROM kept")).isEqualTo("42");
        assertThat(postgres.url().password().value()).isEqualTo(password);
    }

    @Test
    void aKilledPostmasterIsStartedAgainWithAllThatWasCommitted() throws Exception {
        query("CREATE TABLE IF NOT EXISTS kept AS SELECT 42 AS n");
        long pid = postgres.pid();
        ProcessHandle.of(pid).orElseThrow().destroyForcibly();

        eventually(() -> postgres.pid() != pid && answers());

        assertThat(query("SELECT n FROM kept")).isEqualTo("42");
    }

    @Test
    void anOrphanOfACrashedServerIsEndedInOrder() throws Exception {
        query("CREATE TABLE IF NOT EXISTS kept AS SELECT 42 AS n");
        ProcessHandle orphan = ProcessHandle.of(postgres.pid()).orElseThrow();
        postgres.abandon();
        assertThat(orphan.isAlive()).isTrue();

        start();

        assertThat(postgres.pid()).isNotEqualTo(orphan.pid());
        assertThat(query("SELECT n FROM kept")).isEqualTo("42");
        assertThat(Files.readString(dataDir.resolve("postgres-start.log"))).doesNotContain("not properly shut down");
    }

    @Test
    void aPidFileWhoseNumberIsAnothersIsNoObstacle() throws Exception {
        postgres.close();
        Process innocent = new ProcessBuilder("sleep", "600").start();
        try {
            Files.writeString(
                    dataDir.resolve("postgres/postmaster.pid"), innocent.pid() + "\n" + dataDir + "/postgres\n1\n1\n");

            start();

            assertThat(query("SELECT 1")).isEqualTo("1");
            assertThat(innocent.isAlive()).isTrue();
        } finally {
            innocent.destroyForcibly();
        }
    }

    @Test
    void aSecondProcessOnTheDirectoryIsRefused() {
        assertThatThrownBy(() -> new EmbeddedPostgres(dataDir).start())
                .isInstanceOf(EmbeddedPostgresException.class)
                .hasMessageContaining("another Tailrace process uses the data directory")
                .hasMessageContaining("DATABASE_URL");
    }

    @Test
    void aLostPasswordFileIsSaidAndTheDatabaseStays() throws Exception {
        postgres.close();
        Files.move(dataDir.resolve("postgres.password"), dataDir.resolve("kept.password"));

        assertThatThrownBy(() -> new EmbeddedPostgres(dataDir).start())
                .isInstanceOf(EmbeddedPostgresException.class)
                .hasMessageContaining("postgres.password");
        assertThat(dataDir.resolve("postgres/PG_VERSION")).exists();
        Files.move(dataDir.resolve("kept.password"), dataDir.resolve("postgres.password"));
    }

    @Test
    void aMakingThatWasCutShortIsBegunAgain(@TempDir Path fresh) throws Exception {
        Files.createDirectories(fresh.resolve("postgres.partial/base"));
        Files.createDirectories(fresh.resolve("postgres-bin.partial/bin"));
        try (EmbeddedPostgres other = new EmbeddedPostgres(fresh)) {
            other.start();
            assertThat(fresh.resolve("postgres/PG_VERSION")).exists();
            assertThat(fresh.resolve("postgres.partial")).doesNotExist();
            assertThat(fresh.resolve("postgres-bin.partial")).doesNotExist();
        }
    }

    private boolean answers() {
        try {
            return query("SELECT 1").equals("1");
        } catch (SQLException e) {
            return false;
        }
    }

    private String query(String sql) throws SQLException {
        try (Connection connection = TestDatabase.connect(postgres.url());
                Statement statement = connection.createStatement()) {
            if (!statement.execute(sql)) {
                return "";
            }
            try (ResultSet rows = statement.getResultSet()) {
                return rows.next() ? rows.getString(1) : "";
            }
        }
    }
}
