package tailrace.process;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import tailrace.postgres.TestDatabase;

/** What PostgreSQL holds, asked past the server. */
final class ColdRows {
    private final String jdbcUrl;
    private final String user;
    private final String password;

    private ColdRows(String jdbcUrl, String user, String password) {
        this.jdbcUrl = jdbcUrl;
        this.user = user;
        this.password = password;
    }

    static ColdRows of(TestDatabase database) {
        return new ColdRows(
                "jdbc:postgresql://" + database.url().host() + ":"
                        + database.url().port() + "/" + database.url().database() + "?sslmode=disable",
                database.url().user(),
                database.url().password().value());
    }

    /** The embedded PostgreSQL of a running server. */
    static ColdRows embedded(Path dataDir) throws IOException {
        String port = Files.readAllLines(dataDir.resolve("postgres").resolve("postmaster.pid"))
                .get(3)
                .strip();
        return new ColdRows(
                "jdbc:postgresql://127.0.0.1:" + port + "/tailrace?sslmode=disable",
                "tailrace",
                Files.readString(dataDir.resolve("postgres.password")).strip());
    }

    /** Rows of an execution in order of seq, as {@code seq:message}. */
    List<String> of(String executionId) throws SQLException {
        try (Connection connection = DriverManager.getConnection(jdbcUrl, user, password);
                PreparedStatement query =
                        connection.prepareStatement("SELECT seq || ':' || message FROM tailrace.workflow_execution_logs"
                                + " WHERE execution_id = ? ORDER BY seq")) {
            query.setString(1, executionId);
            List<String> rows = new ArrayList<>();
            try (ResultSet found = query.executeQuery()) {
                while (found.next()) {
                    rows.add(found.getString(1));
                }
            }
            return rows;
        }
    }
}
