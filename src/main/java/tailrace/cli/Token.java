package tailrace.cli;

import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tailrace.config.TailraceConfig;
import tailrace.metrics.Metrics;
import tailrace.security.InvalidTokenException;
import tailrace.security.Jwt;
import tailrace.security.Keys;
import tailrace.security.KeysUnavailableException;
import tailrace.security.Role;
import tailrace.security.SecretStore;
import tailrace.security.Signatures;
import tailrace.security.Tokens;

/** {@code tailrace token}: makes a token for development on standard output, and nothing else there. */
@Command(
        name = "token",
        description = "Make a token for development, signed with the configured secret or the data directory's.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        subcommands = Token.Inspect.class)
final class Token implements Callable<Integer> {
    @Mixin
    private final ConfigOption options = new ConfigOption();

    @Option(
            names = "--role",
            paramLabel = "ROLE",
            description = "service_role writes and reads all, authenticated reads what SUB owns (service_role).")
    private Role role = Role.SERVICE_ROLE;

    @Option(names = "--sub", paramLabel = "SUB", description = "Who it speaks for; required for authenticated.")
    private @Nullable String subject;

    @Option(
            names = "--ttl",
            paramLabel = "DURATION",
            converter = DurationConverter.class,
            defaultValue = "12h",
            description = "For how long, such as 90s, 12h or 30d (${DEFAULT-VALUE}).")
    private Duration ttl = Duration.ofHours(12);

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before anything runs
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException, CommandFailedException {
        TailraceConfig config = options.load();
        if (config.security().jwksUrl().isPresent()) {
            throw new CommandFailedException(
                    "only the issuer can make tokens: JWT_JWKS_URL is set, and what it names are"
                            + " keys that verify; ask the issuer for a token, or leave JWT_JWKS_URL out for development");
        }
        SecretStore.Found secret = SecretStore.resolve(config);
        if (secret.origin() == SecretStore.Origin.CREATED) {
            spec.commandLine()
                    .getErr()
                    .println("made a new secret in "
                            + config.dataDir().toAbsolutePath().normalize());
        }
        Tokens tokens = new Tokens(
                secret.secret(), config.security().issuer(), config.security().audience(), Clock.systemUTC());
        try {
            spec.commandLine().getOut().println(tokens.mint(role, Optional.ofNullable(subject), ttl));
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
        return 0;
    }

    /** {@code tailrace token inspect}: what a token says, and whether this configuration accepts it. */
    @Command(
            name = "inspect",
            description = "Show what a token says and whether a server with this configuration accepts it.",
            mixinStandardHelpOptions = true,
            versionProvider = Version.class)
    static final class Inspect implements Callable<Integer> {
        @Mixin
        private final ConfigOption options = new ConfigOption();

        @Parameters(
                arity = "0..1",
                paramLabel = "TOKEN",
                description = "The token; left out, it is read from standard input, which no process list shows.")
        private @Nullable String token;

        @Spec
        @SuppressWarnings("NullAway.Init") // picocli sets it before anything runs
        private CommandSpec spec;

        @Override
        public Integer call() throws Exception {
            TailraceConfig config = options.load();
            if (config.security().jwksUrl().isEmpty()
                    && SecretStore.find(config).isEmpty()) {
                throw new CommandFailedException("there is no secret yet: JWT_SECRET is not set, and "
                        + config.dataDir().toAbsolutePath().normalize() + " holds none");
            }
            String text = token == null ? read(System.in) : token;
            Vertx vertx = Vertx.vertx();
            try {
                Signatures signatures =
                        Server.await(Keys.open(vertx, config, new Metrics(new CompositeMeterRegistry())));
                inspect(
                        new Jwt(
                                signatures,
                                config.security().issuer(),
                                config.security().audience(),
                                Clock.systemUTC()),
                        text);
            } catch (InvalidTokenException e) {
                throw new CommandFailedException("not accepted: " + e.reason(), e);
            } catch (KeysUnavailableException e) {
                throw new CommandFailedException("cannot tell: the keys at JWT_JWKS_URL cannot be had", e);
            } finally {
                Server.await(vertx.close());
            }
            spec.commandLine().getErr().println("accepted");
            return 0;
        }

        /** What a token with the right signature says is shown also where something else is wrong with it. */
        private void inspect(Jwt jwt, String text) throws Exception {
            JsonObject claims = Server.await(jwt.signed(text));
            spec.commandLine().getOut().println(claims.encodePrettily());
            Server.await(jwt.authenticate(text));
        }

        private static String read(InputStream in) throws IOException {
            return new String(in.readNBytes(Jwt.MAX_TOKEN_CHARS + 1), StandardCharsets.UTF_8).strip();
        }
    }
}
