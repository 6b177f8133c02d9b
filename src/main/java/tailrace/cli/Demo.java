package tailrace.cli;

import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.net.PemTrustOptions;
import java.io.PrintWriter;
import java.net.URI;
import java.time.Clock;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import tailrace.config.TailraceConfig;
import tailrace.security.SecretStore;

/** {@code tailrace demo}: serves, and plays lifelike workflows into itself through its own API until it is told to stop. */
@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        description =
                "Run the server and play lifelike workflows into it: steps, progress, retries, a failure now and then.")
final class Demo implements Callable<Integer> {
    private static final int STOP_SECONDS = 3;

    @Mixin
    private final ConfigOption options = new ConfigOption();

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before any command runs
    private CommandSpec spec;

    @Option(
            names = "--speed",
            defaultValue = "1",
            description = "How fast they play, 0.1 to 1,000; 1 is a few entries a second (default: ${DEFAULT-VALUE}).")
    private double speed;

    @Option(names = "--seed", description = "Plays the same order of events again each time.")
    private @Nullable Long seed;

    @Override
    public Integer call() throws Exception {
        TailraceConfig config = options.load();
        if (config.security().jwksUrl().isPresent()) {
            throw new CommandFailedException("the demo makes its own tokens, and with JWT_JWKS_URL only the issuer can;"
                    + " leave JWT_JWKS_URL out");
        }
        SecretStore.Found secret = SecretStore.resolve(config);
        AtomicReference<@Nullable DemoWorkflow> playing = new AtomicReference<>();
        Server server = Launch.start(config, () -> stop(playing.get()));
        String token = Launch.serviceToken(config, secret);
        String url = Banner.url(config.http(), server.port());
        Vertx vertx = Vertx.vertx();
        DemoWorkflow demo = player(vertx, URI.create(url), token, client(config));
        playing.set(demo);
        String first = demo.start().toCompletionStage().toCompletableFuture().get();
        PrintWriter out = spec.commandLine().getOut();
        out.print(Banner.demo(url, token, first));
        out.flush();
        server.awaitTermination();
        vertx.close();
        return 0;
    }

    /** The server is this process: its own certificate is the one to trust, and by whatever name it is called here. */
    private static HttpClientOptions client(TailraceConfig config) {
        HttpClientOptions options = new HttpClientOptions();
        config.http().tls().ifPresent(tls -> options.setSsl(true)
                .setVerifyHost(false)
                .setTrustOptions(new PemTrustOptions().addCertPath(tls.cert().toString())));
        return options;
    }

    private DemoWorkflow player(Vertx vertx, URI base, String token, HttpClientOptions client) {
        Random random = seed == null ? new Random() : new Random(seed);
        try {
            return new DemoWorkflow(vertx, base, token, random, Clock.systemUTC(), speed, client);
        } catch (IllegalArgumentException e) {
            vertx.close();
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()));
        }
    }

    /** The player says that its runs are stopped, as an engine would; it has so long for it. */
    private static void stop(@Nullable DemoWorkflow demo) {
        if (demo == null) {
            return;
        }
        try {
            demo.stop().toCompletionStage().toCompletableFuture().get(STOP_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException | ExecutionException e) {
            System.err.println("tailrace: the demo did not end in order: " + e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
