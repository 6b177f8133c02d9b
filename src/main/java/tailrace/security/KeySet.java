package tailrace.security;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.auth.jwt.JWTAuth;
import java.math.BigInteger;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.security.spec.ECPoint;
import java.security.spec.ECPublicKeySpec;
import java.security.spec.RSAPublicKeySpec;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The keys of one issuer that may verify its tokens, by {@code kid} and algorithm (RFC 7517). What a key is good for, the
 * key itself says: RSA of 2,048 to 8,192 bits is RS256, EC on P-256 is ES256. Every other key of the document is passed
 * over, above all {@code oct}: a shared secret that is published is none. Immutable.
 */
final class KeySet {
    /** An issuer has two or three; beyond it the document is something else. */
    static final int MAX_KEYS = 100;

    private static final int MIN_RSA_BITS = 2_048;
    /** The cost of a check grows with the square, and it is paid on an event loop. */
    private static final int MAX_RSA_BITS = 8_192;

    private static final String RS256 = "RS256";
    private static final String ES256 = "ES256";
    private static final Base64.Encoder PEM_BASE64 = Base64.getMimeEncoder(64, new byte[] {'\n'});

    private final Map<Name, PublicKey> keys;
    private final Map<Name, JWTAuth> verifiers = new HashMap<>();

    /** Two keys of an issuer may share a kid if they are of different kinds (RFC 7517, 4.5). */
    private record Name(String keyId, String algorithm) {}

    private KeySet(Map<Name, PublicKey> keys) {
        this.keys = Map.copyOf(keys);
        keys.forEach((name, key) -> verifiers.put(
                name,
                SecretSignatures.library(
                        name.algorithm,
                        Buffer.buffer("-----BEGIN PUBLIC KEY-----\n" + PEM_BASE64.encodeToString(key.getEncoded())
                                + "\n-----END PUBLIC KEY-----\n"))));
    }

    /**
     * Reads a JWKS document.
     *
     * @throws IllegalArgumentException if it is none, or holds no key that is of use here
     */
    static KeySet parse(Buffer document) {
        JsonArray array;
        try {
            array = new JsonObject(document).getJsonArray("keys");
        } catch (RuntimeException e) {
            array = null; // what the parser says would quote the document
        }
        if (array == null) {
            throw new IllegalArgumentException("the document is not JSON with an array \"keys\"");
        }
        if (array.size() > MAX_KEYS) {
            throw new IllegalArgumentException("the document has more than " + MAX_KEYS + " keys");
        }
        Map<Name, PublicKey> keys = new HashMap<>();
        for (Object each : array) {
            if (each instanceof JsonObject jwk) {
                add(keys, jwk);
            }
        }
        if (keys.isEmpty()) {
            throw new IllegalArgumentException(
                    "the document has no key for signatures by RS256 (RSA, 2,048 bits at least) or ES256 (EC, P-256)");
        }
        return new KeySet(keys);
    }

    /** Of two keys with one name the first stays: they cannot be told apart, and trying both would hide the mistake. */
    private static void add(Map<Name, PublicKey> keys, JsonObject jwk) {
        Object keyId = jwk.getValue("kid");
        if (!forSignatures(jwk) || (keyId != null && !(keyId instanceof String))) {
            return;
        }
        String name = keyId == null ? "" : (String) keyId;
        try {
            if ("RSA".equals(jwk.getValue("kty")) && algorithm(jwk, RS256)) {
                rsa(jwk).ifPresent(key -> keys.putIfAbsent(new Name(name, RS256), key));
            } else if ("EC".equals(jwk.getValue("kty"))
                    && algorithm(jwk, ES256)
                    && "P-256".equals(jwk.getValue("crv"))) {
                keys.putIfAbsent(new Name(name, ES256), ec(jwk));
            }
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            return; // one broken key does not cost the others
        }
    }

    private static boolean forSignatures(JsonObject jwk) {
        Object use = jwk.getValue("use");
        Object operations = jwk.getValue("key_ops");
        return (use == null || use.equals("sig"))
                && (operations == null || operations instanceof JsonArray list && list.contains("verify"));
    }

    private static boolean algorithm(JsonObject jwk, String ours) {
        Object algorithm = jwk.getValue("alg");
        return algorithm == null || algorithm.equals(ours);
    }

    private static Optional<PublicKey> rsa(JsonObject jwk) throws GeneralSecurityException {
        BigInteger modulus = number(jwk, "n");
        if (modulus.bitLength() < MIN_RSA_BITS || modulus.bitLength() > MAX_RSA_BITS) {
            return Optional.empty();
        }
        return Optional.of(
                KeyFactory.getInstance("RSA").generatePublic(new RSAPublicKeySpec(modulus, number(jwk, "e"))));
    }

    private static PublicKey ec(JsonObject jwk) throws GeneralSecurityException {
        AlgorithmParameters parameters = AlgorithmParameters.getInstance("EC");
        parameters.init(new ECGenParameterSpec("secp256r1"));
        var point = new ECPoint(number(jwk, "x"), number(jwk, "y"));
        return KeyFactory.getInstance("EC")
                .generatePublic(new ECPublicKeySpec(point, parameters.getParameterSpec(ECParameterSpec.class)));
    }

    private static BigInteger number(JsonObject jwk, String member) {
        if (jwk.getValue(member) instanceof String text) {
            return new BigInteger(1, Base64.getUrlDecoder().decode(text));
        }
        throw new IllegalArgumentException("a key without " + member);
    }

    int size() {
        return keys.size();
    }

    /** Whether the other holds the same keys, so that what was accepted by one is accepted by it. */
    boolean same(@Nullable KeySet other) {
        return other != null && keys.equals(other.keys);
    }

    /** Whether tokens of that algorithm are ever accepted; asked before any key is known. */
    static void checkAlgorithm(TokenHeader header) throws InvalidTokenException {
        if (!header.algorithm().equals(RS256) && !header.algorithm().equals(ES256)) {
            throw new InvalidTokenException("the token is not a JWT signed by RS256 or ES256");
        }
    }

    /** What the token says, if the key that it names signed it. */
    JsonObject claims(TokenHeader header, String token) throws InvalidTokenException {
        JWTAuth verifier = verifiers.get(name(header));
        if (verifier == null) {
            throw new UnknownKeyException("the token's key (kid) is not one of the issuer's for its algorithm");
        }
        return SecretSignatures.claims(
                verifier, token, "the token is not a JWT signed with the issuer's key that it names");
    }

    /** A token without kid means the only key of its kind; where there are several, it means none. */
    private Name name(TokenHeader header) throws InvalidTokenException {
        if (!header.keyId().isEmpty()) {
            return new Name(header.keyId(), header.algorithm());
        }
        List<Name> candidates = keys.keySet().stream()
                .filter(name -> name.algorithm.equals(header.algorithm()))
                .toList();
        if (candidates.size() != 1) {
            throw new InvalidTokenException("the token names no key (kid), and the issuer has not one but "
                    + candidates.size() + " for its algorithm");
        }
        return candidates.get(0);
    }
}
