package tailrace.cli;

import com.github.f4b6a3.uuid.UuidCreator;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.time.Clock;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import tailrace.config.TailraceConfig;
import tailrace.ingest.BatchParser;
import tailrace.ingest.BodyException;
import tailrace.ingest.Masking;
import tailrace.model.JsonWriter;

/** {@code bench masking}: what taking secrets out costs an entry, beside reading the same entry without. */
@Command(
        name = "masking",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Parses the same batches with LOG_MASK on, off, and on with one configured pattern, in turn, on one thread of"
                    + " this process. Needs no server.",
            "Nanoseconds of processor time an entry, of the fastest round of each; the ratio is parsing with masking to parsing without.",
            ""
        })
final class BenchMasking implements Callable<Integer> {
    private static final int BATCH_ENTRIES = 100;
    /** Parsed between two looks at the clock. */
    private static final int ROUND_BYTES = 1 << 20;

    private static final int MAX_SECONDS = 600;
    private static final int SMALL_BYTES = 300;
    private static final int LARGE_BYTES = 10_000;
    private static final String[] WORDS = ("started finished retrying fetch upload transform validate connector payload"
                    + " timeout customer invoice record webhook session branch variable approval scheduled network"
                    + " storage queue parser token password accepted the key of a page")
            .split(" ", -1);

    @Option(
            names = "--seconds",
            defaultValue = "3",
            description = "For each sort of entry; 0 for one round (default: ${DEFAULT-VALUE}).")
    private int seconds;

    @Option(
            names = "--max-ratio",
            defaultValue = "0",
            description =
                    "Fail if a typical entry costs more than so many times as much with masking; 0 for any (default:"
                            + " ${DEFAULT-VALUE}).")
    private double maxRatio;

    @Mixin
    private OutputOption output = new OutputOption();

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before anything runs
    private CommandSpec spec;

    @Override
    public Integer call() throws BodyException {
        if (seconds < 0 || seconds > MAX_SECONDS) {
            throw new ParameterException(
                    spec.commandLine(), "--seconds must be from 0 to " + MAX_SECONDS + ", not " + seconds);
        }
        BenchReport report = new BenchReport("bench masking");
        report.add("run", "batch_entries", BATCH_ENTRIES).add("run", "seconds_each", seconds);
        double typical = measure(report, "typical", entries(SMALL_BYTES, ""));
        measure(report, "with_secrets", entries(SMALL_BYTES, " password=hunter2 Authorization: Bearer abc123def456"));
        measure(report, "large", entries(LARGE_BYTES, ""));
        // What a rule looks at most often in vain.
        measure(report, "large_of_triggers", entries(LARGE_BYTES, " token:1 ://h:80/ key-".repeat(400)));
        if (maxRatio > 0 && typical > maxRatio) {
            report.fail(String.format("a typical entry costs %.2f times as much, over %.2f", typical, maxRatio));
        }
        return output.print(report);
    }

    /** The ratio of on to off. */
    private double measure(BenchReport report, String section, byte[] batch) throws BodyException {
        Map<String, BatchParser> parsers = new LinkedHashMap<>();
        parsers.put("off", parser(new TailraceConfig.Mask(false, List.of(), List.of())));
        parsers.put("on", parser(TailraceConfig.Mask.BUILT_IN));
        parsers.put("on_with_a_pattern", parser(new TailraceConfig.Mask(true, List.of("ACME-\\d{4,8}"), List.of())));
        Map<String, Double> best = new LinkedHashMap<>();
        long until = System.nanoTime() + Duration.ofSeconds(seconds).toNanos();
        do {
            for (Map.Entry<String, BatchParser> each : parsers.entrySet()) {
                best.merge(each.getKey(), round(each.getValue(), batch), Math::min);
            }
        } while (System.nanoTime() < until);
        report.add(section, "entry_bytes", batch.length / BATCH_ENTRIES);
        best.forEach((name, nanos) -> report.add(section, name + "_ns", Math.rint(nanos)));
        double ratio = best.getOrDefault("on", 0.0) / best.getOrDefault("off", 1.0);
        report.add(section, "on_to_off_ratio", ratio);
        return ratio;
    }

    /** Of this thread's processor time: what else runs on the machine counts less. */
    private static double round(BatchParser parser, byte[] batch) throws BodyException {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        int batches = Math.max(1, ROUND_BYTES / batch.length);
        long start = threads.getCurrentThreadCpuTime();
        int taken = 0;
        for (int i = 0; i < batches; i++) {
            taken += parser.parse(batch, false, "bench", null).entries().size();
        }
        long nanos = threads.getCurrentThreadCpuTime() - start;
        if (taken != batches * BATCH_ENTRIES) {
            throw new IllegalStateException("only " + taken + " entries were taken");
        }
        return (double) nanos / taken;
    }

    private static BatchParser parser(TailraceConfig.Mask mask) {
        return new BatchParser(
                new TailraceConfig.Ingest(64 << 10, BATCH_ENTRIES, 16 << 20, 32, false, mask),
                new Masking(mask),
                Clock.systemUTC(),
                UuidCreator::getTimeOrderedEpoch);
    }

    /** A batch of entries as a workflow engine sends them, each with this text in its message. */
    private static byte[] entries(int bytes, String text) {
        Random random = new Random(7); // every run measures the same texts
        var out = new JsonWriter();
        for (int i = 0; i < BATCH_ENTRIES; i++) {
            var message = new StringBuilder("step " + i + text);
            while (message.length() < bytes - 170) {
                message.append(' ').append(WORDS[random.nextInt(WORDS.length)]);
            }
            out.raw(i == 0 ? '[' : ',')
                    .rawText("{\"level\":\"INFO\",\"event_type\":\"step_output\",\"node_id\":\"node-" + i % 37
                            + "\",\"node_name\":\"Fetch customer records\",\"data\":{\"n\":" + i
                            + ",\"status\":\"ok\",\"source\":\"s3://bucket/key\"},\"message\":")
                    .string(message.toString())
                    .raw('}');
        }
        return out.raw(']').toByteArray();
    }
}
