package tailrace.cli;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code bench ingest}: how many entries a second the server acknowledges as durable, and how soon. */
@Command(
        name = "ingest",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Posts batches at a set rate, then asks for every entry that was acknowledged.",
            "Latency counts from the time a request was scheduled for. With --rate 0 each connection sends as soon as it"
                    + " is answered: saturation.",
            "Exits with 1 if the run missed its rate, or if something that was acknowledged cannot be read.",
            ""
        })
final class BenchIngest implements Callable<Integer> {
    private static final String BATCH_PATH = "/v2/logs/batch";
    /** A run that acknowledged less of what it should have missed its rate. */
    private static final double RATE_REACHED = 0.99;

    private static final Duration GRACE = Duration.ofSeconds(10);

    @Mixin
    private BenchTarget target = new BenchTarget();

    @Option(
            names = "--rate",
            defaultValue = "10000",
            description = "Entries a second; 0 for saturation (default: ${DEFAULT-VALUE}).")
    private double rate;

    @Option(
            names = "--connections",
            defaultValue = "8",
            description = "Connections, each with one request at a time (default: ${DEFAULT-VALUE}).")
    private int connections;

    @Option(names = "--batch", defaultValue = "100", description = "Entries a request (default: ${DEFAULT-VALUE}).")
    private int batch;

    @Option(
            names = "--entry-bytes",
            defaultValue = "450",
            description = "JSON bytes an entry, about (default: ${DEFAULT-VALUE}).")
    private int entryBytes;

    @Option(
            names = "--executions",
            defaultValue = "100",
            description = "Executions written in turn (default: ${DEFAULT-VALUE}).")
    private int executions;

    @Option(
            names = "--friendly",
            defaultValue = "0.2",
            description = "Share of user-friendly entries, the ones PostgreSQL keeps (default: ${DEFAULT-VALUE}).")
    private double friendly;

    @Option(
            names = "--duration",
            defaultValue = "30",
            description = "Seconds that are measured (default: ${DEFAULT-VALUE}).")
    private int durationSeconds;

    @Option(names = "--warm-up", defaultValue = "5", description = "Seconds before that (default: ${DEFAULT-VALUE}).")
    private int warmUpSeconds;

    @Option(
            names = "--max-p95",
            defaultValue = "0",
            description = "Fail if p95 is above so many milliseconds; 0 for any (default: ${DEFAULT-VALUE}).")
    private double maxP95Ms;

    @Option(
            names = "--verify",
            defaultValue = "sample",
            description =
                    "What is read back: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}: all counts, some batches).")
    private IngestVerifier.Mode verify = IngestVerifier.Mode.sample;

    @Option(
            names = "--empty-path",
            defaultValue = "/v2/bench/empty",
            description =
                    "A route of the server that only answers 202, as the limit; skipped where it is 404 (default: ${DEFAULT-VALUE}).")
    private String emptyPath = "";

    @Option(
            names = "--empty-seconds",
            defaultValue = "5",
            description = "How long that is measured; 0 leaves it out (default: ${DEFAULT-VALUE}).")
    private int emptySeconds;

    @Option(
            names = "--postgres",
            paramLabel = "URL",
            description =
                    "The server's PostgreSQL, by a login that may read its tables and make a schema: how fast this run's rows arrived there, and a bare multi-row INSERT of the same rows as the limit.")
    private @Nullable String postgres;

    @Option(
            names = "--postgres-schema",
            defaultValue = "tailrace",
            description = "Schema of the server's tables (default: ${DEFAULT-VALUE}).")
    private String postgresSchema = "";

    @Option(
            names = "--postgres-seconds",
            defaultValue = "10",
            description = "How long the bare INSERT is measured (default: ${DEFAULT-VALUE}).")
    private int postgresSeconds;

    @Override
    public Integer call() throws InterruptedException {
        BenchTarget.Server server = target.server();
        check();
        BenchReport report = new BenchReport("bench ingest").add("run", "server", server.toString());
        try (Progress progress = target.progress()) {
            run(server, report, progress);
        } catch (IOException e) {
            report.fail("the run was cut short: " + HttpConnection.printable(String.valueOf(e.getMessage())));
        }
        return target.print(report);
    }

    private void check() {
        target.within("--rate", rate, 0, 10_000_000);
        target.within("--connections", connections, 1, 1_000);
        target.within("--batch", batch, 1, 5_000);
        target.within("--entry-bytes", entryBytes, 300, 10_000);
        target.within("--executions", executions, 1, 100_000);
        target.within("--friendly", friendly, 0, 1);
        target.within("--duration", durationSeconds, 1, 3_600);
        target.within("--warm-up", warmUpSeconds, 0, 600);
        target.within("--empty-seconds", emptySeconds, 0, 600);
        target.within("--postgres-seconds", postgresSeconds, 1, 600);
        target.within("--max-p95", maxP95Ms, 0, 3_600_000);
        if (postgres != null) {
            target.postgres("--postgres", postgres);
        }
        if (!emptyPath.matches("/[\\x21-\\x7e]*")) {
            throw target.wrong("--empty-path must be a path, not " + emptyPath);
        }
    }

