package tailrace.security;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.auth.JWTOptions;
import io.vertx.ext.auth.PubSecKeyOptions;
import io.vertx.ext.auth.User;
import io.vertx.ext.auth.authentication.TokenCredentials;
import io.vertx.ext.auth.jwt.JWTAuth;
import io.vertx.ext.auth.jwt.JWTAuthOptions;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Clock;
import java.util.HexFormat;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tailrace.config.TailraceConfig;

/**
 * Verifies HS256 tokens (SPEC 8). The key's algorithm decides, never the token's header: only HS256 has a key here. Safe
 * for any thread; never blocks.
 *
 * <p>A token that was accepted is remembered by its hash until it expires, because a busy sender shows the same one
 * thousands of times a second. Refused tokens are not remembered: they are an attacker's, and would push the others out.
 */
public final class Jwt {
    /** Clocks of two machines may differ by so much. */
    public static final int LEEWAY_SECONDS = 60;

    /** Longer than any honest token; beyond it nothing is even decoded. */
    public static final int MAX_TOKEN_CHARS = 8_192;

    /** Senders and readers that are active at once, generously; about 200 bytes each. */
    private static final int REMEMBERED_TOKENS = 10_000;

    /** Of a token's hash: enough to tell tokens apart, too little to be one. */
    private static final int FINGERPRINT_CHARS = 16;

    /** Largest number a double holds exactly; an {@code exp} beyond it is no time. */
    private static final double MAX_EPOCH_SECONDS = 9_007_199_254_740_991d;

    private final JWTAuth signatures;
    private final Optional<String> issuer;
    private final Optional<String> audience;
    private final Clock clock;
    private final Cache<String, Principal> accepted =
            Caffeine.newBuilder().maximumSize(REMEMBERED_TOKENS).build();

    /**
     * @param secret key of at least {@link tailrace.config.ConfigLoader#MIN_SECRET_BYTES}
     * @param issuer what {@code iss} must be, if anything
     * @param audience what {@code aud} must be or hold, if anything
     */
    public Jwt(TailraceConfig.Secret secret, Optional<String> issuer, Optional<String> audience, Clock clock) {
        this.signatures = signatures(secret);
        this.issuer = issuer;
        this.audience = audience;
        this.clock = clock;
    }

    /** The library's part: decoding and the signature. Times and claims are checked here, against our clock. */
    static JWTAuth signatures(TailraceConfig.Secret secret) {
        // It wants a Vertx only to read key stores from files, which is never done here.
        return JWTAuth.create(
                null,
                new JWTAuthOptions()
                        .addPubSecKey(
                                new PubSecKeyOptions().setAlgorithm("HS256").setBuffer(Buffer.buffer(secret.value())))
                        .setJWTOptions(new JWTOptions().setAlgorithm("HS256").setIgnoreExpiration(true)));
    }

    /**
     * Who the token speaks for.
     *
     * @throws InvalidTokenException saying why it is not accepted
     */
    public Principal verify(String token) throws InvalidTokenException {
        if (token.length() > MAX_TOKEN_CHARS) {
            throw new InvalidTokenException("the token is longer than " + MAX_TOKEN_CHARS + " characters");
        }
        String hash = sha256(token);
        long now = clock.instant().getEpochSecond();
        Principal known = accepted.getIfPresent(hash);
        if (known != null && now < known.expiresAtSeconds() + LEEWAY_SECONDS) {
            return known;
        }
        Principal principal = principal(claims(token), hash, now);
        accepted.put(hash, principal);
        return principal;
    }

    /**
     * What a token says of itself, if its signature is right; nothing else is checked.
     *
     * @throws InvalidTokenException if the signature is not ours
     */
    public JsonObject claims(String token) throws InvalidTokenException {
        Future<User> user;
        try {
            user = signatures.authenticate(new TokenCredentials(token));
        } catch (RuntimeException e) {
            // Claims of a type they cannot have end here too: the library casts them.
            throw new InvalidTokenException("the token is not a well-formed JWT");
        }
        // Completed already: an HMAC is computed in place.
        if (!user.succeeded()) {
            throw new InvalidTokenException("the token is not a JWT signed by HS256 with this server's secret");
        }
        JsonObject claims = user.result().attributes().getJsonObject("accessToken");
        return Objects.requireNonNull(claims);
    }

    private Principal principal(JsonObject claims, String hash, long now) throws InvalidTokenException {
        Long expiresAt = seconds(claims, "exp");
        if (expiresAt == null) {
            throw new InvalidTokenException("the token has no exp; one that never expires is not accepted");
        }
        if (now >= expiresAt + LEEWAY_SECONDS) {
            throw new InvalidTokenException("the token has expired");
        }
        Long notBefore = seconds(claims, "nbf");
        if (notBefore != null && now < notBefore - LEEWAY_SECONDS) {
            throw new InvalidTokenException("the token is not valid yet (nbf)");
        }
        if (issuer.isPresent() && !issuer.get().equals(claims.getValue("iss"))) {
            throw new InvalidTokenException("the token's iss is not the one configured");
        }
        if (audience.isPresent() && !names(claims.getValue("aud"), audience.get())) {
            throw new InvalidTokenException("the token's aud does not name this server");
        }
        Role role = claims.getValue("role") instanceof String text ? Role.parse(text) : null;
        if (role == null) {
            throw new InvalidTokenException("the token's role must be service_role or authenticated");
        }
        Object claimed = claims.getValue("sub");
        if (claimed != null && !(claimed instanceof String)) {
            throw new InvalidTokenException("the token's sub must be a string");
        }
        String subject = claimed == null ? "" : (String) claimed;
        if (role == Role.AUTHENTICATED && subject.isEmpty()) {
            throw new InvalidTokenException("a token with role authenticated must have a sub");
        }
        String sender = "sub:" + subject;
        if (subject.isEmpty()) {
            sender = claims.getValue("jti") instanceof String jti && !jti.isEmpty()
                    ? "jti:" + jti
                    : "token:" + hash.substring(0, FINGERPRINT_CHARS);
        }
        return new Principal(subject, role == Role.SERVICE_ROLE, expiresAt, sender);
    }

    private static @Nullable Long seconds(JsonObject claims, String claim) throws InvalidTokenException {
        Object value = claims.getValue(claim);
        if (value == null) {
            return null;
        }
        if (value instanceof Number number && number.doubleValue() >= 0 && number.doubleValue() <= MAX_EPOCH_SECONDS) {
            return number.longValue();
        }
        throw new InvalidTokenException("the token's " + claim + " must be a number of seconds");
    }

    private static boolean names(@Nullable Object aud, String wanted) {
        return wanted.equals(aud) || aud instanceof JsonArray several && several.contains(wanted);
    }

    private static String sha256(String token) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
