package tailrace.postgres;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What a cleanup does, written down as it goes. Belongs to its thread. */
final class RetentionNotes {
    /** Errors kept; the rest is counted. */
    private static final int ERRORS_MAX = 20;

    private final List<RetentionReport.Partition> partitions = new ArrayList<>();
    private final Map<String, Long> policies = new LinkedHashMap<>();
    private final List<String> errors = new ArrayList<>();
    private int moreErrors;
    private long summaries;
    private long rejects;
    private long stats;
    private int archivedFiles;
    private long archivedBytes;

    void partition(RetentionReport.Partition dropped) {
        partitions.add(dropped);
    }

    void policy(String id, long rows) {
        policies.merge(id, rows, Long::sum);
    }

    void summaries(long executions) {
        summaries += executions;
    }

    void rejects(long rows) {
        rejects += rows;
    }

    void stats(long cells) {
        stats += cells;
    }

    void archived(Archive.Written written) {
        if (written.file() != null) {
            archivedFiles++;
            archivedBytes += written.bytes();
        }
    }

    /** @param what did not go, such as the name of a partition */
    void error(String what, Throwable cause) {
        if (errors.size() < ERRORS_MAX) {
            String message = cause.getMessage();
            errors.add(what + ": " + (message == null || message.isBlank() ? cause.toString() : message)
                    + (SqlErrors.notMigrated(cause) ? " (is the schema up to date? See `tailrace migrate`)" : ""));
        } else {
            moreErrors++;
        }
    }

    RetentionReport report(Instant startedAt, Duration duration, boolean dryRun, String skipped) {
        List<String> allErrors = new ArrayList<>(errors);
        if (moreErrors > 0) {
            allErrors.add("and " + moreErrors + " more");
        }
        return new RetentionReport(
                startedAt,
                duration,
                dryRun,
                skipped,
                partitions,
                policies.entrySet().stream()
                        .map(policy -> new RetentionReport.ByPolicy(policy.getKey(), policy.getValue()))
                        .toList(),
                summaries,
                rejects,
                stats,
                archivedFiles,
                archivedBytes,
                allErrors);
    }
}
