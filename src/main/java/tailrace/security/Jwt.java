package tailrace.security;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.vertx.core.Future;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Clock;
import java.util.HexFormat;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/**
 * Verifies tokens (SPEC 8): the signature by {@link Signatures}, the times and claims here. Safe for any thread; never
 * blocks.
 *
 * <p>A token that was accepted is remembered by its hash until it expires, because a busy sender shows the same one
 * thousands of times a second. Refused tokens are not remembered: they are an attacker's, and would push the others out.
 */
public final class Jwt {
    /** Clocks of two machines may differ by so much. */
    public static final int LEEWAY_SECONDS = 60;

    /** Longer than any honest token; beyond it nothing is even decoded. */
    public static final int MAX_TOKEN_CHARS = 8_192;

    /** As long as a {@code user_id} may be; what is remembered of a principal is bounded by it. */
    static final int MAX_SUBJECT_CHARS = 255;

    /** Senders and readers that are active at once, generously; about 200 bytes each. */
    private static final int REMEMBERED_TOKENS = 10_000;

    /** Of a token's hash: enough to tell tokens apart, too little to be one. */
    private static final int FINGERPRINT_CHARS = 16;

    /** Largest number a double holds exactly; an {@code exp} beyond it is no time. */
    private static final double MAX_EPOCH_SECONDS = 9_007_199_254_740_991d;

    private final Signatures signatures;
    private final Optional<String> issuer;
    private final Optional<String> audience;
    private final Clock clock;
    private final Cache<String, Accepted> accepted =
            Caffeine.newBuilder().maximumSize(REMEMBERED_TOKENS).build();

    /** @param version of the signatures it was checked with; with another it counts for nothing */
    private record Accepted(Principal principal, Object version) {}

    /**
     * @param issuer what {@code iss} must be, if anything
     * @param audience what {@code aud} must be or hold, if anything
     */
    public Jwt(Signatures signatures, Optional<String> issuer, Optional<String> audience, Clock clock) {
        this.signatures = signatures;
        this.issuer = issuer;
        this.audience = audience;
        this.clock = clock;
    }

    /**
     * Who the token speaks for. Completed at once but for a token whose key is not known yet: then its issuer is asked,
     * and the future completes on any thread. Fails with {@link InvalidTokenException} saying why it is not accepted, or
     * with {@link KeysUnavailableException} if nobody can tell now.
     */
    public Future<Principal> authenticate(String token) {
        return knowing(() -> verify(token));
    }

    /** Something that needs the keys, and is tried once more if a key was missing and may have been found. */
    private <T> Future<T> knowing(Callable<T> check) {
        try {
            return Future.succeededFuture(check.call());
        } catch (UnknownKeyException e) {
            return signatures.refresh().compose(refreshed -> tried(check));
        } catch (Exception e) {
            return Future.failedFuture(e);
        }
    }

    private static <T> Future<T> tried(Callable<T> check) {
        try {
            return Future.succeededFuture(check.call());
        } catch (Exception e) {
            return Future.failedFuture(e);
        }
    }

    /**
     * The same by the keys that are known now.
     *
     * @throws InvalidTokenException saying why it is not accepted
     */
    Principal verify(String token) throws InvalidTokenException {
        if (token.length() > MAX_TOKEN_CHARS) {
            throw new InvalidTokenException("the token is longer than " + MAX_TOKEN_CHARS + " characters");
        }
        String hash = sha256(token);
        long now = clock.instant().getEpochSecond();
        Accepted known = accepted.getIfPresent(hash);
        // Before the signature is checked: keys that change meanwhile make what is remembered void.
        Object version = signatures.version();
        if (known != null && known.version == version && now < known.principal.expiresAtSeconds() + LEEWAY_SECONDS) {
            return known.principal;
        }
        Principal principal = principal(claims(token), hash, now);
        accepted.put(hash, new Accepted(principal, version));
        return principal;
    }

    /**
     * What a token says of itself, if its signature is right; nothing else is checked. Completes and fails as
     * {@link #authenticate} does.
     */
    public Future<JsonObject> signed(String token) {
        return knowing(() -> claims(token));
    }

    /** The same by the keys that are known now. */
    JsonObject claims(String token) throws InvalidTokenException {
        if (token.length() > MAX_TOKEN_CHARS) {
            throw new InvalidTokenException("the token is longer than " + MAX_TOKEN_CHARS + " characters");
        }
        return signatures.claims(token);
    }

    /** Whether its token has ended without any leeway: what lasts, a stream or a session, ends then and not later. */
    public boolean ended(Principal principal) {
        return clock.instant().getEpochSecond() >= principal.expiresAtSeconds();
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
        if (subject.length() > MAX_SUBJECT_CHARS) {
            throw new InvalidTokenException("the token's sub has more than " + MAX_SUBJECT_CHARS + " characters");
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
