package tailrace.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code tailrace ingest}: standard input, or archives, into a running server. One thread reads, this one sends; between
 * them is an {@link EntryBuffer}, so neither a fast input nor a slow server costs memory.
 */
@Command(
        name = "ingest",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        description = {
            "Send lines of standard input to an execution, live:  some-tool | tailrace ingest EXECUTION",
            "A line that is a JSON object with a message is sent as that entry; any other line becomes the message of"
                    + " one. Lines are sent after 100 ms at the latest.",
            "",
            "With --archive, files that retention wrote to RETENTION_ARCHIVE_DIR are read back. Their entries go to"
                    + " executions named archive:EXECUTION, so that order and numbers of the original stay as they were;"
                    + " their former seq and received_at are in data._extra. They keep their ids: reading a file again"
                    + " within 24 hours stores nothing twice.",
            ""
        },
        footer = {
            "",
            "A server that is overloaded or away is waited for, and nothing is stored twice.",
            "Exit codes: 0 all taken, 1 something was not taken, 2 wrong usage."
        })
final class Ingest implements Callable<Integer> {
    private static final int BATCH_ENTRIES = 1_000;
    private static final int BATCH_BYTES = 1 << 20;
    private static final Duration LINGER = Duration.ofMillis(100);
    private static final Duration LAST_LINES = Duration.ofSeconds(5);

    @Parameters(
            arity = "0..*",
            paramLabel = "EXECUTION|FILE",
            description = "The execution's id; with --archive, the files.")
    private List<String> names = List.of();

    @Option(names = "--archive", description = "Read back the archives given as FILE….")
    private boolean archive;

    @Mixin
    private final ServerOption server = new ServerOption();

    @Option(
            names = "--patience",
            paramLabel = "DURATION",
            converter = DurationConverter.class,
            defaultValue = "10min",
            description = "How long a server that does not take entries is waited for (${DEFAULT-VALUE}).")
    private Duration patience = Duration.ofMinutes(10);

    @Option(
            names = "--progress",
            paramLabel = "WHEN",
            defaultValue = "auto",
            description = "Progress on stderr, once a second: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE},"
                    + " only on a terminal).")
    private Progress.Mode progress = Progress.Mode.auto;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before anything runs
    private CommandSpec spec;

    /** Reads entries into the buffer until there are no more. */
    @FunctionalInterface
    private interface Reader {
        void read(EntryBuffer to) throws IOException, InterruptedException;
    }

    @Override
    public Integer call() throws Exception {
        if (archive) {
            List<Path> files = files();
            ArchiveLines lines = new ArchiveLines();
            long bytes = 0;
            for (Path file : files) {
                bytes += Files.size(file);
            }
            long all = Math.max(1, bytes);
            IngestClient client = client("/v2/logs/batch");
            return run(
                    client,
                    to -> {
                        for (Path file : files) {
                            lines.read(file, to);
                        }
                    },
                    () -> bar(lines.bytesRead(), all, client.accepted()));
        }
        if (names.size() != 1 || names.get(0).isEmpty()) {
            throw wrong("give the id of one execution, or --archive and files");
        }
        InputStream in = System.in;
        IngestClient client = client(ServerOption.logsPath(names.get(0)));
        return run(
                client,
                to -> new InputLines(Clock.systemUTC()).read(in, to),
                () -> String.format(Locale.ROOT, "%,d entries taken", client.accepted()));
    }

    private int run(IngestClient client, Reader reader, Supplier<String> line)
            throws InterruptedException, CommandFailedException {
        EntryBuffer buffer = new EntryBuffer(BATCH_ENTRIES, BATCH_BYTES, LINGER.toNanos());
        Thread reading = new Thread(() -> read(reader, buffer), "ingest-reader");
        reading.setDaemon(true); // it may wait for input for ever
        reading.start();
        CountDownLatch sent = new CountDownLatch(1);
        Thread hook = new Thread(() -> lastLines(buffer, sent), "ingest-shutdown");
        Runtime.getRuntime().addShutdownHook(hook);
        try (Progress shown = Progress.to(System.err, progress)) {
            shown.show(line);
            for (List<EntryBuffer.Entry> batch = buffer.take(); !batch.isEmpty(); batch = buffer.take()) {
                client.send(batch);
            }
        } finally {
            sent.countDown();
            reading.interrupt();
        }
        PrintWriter out = spec.commandLine().getOut();
        out.printf(
                Locale.ROOT,
                "accepted %d, duplicates %d, dropped %d, rejected %d%n",
                client.accepted(),
                client.duplicates(),
                client.dropped(),
                client.rejected());
        out.flush();
        return client.rejected() + client.dropped() == 0 ? 0 : 1;
    }

    /** On a signal: what was read by then is sent, if the server takes it soon. */
    private static void lastLines(EntryBuffer buffer, CountDownLatch sent) {
        buffer.end(null);
        try {
            if (!sent.await(LAST_LINES.toMillis(), TimeUnit.MILLISECONDS)) {
                System.err.println("tailrace: the last lines were not taken in time");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void read(Reader reader, EntryBuffer buffer) {
        Exception failure = null;
        try {
            reader.read(buffer);
        } catch (IOException | RuntimeException e) {
            failure = e;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        buffer.end(failure);
    }

    private static String bar(long read, long all, long accepted) {
        int done = (int) Math.min(20, 20 * read / all);
        return String.format(
                Locale.ROOT,
                "[%s%s] %d %%, %,d entries taken",
                "#".repeat(done),
                " ".repeat(20 - done),
                Math.min(100, 100 * read / all),
                accepted);
    }

    private List<Path> files() {
        if (names.isEmpty()) {
            throw wrong("which archive? Give the files that retention wrote");
        }
        List<Path> files = names.stream().map(Path::of).toList();
        files.stream().filter(file -> !Files.isReadable(file)).findFirst().ifPresent(file -> {
            throw wrong("there is no readable file " + file);
        });
        return files;
    }

    private IngestClient client(String path) {
        PrintWriter err = spec.commandLine().getErr();
        return new IngestClient(
                URI.create(server.base() + path), server.trust(), server.token("a service token"), patience, line -> {
                    err.println("tailrace: " + line);
                    err.flush();
                });
    }

    private ParameterException wrong(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
