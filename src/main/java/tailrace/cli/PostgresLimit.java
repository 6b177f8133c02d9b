package tailrace.cli;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.pgclient.PgConnectOptions;
import io.vertx.pgclient.PgConnection;
import io.vertx.sqlclient.PreparedStatement;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Tuple;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * How fast a run's rows reached PostgreSQL, and what the same PostgreSQL takes of the same rows when nothing is in
 * between: INSERT … SELECT FROM unnest, 1,000 rows a statement, two connections, into an empty copy of the table with
 * all its indexes. The rows are read back from the server's table, so the comparison follows the schema by itself.
 * Methods block; belongs to one thread.
 */
final class PostgresLimit implements AutoCloseable {
    private static final String TABLE = "workflow_execution_logs";
    private static final int BATCH_ROWS = 1_000;
    private static final int CONNECTIONS = 2;
    /** Kept in memory, about 3 KB a row; sent again and again under other execution ids. */
    private static final int MAX_SAMPLE_ROWS = 20_000;

    private static final long POLL_MS = 200;
    private static final Duration ARRIVAL_TIMEOUT = Duration.ofMinutes(10);
    private static final Duration STATEMENT_TIMEOUT = Duration.ofMinutes(2);

    private final Vertx vertx = Vertx.vertx();
    private final List<SqlConnection> connections = new ArrayList<>();
    private final String table;
    private final AckLedger ledger;

    /** How fast the server's own rows came in. */
    record Arrival(long rows, double rowsPerSecond) {}

    /** @param asText whether it goes over the wire as text, because the client has no array of its type */
    private record Column(String name, String type, boolean asText) {}

    /**
     * @param options of a login that may read the server's table, row-level security or not, and create a schema
     * @param schema of the server's tables, a plain identifier
     * @throws IOException if PostgreSQL does not let it in
     */
    PostgresLimit(PgConnectOptions options, String schema, AckLedger ledger) throws IOException, InterruptedException {
        this.table = quote(schema) + '.' + TABLE;
        this.ledger = ledger;
        try {
            for (int i = 0; i < CONNECTIONS; i++) {
                connections.add(await(PgConnection.connect(vertx, options)));
            }
        } catch (IOException | InterruptedException e) {
            close();
            throw e;
        }
    }

    /**
     * Waits until every kept row is there, at most ten minutes, and reports how fast they came.
     *
     * @param startMicros when the run began, on {@code clock}
     */
    Arrival arrival(BenchReport report, BatchTemplate template, BenchClock clock, long startMicros)
            throws IOException, InterruptedException {
        Map<Integer, Long> lastKept = new HashMap<>();
        long expected = 0;
        for (AckLedger.Ack ack : ledger.acks()) {
            for (int i = 0; i < ack.count(); i++) {
                if (template.friendly(ack.firstEntry() + i)) {
                    expected++;
                    lastKept.merge(ack.execution(), ack.firstSeq() + i, Math::max);
                }
            }
        }
        long loadEndMicros = clock.nowMicros();
        long atLoadEnd = count();
        Tuple wanted = Tuple.tuple()
                .addValue(lastKept.keySet().stream().map(ledger::id).toArray(String[]::new))
                .addValue(lastKept.values().toArray(Long[]::new));
        long deadline = System.nanoTime() + ARRIVAL_TIMEOUT.toNanos();
        while (missing(wanted) > 0 && System.nanoTime() < deadline) {
            Thread.sleep(POLL_MS);
        }
        long endMicros = clock.nowMicros();
        long rows = count();
        double perSecond = rows / ((endMicros - startMicros) / 1e6);
        report.add("postgres", "rows_expected", expected)
                .add("postgres", "rows", rows)
                .add("postgres", "rows_per_second", perSecond)
                .add("postgres", "rows_behind_at_end_of_load", Math.max(0, expected - atLoadEnd))
                .add("postgres", "caught_up_after_s", (endMicros - loadEndMicros) / 1e6);
        if (rows < expected) {
            report.fail("PostgreSQL has " + rows + " rows of this run, " + expected + " belong there");
        }
        return new Arrival(rows, perSecond);
    }

