package tailrace.security;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import java.util.Base64;
import java.util.regex.Pattern;

/**
 * What a token says of its own signature, before anything of it is believed. Of a header nothing is used but these two:
 * keys and URLs that stand in it ({@code jwk}, {@code jku}, {@code x5c}, {@code x5u}) are an attacker's.
 *
 * @param algorithm {@code alg}
 * @param keyId {@code kid}, "" for none; good for looking up in a map and for nothing else
 */
record TokenHeader(String algorithm, String keyId) {
    /** RFC 7515, 7.1; a third part that is empty is an unsigned token. */
    private static final Pattern COMPACT = Pattern.compile("[\\w-]++\\.[\\w-]++\\.[\\w-]++");

    /**
     * Reads the first part.
     *
     * @throws InvalidTokenException if this is no signed JWT
     */
    static TokenHeader of(String token) throws InvalidTokenException {
        if (!COMPACT.matcher(token).matches()) {
            throw new InvalidTokenException("the token is not a JWT of header, claims and signature");
        }
        JsonObject header;
        try {
            byte[] json = Base64.getUrlDecoder().decode(token.substring(0, token.indexOf('.')));
            header = new JsonObject(Buffer.buffer(json));
        } catch (RuntimeException e) {
            throw new InvalidTokenException("the token is not a well-formed JWT");
        }
        Object keyId = header.getValue("kid");
        if (!(header.getValue("alg") instanceof String algorithm) || (keyId != null && !(keyId instanceof String))) {
            throw new InvalidTokenException("the token is not a well-formed JWT: alg and kid must be strings");
        }
        if (header.containsKey("crit")) {
            // RFC 7515, 4.1.11: what is critical and not understood makes the token invalid.
            throw new InvalidTokenException("the token is not a JWT that is understood here: its header has crit");
        }
        return new TokenHeader(algorithm, keyId == null ? "" : (String) keyId);
    }
}
