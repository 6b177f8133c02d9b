package tailrace.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** Which keys of a JWKS document count, and for what. */
class KeySetTest {
    private static final TestIssuer RSA = TestIssuer.rsa("r");
    private static final TestIssuer EC = TestIssuer.ec("e");
    private static final JsonObject CLAIMS = new JsonObject().put("role", "service_role");

    private static KeySet set(Object... keys) {
        return KeySet.parse(
                new JsonObject().put("keys", new JsonArray(List.of(keys))).toBuffer());
    }

    private static void accepted(KeySet by, String token) throws InvalidTokenException {
        assertThat(by.claims(TokenHeader.of(token), token)).isEqualTo(CLAIMS);
    }

    private static void refused(KeySet by, String token) {
        assertThatThrownBy(() -> by.claims(TokenHeader.of(token), token)).isInstanceOf(InvalidTokenException.class);
    }

    /** The document has no key that counts. */
    private static void useless(Object... keys) {
        assertThatThrownBy(() -> set(keys))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("no key for signatures");
    }

    private static void useless(TestIssuer key, UnaryOperator<JsonObject> change) {
        useless(change.apply(key.jwk()));
    }

    @Test
    void rsaAndP256KeysVerifyWhatTheySigned() throws Exception {
        KeySet both = set(RSA.jwk(), EC.jwk());
        assertThat(both.size()).isEqualTo(2);
        for (int i = 0; i < 20; i++) { // signatures of EC differ each time, in length too once they are DER
            accepted(both, EC.token(CLAIMS));
        }
        accepted(both, RSA.token(CLAIMS));
        refused(both, TestIssuer.rsa("r").token(CLAIMS));
        refused(both, TestIssuer.ec("e").token(CLAIMS));
        refused(both, EC.token(RSA.header(), CLAIMS));
        refused(both, RSA.token(EC.header(), CLAIMS));
    }

    @Test
    void whatAKeyIsForTheKeyItselfSays() {
        useless(RSA, key -> key.put("use", "enc"));
        useless(RSA, key -> key.put("key_ops", JsonArray.of("encrypt")));
        useless(RSA, key -> key.put("alg", "RS512"));
        useless(RSA, key -> key.put("alg", "HS256"));
        useless(RSA, key -> key.put("alg", 7));
        useless(RSA, key -> key.put("kty", "RSASSA"));
        useless(RSA, key -> key.put("kid", 7));
        useless(EC, key -> key.put("alg", "ES384"));
        useless(EC, key -> key.put("crv", "P-384"));
        useless(TestIssuer.rsa("small", 1_024).jwk());
    }

    @Test
    void aSharedSecretThatIsPublishedIsNone() {
        String secret = Base64.getUrlEncoder()
                .withoutPadding()
                .encodeToString("x".repeat(32).getBytes());
        JsonObject shared = new JsonObject().put("kid", "s").put("kty", "oct").put("k", secret);
        useless(shared);
        useless(shared.copy().put("alg", "HS256"));
        KeySet set = set(RSA.jwk(), shared);
        assertThat(set.size()).isEqualTo(1);
        JsonObject header = new JsonObject().put("alg", "HS256").put("kid", "s");
        refused(set, TestIssuer.hmac(header, CLAIMS, "x".repeat(32).getBytes()));
    }

    @Test
    void oneBrokenKeyDoesNotCostTheOthers() throws Exception {
        KeySet set = set(
                RSA.jwk().put("kid", "a").put("n", "%%%"),
                new JsonObject().put("kty", "RSA"),
                new JsonObject(),
                "text",
                EC.jwk().put("kid", "b").put("x", ""),
                EC.jwk().put("kid", "c").put("x", 7),
                RSA.jwk());
        accepted(set, RSA.token(CLAIMS));
    }

    @Test
    void aTokenWithoutKidMeansTheOnlyKeyOfItsKind() throws Exception {
        JsonObject nameless = new JsonObject().put("alg", "RS256");
        accepted(set(RSA.jwk(), EC.jwk()), RSA.token(nameless, CLAIMS));
        refused(set(RSA.jwk(), TestIssuer.rsa("other").jwk()), RSA.token(nameless, CLAIMS));
        refused(set(EC.jwk()), RSA.token(nameless, CLAIMS));
    }

    @Test
    void oneKidMayNameAKeyOfEachKindAndOtherwiseTheFirst() throws Exception {
        TestIssuer sameName = TestIssuer.ec("r");
        KeySet set = set(RSA.jwk(), sameName.jwk(), TestIssuer.rsa("r").jwk());
        accepted(set, RSA.token(CLAIMS));
        accepted(set, sameName.token(CLAIMS));
        assertThat(set.size()).isEqualTo(2);
    }

    @Test
    void aDocumentThatIsNoneIsRefusedAndNotQuoted() {
        for (String document : new String[] {"", "hunter2", "[]", "{}", "{\"keys\":7}", "{\"keys\":\"hunter2\"}"}) {
            assertThatThrownBy(() -> KeySet.parse(Buffer.buffer(document)))
                    .as(document)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageNotContaining("hunter2")
                    .hasMessageContaining("not JSON with an array");
        }
        Object[] many = Collections.nCopies(101, RSA.jwk()).toArray();
        assertThatThrownBy(() -> set(many)).hasMessageContaining("more than 100 keys");
    }

    @Test
    void theSameKeysAreTheSameSetInAnyOrder() {
        assertThat(set(RSA.jwk(), EC.jwk()).same(set(EC.jwk(), RSA.jwk()))).isTrue();
        assertThat(set(RSA.jwk(), EC.jwk()).same(set(RSA.jwk()))).isFalse();
        assertThat(set(RSA.jwk()).same(null)).isFalse();
    }
}
