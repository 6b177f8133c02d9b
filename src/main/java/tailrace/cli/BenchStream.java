package tailrace.cli;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code bench stream}: how soon an entry is with everyone who watches its execution. */
@Command(
        name = "stream",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Opens SSE readers, publishes at a set rate, and counts what each reader gets.",
            "Latency counts from the time an entry was scheduled to be posted to the read that brought it.",
            "Exits with 1 if the run missed its rate, or if any reader missed an entry or got one twice or out of order.",
            ""
        })
final class BenchStream implements Callable<Integer> {
    private static final double RATE_REACHED = 0.99;
    private static final Duration GRACE = Duration.ofSeconds(10);
    private static final long OPEN_TIMEOUT_NANOS = Duration.ofSeconds(60).toNanos();
    /** How long entries may take to readers after the last was published. */
    static final Duration DRAIN_TIMEOUT = Duration.ofSeconds(15);

    private static final long POLL_MS = 20;

    @Mixin
    private BenchTarget target = new BenchTarget();

    @Option(names = "--readers", defaultValue = "1000", description = "Streams held open (default: ${DEFAULT-VALUE}).")
    private int readers;

    @Option(
            names = "--executions",
            defaultValue = "1",
            description = "Executions, spread evenly over readers and entries (default: ${DEFAULT-VALUE}).")
    private int executions;

    @Option(
            names = "--rate",
            defaultValue = "100",
            description = "Entries a second, over all executions (default: ${DEFAULT-VALUE}).")
    private double rate;

    @Option(
            names = "--batch",
            defaultValue = "1",
            description =
                    "Entries a request; all of a batch are scheduled for the same moment (default: ${DEFAULT-VALUE}).")
    private int batch;

    @Option(
            names = "--publishers",
            defaultValue = "4",
            description = "Connections that publish (default: ${DEFAULT-VALUE}).")
    private int publishers;

    @Option(
            names = "--entry-bytes",
            defaultValue = "450",
            description = "JSON bytes an entry, about (default: ${DEFAULT-VALUE}).")
    private int entryBytes;

    @Option(
            names = "--friendly",
            defaultValue = "0.2",
            description = "Share of user-friendly entries (default: ${DEFAULT-VALUE}).")
    private double friendly;

    @Option(
            names = "--duration",
            defaultValue = "30",
            description = "Seconds that are measured (default: ${DEFAULT-VALUE}).")
    private int durationSeconds;

    @Option(
            names = "--warm-up",
            defaultValue = "5",
            description = "Seconds before that; counted, but not in the latency (default: ${DEFAULT-VALUE}).")
    private int warmUpSeconds;

    @Option(
            names = "--drain",
            defaultValue = "15",
            description = "Seconds that entries may still take after the last was published (default:"
                    + " ${DEFAULT-VALUE}).")
    private int drainSeconds;

    @Option(
            names = "--max-p99",
            defaultValue = "0",
            description = "Fail if p99 is above so many milliseconds; 0 for any (default: ${DEFAULT-VALUE}).")
    private double maxP99Ms;

    @Override
    public Integer call() throws InterruptedException {
        BenchTarget.Server server = target.plainServer();
        check();
        BenchReport report = new BenchReport("bench stream").add("run", "server", server.toString());
        try (Progress progress = target.progress()) {
            run(server, report, progress);
        } catch (IOException e) {
            report.fail("the run was cut short: " + HttpConnection.printable(String.valueOf(e.getMessage())));
        }
        return target.print(report);
    }

    private void check() {
        target.within("--readers", readers, 1, 100_000);
        target.within("--executions", executions, 1, 10_000);
        target.within("--rate", rate, 0.1, 1_000_000);
        target.within("--batch", batch, 1, 5_000);
        target.within("--publishers", publishers, 1, 100);
        target.within("--entry-bytes", entryBytes, 300, 10_000);
        target.within("--friendly", friendly, 0, 1);
        target.within("--duration", durationSeconds, 1, 3_600);
        target.within("--warm-up", warmUpSeconds, 0, 600);
        target.within("--drain", drainSeconds, 0, 600);
        target.within("--max-p99", maxP99Ms, 0, 3_600_000);
    }

