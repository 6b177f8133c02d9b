package tailrace.degradation;

import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.bus.BusMessage;
import tailrace.config.TailraceConfig;
import tailrace.config.TailraceConfig.Backpressure.Strategy;
import tailrace.metrics.Metrics;

/**
 * Keeps the level and says it to everybody: one line in the log for a change, metrics, and whoever asks for
 * {@link #standing}. Any thread may ask; one at a time samples.
 */
public final class Degradation {
    private static final Logger LOG = LoggerFactory.getLogger(Degradation.class);

    private final Ladder ladder;
    private final Strategy strategy;
    private final Metrics metrics;
    private volatile Standing standing = Standing.UNKNOWN;
    private volatile long sinceNanos = System.nanoTime();
    private long sampledNanos = sinceNanos;

    public Degradation(TailraceConfig.Backpressure backpressure, TailraceConfig.Journal journal, Metrics metrics) {
        this.ladder = new Ladder(backpressure.thresholdPercent(), journal.maxBytes(), journal.queueBytes());
        this.strategy = backpressure.strategy();
        this.metrics = metrics;
        metrics.gauge(
                "tailrace.degradation.level",
                "1 normal, 2 PostgreSQL away, 3 PostgreSQL and Redis away, 4 entries are shed",
                this,
                degradation -> degradation.standing.level());
    }

    /** As of the last sample. */
    public Standing standing() {
        return standing;
    }

    /** Since the level changed last, or the start. */
    public double secondsInLevel() {
        return (System.nanoTime() - sinceNanos) / 1e9;
    }

    /**
     * Takes a sample in.
     *
     * @param nowNanos as {@link System#nanoTime}
     * @return the change, if the level changed
     */
    public synchronized Optional<BusMessage.LevelChanged> update(Sample sample, long nowNanos) {
        int from = standing.level();
        metrics.timeInLevel(from, nowNanos - sampledNanos, TimeUnit.NANOSECONDS);
        sampledNanos = nowNanos;
        Standing next = ladder.next(sample, nowNanos);
        standing = next;
        if (next.level() == from) {
            return Optional.empty();
        }
        sinceNanos = nowNanos;
        String why = next.reasons().isEmpty() ? "all is well again" : String.join("; ", next.reasons());
        if (next.level() > from) {
            LOG.warn("Degradation level {} -> {}: {}. {}", from, next.level(), why, follows(next.level()));
        } else {
            LOG.info("Degradation level {} -> {}: {}. {}", from, next.level(), why, follows(next.level()));
        }
        return Optional.of(new BusMessage.LevelChanged(from, next.level(), next.reasons()));
    }

    /** What a level means to those who send and read. */
    private String follows(int level) {
        return switch (level) {
            case Standing.NORMAL -> "Everything is taken, shown and kept.";
            case Standing.POSTGRES_AWAY ->
                "Entries are taken and shown live; the journal holds them until PostgreSQL is back, and coverage says"
                        + " which older ones cannot be read.";
            case Standing.JOURNAL_ALONE ->
                "Entries are taken and shown live by the journal alone; coverage says which older ones cannot be read.";
            default ->
                strategy == Strategy.CIRCUIT_BREAK_SOURCES
                        ? "Nothing is shed; senders that send most get 429 (circuit_break_sources)."
                        : "Technical entries are shed (" + strategy.name().toLowerCase(Locale.ROOT)
                                + "), counted as dropped and told in their executions; user-friendly ones are all kept.";
        };
    }
}
