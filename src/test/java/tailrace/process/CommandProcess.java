package tailrace.process;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** {@code java -jar target/tailrace.jar COMMAND …} in a process of its own, on a server's data directory. */
final class CommandProcess implements AutoCloseable {
    private static final AtomicInteger STARTS = new AtomicInteger();
    private static final Duration PATIENCE = Duration.ofSeconds(90);

    private final Process process;
    private final Path out;
    private final Path err;

    private CommandProcess(Process process, Path out, Path err) {
        this.process = process;
        this.out = out;
        this.err = err;
    }

    /** What it printed, and what it exited with. */
    record Result(int exitCode, String out, String err) {
        JsonNode json() throws IOException {
            return Api.JSON.readTree(out);
        }
    }

    /** @param environment beside {@code TAILRACE_DATA_DIR} */
    static CommandProcess start(Path dataDir, Map<String, String> environment, String... arguments) throws IOException {
        String name = dataDir.getFileName() + "-command-" + STARTS.incrementAndGet();
        Path out = dataDir.resolveSibling(name + ".out");
        Path err = dataDir.resolveSibling(name + ".err");
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx256m"));
        command.addAll(QuickJvm.shortLived());
        command.addAll(List.of("-jar", QuickJvm.JAR.toString()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectOutput(out.toFile())
                .redirectError(err.toFile())
                .directory(dataDir.getParent().toFile());
        builder.environment().put("TAILRACE_DATA_DIR", dataDir.toString());
        builder.environment().putAll(environment);
        return new CommandProcess(builder.start(), out, err);
    }

    /** Starts it and waits for its end. */
    static Result run(Path dataDir, Map<String, String> environment, String... arguments) throws Exception {
        try (CommandProcess command = start(dataDir, environment, arguments)) {
            return command.result();
        }
    }

    Result result() throws Exception {
        if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
            close();
            throw new IllegalStateException("it does not end:\n" + Files.readString(out) + Files.readString(err));
        }
        return new Result(process.exitValue(), Files.readString(out), Files.readString(err));
    }

    boolean alive() {
        return process.isAlive();
    }

    /** SIGKILL. */
    @Override
    public void close() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }
}
