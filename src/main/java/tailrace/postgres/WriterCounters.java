package tailrace.postgres;

import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.metrics.Metrics;

/** What the lanes count together. Safe for any thread. */
final class WriterCounters {
    private static final Logger LOG = LoggerFactory.getLogger(WriterCounters.class);

    final AtomicLong successful = new AtomicLong();
    final AtomicLong failed = new AtomicLong();
    final AtomicLong rows = new AtomicLong();
    final AtomicLong refused = new AtomicLong();
    private final Metrics metrics;
    private volatile String lastError = "";

    WriterCounters(Metrics metrics) {
        this.metrics = metrics;
    }

    void flushed(long nanos, BatchSink.Written written) {
        successful.incrementAndGet();
        rows.addAndGet(written.rows());
        metrics.flushed(nanos, written.rows());
        if (written.refused() > 0) {
            refused.addAndGet(written.refused());
            metrics.refused(written.refused());
        }
        if (!lastError.isEmpty()) {
            LOG.info("the writer reaches PostgreSQL again");
            lastError = "";
        }
    }

    void failed(int lane, Throwable error) {
        failed.incrementAndGet();
        metrics.flushFailed();
        String text = String.valueOf(error.getMessage());
        // An outage repeats itself at every attempt; it is told once.
        if (!text.equals(lastError)) {
            LOG.warn("lane {}: a flush failed and will be tried again: {}", lane, text);
            LOG.debug("lane {}: the flush that failed", lane, error);
        }
        lastError = text;
    }

    String lastError() {
        return lastError;
    }
}
