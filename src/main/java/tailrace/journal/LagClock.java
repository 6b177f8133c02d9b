package tailrace.journal;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * How old the oldest record is that a cursor has not passed. Records carry no time, so it remembers where the journal
 * ended when. Exact to the sampling interval. Safe for any thread.
 */
public final class LagClock {
    private static final int SAMPLES_MAX = 4_096;

    private final Deque<Sample> samples = new ArrayDeque<>();

    private record Sample(long position, long nanos) {}

    /** The journal ended at this position at this time ({@link System#nanoTime}). */
    public synchronized void sample(long lastPosition, long nanos) {
        Sample last = samples.peekLast();
        if (last != null && last.position() == lastPosition) {
            return;
        }
        samples.addLast(new Sample(lastPosition, nanos));
        if (samples.size() > SAMPLES_MAX) {
            thin();
        }
    }

    /** A long outage is told with less and less resolution instead of more and more memory. */
    private void thin() {
        boolean keep = true;
        for (var each = samples.iterator(); each.hasNext(); ) {
            each.next();
            if (!keep) {
                each.remove();
            }
            keep = !keep;
        }
    }

    /** Seconds since the oldest record after this position was first seen; 0 if there is none. */
    public synchronized double ageSeconds(long cursor, long nanos) {
        while (!samples.isEmpty() && samples.getFirst().position() <= cursor) {
            samples.removeFirst();
        }
        return samples.isEmpty() ? 0 : Math.max(0, nanos - samples.getFirst().nanos()) / 1e9;
    }
}
