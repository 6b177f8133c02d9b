package tailrace.cli;

import java.time.Instant;
import tailrace.model.Timestamps;

/**
 * The monotonic clock as epoch microseconds: what senders write into an entry and readers subtract from. One instance a
 * run, so that a step of the wall clock in the middle of it is no latency.
 *
 * @param epochMicros at {@code nanos}
 * @param nanos of {@link System#nanoTime()}
 */
record BenchClock(long epochMicros, long nanos) {
    static BenchClock start() {
        return new BenchClock(Timestamps.micros(Instant.now()), System.nanoTime());
    }

    /** Epoch microseconds at a moment of the monotonic clock. */
    long micros(long atNanos) {
        return epochMicros + Math.floorDiv(atNanos - nanos, 1_000L);
    }

    long nowMicros() {
        return micros(System.nanoTime());
    }
}
