package tailrace.cli;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code bench memory}: what executions cost the server's heap, while they are active and once they are not. */
@Command(
        name = "memory",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Reads the server's heap without load, with active executions, with a live reader on each, and after many"
                    + " executions have come and fallen silent.",
            "Start the server for it alone, with the heap that is to suffice: java -Xmx256m -jar tailrace.jar serve",
            "Exits with 1 if a limit is passed, a rate is missed, or a reader missed an entry.",
            ""
        })
final class BenchMemory implements Callable<Integer> {
    private static final double RATE_REACHED = 0.99;
    private static final Duration GRACE = Duration.ofSeconds(10);

    @Mixin
    private BenchTarget target = new BenchTarget();

    @Option(
            names = "--pid",
            defaultValue = "0",
            description = "The server's process on this machine, so that its garbage is collected before the heap is"
                    + " read; without it the least seen while things settle counts.")
    private long pid;

    @Option(
            names = "--active",
            defaultValue = "1000",
            description = "Executions that are active at once (default: ${DEFAULT-VALUE}).")
    private int active;

    @Option(
            names = "--rate",
            defaultValue = "10000",
            description = "Entries a second into them (default: ${DEFAULT-VALUE}).")
    private double rate;

    @Option(names = "--batch", defaultValue = "20", description = "Entries a request (default: ${DEFAULT-VALUE}).")
    private int batch;

    @Option(
            names = "--connections",
            defaultValue = "8",
            description = "Connections, each with one request at a time (default: ${DEFAULT-VALUE}).")
    private int connections;

    @Option(
            names = "--entry-bytes",
            defaultValue = "450",
            description = "JSON bytes an entry, about (default: ${DEFAULT-VALUE}).")
    private int entryBytes;

    @Option(
            names = "--duration",
            defaultValue = "30",
            description = "Seconds of each load (default: ${DEFAULT-VALUE}).")
    private int durationSeconds;

    @Option(
            names = "--past",
            defaultValue = "100000",
            description =
                    "Executions that get one request of 5 entries and are silent then (default: ${DEFAULT-VALUE}).")
    private int past;

    @Option(
            names = "--past-rate",
            defaultValue = "1000",
            description = "How many of them a second (default: ${DEFAULT-VALUE}).")
    private double pastRate;

    @Option(
            names = "--settle",
            defaultValue = "5",
            description = "Seconds between a load and the reading after it (default: ${DEFAULT-VALUE}).")
    private int settleSeconds;

    @Option(
            names = "--max-heap",
            defaultValue = "256",
            description = "Fail if the heap is above so many MiB at any reading (default: ${DEFAULT-VALUE}).")
    private double maxHeapMib;

    @Option(
            names = "--max-active",
            defaultValue = "100",
            description = "Fail if the active executions cost more MiB, with or without readers (default:"
                    + " ${DEFAULT-VALUE}).")
    private double maxActiveMib;

    @Option(
            names = "--max-past",
            defaultValue = "100",
            description = "Fail if the silent executions cost more MiB (default: ${DEFAULT-VALUE}).")
    private double maxPastMib;

    private static final int PAST_ENTRIES = 5;

    @Override
    public Integer call() throws InterruptedException {
        BenchTarget.Server server = target.plainServer();
        check();
        BenchReport report = new BenchReport("bench memory").add("run", "server", server.toString());
        ServerMemory memory = new ServerMemory(server, pid == 0 ? OptionalLong.empty() : OptionalLong.of(pid));
        try (Progress progress = target.progress()) {
            new Run(server, report, progress, memory).all();
        } catch (IOException e) {
            report.fail("the run was cut short: " + HttpConnection.printable(String.valueOf(e.getMessage())));
        }
        return target.print(report);
    }

    private void check() {
        target.within("--pid", pid, 0, Integer.MAX_VALUE);
        target.within("--active", active, 1, 10_000);
        target.within("--rate", rate, 1, 10_000_000);
        target.within("--batch", batch, 1, 5_000);
        target.within("--connections", connections, 1, 1_000);
        target.within("--entry-bytes", entryBytes, 300, 10_000);
        target.within("--duration", durationSeconds, 1, 3_600);
        target.within("--past", past, 1, 10_000_000);
        target.within("--past-rate", pastRate, 1, 1_000_000);
        target.within("--settle", settleSeconds, 0, 3_600);
        target.within("--max-heap", maxHeapMib, 1, 1_000_000);
        target.within("--max-active", maxActiveMib, 0, 1_000_000);
        target.within("--max-past", maxPastMib, 0, 1_000_000);
    }

    /** One run, step by step; belongs to the command's thread. */
    private final class Run {
        private final BenchTarget.Server server;
        private final BenchReport report;
        private final Progress progress;
        private final ServerMemory memory;
        private final BenchClock clock = BenchClock.start();
        private final IngestSender.FirstProblem problem = new IngestSender.FirstProblem();

        Run(BenchTarget.Server server, BenchReport report, Progress progress, ServerMemory memory) {
            this.server = server;
            this.report = report;
            this.progress = progress;
            this.memory = memory;
        }

