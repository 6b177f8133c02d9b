package tailrace.http;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.metrics.Metrics;

/** Counts the open connections of the process and keeps them under their limit. One for all ports; safe for any thread. */
public final class Connections {
    private static final Logger LOG = LoggerFactory.getLogger(Connections.class);
    private static final long WARN_NANOS = TimeUnit.MINUTES.toNanos(1);

    private final int max;
    private final Metrics metrics;
    private final AtomicInteger open = new AtomicInteger();
    private final AtomicLong warnedNanos = new AtomicLong(System.nanoTime() - WARN_NANOS);

    public Connections(int max, Metrics metrics) {
        this.max = max;
        this.metrics = metrics;
        metrics.gauge("tailrace.http.connections", "Open connections of clients", open, AtomicInteger::get);
    }

    Metrics metrics() {
        return metrics;
    }

    /** Takes a place; false if there is none. */
    boolean enter() {
        if (open.incrementAndGet() <= max) {
            return true;
        }
        open.decrementAndGet();
        metrics.connectionRefused();
        long now = System.nanoTime();
        long before = warnedNanos.get();
        if (now - before >= WARN_NANOS && warnedNanos.compareAndSet(before, now)) {
            LOG.warn("{} connections are open, as many as MAX_CONNECTIONS allows; further ones are closed", max);
        }
        return false;
    }

    void leave() {
        open.decrementAndGet();
    }

    int open() {
        return open.get();
    }
}
