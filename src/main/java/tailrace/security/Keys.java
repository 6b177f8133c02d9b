package tailrace.security;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.net.URI;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.config.TailraceConfig;
import tailrace.metrics.Metrics;

/** Which keys a configuration means: an issuer's, the configured secret, or the one in the data directory. */
public final class Keys {
    private static final Logger LOG = LoggerFactory.getLogger(Keys.class);

    private Keys() {}

    /** Completes when tokens can be checked, or when it is known that an issuer is away; fails if there can be no key. */
    public static Future<Signatures> open(Vertx vertx, TailraceConfig config, Metrics metrics) {
        Optional<URI> url = config.security().jwksUrl();
        if (url.isEmpty()) {
            return vertx.executeBlocking(
                    () -> new SecretSignatures(SecretStore.resolve(config).secret()), false);
        }
        if (config.security().issuer().isEmpty()) {
            LOG.warn("JWT_ISSUER is not set: whatever the keys of JWT_JWKS_URL have signed is taken, of any iss");
        }
        JwksSignatures signatures = new JwksSignatures(vertx, url.get(), metrics);
        return signatures.start().map(signatures);
    }
}