    /** Rows of this run that are there now. */
    long count() throws IOException, InterruptedException {
        return one(
                "SELECT count(*) FROM " + table + " WHERE execution_id = ANY($1)",
                Tuple.tuple().addValue(ids()));
    }

    /** A look at the end of an index for each execution, so that asking does not slow down what it waits for. */
    private long missing(Tuple wanted) throws IOException, InterruptedException {
        return one("""
                SELECT count(*) FROM unnest($1::text[], $2::bigint[]) AS wanted(id, seq)
                WHERE coalesce((SELECT max(l.seq) FROM %s l WHERE l.execution_id = wanted.id), 0) < wanted.seq
                """.formatted(table), wanted);
    }

    private String[] ids() {
        return IntStream.range(0, ledger.executions()).mapToObj(ledger::id).toArray(String[]::new);
    }

    /**
     * Measures the bare INSERT for so long and reports it.
     *
     * @return the ratio of {@code arrival} to it; NaN where there are too few rows to measure
     */
    double bareInsert(BenchReport report, Arrival arrival, Duration duration) throws IOException, InterruptedException {
        List<Column> columns = columns();
        List<List<Row>> batches = sample(columns);
        if (batches.isEmpty()) {
            report.add("bare_insert", "skipped", "fewer than " + BATCH_ROWS + " rows of this run to insert");
            return Double.NaN;
        }
        String scratch = "tailrace_bench_" + Long.toString(System.currentTimeMillis(), 36);
        execute("CREATE SCHEMA " + scratch);
        try {
            execute("CREATE TABLE " + scratch + ".rows (LIKE " + table + " INCLUDING ALL)");
            String sql = insert(scratch, columns);
            long start = System.nanoTime();
            long end = start + duration.toNanos();
            List<Future<Long>> writers = new ArrayList<>();
            for (int i = 0; i < CONNECTIONS; i++) {
                int first = i;
                writers.add(connections
                        .get(i)
                        .prepare(sql)
                        .compose(statement -> write(statement, columns, batches, first, end, 0)));
            }
            long rows = 0;
            for (Future<Long> writer : writers) {
                rows += await(writer, duration.plus(STATEMENT_TIMEOUT));
            }
            double perSecond = rows / ((System.nanoTime() - start) / 1e9);
            double ratio = arrival.rowsPerSecond() / perSecond;
            report.add("bare_insert", "rows", rows)
                    .add("bare_insert", "rows_per_second", perSecond)
                    .add("bare_insert", "rows_a_statement", BATCH_ROWS)
                    .add("bare_insert", "connections", CONNECTIONS)
                    .add("bare_insert", "postgres_to_bare_ratio", ratio);
            return ratio;
        } finally {
            execute("DROP TABLE IF EXISTS " + scratch + ".rows");
            execute("DROP SCHEMA " + scratch);
        }
    }

    private Future<Long> write(
            PreparedStatement statement,
            List<Column> columns,
            List<List<Row>> batches,
            int number,
            long end,
            long done) {
        if (System.nanoTime() >= end) {
            return Future.succeededFuture(done);
        }
        List<Row> rows = batches.get(number % batches.size());
        return statement
                .query()
                .execute(parameters(columns, rows, "-" + number))
                .compose(result ->
                        write(statement, columns, batches, number + CONNECTIONS, end, done + result.rowCount()));
    }

    /** The rows as one array a column, under other execution ids, so that no key is there twice. */
    private static Tuple parameters(List<Column> columns, List<Row> rows, String idSuffix) {
        Tuple tuple = Tuple.tuple();
        for (int at = 0; at < columns.size(); at++) {
            Column column = columns.get(at);
            Object[] values = array(column, rows.size());
            for (int i = 0; i < rows.size(); i++) {
                Object value = rows.get(i).getValue(at);
                values[i] = column.name().equals("execution_id") ? value + idSuffix : value;
            }
            tuple.addValue(values);
        }
        return tuple;
    }

