package tailrace.cli;

import java.io.PrintWriter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** How a command prints its result. */
final class OutputOption {
    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // picocli sets it before any command runs
    private CommandSpec spec;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FORMAT",
            defaultValue = "text",
            description = "How the result is printed: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
    private Format format = Format.text;

    /** Named as the user types it. */
    enum Format {
        text,
        json
    }

    boolean json() {
        return format == Format.json;
    }

    /** To the command's standard output. */
    void print(String result) {
        PrintWriter out = spec.commandLine().getOut();
        out.print(result);
        out.flush();
    }

    /** The same; returns the exit code: 0, or 1 if something failed. */
    int print(BenchReport report) {
        print((json() ? report.json() : report.text()) + System.lineSeparator());
        return report.failures().isEmpty() ? 0 : 1;
    }
}
