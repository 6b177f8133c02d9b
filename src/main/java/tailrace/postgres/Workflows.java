package tailrace.postgres;

import io.vertx.core.Future;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.Tuple;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tailrace.security.Principal;

/** The workflows in PostgreSQL, of which each reader sees their own. Any thread; a future fails while PostgreSQL is away. */
public final class Workflows {
    private final Database database;
    private final Readers readers;
    private final Runnable ownersChanged;
    private final RetentionSql sql;

    /** @param ownersChanged told before a PUT is answered that gave a workflow to somebody */
    public Workflows(Database database, Readers readers, Runnable ownersChanged) {
        this.database = database;
        this.readers = readers;
        this.ownersChanged = ownersChanged;
        this.sql = database.retentionSql();
    }

    /**
     * A column in a change.
     *
     * @param given whether it changes at all
     * @param value null clears it
     */
    public record Change(boolean given, @Nullable String value) {}

    /** What became of a PUT. */
    public record Put(Workflow workflow, boolean created) {}

    /** The workflow, if there is one that the principal may see. */
    public Future<Optional<Workflow>> find(Principal principal, String workflowId) {
        return readers.as(principal, client -> client.preparedQuery(sql.workflow)
                .execute(Tuple.of(workflowId))
                .map(rows -> rows.size() == 0
                        ? Optional.empty()
                        : Optional.of(workflow(rows.iterator().next()))));
    }

    /** Makes the workflow, or changes what is given of it. */
    public Future<Put> put(String workflowId, Change name, Change userId, Change tier) {
        Tuple parameters = Tuple.tuple()
                .addString(workflowId)
                .addBoolean(name.given())
                .addString(name.value())
                .addBoolean(userId.given())
                .addString(userId.value())
                .addBoolean(tier.given())
                .addString(tier.value());
        return database.pool()
                .preparedQuery(sql.putWorkflow)
                .execute(parameters)
                .map(rows -> {
                    if (userId.given()) {
                        ownersChanged.run();
                    }
                    Row row = rows.iterator().next();
                    return new Put(workflow(row), row.getBoolean("created"));
                });
    }

    private static Workflow workflow(Row row) {
        return new Workflow(
                row.getString("workflow_id"),
                row.getString("name"),
                row.getString("user_id"),
                row.getString("tier"),
                Rows.micros(row.getOffsetDateTime("created_at")),
                Rows.micros(row.getOffsetDateTime("updated_at")));
    }
}
