package tailrace.process;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import tailrace.postgres.TestDatabase;

/** A service that has nothing but {@code service_role} and a connection to PostgreSQL, and whoever administers it. */
final class Inserts implements AutoCloseable {
    private final Connection connection;

    private Inserts(TestDatabase database, String role) throws SQLException {
        connection = DriverManager.getConnection(
                "jdbc:postgresql://" + database.url().host() + ":"
                        + database.url().port() + "/" + database.url().database() + "?sslmode=disable",
                database.url().user(),
                database.url().password().value());
        if (!role.isEmpty()) {
            execute("SET ROLE " + role);
        }
    }

    static Inserts service(TestDatabase database) throws SQLException {
        return new Inserts(database, "service_role");
    }

    static Inserts administrator(TestDatabase database) throws SQLException {
        return new Inserts(database, "");
    }

    /** One statement for all of them, as a bulk insert does. */
    void entries(List<String> entries) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(
                "INSERT INTO tailrace.log_inbox (entry) SELECT entry::json FROM unnest(?) AS entry")) {
            insert.setArray(1, connection.createArrayOf("text", entries.toArray()));
            insert.executeUpdate();
        }
    }

    void execute(String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    @Override
    public void close() throws SQLException {
        connection.close();
    }
}
