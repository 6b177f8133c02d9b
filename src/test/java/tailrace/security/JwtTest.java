package tailrace.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Optional;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;
import tailrace.config.TailraceConfig.Secret;

/** The attacks this class exists to stop, each by name, beside what must pass. Tokens are made by hand here. */
class JwtTest {
    private static final String SECRET = "a-secret-of-more-than-thirty-two-bytes";
    private static final long NOW = 1_800_000_000L;

    private final MovableClock clock = new MovableClock(Instant.ofEpochSecond(NOW));
    private final Jwt jwt =
            new Jwt(new SecretSignatures(new Secret(SECRET)), Optional.empty(), Optional.empty(), clock);
    private final Jwt strict =
            new Jwt(new SecretSignatures(new Secret(SECRET)), Optional.of("issuer"), Optional.of("logs"), clock);

    private static JsonObject service() {
        return new JsonObject().put("role", "service_role").put("exp", NOW + 100);
    }

    private static JsonObject reader() {
        return new JsonObject().put("role", "authenticated").put("sub", "u1").put("exp", NOW + 100);
    }

    private static String part(String json) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(json.getBytes(StandardCharsets.UTF_8));
    }

    private static String sign(String header, String payload, String algorithm, String key) {
        try {
            Mac mac = Mac.getInstance(algorithm);
            mac.init(new SecretKeySpec(key.getBytes(StandardCharsets.UTF_8), algorithm));
            String input = part(header) + "." + part(payload);
            byte[] signature = mac.doFinal(input.getBytes(StandardCharsets.US_ASCII));
            return input + "." + Base64.getUrlEncoder().withoutPadding().encodeToString(signature);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String token(JsonObject claims) {
        return sign("{\"alg\":\"HS256\",\"typ\":\"JWT\"}", claims.encode(), "HmacSHA256", SECRET);
    }

    private void refused(Jwt by, String token, String why) {
        assertThatThrownBy(() -> by.verify(token))
                .isInstanceOf(InvalidTokenException.class)
                .hasMessageContaining(why);
    }

    @Test
    void aServiceTokenIsAccepted() throws Exception {
        Principal unnamed = jwt.verify(token(service()));
        assertThat(unnamed).isEqualTo(new Principal("", true, NOW + 100, unnamed.sender()));
        assertThat(jwt.verify(token(service().put("sub", "engine"))))
                .isEqualTo(new Principal("engine", true, NOW + 100));
    }

    @Test
    void sendersAreToldApartBySubjectThenJtiThenAFingerprint() throws Exception {
        assertThat(jwt.verify(token(service().put("sub", "engine").put("jti", "j1")))
                        .sender())
                .isEqualTo("sub:engine");
        assertThat(jwt.verify(token(service().put("jti", "j1"))).sender()).isEqualTo("jti:j1");
        String one = token(service());
        String other = token(service().put("exp", NOW + 200));
        assertThat(jwt.verify(one).sender()).startsWith("token:").hasSizeLessThan(30);
        assertThat(jwt.verify(one).sender())
                .isEqualTo(jwt.verify(one).sender())
                .isNotEqualTo(jwt.verify(other).sender());
        assertThat(one).doesNotContain(jwt.verify(one).sender().substring("token:".length()));
    }

    @Test
    void aReadersTokenIsAcceptedAndItsSubNeedNotBeAUuid() throws Exception {
        assertThat(jwt.verify(token(reader().put("sub", "näme with spaces"))))
                .isEqualTo(new Principal("näme with spaces", false, NOW + 100));
    }

    @Test
    void whatTokensMintsIsAccepted() throws Exception {
        Tokens tokens = new Tokens(new Secret(SECRET), Optional.of("issuer"), Optional.of("logs"), clock);
        String token = tokens.mint(Role.AUTHENTICATED, Optional.of("u1"), Duration.ofMinutes(5));
        assertThat(strict.verify(token)).isEqualTo(new Principal("u1", false, NOW + 300));
        assertThat(jwt.verify(token).subject()).isEqualTo("u1");
    }

    @Test
    void attackAlgorithmNone() {
        String unsigned = part("{\"alg\":\"none\"}") + "." + part(service().encode());
        refused(jwt, unsigned, "not a JWT of header");
        refused(jwt, unsigned + ".", "not a JWT of header");
        refused(jwt, unsigned + ".x", "not a JWT signed");
        refused(jwt, part("{\"alg\":\"None\"}") + "." + part(service().encode()) + ".", "not a JWT of header");
    }

    @Test
    void attackSignatureLeftOut() {
        String token = token(service());
        refused(jwt, token.substring(0, token.lastIndexOf('.')), "not a JWT of header");
        refused(jwt, token.substring(0, token.lastIndexOf('.') + 1), "not a JWT of header");
    }

    @Test
    void attackWrongKey() {
        String token =
                sign("{\"alg\":\"HS256\"}", service().encode(), "HmacSHA256", "another-secret-of-thirty-two-bytes!!");
        refused(jwt, token, "not a JWT signed");
        refused(jwt, sign("{\"alg\":\"HS256\"}", service().encode(), "HmacSHA256", " "), "not a JWT signed");
    }

    @Test
    void attackSwappedAlgorithm() {
        refused(jwt, sign("{\"alg\":\"HS512\"}", service().encode(), "HmacSHA512", SECRET), "not a JWT signed");
        refused(jwt, sign("{\"alg\":\"HS384\"}", service().encode(), "HmacSHA384", SECRET), "not a JWT signed");
        refused(jwt, sign("{\"alg\":\"RS256\"}", service().encode(), "HmacSHA256", SECRET), "not a JWT signed");
        refused(jwt, sign("{\"typ\":\"JWT\"}", service().encode(), "HmacSHA256", SECRET), "alg and kid must be");
    }

    @Test
    void attackChangedPayload() {
        String[] honest = token(reader()).split("\\.");
        refused(jwt, honest[0] + "." + part(service().encode()) + "." + honest[2], "not a JWT signed");
    }

    @Test
    void attackKeyInTheHeader() {
        String header = "{\"alg\":\"HS256\",\"jwk\":{\"kty\":\"oct\",\"k\":\"AAAA\"},\"kid\":\"../../dev/null\"}";
        refused(jwt, sign(header, service().encode(), "HmacSHA256", "\0\0\0"), "not a JWT signed");
    }

    @Test
    void attackHeaderThatWouldHaveToBeUnderstood() {
        String header = "{\"alg\":\"HS256\",\"crit\":[\"b64\"],\"b64\":false}";
        refused(jwt, sign(header, service().encode(), "HmacSHA256", SECRET), "crit");
    }

    @Test
    void whatLastsEndsWithoutLeeway() throws Exception {
        Principal principal = jwt.verify(token(service()));
        clock.set(NOW + 99);
        assertThat(jwt.ended(principal)).isFalse();
        clock.set(NOW + 100);
        assertThat(jwt.ended(principal)).isTrue();
    }

    @Test
    void expiredTokensEndAfterTheLeewayAlsoWhenTheyWereSeenBefore() throws Exception {
        String token = token(service());
        assertThat(jwt.verify(token).service()).isTrue();
        clock.set(NOW + 100 + 59);
        assertThat(jwt.verify(token).service()).isTrue();
        clock.set(NOW + 100 + 60);
        refused(jwt, token, "expired");
    }

    @Test
    void aTokenWithoutEndIsNotAccepted() {
        JsonObject endless = service();
        endless.remove("exp");
        refused(jwt, token(endless), "no exp");
        refused(jwt, token(service().putNull("exp")), "not a well-formed JWT");
    }

    @Test
    void timesMustBeNumbers() {
        refused(jwt, token(service().put("exp", "9999999999")), "not a well-formed JWT");
        refused(jwt, token(service().put("exp", 1e300)), "exp must be a number");
        refused(jwt, token(service().put("exp", -1)), "exp must be a number");
        refused(jwt, token(service().put("exp", new JsonArray())), "not a well-formed JWT");
        refused(jwt, token(service().put("nbf", "now")), "not a well-formed JWT");
    }

    @Test
    void fractionsOfSecondsAreAllowed() throws Exception {
        assertThat(jwt.verify(token(service().put("exp", NOW + 10.75))).expiresAtSeconds())
                .isEqualTo(NOW + 10);
    }

    @Test
    void aTokenFromTheFutureWaits() throws Exception {
        assertThat(jwt.verify(token(service().put("nbf", NOW + 60))).service()).isTrue();
        refused(jwt, token(service().put("nbf", NOW + 61)), "not valid yet");
    }

    @Test
    void issuerAndAudienceAreCheckedWhereConfigured() throws Exception {
        assertThat(strict.verify(token(service().put("iss", "issuer").put("aud", "logs")))
                        .service())
                .isTrue();
        assertThat(strict.verify(token(service().put("iss", "issuer").put("aud", JsonArray.of("x", "logs"))))
                        .service())
                .isTrue();
        refused(strict, token(service().put("aud", "logs")), "iss");
        refused(strict, token(service().put("iss", "other").put("aud", "logs")), "iss");
        refused(strict, token(service().put("iss", JsonArray.of("issuer")).put("aud", "logs")), "iss");
        refused(strict, token(service().put("iss", "issuer")), "aud");
        refused(strict, token(service().put("iss", "issuer").put("aud", "other")), "aud");
        refused(strict, token(service().put("iss", "issuer").put("aud", JsonArray.of("other"))), "aud");
        refused(strict, token(service().put("iss", "issuer").put("aud", new JsonObject().put("logs", 1))), "aud");
    }

    @Test
    void onlyTheTwoRolesAreKnown() {
        JsonObject none = service();
        none.remove("role");
        refused(jwt, token(none), "role must be");
        refused(jwt, token(service().put("role", "anon")), "role must be");
        refused(jwt, token(service().put("role", "SERVICE_ROLE")), "role must be");
        refused(jwt, token(service().put("role", JsonArray.of("service_role"))), "role must be");
        refused(jwt, token(service().put("role", true)), "role must be");
    }

    @Test
    void aReaderMustBeSomebody() {
        JsonObject nobody = reader();
        nobody.remove("sub");
        refused(jwt, token(nobody), "must have a sub");
        refused(jwt, token(reader().put("sub", "")), "must have a sub");
        refused(jwt, token(reader().put("sub", 7)), "sub must be a string");
        refused(jwt, token(reader().put("sub", "x".repeat(256))), "more than 255 characters");
    }

    @Test
    void garbageIsRefusedAndNotQuoted() {
        for (String garbage : new String[] {
            "",
            " ",
            ".",
            "..",
            "...",
            "a.b.c",
            "a.b",
            "e30.e30.e30",
            "\u0000.\uD800.ü",
            "%%%.%%%.%%%",
            "null",
            part("[]") + "." + part("[]") + ".x",
            part("{\"alg\":7}") + "." + part("{}") + ".x",
            part("{}") + "." + part("{}") + ".x",
            token(service()) + ".",
            token(service()) + "..",
            token(service()) + ".x",
            token(service()) + "x"
        }) {
            assertThatThrownBy(() -> jwt.verify(garbage))
                    .as(garbage)
                    .isInstanceOf(InvalidTokenException.class)
                    .hasMessageMatching("the token is not a (well-formed )?JWT.*");
        }
        refused(jwt, sign("{\"alg\":\"HS256\"}", "[1]", "HmacSHA256", SECRET), "the token is not a ");
        refused(jwt, sign("{\"alg\":\"HS256\"}", "null", "HmacSHA256", SECRET), "the token is not a ");
        refused(jwt, sign("{\"alg\":\"HS256\"}", "{", "HmacSHA256", SECRET), "the token is not a ");
    }

    @Test
    void aHugeTokenIsNotEvenDecoded() {
        refused(jwt, token(service().put("x", "y".repeat(10_000))), "longer than 8192");
        refused(jwt, "a".repeat(10_000_000), "longer than 8192");
    }

    @Test
    void deepClaimsDoNotOverflowTheStack() {
        String deep = "{\"x\":" + "[".repeat(2_900) + "]".repeat(2_900) + "}";
        refused(jwt, sign("{\"alg\":\"HS256\"}", deep, "HmacSHA256", SECRET), "the token");
    }

    @Test
    void aTokenSeenBeforeIsTheSamePrincipal() throws Exception {
        String token = token(reader());
        assertThat(jwt.verify(token)).isSameAs(jwt.verify(token));
    }
}
