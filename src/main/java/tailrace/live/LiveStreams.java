package tailrace.live;

import java.util.concurrent.atomic.AtomicInteger;
import tailrace.metrics.Metrics;

/** Counts the open streams of the process and keeps them under their limit. One for all hubs; safe for any thread. */
public final class LiveStreams {
    private final int max;
    private final AtomicInteger open = new AtomicInteger();

    public LiveStreams(int max, Metrics metrics) {
        this.max = max;
        metrics.gauge("tailrace.live.streams", "Open live streams", open, AtomicInteger::get);
    }

    /** Takes a place; false if there is none. */
    boolean enter() {
        if (open.incrementAndGet() > max) {
            open.decrementAndGet();
            return false;
        }
        return true;
    }

    void leave() {
        open.decrementAndGet();
    }

    public int open() {
        return open.get();
    }
}
