package tailrace.cli;

import picocli.CommandLine.Option;

/** Whether a command shows how far it is. */
final class ProgressOption {
    @Option(
            names = "--progress",
            paramLabel = "WHEN",
            defaultValue = "auto",
            description = "Progress on stderr, once a second: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE},"
                    + " only on a terminal).")
    private Progress.Mode mode = Progress.Mode.auto;

    Progress show() {
        return Progress.to(System.err, mode);
    }
}
