package tailrace.cli;

import io.vertx.pgclient.PgConnectOptions;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Callable;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code bench read}: the reading side over what {@link BenchSeed} put in, beside the bare SQL of the same answers. */
@Command(
        name = "read",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Asks for pages, filters, words, summaries and an export of what `bench seed` put in, one request after the"
                    + " other over one connection, and with --postgres sends the SQL of the same answer, prepared, over"
                    + " one connection in the same run.",
            "Exits with 1 if an answer is not what was put in.",
            ""
        })
final class BenchRead implements Callable<Integer> {
    /** Not measured, but for the first of them: what is read first pays for caches and compilers. */
    private static final int WARM_UP = 300;

    private static final int DEEP_PAGES = 1_000;
    private static final int PAGE = 100;

    @Mixin
    private BenchTarget target = new BenchTarget();

    @Mixin
    private SeedOptions seed = new SeedOptions();

    @Option(
            names = "--requests",
            defaultValue = "300",
            description = "Requests measured for each question (default: ${DEFAULT-VALUE}).")
    private int requests;

    @Option(
            names = "--seconds",
            defaultValue = "20",
            description = "No question takes longer than that (default: ${DEFAULT-VALUE}).")
    private int seconds;

    @Option(names = "--no-export", description = "Leave out the export of the large execution.")
    private boolean noExport;

    @Option(
            names = "--postgres",
            paramLabel = "URL",
            description =
                    "The server's PostgreSQL, by a login that may read its tables whatever row-level security says.")
    private @Nullable String postgres;

    @Option(
            names = "--postgres-schema",
            defaultValue = "tailrace",
            description = "Schema of the server's tables (default: ${DEFAULT-VALUE}).")
    private String postgresSchema = "";

    private final Random random = new Random(11);

    /** A way to get an answer once; whether it is right is looked at when its time has been taken. */
    private interface Ask {
        Check once() throws IOException, InterruptedException;
    }

    private interface Check {
        void isRight() throws IOException;
    }

    @Override
    public Integer call() throws InterruptedException {
        BenchTarget.Server server = target.server();
        seed.check(target);
        target.within("--requests", requests, 1, 1_000_000);
        target.within("--seconds", seconds, 1, 3_600);
        PgConnectOptions options = postgres == null ? null : target.postgres("--postgres", postgres);
        if (!postgresSchema.matches("[a-z_][a-z0-9_]{0,62}")) {
            throw target.wrong("--postgres-schema must be a plain lower-case identifier, not " + postgresSchema);
        }
        BenchReport report = new BenchReport("bench read")
                .add("run", "server", server.toString())
                .add("run", "prefix", seed.prefix)
                .add("run", "large_entries", seed.largeEntries)
                .add("run", "executions", seed.executions)
                .add("run", "entries_each", seed.entries);
        try (Progress progress = target.progress();
                var connection = new HttpConnection(server)) {
            if (options == null) {
                new Run(server, connection, Optional.empty(), report, progress).all();
            } else {
                try (var sql = new ReadSql(options, postgresSchema)) {
                    new Run(server, connection, Optional.of(sql), report, progress).all();
                }
            }
        } catch (IOException e) {
            report.fail(HttpConnection.printable(String.valueOf(e.getMessage())));
        }
        return target.print(report);
    }

    /** One run over all questions. */
    private final class Run {
        private final BenchTarget.Server server;
        private final HttpConnection connection;
        private final Optional<ReadSql> sql;
        private final BenchReport report;
        private final Progress progress;
        private final SeedWorkload workload = new SeedWorkload(seed.prefix, 0);

        Run(
                BenchTarget.Server server,
                HttpConnection connection,
                Optional<ReadSql> sql,
                BenchReport report,
                Progress progress) {
            this.server = server;
            this.connection = connection;
            this.sql = sql;
            this.report = report;
            this.progress = progress;
        }

        void all() throws IOException, InterruptedException {
            if (seed.executions > 0) {
                small();
            }
            if (seed.largeEntries > 0) {
                large(workload.largeExecution());
                if (!noExport) {
                    export(workload.largeExecution());
                }
            }
            String word = "/v2/workflows/" + workload.workflow() + "/logs?limit=100&q=";
            question("word_in_workflow", () -> logs(word + SeedWorkload.UNCOMMON_WORD, PAGE));
            bare(
                    "word_in_workflow",
                    from -> from.wordInWorkflow(workload.workflow(), SeedWorkload.UNCOMMON_WORD, PAGE));
        }

        private void small() throws InterruptedException {
            int limit = Math.min(1_000, seed.entries);
            question("execution_" + limit, () -> logs(history(any(), "limit=" + limit), limit));
            bare("execution_" + limit, from -> from.page(any(), 0, limit));
            question("page_100", () -> logs(history(any(), "limit=100"), Math.min(PAGE, seed.entries)));
            bare("page_100", from -> from.page(any(), 0, PAGE));
            question("level", () -> logs(history(any(), "level=warning&limit=100"), -1));
            bare("level", from -> from.level(any(), "warning", PAGE));
            question("word", () -> logs(history(any(), "limit=100&q=" + SeedWorkload.UNCOMMON_WORD), -1));
            bare("word", from -> from.word(any(), SeedWorkload.UNCOMMON_WORD, PAGE));
            question("summary", () -> summary(any(), seed.entries));
            bare("summary", from -> from.state(any()));
        }

