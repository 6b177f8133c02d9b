package tailrace.security;

import io.vertx.core.json.JsonObject;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.util.Arrays;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** A key pair of an issuer, and tokens signed by hand with the JDK alone: it shares no code with what checks them. */
public record TestIssuer(String keyId, String algorithm, KeyPair pair) {
    private static final Base64.Encoder BASE64 = Base64.getUrlEncoder().withoutPadding();

    public static TestIssuer rsa(String keyId) {
        return rsa(keyId, 2_048);
    }

    static TestIssuer rsa(String keyId, int bits) {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
            generator.initialize(bits);
            return new TestIssuer(keyId, "RS256", generator.generateKeyPair());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    public static TestIssuer ec(String keyId) {
        return ec(keyId, "secp256r1");
    }

    static TestIssuer ec(String keyId, String curve) {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec(curve));
            return new TestIssuer(keyId, "ES256", generator.generateKeyPair());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The public key as issuers publish it. */
    public JsonObject jwk() {
        JsonObject jwk =
                new JsonObject().put("kid", keyId).put("alg", algorithm).put("use", "sig");
        if (pair.getPublic() instanceof RSAPublicKey rsa) {
            return jwk.put("kty", "RSA").put("n", number(rsa.getModulus())).put("e", number(rsa.getPublicExponent()));
        }
        ECPublicKey ec = (ECPublicKey) pair.getPublic();
        return jwk.put("kty", "EC")
                .put("crv", "P-256")
                .put("x", number(ec.getW().getAffineX()))
                .put("y", number(ec.getW().getAffineY()));
    }

    private static String number(BigInteger value) {
        byte[] bytes = value.toByteArray();
        return BASE64.encodeToString(bytes[0] == 0 ? Arrays.copyOfRange(bytes, 1, bytes.length) : bytes);
    }

    public JsonObject header() {
        return new JsonObject().put("alg", algorithm).put("kid", keyId).put("typ", "JWT");
    }

    public String token(JsonObject claims) {
        return token(header(), claims);
    }

    /** Signed as the key's kind signs, whatever the header says. */
    public String token(JsonObject header, JsonObject claims) {
        return token(header, claims, algorithm.equals("RS256") ? "SHA256withRSA" : "SHA256withECDSAinP1363Format");
    }

    public String token(JsonObject header, JsonObject claims, String jcaAlgorithm) {
        try {
            Signature signature = Signature.getInstance(jcaAlgorithm);
            signature.initSign(pair.getPrivate());
            String input = unsigned(header, claims);
            signature.update(input.getBytes(StandardCharsets.US_ASCII));
            return input + "." + BASE64.encodeToString(signature.sign());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /** With a shared secret, as an attacker would who holds a public key for one. */
    public static String hmac(JsonObject header, JsonObject claims, byte[] secret) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(secret, "HmacSHA256"));
            String input = unsigned(header, claims);
            return input + "." + BASE64.encodeToString(mac.doFinal(input.getBytes(StandardCharsets.US_ASCII)));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Header and claims, and no dot behind them. */
    public static String unsigned(JsonObject header, JsonObject claims) {
        return BASE64.encodeToString(header.toBuffer().getBytes()) + "."
                + BASE64.encodeToString(claims.toBuffer().getBytes());
    }
}
