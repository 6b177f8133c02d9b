package tailrace.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.json.JsonObject;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import tailrace.metrics.Metrics;
import tailrace.process.AwaitCondition;

/** The issuer as it can be: rotating its keys, away, slow, huge, wrong; over real HTTP on loopback. */
class JwksIT {
    private static final TestIssuer ONE = TestIssuer.rsa("one");
    private static final TestIssuer TWO = TestIssuer.ec("two");
    private static final Duration LONG = Duration.ofHours(1);
    private static final Duration SHORT = Duration.ofMillis(50);
    private static final Duration TIMEOUT = Duration.ofMillis(500);

    private final Vertx vertx = Vertx.vertx();
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final JwksServer issuer = new JwksServer();

    JwksIT() throws Exception {}

    @AfterEach
    void close() throws Exception {
        issuer.close();
        vertx.close().await(10, TimeUnit.SECONDS);
    }

    private static JsonObject claims() {
        return new JsonObject()
                .put("role", "authenticated")
                .put("sub", "ann")
                .put("exp", Clock.systemUTC().instant().getEpochSecond() + 600);
    }

    private Jwt started(Duration refresh, Duration unknownKey, Duration noKeys) throws Exception {
        var signatures = new JwksSignatures(
                vertx,
                issuer.url(),
                new Metrics(registry),
                new JwksSignatures.Pace(refresh, unknownKey, noKeys),
                TIMEOUT);
        signatures.start().await(10, TimeUnit.SECONDS);
        return new Jwt(signatures, Optional.empty(), Optional.empty(), Clock.systemUTC());
    }

    private static boolean accepts(Jwt jwt, String token) throws Exception {
        return jwt.authenticate(token)
                .map(principal -> principal.subject().equals("ann"))
                .recover(refused -> refused instanceof InvalidTokenException
                        ? Future.succeededFuture(false)
                        : Future.failedFuture(refused))
                .await(10, TimeUnit.SECONDS);
    }

    @Test
    void theIssuersKeysVerifyItsTokens() throws Exception {
        issuer.publish(ONE, TWO);
        Jwt jwt = started(LONG, LONG, LONG);
        assertThat(accepts(jwt, ONE.token(claims()))).isTrue();
        assertThat(accepts(jwt, TWO.token(claims()))).isTrue();
        assertThat(accepts(jwt, TestIssuer.rsa("one").token(claims()))).isFalse();
        assertThat(issuer.fetches()).isOne();
    }

    @Test
    void aNewKeyWorksAtOnceAndARemovedOneEndsAlsoForTokensSeenBefore() throws Exception {
        issuer.publish(ONE);
        Jwt jwt = started(Duration.ofMillis(200), LONG, SHORT);
        String old = ONE.token(claims());
        assertThat(accepts(jwt, old)).isTrue();

        issuer.publish(TWO);
        assertThat(accepts(jwt, TWO.token(claims())))
                .as("asked for because it is unknown")
                .isTrue();
        assertThat(accepts(jwt, old)).isFalse();

        issuer.publish(ONE);
        AwaitCondition.until("the clock alone brings the first key back", () -> accepts(jwt, old));
    }

    @Test
    void whileTheIssuerIsAwayTheLastKeysGoOn() throws Exception {
        issuer.publish(ONE);
        Jwt jwt = started(SHORT, SHORT, SHORT);
        int before = issuer.fetches();
        issuer.answer(request -> request.connection().close());
        AwaitCondition.until("it was asked in vain", () -> issuer.fetches() > before + 3);
        assertThat(registry.counter("tailrace.jwks.fetch.failures").count()).isPositive();
        assertThat(accepts(jwt, ONE.token(claims()))).isTrue();
        issuer.answer(request -> request.response().end("{\"keys\":[]}"));
        int empty = issuer.fetches();
        AwaitCondition.until("it said that it has no keys", () -> issuer.fetches() > empty + 1);
        assertThat(accepts(jwt, ONE.token(claims())))
                .as("no keys are no answer")
                .isTrue();

        issuer.publish(TWO);
        AwaitCondition.until("it is back", () -> accepts(jwt, TWO.token(claims())));
    }

    @Test
    void badAnswersAreGivenUpAndNobodyIsLetPastOrTurnedAwayForGood() throws Exception {
        Buffer huge = Buffer.buffer(new byte[JwksFetch.MAX_BYTES + 1]);
        String elsewhere = issuer.url() + "?moved";
        String good = JwksServer.document(ONE).encode();
        List<Handler<HttpServerRequest>> bad = List.of(
                request -> {}, // never answers
                request -> request.response().setChunked(true).write(good.substring(0, 20)), // never ends
                request -> request.response().end(huge),
                request -> request.response().end("<html>hunter2</html>"),
                request -> request.response().setStatusCode(404).end(good),
                request -> {
                    boolean moved = request.query() != null;
                    request.response()
                            .setStatusCode(moved ? 200 : 302)
                            .putHeader("Location", elsewhere)
                            .end(good);
                },
                request -> request.response().end("{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}"));
        for (var answer : bad) {
            issuer.answer(answer);
            Jwt jwt = started(LONG, LONG, SHORT);
            String token = ONE.token(claims());
            assertThatThrownBy(() -> jwt.authenticate(token).await(10, TimeUnit.SECONDS))
                    .isInstanceOf(KeysUnavailableException.class);
            assertThat(jwt.authenticate("not.a.token").cause()).isInstanceOf(InvalidTokenException.class);
            issuer.publish(ONE);
            AwaitCondition.until("the issuer has come to itself", () -> {
                Future<Principal> answered = jwt.authenticate(token);
                return answered.succeeded();
            });
        }
    }

    @Test
    void aFloodOfUnknownKeysIsOneFetch() throws Exception {
        issuer.publish(ONE);
        Jwt jwt = started(LONG, LONG, LONG);
        List<Future<Principal>> answers = new ArrayList<>();
        for (int i = 0; i < 2_000; i++) {
            JsonObject header = new JsonObject().put("alg", "RS256").put("kid", "key-" + i);
            answers.add(jwt.authenticate(TestIssuer.unsigned(header, claims()) + ".AAAA"));
        }
        Future.join(answers).otherwiseEmpty().await(20, TimeUnit.SECONDS);
        assertThat(answers).allMatch(Future::failed);
        assertThat(issuer.fetches()).as("the start's and one more").isEqualTo(2);
        assertThat(accepts(jwt, ONE.token(claims()))).isTrue();
    }
}
