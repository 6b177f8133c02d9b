package tailrace.postgres;

import io.vertx.core.Future;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import io.vertx.sqlclient.Tuple;
import java.util.ArrayList;
import java.util.List;

/** The policies in PostgreSQL. Any thread; a future fails while PostgreSQL is away. */
public final class RetentionPolicies {
    private final Database database;
    private final RetentionSql sql;

    public RetentionPolicies(Database database) {
        this.database = database;
        this.sql = database.retentionSql();
    }

    /** What became of a PUT. */
    public record Put(RetentionPolicy policy, boolean created) {}

    /** All, by id. */
    public Future<List<RetentionPolicy>> all() {
        return database.pool().query(sql.policies).execute().map(RetentionPolicies::policies);
    }

    /** Makes it, or puts it in the place of the one with its id. */
    public Future<Put> put(RetentionPolicy policy) {
        Tuple parameters = Tuple.tuple()
                .addString(policy.id())
                .addString(policy.workflowId())
                .addString(policy.tier())
                .addDouble(policy.maxAgeDays())
                .addLong(policy.newestN());
        return database.pool().preparedQuery(sql.putPolicy).execute(parameters).map(rows -> {
            Row row = rows.iterator().next();
            return new Put(policy(row), row.getBoolean("created"));
        });
    }

    /** Whether there was one. */
    public Future<Boolean> delete(String id) {
        return database.pool()
                .preparedQuery(sql.deletePolicy)
                .execute(Tuple.of(id))
                .map(rows -> rows.rowCount() > 0);
    }

    static List<RetentionPolicy> policies(RowSet<Row> rows) {
        List<RetentionPolicy> policies = new ArrayList<>(rows.size());
        rows.forEach(row -> policies.add(policy(row)));
        return policies;
    }

    private static RetentionPolicy policy(Row row) {
        return new RetentionPolicy(
                row.getString("id"),
                row.getString("workflow_id"),
                row.getString("tier"),
                row.getDouble("max_age_days"),
                row.getLong("newest_n"),
                Rows.micros(row.getOffsetDateTime("created_at")),
                Rows.micros(row.getOffsetDateTime("updated_at")));
    }
}