        void all() throws IOException, InterruptedException {
            report.add("run", "active_executions", active)
                    .add("run", "rate_entries_per_second", rate)
                    .add("run", "entry_bytes", entryBytes)
                    .add("run", "duration_s", durationSeconds)
                    .add("run", "silent_executions", past)
                    .add("run", "garbage_collected_first", pid == 0 ? "no" : "yes");
            double idle = read("idle", 0, 0);
            List<String> ids = BenchIngest.executionIds("bench-memory", active);
            BenchStream.status(server, ids, "RUNNING");
            try {
                AckLedger ledger = new AckLedger(ids);
                load("active", ids, ledger, batch, rate / batch, Duration.ofSeconds(durationSeconds));
                read("active", idle, maxActiveMib);
                watched(ids, ledger, idle);
            } finally {
                BenchStream.status(server, ids, "STOPPED");
            }
            List<String> silent = BenchIngest.executionIds("bench-silent", past);
            Duration time = Duration.ofMillis((long) Math.ceil(past * 1_000.0 / pastRate));
            load("silent", silent, new AckLedger(silent), PAST_ENTRIES, pastRate, time);
            read("silent", idle, maxPastMib);
        }

        /** A reading after a load, or before any if {@code idle} is 0; what it is above idle. */
        private double read(String section, double idle, double maxMib) throws IOException, InterruptedException {
            progress.show(() -> section + ": reading the heap");
            ServerMemory.Reading reading = memory.settled(settleSeconds);
            reading.addTo(report, section);
            if (idle > 0) {
                double cost = reading.heap() - idle;
                report.add(section, "heap_above_idle_mib", cost);
                if (cost > maxMib) {
                    report.fail(String.format("%s executions cost %.1f MiB, over %.1f", section, cost, maxMib));
                }
            }
            if (reading.heap() > maxHeapMib) {
                report.fail(String.format("%s: the heap has %.1f MiB, over %.1f", section, reading.heap(), maxHeapMib));
            }
            return reading.heap();
        }

        private void load(
                String section,
                List<String> ids,
                AckLedger ledger,
                int entries,
                double requestsPerSecond,
                Duration duration)
                throws InterruptedException {
            BatchTemplate template = new BatchTemplate(
                    server,
                    "/v2/logs/batch",
                    entries,
                    entryBytes,
                    0.2,
                    ids.get(0).length());
            List<OpenLoop.Sender> senders = new ArrayList<>();
            for (int i = 0; i < connections; i++) {
                senders.add(new IngestSender(server, template, ids, ledger, clock, problem));
            }
            OpenLoop loop = new OpenLoop(
                    new OpenLoop.Plan(requestsPerSecond, connections, Duration.ZERO, duration, GRACE), OpenLoop.SYSTEM);
            progress.show(() -> String.format("%s: %,d entries", section, loop.acknowledgedSoFar()));
            OpenLoop.Result result = loop.run(senders);
            report.add(section, "entries_per_second", result.entriesPerSecond())
                    .add(section, "entries", result.entries());
            double wanted = requestsPerSecond * entries;
            if (result.entriesPerSecond() < wanted * RATE_REACHED || result.failed() > 0) {
                report.fail(String.format(
                        "%s: missed its rate: %,.0f of %,.0f entries/s, %d requests failed.%s",
                        section, result.entriesPerSecond(), wanted, result.failed(), problem.suffix()));
            }
        }

        /** The same load again, with a reader on each execution, who reads what was there before first. */
        private void watched(List<String> ids, AckLedger ledger, double idle) throws IOException, InterruptedException {
            SseReaders readers =
                    new SseReaders(server.address(), BenchStream.requests(server, ids), active, clock, problem);
            Thread thread = new Thread(readers, "bench-readers");
            thread.setDaemon(true);
            thread.start();
            try {
                BenchStream.open(readers, active, progress);
                load("watched", ids, ledger, batch, rate / batch, Duration.ofSeconds(durationSeconds));
                BenchStream.drain(readers, ledger.total(), BenchStream.DRAIN_TIMEOUT);
                read("watched", idle, maxActiveMib);
                SseReaders.Counts counts = readers.counts();
                report.add("watched", "readers", counts.opened()).add("watched", "delivered", counts.entries());
                if (counts.opened() < active
                        || counts.closed() > 0
                        || counts.entries() != ledger.total()
                        || counts.wrongOrder() + counts.missing() + counts.gaps() > 0) {
                    report.fail(String.format(
                            "watched: %,d of %,d entries delivered to %,d of %,d readers, %,d out of order, %,d skipped,"
                                    + " %,d gaps.%s",
                            counts.entries(),
                            ledger.total(),
                            counts.opened(),
                            active,
                            counts.wrongOrder(),
                            counts.missing(),
                            counts.gaps(),
                            problem.suffix()));
                }
            } finally {
                readers.stop();
                thread.join();
            }
        }
    }
}
