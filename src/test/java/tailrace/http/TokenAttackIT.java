package tailrace.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.SecurityPolicyHandler;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import tailrace.metrics.Metrics;
import tailrace.security.JwksServer;
import tailrace.security.JwksSignatures;
import tailrace.security.Jwt;
import tailrace.security.Principal;
import tailrace.security.Sessions;
import tailrace.security.TestIssuer;

/** Forged tokens against the door of a server that knows an issuer by its keys, as bytes on a socket: each by name. */
class TokenAttackIT {
    private static final TestIssuer ONE = TestIssuer.rsa("one");
    private static final TestIssuer TWO = TestIssuer.ec("two");
    private static final TestIssuer ATTACKER = TestIssuer.rsa("one");
    private static final TestIssuer EC_ATTACKER = TestIssuer.ec("two");
    private static final String ISSUER = "https://issuer.example.com";
    private static final long NOW = Clock.systemUTC().instant().getEpochSecond();

    private final JwksServer issuer = new JwksServer().publish(ONE, TWO);
    private final JwksServer evil = new JwksServer().publish(ATTACKER);
    private final Vertx vertx = Vertx.vertx();
    private final JwksSignatures signatures =
            new JwksSignatures(vertx, issuer.url(), new Metrics(new SimpleMeterRegistry()));
    private final HttpTestServer server;
    private final HttpClient client = HttpClient.newHttpClient();

    TokenAttackIT() throws Exception {
        signatures.start().await(10, TimeUnit.SECONDS);
        var sessions = new Sessions(Clock.systemUTC());
        var auth = new AuthHandler(
                new Jwt(signatures, Optional.of(ISSUER), Optional.of("logs"), Clock.systemUTC()),
                sessions,
                new Origins(Set.of()));
        var session = new SessionHandler(auth, sessions);
        SecurityPolicyHandler streams = auth.streams();
        server = new HttpTestServer(router -> {
            router.get("/read").handler(auth).handler(TokenAttackIT::whoAmI);
            router.get("/stream").handler(streams).handler(TokenAttackIT::whoAmI);
            router.post("/v2/session").handler(session::open);
            router.post("/echo").handler(auth).handler(ctx -> BodyReader.read(ctx.request(), 1 << 20)
                    .onSuccess(body -> ctx.end(new String(body, StandardCharsets.UTF_8)))
                    .onFailure(ctx::fail));
        });
    }

    private static void whoAmI(RoutingContext ctx) {
        Principal principal = AuthHandler.principal(ctx);
        ctx.end(principal.subject());
    }

    @AfterEach
    void close() throws Exception {
        server.close();
        signatures.close();
        vertx.close().await(10, TimeUnit.SECONDS);
        issuer.close();
        evil.close();
    }

    private static JsonObject claims() {
        return new JsonObject()
                .put("iss", ISSUER)
                .put("aud", "logs")
                .put("role", "authenticated")
                .put("sub", "ann")
                .put("exp", NOW + 600);
    }

    private static JsonObject without(String claim) {
        JsonObject claims = claims();
        claims.remove(claim);
        return claims;
    }

