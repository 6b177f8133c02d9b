package tailrace.live;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import tailrace.metrics.Metrics;

/**
 * Counts the open streams of the process, keeps them under their limit, and knows what the hubs hold for them. One for
 * all hubs; safe for any thread.
 */
public final class LiveStreams {
    private final int max;
    private final AtomicInteger open = new AtomicInteger();
    private final AtomicInteger channels = new AtomicInteger();
    private final AtomicLong windowBytes = new AtomicLong();

    public LiveStreams(int max, Metrics metrics) {
        this.max = max;
        metrics.gauge("tailrace.live.streams", "Open live streams", open, AtomicInteger::get);
        metrics.gauge(
                "tailrace.live.channels",
                "Executions that are being watched, counted once for each event loop",
                channels,
                AtomicInteger::get);
        metrics.gauge(
                "tailrace.live.window.bytes",
                "Newest entries kept in memory for readers about to take them",
                windowBytes,
                AtomicLong::get);
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

    void channelOpened() {
        channels.incrementAndGet();
    }

    void channelClosed() {
        channels.decrementAndGet();
    }

    /** A channel's window has so many bytes more, or less. */
    void windowChanged(long bytes) {
        if (bytes != 0) {
            windowBytes.addAndGet(bytes);
        }
    }

    public int open() {
        return open.get();
    }
}
