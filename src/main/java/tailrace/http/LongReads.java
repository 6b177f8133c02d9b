package tailrace.http;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import tailrace.metrics.Metrics;
import tailrace.security.Principal;

/**
 * Keeps the requests that read whole executions (exports, comparisons) few: each keeps a worker busy, and takes pieces of
 * memory and of PostgreSQL's time as long as it lasts. One for the process; safe for any thread.
 */
public final class LongReads {
    /** At once, of everybody: less than half of the workers, so that history and live readers always find one. */
    static final int MAX_OPEN = 8;
    /** At once, of one principal: nobody can keep the others out. */
    static final int MAX_OPEN_OF_ONE = 4;

    private static final int RETRY_AFTER_SECONDS = 5;

    private final AtomicInteger open = new AtomicInteger();
    private final Map<String, Integer> openBySender = new ConcurrentHashMap<>();
    private final AtomicLong refused = new AtomicLong();

    public LongReads(Metrics metrics) {
        metrics.gauge("tailrace.long.reads", "Exports and comparisons under way", open, AtomicInteger::get);
        metrics.counter("tailrace.long.reads.refused", "Exports and comparisons turned away with 429", refused);
    }

    /** A place that was taken; closing it more than once gives it back once. */
    interface Place extends AutoCloseable {
        @Override
        void close();
    }

    /**
     * Takes a place.
     *
     * @throws Problem 429 if there is none
     */
    Place enter(Principal principal) {
        String sender = principal.sender();
        if (openBySender.merge(sender, 1, Integer::sum) > MAX_OPEN_OF_ONE) {
            leave(sender);
            throw refuse("You have " + MAX_OPEN_OF_ONE + " exports or comparisons under way already;"
                    + " wait until one of them has ended.");
        }
        if (open.incrementAndGet() > MAX_OPEN) {
            open.decrementAndGet();
            leave(sender);
            throw refuse("This server has " + MAX_OPEN + " exports or comparisons under way already; try again soon.");
        }
        var closed = new AtomicBoolean();
        return () -> {
            if (closed.compareAndSet(false, true)) {
                open.decrementAndGet();
                leave(sender);
            }
        };
    }

    private void leave(String sender) {
        openBySender.computeIfPresent(sender, (key, count) -> count > 1 ? count - 1 : null);
    }

    private Problem refuse(String detail) {
        refused.incrementAndGet();
        return Problem.tooMany("too_many_long_reads", detail, RETRY_AFTER_SECONDS);
    }

    int open() {
        return open.get();
    }
}
