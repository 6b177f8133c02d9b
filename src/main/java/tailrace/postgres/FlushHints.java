package tailrace.postgres;

import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.metrics.Metrics;
import tailrace.model.ExecutionState;

/**
 * Tells other processes what was flushed (SPEC 11): one notification for all flushes of a while, because each takes a
 * lock of the whole server at its commit; from the listener's connection, never a writer's; and none while nobody else
 * is there. A hint that is lost is replaced by "look at everything" with the next one. Belongs to the listener's
 * context.
 */
public final class FlushHints {
    private static final Logger LOG = LoggerFactory.getLogger(FlushHints.class);

    /** Between two notifications at least. */
    static final Duration GAP = Duration.ofMillis(20);

    private final Vertx vertx;
    private final Listener listener;
    private final IntSupplier others;
    private final String channel;
    private final Hint hint = new Hint();
    private final AtomicLong sent = new AtomicLong();
    private boolean waiting;
    private long nextNanos = System.nanoTime();

    /** @param others how many other processes live */
    public FlushHints(Vertx vertx, Database database, Listener listener, IntSupplier others, Metrics metrics) {
        this.vertx = vertx;
        this.listener = listener;
        this.others = others;
        this.channel = database.sql().flushedChannel;
        metrics.counter("tailrace.hints.sent", "Notifications of flushes to other processes", sent);
    }

    /** These executions' rows are in PostgreSQL now, up to their last seq. */
    public void flushed(List<ExecutionState> executions) {
        if (others.getAsInt() == 0) {
            return;
        }
        for (ExecutionState execution : executions) {
            hint.add(execution.executionId(), execution.lastSeq());
        }
        sendSoon();
    }

    private void sendSoon() {
        if (waiting || hint.isEmpty()) {
            return;
        }
        waiting = true;
        long early = nextNanos - System.nanoTime();
        if (early <= 0) {
            send();
        } else {
            vertx.setTimer(Duration.ofNanos(early).toMillis() + 1, id -> send());
        }
    }

    private void send() {
        nextNanos = System.nanoTime() + GAP.toNanos();
        listener.send(channel, hint.take()).onComplete(done -> {
            waiting = false;
            if (done.succeeded()) {
                sent.incrementAndGet();
                sendSoon();
            } else {
                // Said with the next flush: whoever misses it looks by itself in a while.
                hint.addEverything();
                LOG.debug("a hint was not sent", done.cause());
            }
        });
    }
}
