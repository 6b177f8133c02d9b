package tailrace.cli;

import io.vertx.core.Vertx;
import java.time.Clock;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tailrace.config.TailraceConfig;
import tailrace.postgres.Database;
import tailrace.postgres.Partitions;
import tailrace.postgres.Retention;
import tailrace.postgres.RetentionReport;

/** {@code tailrace retention}: one cleanup now, or what one would remove. Exits with 1 if something did not go. */
@Command(
        name = "retention",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = {
            "Remove from PostgreSQL what is past its time, as serve does every LOG_CLEANUP_INTERVAL.",
            "Works on DATABASE_URL, or on the data directory's own PostgreSQL while no server runs there."
        })
final class RetentionCommand implements Callable<Integer> {
    @Mixin
    private final ConfigOption options = new ConfigOption();

    @Option(names = "--dry-run", description = "Only show what would go; nothing is changed.")
    private boolean dryRun;

    @Mixin
    private OutputOption output = new OutputOption();

    @Override
    public Integer call() throws Exception {
        TailraceConfig config = options.load();
        RetentionReport report = run(config);
        output.print(output.json() ? report.json().encodePrettily() + System.lineSeparator() : text(report));
        return report.errors().isEmpty() && report.skipped().isEmpty() ? 0 : 1;
    }

    private RetentionReport run(TailraceConfig config) throws Exception {
        Vertx vertx = Vertx.vertx();
        try {
            Database database = Server.await(Database.open(vertx, config.database(), config.dataDir()));
            try {
                Clock clock = Clock.systemUTC();
                return new Retention(vertx, database, new Partitions(database, clock), config.retention(), clock)
                        .run(dryRun);
            } finally {
                Server.await(database.close());
            }
        } finally {
            Server.await(vertx.close());
        }
    }

    /** For people. */
    static String text(RetentionReport report) {
        StringBuilder text = new StringBuilder();
        String gone = report.dryRun() ? "would be dropped" : "dropped";
        String deleted = report.dryRun() ? "would be deleted" : "deleted";
        if (!report.skipped().isEmpty()) {
            line(text, "Nothing was done: %s. Try again later.", report.skipped());
            return text.toString();
        }
        for (RetentionReport.Partition partition : report.partitions()) {
            line(
                    text,
                    "%s  %s%,d rows, %s, %s",
                    partition.day(),
                    partition.exact() ? "" : "about ",
                    partition.rows(),
                    size(partition.bytes()),
                    gone);
        }
        report.policies().forEach(policy -> line(text, "policy %s  %,d rows %s", policy.id(), policy.rows(), deleted));
        line(text, "executions forgotten: %,d; rejects %s: %,d", report.summaries(), deleted, report.rejects());
        line(text, "cells of statistics %s: %,d", deleted, report.stats());
        if (report.archivedFiles() > 0) {
            line(text, "archived: %,d files, %s", report.archivedFiles(), size(report.archivedBytes()));
        }
        line(
                text,
                "%,d partitions, %,d rows in all, %s in %.1f s",
                report.partitions().size(),
                report.rows(),
                report.dryRun() ? "looked at" : "done",
                report.duration().toMillis() / 1_000.0);
        report.errors().forEach(error -> line(text, "not done: %s", HttpConnection.printable(error)));
        return text.toString();
    }

    private static void line(StringBuilder text, String format, Object... values) {
        text.append(String.format(Locale.ROOT, format, values)).append(System.lineSeparator());
    }

    private static String size(long bytes) {
        return bytes < 1 << 20
                ? String.format(Locale.ROOT, "%,d KiB", (bytes + 1_023) >> 10)
                : String.format(Locale.ROOT, "%,.1f MiB", bytes / 1_048_576.0);
    }
}
