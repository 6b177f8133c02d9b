package tailrace.process;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Another command of the jar, in a process of its own. */
final class Cli {
    private static final int TIMEOUT_SECONDS = 60;

    private Cli() {}

    /** What a command that ended said. */
    record Result(int code, String out, String err) {}

    /** A command that may be running; its standard input is the process's output stream. */
    static Process start(Path directory, Map<String, String> environment, List<String> arguments) throws IOException {
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx64m"));
        command.addAll(QuickJvm.shortLived());
        command.addAll(List.of("-jar", QuickJvm.JAR.toString()));
        command.addAll(arguments);
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectOutput(directory.resolve("cli.out").toFile())
                .redirectError(directory.resolve("cli.err").toFile());
        builder.environment().putAll(environment);
        return builder.start();
    }

    static Result end(Path directory, Process process) throws Exception {
        process.getOutputStream().close();
        if (!process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
            process.destroyForcibly().waitFor();
            throw new IllegalStateException(
                    "the command did not end: " + Files.readString(directory.resolve("cli.err")));
        }
        return new Result(
                process.exitValue(),
                Files.readString(directory.resolve("cli.out")),
                Files.readString(directory.resolve("cli.err")));
    }

    static Result run(Path directory, Map<String, String> environment, String... arguments) throws Exception {
        return end(directory, start(directory, environment, List.of(arguments)));
    }
}
