package tailrace.cli;

import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;
import tailrace.config.TailraceConfig;
import tailrace.security.Role;
import tailrace.security.SecretStore;
import tailrace.security.Tokens;

/**
 * {@code tailrace serve}. SIGTERM and SIGINT close the server in order within {@code SHUTDOWN_TIMEOUT}; the JVM exits
 * with 143 or 130 then, as it does for signals, and with 1 if closing failed or hung.
 */
@Command(
        name = "serve",
        description = "Run the server until it is told to stop.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class)
final class Serve implements Callable<Integer> {
    private static final Logger LOG = LoggerFactory.getLogger(Serve.class);

    /** Long enough to try things out for a month; whoever wants other tokens configures a secret. */
    private static final Duration FIRST_TOKEN_TTL = Duration.ofDays(30);

    @Mixin
    private final ConfigOption options = new ConfigOption();

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before anything runs
    private CommandSpec spec;

    @Override
    public Integer call() throws Exception {
        TailraceConfig config = options.load();
        SecretStore.Found secret = SecretStore.resolve(config);
        CompletableFuture<Server> started = new CompletableFuture<>();
        // Before the start, because a signal may come in the middle of it and PostgreSQL is a process of its own.
        Runtime.getRuntime()
                .addShutdownHook(
                        new Thread(() -> close(started, config.http().shutdownTimeout()), "tailrace-shutdown"));
        try {
            started.complete(Server.start(config));
        } catch (Exception e) {
            started.completeExceptionally(e);
            throw e;
        }
        Server server = started.get();
        spec.commandLine().getOut().print(banner(config, secret, server.port()));
        spec.commandLine().getOut().flush();
        server.awaitTermination();
        return 0;
    }

    /** A token is printed only for a secret this server made itself: it is nobody's to keep from whoever started it. */
    private static String banner(TailraceConfig config, SecretStore.Found secret, int port) {
        Optional<String> token = secret.generated()
                ? Optional.of(new Tokens(
                                secret.secret(),
                                config.security().issuer(),
                                config.security().audience(),
                                Clock.systemUTC())
                        .mint(Role.SERVICE_ROLE, Optional.empty(), FIRST_TOKEN_TTL))
                : Optional.empty();
        return Banner.text(config.http().host(), port, token);
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