    private void run(BenchTarget.Server server, BenchReport report, Progress progress)
            throws IOException, InterruptedException {
        List<String> ids = executionIds("bench", executions);
        BatchTemplate template = template(server, BATCH_PATH, ids);
        AckLedger ledger = new AckLedger(ids);
        BenchClock clock = BenchClock.start();
        IngestSender.FirstProblem problem = new IngestSender.FirstProblem();
        OpenLoop.Result result = load(
                progress,
                "ingest",
                Duration.ofSeconds(warmUpSeconds),
                Duration.ofSeconds(durationSeconds),
                worker -> new IngestSender(server, template, ids, ledger, clock, problem));
        describe(report);
        figures(report, "ingest", result);
        report.add("ingest", "acknowledged_with_warm_up", ledger.total());
        judge(report, result, problem);

        if (postgres == null) {
            verify(server, report, progress, ledger);
            emptyEndpoint(server, report, progress, ids, clock, result);
            return;
        }
        try (PostgresLimit limit = new PostgresLimit(target.postgres("--postgres", postgres), postgresSchema, ledger)) {
            progress.show(() -> "waiting for the rows in PostgreSQL");
            PostgresLimit.Arrival arrival = limit.arrival(report, template, clock, clock.epochMicros());
            verify(server, report, progress, ledger);
            emptyEndpoint(server, report, progress, ids, clock, result);
            progress.show(() -> "bare INSERT into PostgreSQL");
            limit.bareInsert(report, arrival, Duration.ofSeconds(postgresSeconds));
        }
    }

    private OpenLoop.Result load(
            Progress progress,
            String name,
            Duration warmUp,
            Duration duration,
            Function<Integer, OpenLoop.Sender> sender)
            throws InterruptedException {
        List<OpenLoop.Sender> senders = new ArrayList<>();
        for (int worker = 0; worker < connections; worker++) {
            senders.add(sender.apply(worker));
        }
        OpenLoop loop =
                new OpenLoop(new OpenLoop.Plan(rate / batch, connections, warmUp, duration, GRACE), OpenLoop.SYSTEM);
        long[] before = {0};
        progress.show(() -> {
            long now = loop.acknowledgedSoFar();
            long second = now - before[0];
            before[0] = now;
            long left = Math.max(0, (loop.endNanos() - System.nanoTime()) / 1_000_000_000L);
            return String.format("%s: %,d entries/s, %,d in all, %d s to go", name, second, now, left);
        });
        return loop.run(senders);
    }

    private void describe(BenchReport report) {
        report.add("run", "rate_entries_per_second", rate == 0 ? "saturation (closed loop)" : (Object) rate)
                .add("run", "connections", connections)
                .add("run", "batch_entries", batch)
                .add("run", "entry_bytes", entryBytes)
                .add("run", "executions", executions)
                .add("run", "friendly_share", friendly)
                .add("run", "warm_up_s", warmUpSeconds)
                .add("run", "duration_s", durationSeconds);
    }

    private static void figures(BenchReport report, String section, OpenLoop.Result result) {
        report.add(section, "entries_per_second", result.entriesPerSecond())
                .add(section, "requests_per_second", result.requestsPerSecond())
                .latency(section, result.latencyMicros())
                .add(section, "entries", result.entries())
                .add(section, "requests_refused", result.refused())
                .add(section, "requests_failed", result.failed())
                .add(section, "requests_unsent", result.unsent());
    }

    private void judge(BenchReport report, OpenLoop.Result result, IngestSender.FirstProblem problem) {
        if (rate > 0 && result.entriesPerSecond() < rate * RATE_REACHED) {
            report.fail(String.format(
                    "missed its rate: %,.0f of %,.0f entries/s.%s", result.entriesPerSecond(), rate, problem.suffix()));
        }
        if (result.failed() > 0 || result.entries() == 0) {
            report.fail(result.failed() + " requests failed." + problem.suffix());
        }
        double p95Ms = result.latencyMicros().getValueAtPercentile(95) / 1_000.0;
        if (maxP95Ms > 0 && p95Ms > maxP95Ms) {
            report.fail(String.format("p95 is %.3f ms, over %.3f ms", p95Ms, maxP95Ms));
        }
    }

    private void verify(BenchTarget.Server server, BenchReport report, Progress progress, AckLedger ledger)
            throws IOException {
        IngestVerifier verifier = new IngestVerifier(server, ledger);
        progress.show(() -> String.format("verify: %,d entries read back", verifier.read()));
        List<String> findings = verifier.verify(verify);
        report.add("verify", "mode", verify.name()).add("verify", "entries_read_back", verifier.read());
        report.add("verify", "findings", findings.size());
        findings.forEach(report::fail);
    }

    /** The same requests at the same pace to a route that does nothing: what HTTP alone costs here. */
    private void emptyEndpoint(
            BenchTarget.Server server,
            BenchReport report,
            Progress progress,
            List<String> ids,
            BenchClock clock,
            OpenLoop.Result ingest)
            throws IOException, InterruptedException {
        if (emptySeconds == 0) {
            return;
        }
        try (HttpConnection probe = new HttpConnection(server)) {
            int status = probe.send(server, "POST", emptyPath, "{}").status();
            if (status != 202) {
                report.add("empty", "skipped", emptyPath + " answers " + status + ", not 202");
                return;
            }
        }
        BatchTemplate template = template(server, emptyPath, ids);
        IngestSender.FirstProblem problem = new IngestSender.FirstProblem();
        OpenLoop.Result result = load(
                progress,
                "empty endpoint",
                Duration.ofSeconds(1),
                Duration.ofSeconds(emptySeconds),
                worker -> new IngestSender(server, template, ids, null, clock, problem));
        figures(report, "empty", result);
        report.add("empty", "ingest_to_empty_ratio", ingest.entriesPerSecond() / result.entriesPerSecond());
    }

    private BatchTemplate template(BenchTarget.Server server, String path, List<String> ids) {
        return new BatchTemplate(
                server, path, batch, entryBytes, friendly, ids.get(0).length());
    }

    /** Ids of one length that no other run has. */
    static List<String> executionIds(String prefix, int count) {
        String run = Long.toString(System.currentTimeMillis(), 36);
        List<String> ids = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            ids.add(String.format("%s-%s-%06d", prefix, run, i));
        }
        return List.copyOf(ids);
    }
}
