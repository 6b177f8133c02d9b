package tailrace.cli;

import io.vertx.core.Vertx;
import java.net.URI;
import java.time.Clock;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code demo}: workflows play into a server until it is interrupted, so that there is something to watch. */
@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description =
                "Plays lifelike workflows into a running server for ever: steps, progress, retries, a failure now and then.")
public final class Demo implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before any command runs
    private CommandSpec spec;

    @Option(
            names = "--url",
            paramLabel = "URL",
            defaultValue = "http://127.0.0.1:8080",
            description = "The running server (default: ${DEFAULT-VALUE}).")
    private String url = "";

    @Option(
            names = "--token",
            paramLabel = "JWT",
            description = "A service token; without it TAILRACE_TOKEN is taken from the environment.")
    private String token = "";

    @Option(
            names = "--speed",
            defaultValue = "1",
            description = "How fast they play, 0.1 to 1,000; 1 is a few entries a second (default: ${DEFAULT-VALUE}).")
    private double speed;

    @Option(names = "--seed", description = "Plays the same again each time.")
    private @Nullable Long seed;

    @Override
    public Integer call() throws InterruptedException {
        String bearer = token.isEmpty() ? System.getenv().getOrDefault("TAILRACE_TOKEN", "") : token;
        if (bearer.isEmpty()) {
            throw wrong("a service token is needed: give --token or set TAILRACE_TOKEN");
        }
        Random random = seed == null ? new Random() : new Random(seed);
        Vertx vertx = Vertx.vertx();
        CountDownLatch ended = new CountDownLatch(1);
        DemoWorkflow demo = player(vertx, bearer, random);
        Thread hook = new Thread(
                () -> {
                    demo.stop().eventually(vertx::close).onComplete(end -> ended.countDown());
                    awaitQuietly(ended);
                },
                "demo-stop");
        Runtime.getRuntime().addShutdownHook(hook);
        demo.start()
                .onSuccess(execution -> spec.commandLine().getOut().println("Playing. The first run is " + execution))
                .onFailure(failure ->
                        spec.commandLine().getErr().println("The demo did not start: " + failure.getMessage()));
        ended.await();
        return 0;
    }

    private DemoWorkflow player(Vertx vertx, String bearer, Random random) {
        try {
            return new DemoWorkflow(vertx, URI.create(url), bearer, random, Clock.systemUTC(), speed);
        } catch (IllegalArgumentException e) {
            vertx.close();
            throw wrong(String.valueOf(e.getMessage()));
        }
    }

    private static void awaitQuietly(CountDownLatch ended) {
        try {
            ended.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // the process ends either way
        }
    }

    private ParameterException wrong(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
