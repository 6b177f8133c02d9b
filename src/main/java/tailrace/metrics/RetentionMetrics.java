package tailrace.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;

/** What cleanups removed since the start. Safe for any thread. */
public final class RetentionMetrics {
    private final MeterRegistry registry;
    private final Counter partitions;
    private final Counter rows;
    private final Counter summaries;
    private final Counter rejects;
    private final Counter stats;
    private final Counter archivedFiles;
    private final Counter archivedBytes;

    public RetentionMetrics(MeterRegistry registry) {
        this.registry = registry;
        partitions = counter("tailrace.retention.partitions.dropped", "Days dropped whole");
        rows = counter("tailrace.retention.rows.deleted", "Rows deleted by policies");
        summaries = counter("tailrace.retention.summaries.deleted", "Executions forgotten");
        rejects = counter("tailrace.retention.rejects.deleted", "Rows of log_rejects deleted");
        stats = counter("tailrace.retention.stats.deleted", "Cells of workflows' statistics deleted");
        archivedFiles = counter("tailrace.retention.archive.files", "Files written before their rows were removed");
        archivedBytes = counter("tailrace.retention.archive.bytes", "Bytes of these files");
    }

    /** @param outcome done, failed, or skipped because another process cleans up */
    public void run(
            String outcome,
            Duration duration,
            long droppedPartitions,
            long deletedRows,
            long deletedSummaries,
            long deletedRejects,
            long deletedStats,
            long files,
            long bytes) {
        Timer.builder("tailrace.retention.run")
                .description("A cleanup")
                .tag("outcome", outcome)
                .register(registry)
                .record(duration);
        partitions.increment(droppedPartitions);
        rows.increment(deletedRows);
        summaries.increment(deletedSummaries);
        rejects.increment(deletedRejects);
        stats.increment(deletedStats);
        archivedFiles.increment(files);
        archivedBytes.increment(bytes);
    }

    private Counter counter(String name, String description) {
        return Counter.builder(name).description(description).register(registry);
    }
}
