package tailrace.cli;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import java.time.Clock;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.bus.LocalCodec;
import tailrace.config.TailraceConfig;
import tailrace.metrics.Prometheus;
import tailrace.postgres.Database;
import verticles.MainVerticle;

/** A running server: everything that {@code serve} starts, in one handle. */
public final class Server implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Server.class);

    private final Vertx vertx;
    private final Prometheus prometheus;
    private final MainVerticle main;
    private final Duration deadline;
    private final AtomicBoolean closing = new AtomicBoolean();
    private final CountDownLatch closed = new CountDownLatch(1);

    private Server(Vertx vertx, Prometheus prometheus, MainVerticle main, Duration deadline) {
        this.vertx = vertx;
        this.prometheus = prometheus;
        this.main = main;
        this.deadline = deadline;
    }

    /** Starts the server; returns once it answers. */
    public static Server start(TailraceConfig config) throws Exception {
        var prometheus = new Prometheus();
        Vertx vertx = Vertx.builder()
                .with(new VertxOptions().setPreferNativeTransport(true).setMetricsOptions(prometheus.options()))
                .withMetrics(prometheus.factory())
                .build();
        LocalCodec.register(vertx);
        var main = new MainVerticle(config, Clock.systemUTC(), prometheus);
        try {
            await(vertx.deployVerticle(main));
            return new Server(vertx, prometheus, main, config.http().shutdownTimeout());
        } catch (Exception e) {
            await(vertx.close());
            prometheus.close();
            throw e;
        }
    }

    /** Migrates the database; returns a line for people. */
    public static String migrate(TailraceConfig config) throws Exception {
        Vertx vertx = Vertx.vertx();
        try {
            int applied = await(
                    Database.open(vertx, config.database(), config.dataDir()).compose(database -> database.migrate()
                            .compose(count -> database.prepareReaders().map(count))
                            .eventually(database::close)));
            return applied == 0
                    ? "The schema " + config.database().schema() + " is up to date."
                    : applied + " migrations applied to the schema "
                            + config.database().schema() + ".";
        } finally {
            await(vertx.close());
        }
    }

    /** Waits for what runs elsewhere, and throws what it failed with. */
    static <T> T await(Future<T> future) throws Exception {
        try {
            return future.toCompletionStage().toCompletableFuture().get();
        } catch (ExecutionException e) {
            throw e.getCause() instanceof Exception cause ? cause : e;
        }
    }

    public int port() {
        return main.port();
    }

    /** Returns when the server has closed. */
    public void awaitTermination() throws InterruptedException {
        closed.await();
    }

    /** Closes in order, within the configured deadline; may be called twice. */
    @Override
    public void close() {
        if (!closing.compareAndSet(false, true)) {
            return;
        }
        long until = System.nanoTime() + deadline.toNanos();
        try {
            // One after the other: a chain would end on an event loop that its second part has ended.
            within(until, main.shutdown());
            within(until, vertx.close());
        } catch (TimeoutException e) {
            LOG.error("Not closed within {} s; what is left is repeated from the journal.", deadline.toSeconds());
        } catch (ExecutionException e) {
            LOG.error("The server did not close in order.", e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            prometheus.close();
            closed.countDown();
        }
    }

    private static void within(long untilNanos, Future<Void> future)
            throws ExecutionException, InterruptedException, TimeoutException {
        future.toCompletionStage()
                .toCompletableFuture()
                .get(Math.max(1, untilNanos - System.nanoTime()), TimeUnit.NANOSECONDS);
    }
}
