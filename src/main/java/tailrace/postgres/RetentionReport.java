package tailrace.postgres;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one cleanup removed, or with {@code dryRun} would have removed.
 *
 * @param skipped why nothing was done at all, or ""
 * @param summaries executions forgotten
 * @param rejects rows of {@code log_rejects}
 * @param stats cells of workflows' statistics
 * @param archivedBytes on the disk
 * @param errors what did not go, for people; the next run tries it again
 */
public record RetentionReport(
        Instant startedAt,
        Duration duration,
        boolean dryRun,
        String skipped,
        List<Partition> partitions,
        List<ByPolicy> policies,
        long summaries,
        long rejects,
        long stats,
        int archivedFiles,
        long archivedBytes,
        List<String> errors) {

    public RetentionReport {
        partitions = List.copyOf(partitions);
        policies = List.copyOf(policies);
        errors = List.copyOf(errors);
    }

    /**
     * A day that was dropped whole.
     *
     * @param exact whether the rows were counted; else they are PostgreSQL's estimate
     * @param bytes with its indexes
     */
    public record Partition(String name, LocalDate day, long rows, boolean exact, long bytes) {}

    /** Rows deleted by a policy. */
    public record ByPolicy(String id, long rows) {}

    /** Rows of entries that went by partition or policy. */
    public long rows() {
        return partitions.stream().mapToLong(Partition::rows).sum()
                + policies.stream().mapToLong(ByPolicy::rows).sum();
    }

    /** One line for people. */
    public String summary() {
        return String.format(
                java.util.Locale.ROOT,
                "%d partitions dropped%s, %d rows deleted by policy%s, %d executions forgotten, %d rejects deleted,"
                        + " %d cells of statistics deleted, %d files archived (%d bytes), %.1f s",
                partitions.size(),
                named(partitions.stream().map(Partition::name).toList()),
                policies.stream().mapToLong(ByPolicy::rows).sum(),
                named(policies.stream()
                        .filter(policy -> policy.rows() > 0)
                        .map(policy -> policy.id() + " " + policy.rows())
                        .toList()),
                summaries,
                rejects,
                stats,
                archivedFiles,
                archivedBytes,
                duration.toMillis() / 1_000.0);
    }

    private static String named(List<String> names) {
        return names.isEmpty() ? "" : " (" + String.join(", ", names) + ")";
    }

    /** For {@code /v2/logs/stats} and the command line. */
    public JsonObject json() {
        var dropped = new JsonArray();
        partitions.forEach(partition -> dropped.add(new JsonObject()
                .put("name", partition.name())
                .put("day", partition.day().toString())
                .put("rows", partition.rows())
                .put("rows_exact", partition.exact())
                .put("bytes", partition.bytes())));
        var byPolicy = new JsonArray();
        policies.forEach(
                policy -> byPolicy.add(new JsonObject().put("id", policy.id()).put("rows", policy.rows())));
        return new JsonObject()
                .put("started_at", startedAt.toString())
                .put("duration_seconds", duration.toMillis() / 1_000.0)
                .put("dry_run", dryRun)
                .put("skipped", nullIfEmpty(skipped))
                .put("partitions", dropped)
                .put("policies", byPolicy)
                .put("summaries", summaries)
                .put("rejects", rejects)
                .put("stats", stats)
                .put("archived_files", archivedFiles)
                .put("archived_bytes", archivedBytes)
                .put("errors", new JsonArray(errors));
    }

    private static @Nullable String nullIfEmpty(String text) {
        return text.isEmpty() ? null : text;
    }
}
