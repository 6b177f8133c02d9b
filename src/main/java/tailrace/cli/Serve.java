package tailrace.cli;

import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;
import tailrace.config.TailraceConfig;
import tailrace.security.SecretStore;

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
    @Mixin
    private final ConfigOption options = new ConfigOption();

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before anything runs
    private CommandSpec spec;

    @Override
    public Integer call() throws Exception {
        TailraceConfig config = options.load();
        // An issuer's keys only verify: there is nothing to make a token with, and no secret to be made.
        Optional<SecretStore.Found> secret =
                config.security().jwksUrl().isPresent() ? Optional.empty() : Optional.of(SecretStore.resolve(config));
        Server server = Launch.start(config, () -> {});
        spec.commandLine().getOut().print(banner(config, secret, server.port()));
        spec.commandLine().getOut().flush();
        server.awaitTermination();
        return 0;
    }

    /** A token is printed only for a secret this server made itself: it is nobody's to keep from whoever started it. */
    private static String banner(TailraceConfig config, Optional<SecretStore.Found> secret, int port) {
        Optional<String> token =
                secret.filter(SecretStore.Found::generated).map(found -> Launch.serviceToken(config, found));
        return Banner.text(
                config.http(), port, token, secret.isPresent() ? Banner.TOKEN_OF_SECRET : Banner.TOKEN_OF_ISSUER);
    }
}
