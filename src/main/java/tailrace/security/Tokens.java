package tailrace.security;

import io.vertx.core.json.JsonObject;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import tailrace.config.TailraceConfig;

/** Mints tokens that {@link Jwt} with the same configuration accepts. For first steps and tests; production has an issuer. */
public final class Tokens {
    private final SecretSignatures signatures;
    private final Optional<String> issuer;
    private final Optional<String> audience;
    private final Clock clock;

    /** The arguments of {@link Jwt}, and the secret of its {@link SecretSignatures}. */
    public Tokens(TailraceConfig.Secret secret, Optional<String> issuer, Optional<String> audience, Clock clock) {
        this.signatures = new SecretSignatures(secret);
        this.issuer = issuer;
        this.audience = audience;
        this.clock = clock;
    }

    /**
     * @param subject required where the role is {@link Role#AUTHENTICATED}
     * @param ttl from now, at least a second
     * @throws IllegalArgumentException for a token that nobody would accept
     */
    public String mint(Role role, Optional<String> subject, Duration ttl) {
        if (role == Role.AUTHENTICATED && subject.filter(sub -> !sub.isEmpty()).isEmpty()) {
            throw new IllegalArgumentException("a token with role authenticated needs a sub");
        }
        if (ttl.toSeconds() < 1) {
            throw new IllegalArgumentException("a token must live for a second at least");
        }
        long now = clock.instant().getEpochSecond();
        JsonObject claims = new JsonObject()
                .put("role", role.wire())
                .put("iat", now)
                .put("exp", Math.addExact(now, ttl.toSeconds()));
        subject.ifPresent(sub -> claims.put("sub", sub));
        issuer.ifPresent(iss -> claims.put("iss", iss));
        audience.ifPresent(aud -> claims.put("aud", aud));
        return signatures.sign(claims);
    }
}
