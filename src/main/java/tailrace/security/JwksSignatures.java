package tailrace.security;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.net.URI;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.metrics.Metrics;

/**
 * RS256 and ES256 by the keys that the issuer publishes (SPEC 8). They are fetched at the start and every ten minutes;
 * a token whose {@code kid} is unknown makes them be fetched once more, so that a new key works at once, at a rate that
 * no flood of such tokens can raise. While the issuer is away, the last good set goes on.
 */
public final class JwksSignatures implements Signatures {
    /** How often the issuer is asked. */
    record Pace(Duration refresh, Duration unknownKey, Duration noKeys) {
        static final Pace DEFAULT = new Pace(Duration.ofMinutes(10), Duration.ofSeconds(30), Duration.ofSeconds(2));
    }

    /** Requests that wait for one fetch; each is held for as long as the fetch takes. */
    private static final int MAX_WAITING = 1_000;

    private static final Logger LOG = LoggerFactory.getLogger(JwksSignatures.class);

    private final Vertx vertx;
    private final String host;
    private final Pace pace;
    private final Metrics metrics;
    private final JwksFetch fetch;
    private final Object lock = new Object();
    private volatile @Nullable KeySet keys;
    private @Nullable Promise<Void> underWay;
    private int waiting;
    private long fetchedNanos;
    private long unknownKeyNanos;
    private boolean askedForUnknownKey;
    private boolean failing;
    private long timer = -1;

    /** @param url https, or http on loopback; checked when the configuration was read */
    public JwksSignatures(Vertx vertx, URI url, Metrics metrics) {
        this(vertx, url, metrics, Pace.DEFAULT, JwksFetch.TIMEOUT);
    }

    JwksSignatures(Vertx vertx, URI url, Metrics metrics, Pace pace, Duration timeout) {
        this.vertx = vertx;
        // The rest of the URL may hold a key of its own.
        this.host = url.getHost();
        this.pace = pace;
        this.metrics = metrics;
        this.fetch = new JwksFetch(vertx, url, timeout);
    }

    /** Fetches the keys; completes when they are there, or cannot be had for now. Never fails. */
    public Future<Void> start() {
        timer = vertx.setPeriodic(pace.noKeys.toMillis(), id -> refreshIfDue());
        synchronized (lock) {
            return begin().otherwiseEmpty();
        }
    }

    @Override
    public JsonObject claims(String token) throws InvalidTokenException {
        TokenHeader header = TokenHeader.of(token);
        KeySet.checkAlgorithm(header);
        KeySet known = keys;
        if (known == null) {
            throw new UnknownKeyException("the issuer's keys are not known");
        }
        return known.claims(header, token);
    }

    @Override
    public Object version() {
        KeySet known = keys;
        return known == null ? this : known;
    }

    @Override
    public Future<Void> refresh() {
        Future<Void> fetched;
        synchronized (lock) {
            if (waiting >= MAX_WAITING) {
                return Future.failedFuture(unavailable());
            }
            if (underWay == null && !mayAskForUnknownKey()) {
                return outcome();
            }
            fetched = begin();
            waiting++;
        }
        return fetched.transform(result -> {
            synchronized (lock) {
                waiting--;
            }
            return outcome();
        });
    }

    /** Under the lock. Does not count what the clock alone asks for: a key that is new at the start is found at once. */
    private boolean mayAskForUnknownKey() {
        long now = System.nanoTime();
        Duration interval = keys == null ? pace.noKeys : pace.unknownKey;
        if (askedForUnknownKey && now - unknownKeyNanos < interval.toNanos()) {
            return false;
        }
        askedForUnknownKey = true;
        unknownKeyNanos = now;
        return true;
    }

    private Future<Void> outcome() {
        return keys == null ? Future.failedFuture(unavailable()) : Future.succeededFuture();
    }

    private static KeysUnavailableException unavailable() {
        return new KeysUnavailableException("The keys of the tokens' issuer cannot be had now.");
    }

    private void refreshIfDue() {
        synchronized (lock) {
            Duration interval = keys == null ? pace.noKeys : failing ? pace.unknownKey : pace.refresh;
            if (underWay == null && System.nanoTime() - fetchedNanos >= interval.toNanos()) {
                begin();
            }
        }
    }

    /** Under the lock: joins the fetch that is under way, or begins one. */
    private Future<Void> begin() {
        Promise<Void> running = underWay;
        if (running != null) {
            return running.future();
        }
        Promise<Void> begun = Promise.promise();
        underWay = begun;
        // Whatever is thrown must end as a failure too, or this fetch would be under way for ever.
        Future.succeededFuture().compose(now -> fetch.get()).onComplete(got -> {
            synchronized (lock) {
                underWay = null;
                fetchedNanos = System.nanoTime();
                if (got.succeeded()) {
                    take(got.result());
                } else {
                    failed(got.cause());
                }
            }
            begun.complete();
        });
        return begun.future();
    }

    /** The same keys stay the same object, so that accepted tokens stay remembered. */
    private void take(KeySet fresh) {
        if (!fresh.same(keys)) {
            LOG.info("{} keys of the tokens' issuer, from {}", fresh.size(), host);
            keys = fresh;
        } else if (failing) {
            LOG.info("The tokens' issuer, {}, answers again", host);
        }
        failing = false;
    }

    private void failed(Throwable cause) {
        metrics.jwksFetchFailed();
        if (!failing) {
            LOG.warn(
                    "The keys of the tokens' issuer cannot be fetched from {} ({}); {}, and it is asked again every {} s",
                    host,
                    cause.getMessage(),
                    keys == null ? "requests with tokens get 503" : "the last ones go on",
                    TimeUnit.MILLISECONDS.toSeconds((keys == null ? pace.noKeys : pace.unknownKey).toMillis()));
        }
        failing = true;
    }

    @Override
    public Future<Void> close() {
        vertx.cancelTimer(timer);
        return fetch.close();
    }
}
