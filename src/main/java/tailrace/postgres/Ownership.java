package tailrace.postgres;

import io.vertx.core.Future;
import io.vertx.sqlclient.Tuple;
import java.util.ArrayList;
import java.util.List;
import tailrace.model.ExecutionState;
import tailrace.security.Principal;

/** Asks the policies about executions that the hot tier holds. Any event loop; fails while PostgreSQL is away. */
public final class Ownership {
    private final Readers readers;
    private final Sql sql;

    public Ownership(Database database, Readers readers) {
        this.readers = readers;
        this.sql = database.sql();
    }

    /** For each execution, in their order, whether the reader may see it; its owner is what its state says. */
    public Future<List<Boolean>> owns(Principal reader, List<ExecutionState> executions) {
        Tuple parameters = Tuple.of(
                executions.stream().map(ExecutionState::executionId).toArray(String[]::new),
                executions.stream().map(ExecutionState::userId).toArray(String[]::new),
                executions.stream().map(ExecutionState::workflowId).toArray(String[]::new));
        return readers.as(
                reader,
                client -> client.preparedQuery(sql.ownsHot).execute(parameters).map(rows -> {
                    List<Boolean> owns = new ArrayList<>(rows.size());
                    rows.forEach(row -> owns.add(row.getBoolean(0)));
                    return owns;
                }));
    }
}