    private void run(BenchTarget.Server server, BenchReport report, Progress progress)
            throws IOException, InterruptedException {
        List<String> ids = BenchIngest.executionIds("bench-stream", executions);
        status(server, ids, "RUNNING");
        BatchTemplate template = new BatchTemplate(
                server,
                "/v2/logs/batch",
                batch,
                entryBytes,
                friendly,
                ids.get(0).length());
        AckLedger ledger = new AckLedger(ids);
        IngestSender.FirstProblem problem = new IngestSender.FirstProblem();
        BenchClock clock = BenchClock.start();
        // Readers open before the loop's clock starts, so its first entry is live for all; they learn the moment later.
        SseReaders streams = new SseReaders(server.address(), requests(server, ids), readers, clock, problem);
        Thread thread = new Thread(streams, "bench-readers");
        thread.setDaemon(true);
        thread.start();
        try {
            open(streams, readers, progress);
            OpenLoop loop = new OpenLoop(
                    new OpenLoop.Plan(
                            rate / batch,
                            publishers,
                            Duration.ofSeconds(warmUpSeconds),
                            Duration.ofSeconds(durationSeconds),
                            GRACE),
                    OpenLoop.SYSTEM);
            streams.measureFrom(clock.micros(loop.measureNanos()));
            publishing(progress, streams, loop);
            List<OpenLoop.Sender> senders = new ArrayList<>();
            for (int i = 0; i < publishers; i++) {
                senders.add(new IngestSender(server, template, ids, ledger, clock, problem));
            }
            OpenLoop.Result published = loop.run(senders);
            long expected = expected(ledger);
            drain(streams, expected, Duration.ofSeconds(drainSeconds));
            SseReaders.Counts counts = streams.counts();
            describe(report);
            figures(report, published, counts, expected, clock.micros(loop.measureNanos()));
            streams.stop();
            thread.join();
            report.latency("delivery", streams.latencyMicros());
            judge(report, published, counts, expected, streams, problem);
        } finally {
            streams.stop();
            status(server, ids, "STOPPED");
        }
    }

    static List<byte[]> requests(BenchTarget.Server server, List<String> ids) {
        return ids.stream()
                .map(id -> HttpConnection.head(
                        "GET",
                        server.path("/v2/executions/" + IngestVerifier.encode(id) + "/logs/stream"),
                        server,
                        "Accept: text/event-stream\r\n"))
                .toList();
    }

    /** Streams need an execution that exists, and people who list executions a benchmark that ends. */
    static void status(BenchTarget.Server server, List<String> ids, String status) throws IOException {
        try (HttpConnection connection = new HttpConnection(server)) {
            for (String id : ids) {
                HttpConnection.Response response = connection.send(
                        server,
                        "PUT",
                        "/v2/executions/" + IngestVerifier.encode(id),
                        "{\"status\":\"" + status + "\"}");
                if (response.status() / 100 != 2) {
                    throw new IOException("PUT of an execution answered " + response.status() + ": "
                            + HttpConnection.printable(response.text()));
                }
            }
        }
    }

    /** Waits until so many streams are open or have failed. */
    static void open(SseReaders streams, int readers, Progress progress) throws InterruptedException {
        progress.show(() -> {
            SseReaders.Counts now = streams.counts();
            return String.format("opening: %,d of %,d streams, %,d failed", now.opened(), readers, now.failed());
        });
        long deadline = System.nanoTime() + OPEN_TIMEOUT_NANOS;
        while (System.nanoTime() < deadline) {
            SseReaders.Counts now = streams.counts();
            if (now.opened() + now.failed() >= readers) {
                return;
            }
            Thread.sleep(POLL_MS);
        }
    }

