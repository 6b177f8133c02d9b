package tailrace.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import tailrace.postgres.DatabaseUrl;
import tailrace.postgres.TestDatabase;

/** What is in PostgreSQL, by a connection of the test's own. */
final class PostgresRows {
    private final String url;
    private final String user;
    private final String password;

    private PostgresRows(int port, String database, String user, String password) {
        this.url = "jdbc:postgresql://127.0.0.1:" + port + "/" + database + "?sslmode=disable";
        this.user = user;
        this.password = password;
    }

    static PostgresRows of(TestDatabase database) {
        return at(database.url());
    }

    static PostgresRows at(DatabaseUrl url) {
        return new PostgresRows(
                url.port(), url.database(), url.user(), url.password().value());
    }

    /** The embedded one of a server that runs. */
    static PostgresRows embeddedIn(Path dataDir) throws IOException {
        String port = Files.readAllLines(dataDir.resolve("postgres").resolve("postmaster.pid"))
                .get(3);
        return new PostgresRows(
                Integer.parseInt(port.strip()),
                "tailrace",
                "tailrace",
                Files.readString(dataDir.resolve("postgres.password")).strip());
    }

    void execute(String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection(url, user, password);
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** How many rows an execution has. */
    long count(String executionId) throws SQLException {
        try (Connection connection = DriverManager.getConnection(url, user, password);
                PreparedStatement query = connection.prepareStatement(
                        "SELECT count(*) FROM tailrace.workflow_execution_logs WHERE execution_id = ?")) {
            query.setString(1, executionId);
            try (ResultSet rows = query.executeQuery()) {
                rows.next();
                return rows.getLong(1);
            }
        }
    }

    /** Seq and id of an execution's rows, in the order of seq. */
    List<String> of(String executionId) throws SQLException {
        try (Connection connection = DriverManager.getConnection(url, user, password);
                PreparedStatement query = connection.prepareStatement(
                        "SELECT seq, id FROM tailrace.workflow_execution_logs WHERE execution_id = ? ORDER BY seq")) {
            query.setString(1, executionId);
            List<String> rows = new ArrayList<>();
            try (ResultSet result = query.executeQuery()) {
                while (result.next()) {
                    rows.add(result.getLong(1) + " " + result.getString(2));
                }
            }
            return rows;
        }
    }

    /** Waits until each acknowledged entry that belongs here is here, and sees that it is once and nothing else is. */
    void assertHold(EntryFeed feed, Duration patience) throws SQLException {
        for (var execution : feed.acknowledged().entrySet()) {
            List<String> ids = execution.getValue();
            List<String> expected = LongStream.rangeClosed(1, ids.size())
                    .filter(EntryFeed::friendly)
                    .mapToObj(seq -> seq + " " + ids.get((int) seq - 1))
                    .toList();
            AwaitCondition.until(
                    "PostgreSQL has the " + expected.size() + " rows of " + execution.getKey(),
                    patience,
                    () -> of(execution.getKey()).size() >= expected.size());
            assertThat(of(execution.getKey()))
                    .as("rows of " + execution.getKey())
                    .isEqualTo(expected);
        }
    }
}