    private static Object[] array(Column column, int length) {
        return switch (column.asText() ? "text" : column.type()) {
            case "smallint" -> new Short[length];
            case "integer" -> new Integer[length];
            case "bigint" -> new Long[length];
            case "boolean" -> new Boolean[length];
            case "double precision" -> new Double[length];
            case "uuid" -> new java.util.UUID[length];
            case "timestamp with time zone" -> new java.time.OffsetDateTime[length];
            default -> new String[length];
        };
    }

    private static boolean hasArray(String type) {
        return switch (type) {
            case "smallint", "integer", "bigint", "boolean", "double precision", "uuid", "timestamp with time zone" ->
                true;
            default -> false;
        };
    }

    private List<Column> columns() throws IOException, InterruptedException {
        List<Column> columns = new ArrayList<>();
        RowSet<Row> rows = query("""
                SELECT attname, format_type(atttypid, atttypmod) AS type FROM pg_attribute
                WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped
                  AND attgenerated = '' AND attidentity <> 'a'
                ORDER BY attnum
                """, Tuple.of(table));
        for (Row row : rows) {
            String type = row.getString("type");
            columns.add(new Column(row.getString("attname"), type, !hasArray(type)));
        }
        return columns;
    }

    private List<List<Row>> sample(List<Column> columns) throws IOException, InterruptedException {
        String list = columns.stream()
                .map(column -> column.asText() ? quote(column.name()) + "::text" : quote(column.name()))
                .collect(Collectors.joining(", "));
        List<Row> rows = new ArrayList<>();
        query(
                        "SELECT " + list + " FROM " + table + " WHERE execution_id = ANY($1) LIMIT " + MAX_SAMPLE_ROWS,
                        Tuple.tuple().addValue(ids()))
                .forEach(rows::add);
        List<List<Row>> batches = new ArrayList<>();
        for (int from = 0; from + BATCH_ROWS <= rows.size(); from += BATCH_ROWS) {
            batches.add(rows.subList(from, from + BATCH_ROWS));
        }
        return batches;
    }

    private static String insert(String schema, List<Column> columns) {
        String names = columns.stream().map(column -> quote(column.name())).collect(Collectors.joining(", "));
        String values = columns.stream()
                .map(column -> "u." + quote(column.name()) + "::" + column.type())
                .collect(Collectors.joining(", "));
        String arrays = IntStream.range(0, columns.size())
                .mapToObj(i -> "$" + (i + 1) + "::"
                        + (columns.get(i).asText() ? "text" : columns.get(i).type()) + "[]")
                .collect(Collectors.joining(", "));
        return "INSERT INTO " + schema + ".rows (" + names + ") SELECT " + values + " FROM unnest(" + arrays + ") AS u("
                + names + ")";
    }

    private static String quote(String identifier) {
        return '"' + identifier.replace("\"", "\"\"") + '"';
    }

    private long one(String sql, Tuple parameters) throws IOException, InterruptedException {
        return query(sql, parameters).iterator().next().getLong(0);
    }

    private RowSet<Row> query(String sql, Tuple parameters) throws IOException, InterruptedException {
        return await(connections.get(0).preparedQuery(sql).execute(parameters));
    }

    private void execute(String sql) throws IOException, InterruptedException {
        await(connections.get(0).query(sql).execute());
    }

    private static <T> T await(Future<T> future) throws IOException, InterruptedException {
        return await(future, STATEMENT_TIMEOUT);
    }

    private static <T> T await(Future<T> future, Duration timeout) throws IOException, InterruptedException {
        try {
            return future.toCompletionStage().toCompletableFuture().get(timeout.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw new IOException("PostgreSQL: " + e.getCause(), e.getCause());
        } catch (TimeoutException e) {
            throw new IOException("PostgreSQL did not answer for " + timeout.toSeconds() + " s", e);
        }
    }

    @Override
    public void close() throws IOException, InterruptedException {
        await(vertx.close()); // and its connections
    }
}
