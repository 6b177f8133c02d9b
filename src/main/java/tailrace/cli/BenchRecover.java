package tailrace.cli;

import com.github.f4b6a3.uuid.UuidCreator;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.pgclient.PgConnectOptions;
import io.vertx.pgclient.SslMode;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import tailrace.bus.BusMessage;
import tailrace.config.ConfigLoader;
import tailrace.config.TailraceConfig;
import tailrace.degradation.Shedder;
import tailrace.http.Services;
import tailrace.ingest.BatchParser;
import tailrace.ingest.BodyException;
import tailrace.journal.CommitLoop;
import tailrace.journal.JournalHome;
import tailrace.metrics.Metrics;
import tailrace.postgres.DatabaseUrl;

/** {@code bench recover}: how fast a journal full of entries gets into PostgreSQL, beside a bare INSERT of the same. */
@Command(
        name = "recover",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Fills a new journal with user-friendly entries, with PostgreSQL not started, then replays it into an"
                    + " embedded PostgreSQL as `recover --replay` does, and measures a bare multi-row INSERT of the"
                    + " same rows. Needs no server.",
            "Exits with 1 if an entry is not there afterwards, or the ratio is below --min-ratio.",
            ""
        })
final class BenchRecover implements Callable<Integer> {
    /** Batches under way in the journal at once, as many clients would have. */
    private static final int IN_FLIGHT = 64;

    @Option(
            names = "--entries",
            defaultValue = "1000000",
            description = "Entries in the journal (default: ${DEFAULT-VALUE}).")
    private int entries;