        private void large(String id) throws IOException, InterruptedException {
            question("large_page_first", () -> logs(history(id, "limit=100"), PAGE));
            bare("large_page_first", from -> from.page(id, 0, PAGE));
            int depth = Math.min(DEEP_PAGES, seed.largeEntries / PAGE - 1);
            String cursor = walk(id, depth);
            question("large_page_" + depth + "_deep", () -> logs(history(id, "limit=100&cursor=" + cursor), PAGE));
            bare("large_page_" + depth + "_deep", from -> from.page(id, (long) depth * PAGE, PAGE));
            question("large_level", () -> logs(history(id, "level=error&limit=100"), -1));
            bare("large_level", from -> from.level(id, "error", PAGE));
            String newest = "limit=100&order=desc&count=false&q=";
            question("large_word_newest", () -> logs(history(id, newest + SeedWorkload.UNCOMMON_WORD), PAGE));
            bare("large_word_newest", from -> from.wordNewest(id, SeedWorkload.UNCOMMON_WORD, PAGE));
            question("large_rare_word", () -> logs(history(id, newest + SeedWorkload.RARE_WORD), -1));
            bare("large_rare_word", from -> from.wordNewest(id, SeedWorkload.RARE_WORD, PAGE));
            question("large_summary", () -> summary(id, seed.largeEntries));
            bare("large_summary", from -> from.state(id));
        }

        private String any() {
            return workload.execution(random.nextInt(seed.executions));
        }

        private String history(String id, String query) {
            return "/v2/workflows/executions/" + id + "/logs?" + query;
        }

        /** @param expected entries, or -1 for any number */
        private Check logs(String path, int expected) throws IOException {
            HttpConnection.Response answer = connection.get(server, path);
            return () -> {
                if (answer.status() != 200) {
                    throw new IOException(path + ": status " + answer.status() + ' ' + answer.text());
                }
                int found = occurrences(answer.body(), "\"seq\":".getBytes(StandardCharsets.US_ASCII));
                if (expected >= 0 && found != expected) {
                    throw new IOException(path + ": " + found + " entries, not " + expected);
                }
            };
        }

        private Check summary(String id, long expected) throws IOException {
            HttpConnection.Response answer = connection.get(server, "/v2/executions/" + id + "/logs/summary");
            return () -> {
                long found = BenchSeed.json(answer).getLong("total_logs");
                if (found != expected) {
                    throw new IOException("the summary of " + id + " counts " + found);
                }
            };
        }

        private String walk(String id, int pages) throws IOException {
            String cursor = "";
            for (int page = 0; page < pages; page++) {
                int at = page;
                progress.show(() -> "walking to page " + at + " of " + pages);
                String query = "limit=100&count=false" + (cursor.isEmpty() ? "" : "&cursor=" + cursor);
                cursor = BenchSeed.json(connection.get(server, history(id, query)))
                        .getJsonObject("pagination")
                        .getString("next_cursor");
            }
            return cursor;
        }

        private void export(String id) throws IOException, InterruptedException {
            progress.show(() -> "export of " + id);
            String path = "/v2/executions/" + id + "/logs/export?format=ndjson";
            var download = new Download(server, path);
            long began = System.nanoTime();
            long lines = download.lines();
            double took = (System.nanoTime() - began) / 1e9;
            report.add("export", "entries", lines)
                    .add("export", "seconds", took)
                    .add("export", "entries_per_second", lines / took)
                    .add("export", "mib_per_second", download.bytes() / took / (1 << 20));
            if (lines < seed.largeEntries) {
                report.fail("the export has " + lines + " lines, not " + seed.largeEntries);
            }
            if (sql.isPresent()) {
                began = System.nanoTime();
                long rows = sql.get().all(id);
                took = (System.nanoTime() - began) / 1e9;
                report.add("export", "sql_rows", rows).add("export", "sql_rows_per_second", rows / took);
            }
        }

        private void question(String name, Ask ask) throws InterruptedException {
            measure(name, "http", ask);
        }

        private void bare(String name, ReadSql.Question question) throws InterruptedException {
            if (sql.isPresent()) {
                measure(name, "sql", () -> {
                    question.ask(sql.get());
                    return () -> {};
                });
            }
        }

        /** A question that fails is told, and the next one asked. */
        private void measure(String name, String way, Ask ask) throws InterruptedException {
            try {
                timed(name, way, ask);
            } catch (IOException e) {
                report.fail(name + " by " + way + ": " + HttpConnection.printable(String.valueOf(e.getMessage())));
            }
        }

        private void timed(String name, String way, Ask ask) throws IOException, InterruptedException {
            progress.show(() -> name + " by " + way);
            Histogram micros = OpenLoop.histogram();
            long start = System.nanoTime();
            long patience = Duration.ofSeconds(seconds).toNanos();
            Check first = ask.once();
            report.add(name, way + "_first_ms", (System.nanoTime() - start) / 1e6);
            first.isRight();
            for (int i = 1; i < WARM_UP && System.nanoTime() - start < patience / 4; i++) {
                ask.once().isRight();
            }
            do {
                long began = System.nanoTime();
                Check answer = ask.once();
                OpenLoop.record(micros, (System.nanoTime() - began) / 1_000);
                answer.isRight();
            } while (micros.getTotalCount() < requests && System.nanoTime() - start < patience);
            report.add(name, way + "_p50_ms", micros.getValueAtPercentile(50) / 1_000.0)
                    .add(name, way + "_p95_ms", micros.getValueAtPercentile(95) / 1_000.0)
                    .add(name, way + "_requests", micros.getTotalCount());
        }
    }

    private static int occurrences(byte[] in, byte[] of) {
        int count = 0;
        for (int i = 0; i + of.length <= in.length; i++) {
            int matched = 0;
            while (matched < of.length && in[i + matched] == of[matched]) {
                matched++;
            }
            count += matched == of.length ? 1 : 0;
        }
        return count;
    }
}
