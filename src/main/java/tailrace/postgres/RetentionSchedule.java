package tailrace.postgres;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.metrics.RetentionMetrics;

/**
 * Runs the cleanup again and again, on a thread of its own: soon after the start, then every interval, both spread at
 * random so that processes started together do not all ask at once. {@link #status} may be read by any thread.
 */
public final class RetentionSchedule {
    private static final Logger LOG = LoggerFactory.getLogger(RetentionSchedule.class);
    /** The first run comes this soon; sooner where the interval is shorter. */
    private static final Duration FIRST_WITHIN = Duration.ofSeconds(30);

    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(8);
    /** Part of the time by which a run may come earlier. */
    private static final double SPREAD = 0.2;

    private final Retention retention;
    private final Duration interval;
    private final Clock clock;
    private final RetentionMetrics metrics;
    private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor(work -> {
        Thread made = new Thread(work, "tailrace-retention");
        made.setDaemon(true);
        return made;
    });

    private volatile Status status = new Status(null, null);

    /**
     * How the cleanup stands.
     *
     * @param lastRun the last that was not left to another process, or null
     * @param nextRun null before the start
     */
    public record Status(
            @Nullable RetentionReport lastRun, @Nullable Instant nextRun) {}

    public RetentionSchedule(Retention retention, Duration interval, Clock clock, RetentionMetrics metrics) {
        this.retention = retention;
        this.interval = interval;
        this.clock = clock;
        this.metrics = metrics;
    }

    public Status status() {
        return status;
    }

    public void start() {
        next(interval.compareTo(FIRST_WITHIN) < 0 ? interval : FIRST_WITHIN, null);
    }

    private void next(Duration within, @Nullable RetentionReport last) {
        double part = 1 - ThreadLocalRandom.current().nextDouble(SPREAD);
        long millis = Math.max(1, Math.round(within.toMillis() * part));
        status = new Status(last, clock.instant().plusMillis(millis));
        try {
            thread.schedule(this::run, millis, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            LOG.debug("no further cleanup: the process stops", e);
        }
    }

    private void run() {
        RetentionReport last = status.lastRun();
        try {
            RetentionReport report = retention.run(false);
            if (!thread.isShutdown()) {
                tell(report);
            }
            last = report.skipped().isEmpty() ? report : last;
        } catch (RuntimeException e) {
            LOG.error("the cleanup failed", e); // a defect of ours; it must not end the schedule
        } finally {
            next(interval, last);
        }
    }

    private void tell(RetentionReport report) {
        metrics.run(
                report.skipped().isEmpty() ? report.errors().isEmpty() ? "done" : "failed" : "skipped",
                report.duration(),
                report.partitions().size(),
                report.policies().stream()
                        .mapToLong(RetentionReport.ByPolicy::rows)
                        .sum(),
                report.summaries(),
                report.rejects(),
                report.stats(),
                report.archivedFiles(),
                report.archivedBytes());
        if (!report.skipped().isEmpty()) {
            LOG.debug("no cleanup: {}", report.skipped());
        } else if (report.errors().isEmpty()) {
            LOG.info("cleanup done: {}", report.summary());
        } else {
            LOG.warn(
                    "cleanup not complete, the next one goes on: {}; {}",
                    report.summary(),
                    String.join("; ", report.errors()));
        }
    }

    /** Ends a run under way and waits for it, up to some seconds. Blocks. */
    public void close() {
        thread.shutdownNow();
        try {
            if (!thread.awaitTermination(CLOSE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)) {
                LOG.warn("the cleanup did not end within {} s", CLOSE_TIMEOUT.toSeconds());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
