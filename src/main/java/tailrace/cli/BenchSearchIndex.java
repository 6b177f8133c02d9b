package tailrace.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import tailrace.postgres.DatabaseUrl;
import tailrace.postgres.EmbeddedPostgres;
import tailrace.postgres.Migrations;

/**
 * {@code bench search-index}: what an index for words costs when entries are written, and what it gives when they are
 * looked for: by which search's index was chosen.
 */
@Command(
        name = "search-index",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Fills copies of the table of entries in an embedded PostgreSQL that it makes and removes again: without an"
                    + " index for words, with a tsvector and with trigrams. Measures the rate of insertion, the size and"
                    + " the time to build of each, and searches in one execution and over all rows. Needs no server.",
            ""
        })
final class BenchSearchIndex implements Callable<Integer> {
    private static final int ROWS_A_STATEMENT = 1_000;
    private static final int SEARCHES = 20;
    private static final int SMALL_EXECUTION = 1_000;
    private static final String DOC = "tailrace.log_text(message, user_friendly_message, error_code, stack_trace)";
    private static final String TSVECTOR = "gin (to_tsvector('simple', " + DOC + "))";
    private static final String TRIGRAMS = "gin (" + DOC + " gin_trgm_ops)";

    @Option(names = "--rows", defaultValue = "1000000", description = "Rows searched (default: ${DEFAULT-VALUE}).")
    private int rows;

    @Option(
            names = "--insert-rows",
            defaultValue = "200000",
            description = "Rows inserted into each copy to measure the rate (default: ${DEFAULT-VALUE}).")
    private int insertRows;

    @Option(
            names = "--dir",
            paramLabel = "DIRECTORY",
            description = "Where the run's data directory is made and removed again (default: the system's temporary"
                    + " directory).")
    private @Nullable Path parent;

    @Mixin
    private OutputOption output = new OutputOption();

    @Mixin
    private ProgressOption progressOption = new ProgressOption();

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before anything runs
    private CommandSpec spec;

