package tailrace.postgres;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import tailrace.security.Principal;

/**
 * A database in which ann and bob own an execution each by its {@code user_id} ({@code ann-own}) and one by its workflow
 * ({@code ann-flow}, of {@code ann-w}), each with three rows; {@code nobodys} is nobody's. And what no reader may see.
 */
public final class TwoTenants {
    public static final Principal ANN = new Principal("ann", false, Long.MAX_VALUE);
    public static final Principal BOB = new Principal("bob", false, Long.MAX_VALUE);

    private static final String DATA = """
            SELECT tailrace.make_partition(current_date);
            INSERT INTO tailrace.workflows (workflow_id, user_id) VALUES ('ann-w', 'ann'), ('bob-w', 'bob');
            INSERT INTO tailrace.workflow_executions (execution_id, workflow_id, user_id, last_seq, total_logs,
              milestone_count, created_at, last_received_at, generation, last_position, status, level_counts, event_counts)
            SELECT e, w, u, 3, 3, 0, now(), now(), 1, 1, 'SUCCEEDED', '{}', '{}' FROM (VALUES ('ann-own', NULL, 'ann'),
              ('ann-flow', 'ann-w', NULL), ('bob-own', 'ann-w', 'bob'), ('bob-flow', 'bob-w', NULL),
              ('nobodys', NULL, NULL)) AS v (e, w, u);
            INSERT INTO tailrace.workflow_execution_logs (seq, received_at, timestamp, id, level, event_type,
              log_category, display_priority, is_milestone, execution_id, message)
            SELECT n, now(), now(), gen_random_uuid(), 'error', 'log', 'technical', 5, false, execution_id,
              'of ' || execution_id
            FROM tailrace.workflow_executions, generate_series(1, 3) AS n;
            INSERT INTO tailrace.log_inbox (entry) VALUES ('{"message": "of nobody"}');
            INSERT INTO tailrace.log_rejects (journal_id, position, seq, execution_id, sqlstate, error, payload)
            VALUES (gen_random_uuid(), 1, 1, 'ann-own', '22000', 'of nobody', '')
            """;

    private TwoTenants() {}

    public static void fill(TestDatabase database) {
        database.execute(DATA);
    }

    /** A session of the readers' login, with the first column of each statement's rows. */
    static final class Session implements AutoCloseable {
        final Connection connection;

        Session(DatabaseUrl login) throws SQLException {
            connection = TestDatabase.connect(login);
        }

        /** Begins a transaction as a reader's query does. */
        Session as(String subject) throws SQLException {
            ask("ROLLBACK");
            ask("BEGIN");
            ask("SET LOCAL ROLE authenticated");
            ask("SELECT set_config('request.jwt.claims', json_build_object('sub', '" + subject + "')::text, true)");
            return this;
        }

        List<String> ask(String sql) throws SQLException {
            try (Statement statement = connection.createStatement()) {
                List<String> found = new ArrayList<>();
                if (statement.execute(sql)) {
                    try (ResultSet rows = statement.getResultSet()) {
                        while (rows.next()) {
                            found.add(rows.getString(1));
                        }
                    }
                }
                return found;
            }
        }

        @Override
        public void close() throws SQLException {
            connection.close();
        }
    }
}
