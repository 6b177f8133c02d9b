package tailrace.cli;

import java.io.PrintWriter;
import java.util.Objects;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import tailrace.config.ConfigException;
import tailrace.journal.JournalUnavailableException;
import tailrace.postgres.EmbeddedPostgresException;

/** {@code tailrace}: picks the command. Exit codes: 0 done, 1 failed, 2 wrong usage. */
@Command(
        name = "tailrace",
        description = "Execution-log server: durable in milliseconds, live in the browser, kept in PostgreSQL.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        subcommands = {
            Serve.class,
            Demo.class,
            Ingest.class,
            Export.class,
            Token.class,
            Migrate.class,
            Recover.class,
            RetentionCommand.class,
            Bench.class
        },
        footer = {"", "Exit codes: 0 done, 1 failed, 2 wrong usage."})
public final class Main implements Runnable {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before anything runs
    private CommandSpec spec;

    /** Runs one command and exits with its code. */
    public static void main(String[] args) {
        Logs.beforeConfiguration();
        System.exit(commandLine().execute(args));
    }

    /** The whole command line; whoever runs it gets the exit code. */
    static CommandLine commandLine() {
        return new CommandLine(new Main())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExecutionExceptionHandler((exception, command, parsed) -> failed(exception, command));
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "which command?");
    }

    /** The one catch: a clear line for people; the stack trace only where the failure is ours. */
    private static int failed(Exception exception, CommandLine command) {
        Throwable cause = exception;
        while ((cause instanceof CompletionException || cause instanceof ExecutionException)
                && cause.getCause() != null) {
            cause = Objects.requireNonNull(cause.getCause());
        }
        PrintWriter err = command.getErr();
        String message = cause.getMessage();
        boolean clear = message != null && !message.isBlank();
        err.println("tailrace: " + (clear ? message : cause.getClass().getName()));
        err.flush();
        boolean expected = cause instanceof ConfigException
                || cause instanceof CommandFailedException
                || cause instanceof JournalUnavailableException
                || cause instanceof EmbeddedPostgresException;
        if (!expected && (cause instanceof RuntimeException || !clear)) {
            LoggerFactory.getLogger(Main.class).error("{} failed", command.getCommandName(), cause);
        }
        return cause instanceof CommandFailedException failure ? failure.exitCode() : CommandLine.ExitCode.SOFTWARE;
    }
}