    @Override
    public Integer call() throws Exception {
        if (rows < SMALL_EXECUTION || rows > 10_000_000 || insertRows < ROWS_A_STATEMENT || insertRows > rows) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--rows must be from " + SMALL_EXECUTION + " to 10,000,000, and --insert-rows from "
                            + ROWS_A_STATEMENT + " to that");
        }
        Path dataDir = parent == null
                ? Files.createTempDirectory("tailrace-bench-search-")
                : Files.createTempDirectory(Files.createDirectories(parent), "tailrace-bench-search-");
        BenchReport report = new BenchReport("bench search-index");
        try (Progress progress = progressOption.show();
                EmbeddedPostgres postgres = new EmbeddedPostgres(dataDir)) {
            progress.show(() -> "starting PostgreSQL");
            postgres.start();
            new Migrations("tailrace").apply(postgres.url());
            try (Connection connection = connect(postgres.url());
                    Statement statement = connection.createStatement()) {
                run(statement, report, progress);
            }
        } catch (SQLException e) {
            throw new CommandFailedException("PostgreSQL: " + e.getMessage(), e);
        } finally {
            deleteTree(dataDir);
        }
        return output.print(report);
    }

    private static Connection connect(DatabaseUrl url) throws SQLException {
        return DriverManager.getConnection(
                "jdbc:postgresql://" + url.host() + ":" + url.port() + "/" + url.database() + "?sslmode=disable",
                url.user(),
                url.password().value());
    }

    private void run(Statement statement, BenchReport report, Progress progress) throws SQLException {
        report.add("run", "rows", rows).add("run", "inserted_rows", insertRows);
        progress.show(() -> "making rows");
        statement.execute(source(rows));
        Map<String, String> kinds = new LinkedHashMap<>();
        kinds.put("none", "");
        kinds.put("tsvector", TSVECTOR);
        kinds.put("trigrams", TRIGRAMS);
        for (Map.Entry<String, String> kind : kinds.entrySet()) {
            progress.show(() -> "inserting with index: " + kind.getKey());
            copy(statement, "copy", kind.getValue());
            report.add("insert", kind.getKey() + "_rows_per_second", insertRows / fill(statement, "copy", insertRows));
            statement.execute("DROP TABLE tailrace.copy");
        }
        copy(statement, "found", "");
        progress.show(() -> "filling the table that is searched");
        fill(statement, "found", rows);
        statement.execute("VACUUM (ANALYZE) tailrace.found");
        report.add("size", "table_mib", size(statement, "tailrace.found"));
        search(statement, report, progress, "without");
        for (String kind : new String[] {"tsvector", "trigrams"}) {
            progress.show(() -> "building the index: " + kind);
            long began = System.nanoTime();
            statement.execute("CREATE INDEX words ON tailrace.found USING " + kinds.get(kind));
            report.add("build", kind + "_seconds", seconds(began));
            report.add("size", kind + "_mib", size(statement, "tailrace.words"));
            statement.execute("ANALYZE tailrace.found");
            search(statement, report, progress, kind);
            statement.execute("DROP INDEX tailrace.words");
        }
    }

    /** Sentences of 40 words, numbers and ids; every third with a friendly message, every fiftieth with a trace. */
    private static String source(int rows) {
        String word = "words[1 + (hashint8(n * %d) & 1023) %% 40]";
        return """
                CREATE UNLOGGED TABLE tailrace.source AS SELECT n, %s || ' ' || %s || ' ' || %s || ' step ' || n %% 17
                    || ' finished in ' || (hashint8(n * 3) & 4095) || ' ms for ' || md5(n::text) AS message,
                  CASE WHEN n %% 3 = 0 THEN 'Your ' || %s || ' was processed: ' || (hashint8(n * 17) & 65535) END AS friendly,
                  CASE WHEN n %% 50 = 0 THEN 'E_' || upper(%s) || '_' || n %% 13 END AS code,
                  CASE WHEN n %% 50 = 0 THEN repeat('at com.example.' || %s || '.Service.run(Service.java:17) ', 12) END AS trace
                FROM generate_series(1, %d) AS n, (SELECT string_to_array('order payment invoice customer upload download
                  retry timeout connection database cache queue worker agent model prompt token response request validation
                  schema document page image email webhook session account ledger balance transfer approval review shipment
                  warehouse catalog index search result summary', ' ') AS words) AS w;
                CREATE INDEX ON tailrace.source (n); ANALYZE tailrace.source
                """.formatted(
                        word.formatted(1),
                        word.formatted(7),
                        word.formatted(13),
                        word.formatted(5),
                        word.formatted(19),
                        word.formatted(29),
                        rows);
    }

    private static void copy(Statement statement, String name, String index) throws SQLException {
        statement.execute("CREATE TABLE tailrace." + name + " (LIKE tailrace.workflow_execution_logs INCLUDING ALL)");
        if (!index.isEmpty()) {
            statement.execute("CREATE INDEX ON tailrace." + name + " USING " + index);
        }
    }

    /** A transaction every thousand rows, as the writer does; what the index put off is part of it. In seconds. */
    private static double fill(Statement statement, String table, int count) throws SQLException {
        long began = System.nanoTime();
        for (int from = 0; from < count; from += ROWS_A_STATEMENT) {
            statement.execute(String.format(Locale.ROOT, """
                    INSERT INTO tailrace.%s (execution_id, seq, received_at, timestamp, id, level, event_type,
                      log_category, message, user_friendly_message, error_code, stack_trace, display_priority, is_milestone)
                    SELECT CASE WHEN n %% 1000 = 0 THEN 'small' ELSE 'large' END, n, t, t, gen_random_uuid(), 'info', 'log',
                      'business', message, friendly, code, trace, 5, false
                    FROM (SELECT *, '2026-03-01'::timestamptz + n / 100 * interval '8 ms' AS t
                          FROM tailrace.source WHERE n > %d AND n <= %d) AS s
                    """, table, from, Math.min(count, from + ROWS_A_STATEMENT)));
        }
        statement.execute("VACUUM tailrace." + table);
        return seconds(began);
    }

    private void search(Statement statement, BenchReport report, Progress progress, String kind) throws SQLException {
        Map<String, String> questions = new LinkedHashMap<>();
        questions.put("word", "timeout");
        questions.put("rare_word", "e_document_11");
        questions.put("phrase", "finished in 938 ms");
        questions.put("id", "c0c7c76d30bd3dcaefc96f40275bdc0a");
        questions.put("absent", "nowhere");
        for (Map.Entry<String, String> question : questions.entrySet()) {
            progress.show(() -> "searching, index " + kind + ": " + question.getKey());
            String condition = kind.equals("tsvector")
                    ? "to_tsvector('simple', " + DOC + ") @@ phraseto_tsquery('simple', '" + question.getValue() + "')"
                    : DOC + " LIKE '%" + question.getValue().replace("_", "\\_") + "%'";
            String all = "SELECT * FROM tailrace.found WHERE " + condition;
            String newest = " ORDER BY received_at DESC, execution_id DESC, seq DESC LIMIT 100";
            measure(statement, report, "all_" + kind, question.getKey(), all + newest);
            // LIKE ALL, as the server asks: the key finds so few rows that an index for words only gets in the way.
            measure(
                    statement,
                    report,
                    "execution_of_" + rows / SMALL_EXECUTION + "_" + kind,
                    question.getKey(),
                    all.replace("LIKE '", "LIKE ALL (ARRAY['").replace("%'", "%'])")
                            + " AND execution_id = 'small' ORDER BY seq DESC LIMIT 100");
            measure(
                    statement,
                    report,
                    "all_" + kind,
                    question.getKey() + "_but",
                    all + " AND " + DOC + " NOT LIKE '%image%'" + newest);
        }
    }

    private static void measure(Statement statement, BenchReport report, String section, String name, String query)
            throws SQLException {
        Histogram micros = new Histogram(600_000_000L, 3);
        for (int i = 0; i < SEARCHES; i++) {
            long began = System.nanoTime();
            try (ResultSet found = statement.executeQuery(query)) {
                while (found.next()) {
                    found.getLong("seq"); // as a reader does
                }
            }
            micros.recordValue((System.nanoTime() - began) / 1_000);
        }
        report.add(section, name + "_p50_ms", micros.getValueAtPercentile(50) / 1_000.0);
        report.add(section, name + "_p95_ms", micros.getValueAtPercentile(95) / 1_000.0);
    }

    private static double size(Statement statement, String relation) throws SQLException {
        try (ResultSet size = statement.executeQuery("SELECT pg_table_size('" + relation + "')")) {
            size.next();
            return size.getLong(1) / 1048576.0;
        }
    }

    private static double seconds(long sinceNanos) {
        return (System.nanoTime() - sinceNanos) / 1e9;
    }

    private static void deleteTree(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
