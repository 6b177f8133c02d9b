package tailrace.cli;

import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.config.TailraceConfig;
import tailrace.security.Role;
import tailrace.security.SecretStore;
import tailrace.security.Tokens;

/** What {@code serve} and {@code demo} have in common: a server that closes in order when the process is told to end. */
final class Launch {
    private static final Logger LOG = LoggerFactory.getLogger(Launch.class);

    /** Long enough to try things out for a month; whoever wants other tokens configures a secret. */
    private static final Duration FIRST_TOKEN_TTL = Duration.ofDays(30);

    private Launch() {}

    /**
     * Starts a server; returns once it answers.
     *
     * @param beforeClose what has to end before the server does, when a signal comes
     */
    static Server start(TailraceConfig config, Runnable beforeClose) throws Exception {
        CompletableFuture<Server> started = new CompletableFuture<>();
        // Before the start, because a signal may come in the middle of it and PostgreSQL is a process of its own.
        Runtime.getRuntime()
                .addShutdownHook(new Thread(
                        () -> {
                            beforeClose.run();
                            close(started, config.http().shutdownTimeout());
                        },
                        "tailrace-shutdown"));
        try {
            Server server = Server.start(config);
            started.complete(server);
            return server;
        } catch (Exception e) {
            started.completeExceptionally(e);
            throw e;
        }
    }

    /** A service token of this server's secret. */
    static String serviceToken(TailraceConfig config, SecretStore.Found secret) {
        return new Tokens(
                        secret.secret(),
                        config.security().issuer(),
                        config.security().audience(),
                        Clock.systemUTC())
                .mint(Role.SERVICE_ROLE, Optional.empty(), FIRST_TOKEN_TTL);
    }

    private static void close(CompletableFuture<Server> started, Duration timeout) {
        CompletableFuture<Void> closed = started.thenAccept(Server::close);
        try {
            // The server keeps the deadline itself; this one is for the case that it cannot.
            closed.get(timeout.toMillis() + 1_000, TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            LOG.error("not closed within {} s, giving up", timeout.toSeconds());
            Runtime.getRuntime().halt(1);
        } catch (ExecutionException e) {
            if (!started.isCompletedExceptionally()) {
                LOG.error("the server did not close in order", e.getCause());
                Runtime.getRuntime().halt(1);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
