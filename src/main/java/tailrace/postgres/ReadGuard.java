package tailrace.postgres;

import io.github.resilience4j.circuitbreaker.CallNotPermittedException;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.core.IntervalFunction;
import io.vertx.core.Future;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import tailrace.metrics.Metrics;

/**
 * A circuit breaker before the readers' queries: while PostgreSQL is away nobody waits for a connection that will not
 * come, and when it is back a few try first and not all at once. Safe for any thread.
 */
public final class ReadGuard {
    private static final IntervalFunction WAIT =
            IntervalFunction.ofExponentialRandomBackoff(Duration.ofMillis(500), 2.0, 0.5, Duration.ofSeconds(5));
    private static final int WINDOW = 10;
    private static final int TRIALS = 3;

    /** A query that takes longer counts as not answered: PostgreSQL may hang without closing its connections. */
    static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(10);

    private final CircuitBreaker breaker;

    public ReadGuard(Metrics metrics) {
        breaker = CircuitBreaker.of(
                "postgres readers",
                CircuitBreakerConfig.custom()
                        .slidingWindowSize(WINDOW)
                        .minimumNumberOfCalls(WINDOW / 2)
                        .permittedNumberOfCallsInHalfOpenState(TRIALS)
                        // Whoever was let try and never came back must not keep the others out.
                        .maxWaitDurationInHalfOpenState(ANSWER_TIMEOUT.multipliedBy(2))
                        .waitIntervalFunctionInOpenState(WAIT)
                        .build());
        metrics.gauge(
                "tailrace.readers.breaker.open",
                "1 while readers' queries are not sent to PostgreSQL",
                breaker,
                own -> own.getState() == CircuitBreaker.State.OPEN ? 1 : 0);
    }

    /** The query's result; fails with {@link PostgresAwayException} at once while PostgreSQL is taken to be away. */
    public <T> Future<T> call(Supplier<Future<T>> query) {
        try {
            breaker.acquirePermission();
        } catch (CallNotPermittedException e) {
            return Future.failedFuture(new PostgresAwayException(e));
        }
        long began = System.nanoTime();
        Future<T> answer;
        try {
            answer = query.get();
        } catch (RuntimeException e) {
            breaker.releasePermission(); // it was never asked
            return Future.failedFuture(e);
        }
        return answer.timeout(ANSWER_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS).onComplete(done -> {
            long took = System.nanoTime() - began;
            if (done.succeeded() || !SqlErrors.away(done.cause())) {
                breaker.onSuccess(took, TimeUnit.NANOSECONDS);
            } else {
                breaker.onError(took, TimeUnit.NANOSECONDS, done.cause());
            }
        });
    }

    /** Whether a call failed because PostgreSQL is away, and not for what was asked. */
    public static boolean away(Throwable failure) {
        return failure instanceof PostgresAwayException || SqlErrors.away(failure);
    }

    /** The writer knows first: it asks PostgreSQL every few seconds. */
    public void available(boolean answers) {
        if (answers) {
            breaker.reset();
        } else if (breaker.getState() != CircuitBreaker.State.OPEN) {
            breaker.transitionToOpenState();
        }
    }
}