    @Option(names = "--batch", defaultValue = "100", description = "Entries a batch (default: ${DEFAULT-VALUE}).")
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
            names = "--postgres-seconds",
            defaultValue = "10",
            description = "How long the bare INSERT is measured (default: ${DEFAULT-VALUE}).")
    private int postgresSeconds;

    @Option(
            names = "--min-ratio",
            defaultValue = "0",
            description = "Fail below this share of the bare INSERT's rate; 0 for any (default: ${DEFAULT-VALUE}).")
    private double minRatio;

    @Option(
            names = "--dir",
            paramLabel = "DIRECTORY",
            description = "Where the run's data directory is made and removed again: on the disk that is to be measured"
                    + " (default: the system's temporary directory).")
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
        within("--entries", entries, 1, 100_000_000);
        within("--batch", batch, 1, 5_000);
        within("--entry-bytes", entryBytes, 300, 10_000);
        within("--executions", executions, 1, 100_000);
        within("--postgres-seconds", postgresSeconds, 1, 600);
        within("--min-ratio", minRatio, 0, 10);
        Path dataDir = makeDirectory();
        BenchReport report = new BenchReport("bench recover");
        try (Progress progress = progressOption.show()) {
            run(config(dataDir), report, progress);
        } finally {
            deleteTree(dataDir);
        }
        return output.print(report);
    }

    private void within(String option, double value, double min, double max) {
        if (!(value >= min && value <= max)) {
            throw new ParameterException(
                    spec.commandLine(),
                    option + " must be from " + BenchReport.number(min) + " to " + BenchReport.number(max) + ", not "
                            + BenchReport.number(value));
        }
    }

    private Path makeDirectory() throws CommandFailedException {
        try {
            return parent == null
                    ? Files.createTempDirectory("tailrace-bench-recover-")
                    : Files.createTempDirectory(Files.createDirectories(parent), "tailrace-bench-recover-");
        } catch (IOException e) {
            throw new CommandFailedException("--dir: no directory can be made there: " + e, e);
        }
    }

    /** The environment's, but for where everything is: nothing of an installation is to be touched. */
    private static TailraceConfig config(Path dataDir) {
        Map<String, String> environment = new HashMap<>(System.getenv());
        environment.put("TAILRACE_DATA_DIR", dataDir.toString());
        List.of("DATABASE_URL", "DATABASE_LISTEN_URL", "REDIS_URL", "DATABASE_SCHEMA")
                .forEach(key -> environment.put(key, ""));
        TailraceConfig config = ConfigLoader.load(environment, Optional.empty());
        Logs.configure(config.logging());
        return config;
    }

    private void run(TailraceConfig config, BenchReport report, Progress progress) throws Exception {
        report.add("run", "entries", entries)
                .add("run", "batch_entries", batch)
                .add("run", "entry_bytes", entryBytes)
                .add("run", "executions", executions)
                .add("run", "lanes", config.writer().lanes())
                .add("run", "batch_max_size", config.writer().batchMaxSize());
        List<String> ids = BenchIngest.executionIds("recover", executions);
        fill(config, ids, report, progress);
        progress.show(() -> "opening and verifying the journal, starting PostgreSQL");
        long began = System.nanoTime();
        try (Recovery recovery = new Recovery(config)) {
            report.add("open", "seconds", (System.nanoTime() - began) / 1e9);
            Recovery.Replayed replayed = recovery.replay(progress);
            report.add("replay", "rows", replayed.rows())
                    .add("replay", "seconds", replayed.seconds())
                    .add("replay", "rows_per_second", replayed.rowsPerSecond());
            progress.show(() -> "bare INSERT into PostgreSQL");
            compare(recovery, replayed, config, new AckLedger(ids), report);
        }
    }

    private void compare(
            Recovery recovery, Recovery.Replayed replayed, TailraceConfig config, AckLedger ledger, BenchReport report)
            throws IOException, InterruptedException {
        try (PostgresLimit limit = new PostgresLimit(
                superuser(recovery.database().url()), config.database().schema(), ledger)) {
            long there = limit.count();
            if (there != entries) {
                report.fail("PostgreSQL has " + there + " rows of this run, " + entries + " belong there");
            }
            double ratio = limit.bareInsert(
                    report,
                    new PostgresLimit.Arrival(there, replayed.rowsPerSecond()),
                    Duration.ofSeconds(postgresSeconds));
            if (ratio < minRatio) {
                report.fail(String.format("%.3f of the bare INSERT, below %.3f", ratio, minRatio));
            }
        }
    }

    /** Of the embedded PostgreSQL this run has made: row-level security is not what is measured. */
    private static PgConnectOptions superuser(DatabaseUrl url) {
        return new PgConnectOptions()
                .setHost(url.host())
                .setPort(url.port())
                .setDatabase(url.database())
                .setUser("postgres")
                .setPassword(url.password().value())
                .setSslMode(SslMode.DISABLE);
    }

    /** Appends as the server does, from the bytes that {@code bench ingest} sends. */
    private void fill(TailraceConfig config, List<String> ids, BenchReport report, Progress progress)
            throws InterruptedException, CommandFailedException {
        Clock clock = Clock.systemUTC();
        AtomicLong filled = new AtomicLong();
        long began = System.nanoTime();
        progress.show(() -> Progress.bar("fill", "entries", filled.get(), entries, System.nanoTime() - began));
        try (JournalHome home = new JournalHome(config.dataDir(), true, clock);
                CommitLoop loop = new CommitLoop(
                                home.journal(),
                                config.journal(),
                                config.retention().hotTtl(),
                                clock,
                                new Metrics(new SimpleMeterRegistry()),
                                Shedder.never(clock),
                                commit -> {})
                        .start()) {
            var parser = new BatchParser(
                    config.ingest(), Services.masking(config.ingest()), clock, UuidCreator::getTimeOrderedEpoch);
            BatchTemplate whole = template(batch, ids);
            BatchTemplate rest = entries % batch == 0 ? whole : template(entries % batch, ids);
            Deque<CompletableFuture<BusMessage.Answer>> underWay = new ArrayDeque<>();
            BatchTemplate.Buffer buffer = whole.new Buffer();
            for (long number = 0; number * batch < entries; number++) {
                boolean last = (number + 1) * batch > entries;
                BatchTemplate.Buffer from = last ? rest.new Buffer() : buffer;
                byte[] id = ids.get((int) (number % ids.size())).getBytes(StandardCharsets.US_ASCII);
                byte[] body = from.body(from.fill(last ? 0 : number, id, clock.millis() * 1_000));
                if (underWay.size() == IN_FLIGHT) {
                    filled.addAndGet(accepted(underWay.remove()));
                }
                underWay.add(loop.append(parser.parse(body, false, null, null)));
            }
            while (!underWay.isEmpty()) {
                filled.addAndGet(accepted(underWay.remove()));
            }
            report.add("fill", "entries_per_second", filled.get() / ((System.nanoTime() - began) / 1e9))
                    .add("fill", "journal_mib", home.journal().sizeBytes() >> 20);
        } catch (BodyException | ExecutionException e) {
            throw new CommandFailedException("The journal could not be filled: " + e.getMessage(), e);
        }
        if (filled.get() != entries) {
            report.fail("the journal took " + filled.get() + " of " + entries + " entries");
        }
    }

    private static int accepted(CompletableFuture<BusMessage.Answer> answer)
            throws ExecutionException, InterruptedException {
        return answer.get().answer().accepted();
    }

    private BatchTemplate template(int size, List<String> ids) {
        var nobody = new BenchTarget.Server(InetSocketAddress.createUnresolved("none", 1), "none", "", "none");
        return new BatchTemplate(nobody, "/", size, entryBytes, 1, ids.get(0).length());
    }

    private static void deleteTree(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
