package tailrace.cli;

import picocli.CommandLine.Option;

/** What {@code bench seed} makes and {@code bench read} expects: the same options make the same names. */
final class SeedOptions {
    @Option(
            names = "--prefix",
            paramLabel = "NAME",
            defaultValue = "seed",
            description = "Begins every execution's id and is the workflow's (default: ${DEFAULT-VALUE}).")
    String prefix = "";

    @Option(
            names = "--large-entries",
            defaultValue = "1000000",
            description = "Entries of the large execution; 0 for none (default: ${DEFAULT-VALUE}).")
    int largeEntries;

    @Option(
            names = "--executions",
            defaultValue = "10000",
            description = "Small executions (default: ${DEFAULT-VALUE}).")
    int executions;

    @Option(
            names = "--entries",
            defaultValue = "1000",
            description = "Entries of each small execution (default: ${DEFAULT-VALUE}).")
    int entries;

    /** @throws picocli.CommandLine.ParameterException naming what is wrong */
    void check(BenchTarget target) {
        if (!prefix.matches("[A-Za-z0-9_-]{1,100}")) {
            throw target.wrong("--prefix may have letters, digits, - and _, not " + prefix);
        }
        target.within("--large-entries", largeEntries, 0, 100_000_000);
        target.within("--executions", executions, 0, 1_000_000);
        target.within("--entries", entries, 1, 1_000_000);
    }
}
