package tailrace.cli;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tailrace export}: the entries of an execution from a running server into a file, or to standard output. */
@Command(
        name = "export",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        description = {
            "Write the entries of an execution to a file or to standard output.",
            "The file is there only when all of it was received; until then it is called FILE.part.",
            ""
        },
        footer = {
            "",
            "Exit codes: 0 done, 1 failed and nothing was written, 2 wrong usage, 3 written, but some entries could not"
                    + " be had; the end of the file says which."
        })
final class Export implements Callable<Integer> {
    private static final Duration SILENCE = Duration.ofMinutes(2);
    private static final int BUFFER_BYTES = 256 << 10;
    private static final int EXIT_INCOMPLETE = 3;

    @Parameters(paramLabel = "EXECUTION", description = "The execution's id.")
    private String execution = "";

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            defaultValue = "ndjson",
            description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
    private Format format = Format.ndjson;

    @Option(
            names = "--tz",
            paramLabel = "ZONE",
            description = "What times are told in, such as Europe/Berlin or +02:00 (default: UTC).")
    private @Nullable String zone;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            description = "Where to; one that is there is replaced. Without it, standard output.")
    private @Nullable Path file;

    @Option(names = "--gzip", description = "Compress it.")
    private boolean gzip;

    @Option(names = "--level", paramLabel = "LEVEL", description = "Only entries of this level; may be repeated.")
    private List<String> levels = List.of();

    @Option(names = "--min-level", paramLabel = "LEVEL", description = "Only entries of this level and above.")
    private @Nullable String minLevel;

    @Option(names = "--from", paramLabel = "TIME", description = "Only entries from then on; ISO 8601 with an offset.")
    private @Nullable String from;

    @Option(names = "--to", paramLabel = "TIME", description = "Only entries up to then.")
    private @Nullable String to;

    @Option(
            names = "--filter",
            paramLabel = "NAME=VALUE",
            description = "Any other filter of the history endpoint, such as event_type=step_error or after_seq=100;"
                    + " may be repeated.")
    private Map<String, String> filters = new LinkedHashMap<>();

    @Mixin
    private final ServerOption server = new ServerOption();

    @Mixin
    private ProgressOption progressOption = new ProgressOption();

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before anything runs
    private CommandSpec spec;

    /** Named as the user types them. */
    enum Format {
        ndjson,
        json,
        csv,
        txt
    }

    @Override
    public Integer call() throws InterruptedException, CommandFailedException {
        if (execution.isEmpty()) {
            throw wrong("give the id of an execution");
        }
        boolean terminal = file == null && Progress.terminal(Progress.STDOUT);
        if (terminal && gzip) {
            throw wrong("a terminal cannot show compressed data; give -o FILE");
        }
        var client = new ExportClient(server.base(), server.trust(), server.token("a token"), SILENCE);
        var counter = new RecordCounter(format);
        try (Progress shown = progressOption.show()) {
            show(shown, client, counter);
            if (file == null) {
                // Not System.out, which does not say that nobody reads it any more.
                OutputStream out = terminal
                        ? new TerminalOutput(System.out)
                        : new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), BUFFER_BYTES);
                client.take(exportPath(), gzip, out, counter);
            } else {
                takeToFile(client, counter, file);
            }
        } catch (IOException e) {
            throw new CommandFailedException(
                    "the export broke off after " + counter.entries() + " entries ("
                            + (e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage())
                            + (file == null ? "); what was printed is not all of it" : "); nothing was written"),
                    e);
        }
        return ended(counter);
    }

    private void takeToFile(ExportClient client, RecordCounter counter, Path target)
            throws IOException, InterruptedException, CommandFailedException {
        Path part = target.resolveSibling(target.getFileName() + ".part");
        try {
            try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(part), BUFFER_BYTES)) {
                client.take(exportPath(), gzip, out, counter);
            }
            Files.move(part, target, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(part);
        }
    }

    private void show(Progress shown, ExportClient client, RecordCounter counter)
            throws IOException, InterruptedException {
        if (!shown.shown()) {
            return; // counting may cost the server a read of its own
        }
        OptionalLong total = client.count(
                ServerOption.logsPath(execution).replaceFirst("^/v2/executions/", "/v2/workflows/executions/")
                        + "?limit=1" + filterQuery());
        long begun = System.nanoTime();
        shown.show(() -> total.isPresent()
                ? Progress.bar("export", "entries", counter.entries(), total.getAsLong(), System.nanoTime() - begun)
                : String.format(Locale.ROOT, "export: %,d entries", counter.entries()));
    }

    private int ended(RecordCounter counter) {
        PrintWriter err = spec.commandLine().getErr();
        if (counter.incomplete()) {
            err.println("tailrace: some entries could not be had; the end of the export says which");
        }
        if (file != null) {
            err.printf(Locale.ROOT, "%d entries in %s%n", counter.entries(), file);
        }
        err.flush();
        return counter.incomplete() ? EXIT_INCOMPLETE : 0;
    }

    private String exportPath() {
        return ServerOption.logsPath(execution) + "/export?format=" + format + (gzip ? "&gzip=true" : "")
                + parameter("tz", zone) + filterQuery();
    }

    private String filterQuery() {
        return Stream.concat(
                                levels.stream().map(level -> parameter("level", level)),
                                filters.entrySet().stream().map(each -> parameter(each.getKey(), each.getValue())))
                        .collect(Collectors.joining())
                + parameter("min_level", minLevel)
                + parameter("start_time", from)
                + parameter("end_time", to);
    }

    private static String parameter(String name, @Nullable String value) {
        return value == null ? "" : "&" + ServerOption.encoded(name) + "=" + ServerOption.encoded(value);
    }

    private ParameterException wrong(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
