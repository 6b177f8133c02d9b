package tailrace.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.handler.BodyHandler;
import java.net.http.HttpResponse;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import tailrace.config.TailraceConfig.Secret;
import tailrace.security.Jwt;
import tailrace.security.Principal;
import tailrace.security.Role;
import tailrace.security.SecretSignatures;
import tailrace.security.Sessions;
import tailrace.security.Tokens;

class AuthHandlerTest {
    private static final Secret SECRET = new Secret("a-secret-of-more-than-thirty-two-bytes");

    private final Tokens tokens = new Tokens(SECRET, Optional.empty(), Optional.empty(), Clock.systemUTC());
    private final String service = tokens.mint(Role.SERVICE_ROLE, Optional.empty(), Duration.ofMinutes(1));
    private final String reader = tokens.mint(Role.AUTHENTICATED, Optional.of("u1"), Duration.ofMinutes(1));
    private final HttpTestServer server;

    AuthHandlerTest() throws Exception {
        AuthHandler auth = new AuthHandler(
                new Jwt(new SecretSignatures(SECRET), Optional.empty(), Optional.empty(), Clock.systemUTC()),
                new Sessions(Clock.systemUTC()),
                new Origins(Set.of()));
        server = new HttpTestServer(router -> {
            router.get("/open").handler(ctx -> {
                Principal principal = AuthHandler.principal(ctx);
                ctx.end(principal.subject());
            });
            router.get("/read").handler(auth).handler(ctx -> {
                Principal principal = ctx.get("principal");
                ctx.end(principal.subject() + "/" + principal.service());
            });
            router.post("/write")
                    .handler(auth)
                    .handler(AuthHandler.requireService())
                    .handler(BodyHandler.create(false))
                    .handler(ctx -> ctx.end("written"));
        });
    }

    @AfterEach
    void close() throws Exception {
        server.close();
    }

    @Test
    void theHeaderAndTheParameterBothServe() throws Exception {
        assertThat(server.get("/read", "Authorization", "Bearer " + reader).body())
                .isEqualTo("u1/false");
        assertThat(server.get("/read", "Authorization", "bearer  " + service).body())
                .isEqualTo("/true");
        assertThat(server.get("/read?access_token=" + reader).body()).isEqualTo("u1/false");
    }

    @Test
    void theHeaderWinsAlsoWhereItIsBad() throws Exception {
        assertThat(server.get("/read?access_token=" + service, "Authorization", "Bearer " + reader)
                        .body())
                .isEqualTo("u1/false");
        assertThat(server.get("/read?access_token=" + service, "Authorization", "Bearer x")
                        .statusCode())
                .isEqualTo(401);
        assertThat(server.get("/read?access_token=" + service, "Authorization", "Basic eDp5")
                        .statusCode())
                .isEqualTo(401);
    }

    @Test
    void whoShowsNothingIsToldHow() throws Exception {
        for (String path : new String[] {"/read", "/read?access_token=", "/read?token=" + service}) {
            HttpResponse<String> answer = server.get(path);
            assertThat(answer.statusCode()).isEqualTo(401);
            assertThat(answer.headers().firstValue("WWW-Authenticate")).contains("Bearer realm=\"tailrace\"");
            assertThat(new JsonObject(answer.body()).getString("code")).isEqualTo("missing_token");
        }
    }

    @Test
    void whoShowsABadTokenIsToldWhyAndNotShownIt() throws Exception {
        HttpResponse<String> answer = server.get("/read", "Authorization", "Bearer " + reader + "tampered");
        assertThat(answer.statusCode()).isEqualTo(401);
        assertThat(answer.headers().firstValue("WWW-Authenticate")).hasValueSatisfying(header -> assertThat(header)
                .startsWith("Bearer realm=\"tailrace\", error=\"invalid_token\", error_description=\"")
                .doesNotContain("tampered"));
        assertThat(new JsonObject(answer.body()).getString("code")).isEqualTo("invalid_token");
        assertThat(answer.body()).doesNotContain("tampered");
    }

    @Test
    void onlyServicesWrite() throws Exception {
        assertThat(server.send("POST", "/write", "Authorization", "Bearer " + service)
                        .body())
                .isEqualTo("written");
        HttpResponse<String> refused = server.send("POST", "/write", "Authorization", "Bearer " + reader);
        assertThat(refused.statusCode()).isEqualTo(403);
        assertThat(new JsonObject(refused.body()).getString("code")).isEqualTo("service_token_required");
    }

    @Test
    void aRouteThatForgotItsGuardFailsClosed() throws Exception {
        assertThat(server.get("/open", "Authorization", "Bearer " + service).statusCode())
                .isEqualTo(500);
    }
}
