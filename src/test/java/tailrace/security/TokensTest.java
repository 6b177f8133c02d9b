package tailrace.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.vertx.core.json.JsonObject;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import tailrace.config.TailraceConfig.Secret;

class TokensTest {
    private static final Secret SECRET = new Secret("a-secret-of-more-than-thirty-two-bytes");
    private static final Clock CLOCK = Clock.fixed(Instant.ofEpochSecond(1_000), ZoneOffset.UTC);

    private final Tokens tokens = new Tokens(SECRET, Optional.empty(), Optional.empty(), CLOCK);

    @Test
    void aTokenSaysWhatItIsForAndNoMore() throws Exception {
        String token = tokens.mint(Role.SERVICE_ROLE, Optional.empty(), Duration.ofHours(1));
        assertThat(new Jwt(new SecretSignatures(SECRET), Optional.empty(), Optional.empty(), CLOCK).claims(token))
                .isEqualTo(new JsonObject()
                        .put("role", "service_role")
                        .put("iat", 1_000)
                        .put("exp", 4_600));
    }

    @Test
    void aTokenThatNobodyWouldAcceptIsNotMade() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> tokens.mint(Role.AUTHENTICATED, Optional.empty(), Duration.ofHours(1)));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> tokens.mint(Role.AUTHENTICATED, Optional.of(""), Duration.ofHours(1)));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> tokens.mint(Role.SERVICE_ROLE, Optional.empty(), Duration.ofMillis(999)));
    }
}
