package tailrace.redis;

import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.metrics.RedisMetrics;

/** Whether Redis takes entries, told once in the log when it changes. Written on one context, read on any thread. */
final class Reachability {
    /** How a failure begins that means that Redis must not be used, not that it cannot. */
    static final String AHEAD = "Redis is ahead of this journal";

    private static final Logger LOG = LoggerFactory.getLogger(RedisHotTier.class);
    private static final int DETAIL_CHARS = 200;
    /** An error Redis answers with begins with its code, such as OOM or READONLY. */
    private static final Pattern REPLY = Pattern.compile("[A-Z]{2,} ");

    private final RedisMetrics metrics;
    private volatile boolean available;
    private volatile String detail = "not reached yet";

    Reachability(RedisMetrics metrics) {
        this.metrics = metrics;
    }

    boolean available() {
        return available;
    }

    /** Why not, for everybody. */
    String detail() {
        return detail;
    }

    void succeeded(long lagPositions) {
        if (!available) {
            LOG.info("Redis takes entries; it is {} journal records behind", lagPositions);
            available = true;
            detail = "";
        }
    }

    void failed(Throwable failure) {
        metrics.failed();
        String text = describe(failure);
        // An outage repeats itself at every attempt; it is told once.
        if (available || !text.equals(detail)) {
            LOG.warn("Redis takes no entries, it will be tried again; the journal has them: {}", failure.getMessage());
            LOG.debug("The attempt to write to Redis that failed", failure);
        }
        available = false;
        detail = text;
    }

    /** What Redis says of itself, but not where it is. */
    private static String describe(Throwable failure) {
        String message = String.valueOf(failure.getMessage());
        if (failure instanceof TimeoutException) {
            return "does not answer";
        }
        if (!REPLY.matcher(message).lookingAt() && !message.startsWith(AHEAD)) {
            return "cannot be reached";
        }
        return message.length() > DETAIL_CHARS ? message.substring(0, DETAIL_CHARS) : message;
    }
}