    private void publishing(Progress progress, SseReaders streams, OpenLoop loop) {
        long[] before = {0};
        progress.show(() -> {
            SseReaders.Counts now = streams.counts();
            long second = now.entries() - before[0];
            before[0] = now.entries();
            return String.format(
                    "stream: %,d deliveries/s, %,d in all, %,d streams closed, %d s to go",
                    second,
                    now.entries(),
                    now.closed(),
                    Math.max(0, (loop.endNanos() - System.nanoTime()) / 1_000_000_000L));
        });
    }

    /** Every reader is due every entry of its execution that was acknowledged. */
    private long expected(AckLedger ledger) {
        long expected = 0;
        for (int reader = 0; reader < readers; reader++) {
            expected += ledger.acknowledged(reader % executions);
        }
        return expected;
    }

    /** Waits until so many entries are delivered, or will not be any more. */
    static void drain(SseReaders streams, long expected, Duration patience) throws InterruptedException {
        long deadline = System.nanoTime() + patience.toNanos();
        while (streams.counts().entries() < expected && System.nanoTime() < deadline) {
            Thread.sleep(POLL_MS);
        }
    }

    private void describe(BenchReport report) {
        report.add("run", "readers", readers)
                .add("run", "executions", executions)
                .add("run", "rate_entries_per_second", rate)
                .add("run", "batch_entries", batch)
                .add("run", "publishers", publishers)
                .add("run", "entry_bytes", entryBytes)
                .add("run", "warm_up_s", warmUpSeconds)
                .add("run", "duration_s", durationSeconds);
    }

    private static void figures(
            BenchReport report, OpenLoop.Result published, SseReaders.Counts counts, long expected, long fromMicros) {
        report.add("publish", "entries_per_second", published.entriesPerSecond())
                .latency("publish", published.latencyMicros())
                .add("publish", "requests_refused", published.refused())
                .add("publish", "requests_failed", published.failed())
                .add("publish", "requests_unsent", published.unsent());
        double seconds = Math.max(published.seconds(), (counts.lastDeliveryMicros() - fromMicros) / 1e6);
        report.add("delivery", "deliveries_per_second", counts.measured() / seconds)
                .add("delivery", "delivered", counts.entries())
                .add("delivery", "expected", expected)
                .add("delivery", "streams_opened", counts.opened())
                .add("delivery", "streams_failed", counts.failed())
                .add("delivery", "streams_closed_early", counts.closed())
                .add("delivery", "repeated_or_out_of_order", counts.wrongOrder())
                .add("delivery", "ids_skipped", counts.missing())
                .add("delivery", "gap_or_error_events", counts.gaps());
    }

    private void judge(
            BenchReport report,
            OpenLoop.Result published,
            SseReaders.Counts counts,
            long expected,
            SseReaders streams,
            IngestSender.FirstProblem problem) {
        if (published.entriesPerSecond() < rate * RATE_REACHED || published.failed() > 0) {
            report.fail(String.format(
                    "missed its rate: published %,.0f of %,.0f entries/s, %d requests failed.%s",
                    published.entriesPerSecond(), rate, published.failed(), problem.suffix()));
        }
        if (counts.opened() < readers || counts.closed() > 0) {
            report.fail(counts.opened() + " of " + readers + " streams opened, " + counts.closed() + " closed early."
                    + problem.suffix());
        }
        if (counts.entries() != expected || counts.wrongOrder() > 0 || counts.missing() > 0 || counts.gaps() > 0) {
            report.fail(String.format(
                    "not exactly once and in order: %,d of %,d delivered, %,d repeated or out of order, %,d skipped, %,d"
                            + " gaps.%s",
                    counts.entries(),
                    expected,
                    counts.wrongOrder(),
                    counts.missing(),
                    counts.gaps(),
                    problem.suffix()));
        }
        double p99Ms = streams.latencyMicros().getValueAtPercentile(99) / 1_000.0;
        if (maxP99Ms > 0 && p99Ms > maxP99Ms) {
            report.fail(String.format("p99 is %.3f ms, over %.3f ms", p99Ms, maxP99Ms));
        }
    }
}