    private static byte[] text(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    @Test
    void honestTokensPass() throws Exception {
        for (TestIssuer key : new TestIssuer[] {ONE, TWO}) {
            String token = key.token(claims());
            assertThat(server.get("/read", "Authorization", "Bearer " + token).body())
                    .isEqualTo("ann");
            assertThat(server.get("/stream?access_token=" + token).body()).isEqualTo("ann");
            assertThat(server.send("POST", "/v2/session", "Authorization", "Bearer " + token)
                            .statusCode())
                    .isEqualTo(200);
        }
        assertThat(server.get("/read", "Authorization", "Bearer " + ONE.token(claims().put("exp", NOW - 30)))
                        .statusCode())
                .as("within the leeway")
                .isEqualTo(200);
        assertThat(server.get("/stream", "Authorization", "Bearer " + ONE.token(claims().put("exp", NOW - 30)))
                        .statusCode())
                .as("but nothing that lasts")
                .isEqualTo(401);
    }

    private Map<String, String> attacks() {
        Map<String, String> attacks = new LinkedHashMap<>();
        String honest = ONE.token(claims());
        String signature = honest.substring(honest.lastIndexOf('.') + 1);
        JsonObject none = ONE.header().put("alg", "none");
        attacks.put("alg none", TestIssuer.unsigned(none, claims()) + ".");
        attacks.put("alg none without a dot", TestIssuer.unsigned(none, claims()));
        attacks.put("alg none with a signature", TestIssuer.unsigned(none, claims()) + "." + signature);
        attacks.put("alg NONE", TestIssuer.unsigned(none.copy().put("alg", "NONE"), claims()) + ".x");
        attacks.put("no signature", TestIssuer.unsigned(ONE.header(), claims()) + ".");
        attacks.put(
                "another token's signature",
                TestIssuer.unsigned(ONE.header(), claims().put("sub", "bob")) + "." + signature);
        attacks.put("a signature of zeros", TestIssuer.unsigned(TWO.header(), claims()) + "." + "A".repeat(86));
        attacks.put("wrong key", ATTACKER.token(claims()));
        attacks.put("wrong key of EC", EC_ATTACKER.token(claims()));
        swapped(attacks);
        attacks.put("expired", ONE.token(claims().put("exp", NOW - 3_600)));
        attacks.put("not yet", ONE.token(claims().put("nbf", NOW + 3_600)));
        attacks.put("no exp", ONE.token(without("exp")));
        attacks.put("exp as text", ONE.token(claims().put("exp", "9999999999")));
        attacks.put("foreign aud", ONE.token(claims().put("aud", "shop")));
        attacks.put("no aud", ONE.token(without("aud")));
        attacks.put("foreign iss", ONE.token(claims().put("iss", "https://other.example.com")));
        attacks.put("no iss", ONE.token(without("iss")));
        attacks.put("another issuer's key of the same kid", ATTACKER.token(claims().put("iss", "https://evil")));
        keyIds(attacks);
        embedded(attacks);
        return attacks;
    }

    /** The public key as the secret of an HMAC, in every form somebody could have it in; and kinds that do not match. */
    private static void swapped(Map<String, String> attacks) {
        byte[] der = ONE.pair().getPublic().getEncoded();
        String lines = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
        String pem = "-----BEGIN PUBLIC KEY-----\n" + lines + "\n-----END PUBLIC KEY-----";
        JsonObject header = ONE.header().put("alg", "HS256");
        attacks.put("HS256 by PEM", TestIssuer.hmac(header, claims(), text(pem)));
        attacks.put("HS256 by PEM and newline", TestIssuer.hmac(header, claims(), text(pem + "\n")));
        attacks.put("HS256 by DER", TestIssuer.hmac(header, claims(), der));
        String modulus = ONE.jwk().getString("n");
        attacks.put(
                "HS256 by modulus",
                TestIssuer.hmac(header, claims(), Base64.getUrlDecoder().decode(modulus)));
        attacks.put("HS256 by modulus as text", TestIssuer.hmac(header, claims(), text(modulus)));
        attacks.put("RS256 that is an HMAC", TestIssuer.hmac(ONE.header(), claims(), text(pem)));
        attacks.put("HS256 by nothing", TestIssuer.hmac(header, claims(), new byte[] {0}));
        attacks.put("RS512", ONE.token(ONE.header().put("alg", "RS512"), claims(), "SHA512withRSA"));
        attacks.put("RS256 that is RS512", ONE.token(ONE.header(), claims(), "SHA512withRSA"));
        attacks.put("EC for RSA's kid", TWO.token(TWO.header().put("kid", "one"), claims()));
        attacks.put("RSA for EC's kid", ONE.token(ONE.header().put("kid", "two"), claims()));
        attacks.put("alg of the other kind", ONE.token(ONE.header().put("alg", "ES256"), claims()));
        attacks.put("alg in small letters", ONE.token(ONE.header().put("alg", "rs256"), claims()));
        attacks.put("alg as a list", ONE.token(ONE.header().put("alg", JsonArray.of("RS256")), claims()));
    }

    private void keyIds(Map<String, String> attacks) {
        for (Object keyId : new Object[] {
            "../../../../etc/passwd",
            "/dev/null",
            evil.url().toString(),
            "file:///etc/passwd",
            "one' OR '1'='1",
            "one\"; DROP TABLE keys; --",
            "one\u0000",
            "ONE",
            "",
            "x".repeat(5_000),
            "x".repeat(10_000),
            7,
            true,
            JsonArray.of("one"),
            new JsonObject().put("one", 1)
        }) {
            String name = String.valueOf(keyId);
            attacks.put(
                    "kid " + name.substring(0, Math.min(40, name.length())) + name.length(),
                    ATTACKER.token(ATTACKER.header().put("kid", keyId), claims()));
        }
        JsonObject nameless = ATTACKER.header();
        nameless.remove("kid");
        attacks.put("no kid", ATTACKER.token(nameless, claims()));
    }

    /** Where a token brings its key along, or says where to get it. */
    private void embedded(Map<String, String> attacks) {
        String url = evil.url().toString();
        String der =
                Base64.getEncoder().encodeToString(ATTACKER.pair().getPublic().getEncoded());
        for (String kid : new String[] {"one", "theirs"}) {
            JsonObject header = ATTACKER.header().put("kid", kid);
            attacks.put("jwk " + kid, ATTACKER.token(header.copy().put("jwk", ATTACKER.jwk()), claims()));
            attacks.put("jku " + kid, ATTACKER.token(header.copy().put("jku", url), claims()));
            attacks.put("x5u " + kid, ATTACKER.token(header.copy().put("x5u", url), claims()));
            attacks.put("x5c " + kid, ATTACKER.token(header.copy().put("x5c", JsonArray.of(der)), claims()));
        }
        attacks.put(
                "crit", ONE.token(ONE.header().put("crit", JsonArray.of("b64")).put("b64", false), claims()));
    }

    @Test
    void attacks401EachAndNobodyElseIsAskedForAKey() throws Exception {
        for (Map.Entry<String, String> attack : attacks().entrySet()) {
            String token = attack.getValue();
            refused(attack.getKey(), token, server.get("/read", "Authorization", "Bearer " + token));
            refused(attack.getKey(), token, server.send("POST", "/v2/session", "Authorization", "Bearer " + token));
            refused(attack.getKey(), token, post(new JsonObject().put("access_token", token)));
            if (token.length() < 3_000) {
                String query = URLEncoder.encode(token, StandardCharsets.UTF_8);
                refused(attack.getKey(), token, server.get("/stream?access_token=" + query));
            }
        }
        assertThat(evil.fetches()).isZero();
        assertThat(issuer.fetches())
                .as("the start's, and one for all unknown kids")
                .isLessThanOrEqualTo(2);
    }

    private HttpResponse<String> post(JsonObject body) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + "/v2/session"))
                .POST(BodyPublishers.ofString(body.encode()))
                .build();
        return client.send(request, BodyHandlers.ofString());
    }

    private static void refused(String attack, String token, HttpResponse<String> answer) {
        assertThat(answer.statusCode()).as(attack).isEqualTo(401);
        assertThat(answer.headers().firstValue("WWW-Authenticate"))
                .as(attack)
                .hasValueSatisfying(challenge -> assertThat(challenge).startsWith("Bearer realm=\"tailrace\""));
        assertThat(answer.headers().firstValue("Set-Cookie")).as(attack).isEmpty();
        assertThat(answer.body() + answer.headers().map()).as(attack).doesNotContain(token);
    }

    @Test
    void aBodyWaitsWhileTheIssuerIsAskedForANewKey() throws Exception {
        TestIssuer three = TestIssuer.rsa("three");
        issuer.publish(ONE, three);
        String body = "x".repeat(500_000);
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + "/echo"))
                .header("Authorization", "Bearer " + three.token(claims()))
                .POST(BodyPublishers.ofString(body))
                .build();
        assertThat(client.send(request, BodyHandlers.ofString()).body()).isEqualTo(body);
    }
}
