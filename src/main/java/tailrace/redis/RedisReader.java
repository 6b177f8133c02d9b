package tailrace.redis;

import io.github.resilience4j.circuitbreaker.CallNotPermittedException;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.core.IntervalFunction;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.model.LogEntry;

/**
 * Reads streams for one event loop, on a connection of its own. A read that fails or takes too long fails for its reader
 * and ends the connection; while there is none, {@link #usable} says so and nobody waits: it is made again in the
 * background, not by readers, with a growing pause.
 */
public final class RedisReader {
    private static final Logger LOG = LoggerFactory.getLogger(RedisReader.class);
    private static final int RETRY_EXPONENT_MAX = 10;
    private static final IntervalFunction RETRY =
            IntervalFunction.ofExponentialRandomBackoff(Duration.ofMillis(100), 2.0, 0.5, Duration.ofSeconds(5));

    private final Vertx vertx;
    private final Context context;
    private final RedisLink link;
    private final Keys keys;
    private final Duration timeout;
    private final CircuitBreaker breaker;
    private final BooleanSupplier ours;
    private int failures;
    private boolean waiting;
    private boolean closed;

    /**
     * Begins to connect, on the caller's event loop.
     *
     * @param breaker shared by all readers
     * @param ours whether what is in Redis under our keys is known to be our journal's
     */
    RedisReader(
            Vertx vertx,
            RedisClients clients,
            Keys keys,
            Duration timeout,
            CircuitBreaker breaker,
            BooleanSupplier ours) {
        this.vertx = vertx;
        this.context = vertx.getOrCreateContext();
        this.keys = keys;
        this.timeout = timeout;
        this.breaker = breaker;
        this.ours = ours;
        this.link = new RedisLink(vertx, clients, this::reconnectLater);
        // A breaker that opens has to be tried again by somebody, and readers do not ask one that is open.
        breaker.getEventPublisher().onStateTransition(change -> {
            if (change.getStateTransition().getToState() == CircuitBreaker.State.OPEN) {
                context.runOnContext(none -> reconnectLater());
            }
        });
        context.runOnContext(none -> connect());
    }

    /** Whether it is worth asking. Cheap. */
    public boolean usable() {
        return link.connected() && ours.getAsBoolean() && breaker.getState() != CircuitBreaker.State.OPEN;
    }

    private void connect() {
        if (closed) {
            return;
        }
        long started = System.nanoTime();
        try {
            breaker.acquirePermission();
        } catch (CallNotPermittedException e) {
            reconnectLater();
            return;
        }
        link.connect()
                .compose(connected -> link.send(Request.cmd(Command.PING)))
                .timeout(RedisClients.CONNECT_TIMEOUT.toMillis() * 2, TimeUnit.MILLISECONDS)
                .onSuccess(done -> breaker.onSuccess(System.nanoTime() - started, TimeUnit.NANOSECONDS))
                .onFailure(failure -> {
                    LOG.debug("Redis cannot be read", failure);
                    breaker.onError(System.nanoTime() - started, TimeUnit.NANOSECONDS, failure);
                    link.drop();
                    reconnectLater();
                });
    }

    private void reconnectLater() {
        if (!closed && !waiting) {
            waiting = true;
            failures++;
            vertx.setTimer(RETRY.apply(Math.min(failures, RETRY_EXPONENT_MAX)), id -> {
                waiting = false;
                connect();
            });
        }
    }

    /**
     * What the stream holds between two seqs (both included), in order; not more than that, and it may have holes.
     *
     * @param maxEntries at most so many
     */
    public Future<List<LogEntry>> entries(
            String executionId, long fromSeq, long toSeq, boolean ascending, int maxEntries) {
        Request request = Request.cmd(ascending ? Command.XRANGE : Command.XREVRANGE)
                .arg(keys.log(executionId))
                .arg(ascending ? fromSeq : toSeq)
                .arg(ascending ? toSeq : fromSeq)
                .arg("COUNT")
                .arg(maxEntries);
        return timed(link.send(request)).map(RedisReader::entries);
    }

    private static List<LogEntry> entries(@Nullable Response answer) {
        List<LogEntry> entries = new ArrayList<>();
        if (answer != null) {
            for (Response one : answer) {
                entries.add(new LogEntry(seq(one.get(0)), one.get(1).get(1).toBytes()));
            }
        }
        return entries;
    }

    private static long seq(Response id) {
        String text = id.toString();
        int end = text.indexOf('-');
        return Long.parseLong(end < 0 ? text : text.substring(0, end));
    }

    /** @param length how many entries; less than the seqs between first and last if there are holes */
    public record Span(long firstSeq, long lastSeq, long length) {}

    /** How far the stream reaches; empty if there is none. */
    public Future<Optional<Span>> span(String executionId) {
        return timed(Script.SPAN.run(link, keys.log(executionId), List.of())).map(answer -> {
            if (answer == null || answer.size() == 0) {
                return Optional.empty();
            }
            return Optional.of(new Span(
                    seq(answer.get(0)),
                    seq(answer.get(1)),
                    Long.parseLong(answer.get(2).toString())));
        });
    }

    private <T> Future<T> timed(Future<T> answer) {
        long started = System.nanoTime();
        return answer.timeout(timeout.toMillis(), TimeUnit.MILLISECONDS)
                .onSuccess(done -> {
                    failures = 0;
                    breaker.onSuccess(System.nanoTime() - started, TimeUnit.NANOSECONDS);
                })
                .onFailure(failure -> {
                    LOG.debug("Redis does not answer a reader", failure);
                    breaker.onError(System.nanoTime() - started, TimeUnit.NANOSECONDS, failure);
                    if (link.connected()) {
                        link.drop();
                        reconnectLater();
                    }
                });
    }

    /** For good; any thread. */
    void close() {
        context.runOnContext(none -> {
            closed = true;
            link.close();
        });
    }
}
