package tailrace.postgres;

import io.github.resilience4j.core.IntervalFunction;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.pgclient.PgConnection;
import io.vertx.sqlclient.Tuple;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.metrics.Metrics;

/**
 * The one connection that LISTENs, past any pooler. Whatever ends it, another is made after a while; its owner is told
 * each time it listens again, because what was notified in between is lost: LISTEN first, then read everything, then
 * wait. It is asked every few seconds, so that a cut nobody reported is noticed. A plain connection, because Vert.x's
 * subscriber never tries again after a first connect that failed.
 *
 * <p>Belongs to the context on which {@link #start} was called; figures may be read by any thread.
 */
public final class Listener {
    /** How the connection is called in {@code pg_stat_activity}. */
    public static final String APPLICATION_NAME = "tailrace listener";

    private static final Logger LOG = LoggerFactory.getLogger(Listener.class);
    private static final Duration HEARTBEAT = Duration.ofSeconds(3);
    private static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(5);
    private static final int RETRY_EXPONENT_MAX = 10;
    private static final IntervalFunction RETRY =
            IntervalFunction.ofExponentialRandomBackoff(Duration.ofMillis(100), 2.0, 0.5, Duration.ofSeconds(5));

    private final Vertx vertx;
    private final Database database;
    private final AtomicLong reconnects = new AtomicLong();
    private Runnable listening = () -> {};
    private Runnable notified = () -> {};
    private Runnable owners = () -> {};
    private @Nullable PgConnection connection;
    private volatile boolean connected;
    private boolean everConnected;
    private boolean closed;
    private int failures;

    public Listener(Vertx vertx, Database database, Metrics metrics) {
        this.vertx = vertx;
        this.database = database;
        metrics.gauge("tailrace.listen.connected", "1 while the connection listens", this, it -> it.connected ? 1 : 0);
        metrics.counter("tailrace.listen.reconnects", "Times the connection had to be made anew", reconnects);
    }

    /**
     * Begins, on the caller's context; does not wait for PostgreSQL and does not fail.
     *
     * @param listening told each time the connection listens: read everything now
     * @param notified told of each notification about {@code log_inbox}
     */
    public void start(Runnable listening, Runnable notified) {
        this.listening = listening;
        this.notified = notified;
        connect();
    }

    /** @param changed told when somebody's executions may have become another's; before {@link #start} */
    public void onOwnersChanged(Runnable changed) {
        owners = changed;
    }

    private void connect() {
        if (closed) {
            return;
        }
        database.connectToListen(APPLICATION_NAME).onSuccess(this::listen).onFailure(this::lost);
    }

    private void listen(PgConnection fresh) {
        if (closed) {
            fresh.close();
            return;
        }
        connection = fresh;
        fresh.closeHandler(none -> dropped(fresh, new IllegalStateException("PostgreSQL ended the connection")));
        fresh.notificationHandler(notification ->
                (notification.getChannel().equals(database.sql().ownersChannel) ? owners : notified).run());
        fresh.query("LISTEN " + database.sql().inboxChannel + "; LISTEN " + database.sql().ownersChannel)
                .execute()
                .timeout(ANSWER_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
                .onSuccess(done -> listens(fresh))
                .onFailure(error -> dropped(fresh, error));
    }

    private void listens(PgConnection on) {
        if (connection != on) {
            return;
        }
        if (everConnected) {
            reconnects.incrementAndGet();
            LOG.info("listening to PostgreSQL again");
        }
        everConnected = true;
        connected = true;
        failures = 0;
        later(HEARTBEAT, () -> heartbeat(on));
        owners.run(); // what was notified in between is lost
        listening.run();
    }

    private void heartbeat(PgConnection on) {
        if (connection != on) {
            return;
        }
        on.query("SELECT 1")
                .execute()
                .timeout(ANSWER_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
                .onSuccess(done -> later(HEARTBEAT, () -> heartbeat(on)))
                .onFailure(error -> dropped(on, error));
    }

    private void dropped(PgConnection on, Throwable error) {
        if (connection == on) {
            connection = null;
            on.close();
            lost(error);
        }
    }

    private void lost(Throwable error) {
        connected = false;
        if (closed) {
            return;
        }
        // An outage repeats itself at every attempt; it is told once.
        if (failures++ == 0) {
            LOG.warn("not listening to PostgreSQL, trying again: {}", error.getMessage());
        }
        later(Duration.ofMillis(RETRY.apply(Math.min(failures, RETRY_EXPONENT_MAX))), this::connect);
    }

    private void later(Duration delay, Runnable what) {
        vertx.setTimer(Math.max(1, delay.toMillis()), id -> what.run());
    }

    /** Sends a notification; fails where the connection does not listen now. On the listener's context. */
    Future<Void> send(String channel, String payload) {
        PgConnection open = connection;
        if (open == null || !connected) {
            return Future.failedFuture(new IllegalStateException("not connected to PostgreSQL"));
        }
        return open.preparedQuery("SELECT pg_notify($1, $2)")
                .execute(Tuple.of(channel, payload))
                .timeout(ANSWER_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
                .mapEmpty();
    }

    /** Whether notifications arrive now. */
    public boolean connected() {
        return connected;
    }

    /** How often the connection had to be made anew. */
    public long reconnects() {
        return reconnects.get();
    }

    /** Ends the connection; on the listener's context. */
    public Future<Void> close() {
        closed = true;
        connected = false;
        PgConnection open = connection;
        connection = null;
        return open == null ? Future.succeededFuture() : open.close().otherwiseEmpty();
    }
}
