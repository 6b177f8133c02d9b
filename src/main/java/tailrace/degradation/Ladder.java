package tailrace.degradation;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import tailrace.degradation.Standing.Cause;

/**
 * Computes the level of SPEC 9 from samples. Up at once; down only after the better state has lasted, and out of level 4
 * only well below its threshold, so that it does not flap. Pure but for what it remembers; belongs to one thread.
 */
final class Ladder {
    /** Level 4 is left this many points of percent below its threshold (half of the threshold where that is less). */
    static final int EXIT_POINTS = 10;

    /** How long the better state must last. */
    static final Duration DWELL = Duration.ofSeconds(1);

    private final int thresholdPercent;
    private final int exitPercent;
    private final long journalMaxBytes;
    private final long queueMaxBytes;

    private int level = Standing.NORMAL;
    private boolean first = true;
    private boolean betterBefore;
    private long betterSinceNanos;

    Ladder(int thresholdPercent, long journalMaxBytes, long queueMaxBytes) {
        this.thresholdPercent = thresholdPercent;
        this.exitPercent = Math.max(thresholdPercent - EXIT_POINTS, thresholdPercent / 2);
        this.journalMaxBytes = journalMaxBytes;
        this.queueMaxBytes = queueMaxBytes;
    }

    /** @param nowNanos of a clock that never goes back */
    Standing next(Sample sample, long nowNanos) {
        double journal = 100.0 * sample.neededBytes() / journalMaxBytes;
        double queue = 100.0 * sample.queueBytes() / queueMaxBytes;
        int target = target(sample, Math.max(journal, queue));
        if (target >= level || first) {
            level = target;
            betterBefore = false;
        } else if (!betterBefore) {
            betterBefore = true;
            betterSinceNanos = nowNanos;
        } else if (nowNanos - betterSinceNanos >= DWELL.toNanos()) {
            level = target;
            betterBefore = false;
        }
        first = false;
        double over = (Math.max(journal, queue) - thresholdPercent) / (100.0 - thresholdPercent);
        return new Standing(
                level,
                reasons(sample, journal, queue),
                level == Standing.SHEDDING ? Math.min(1, Math.max(0, over)) : 0,
                journal >= queue ? Cause.JOURNAL_BACKLOG : Cause.INGEST_QUEUE,
                sample.redisAvailable(),
                sample.writer().taking());
    }

    private int target(Sample sample, double fullPercent) {
        if (fullPercent >= (level == Standing.SHEDDING ? exitPercent : thresholdPercent)) {
            return Standing.SHEDDING;
        }
        if (sample.writer().database()) {
            return Standing.NORMAL;
        }
        return sample.redisAvailable().orElse(true) ? Standing.POSTGRES_AWAY : Standing.JOURNAL_ALONE;
    }

    private List<String> reasons(Sample sample, double journal, double queue) {
        var reasons = new ArrayList<String>();
        if (!sample.writer().database()) {
            String detail = sample.writer().detail();
            reasons.add(detail.isEmpty() ? "PostgreSQL does not answer" : detail);
        }
        if (!sample.redisAvailable().orElse(true)) {
            reasons.add("Redis does not answer");
        }
        if (level == Standing.SHEDDING) {
            boolean below = Math.max(journal, queue) < exitPercent;
            if (journal >= exitPercent || below && journal >= queue) {
                reasons.add("what PostgreSQL or Redis still need takes " + (long) journal + " % of JOURNAL_MAX_BYTES");
            }
            if (queue >= exitPercent || below && queue > journal) {
                reasons.add("what waits for its commit takes " + (long) queue + " % of JOURNAL_QUEUE_BYTES");
            }
        }
        return reasons;
    }
}
