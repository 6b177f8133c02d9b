package tailrace.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.vertx.core.json.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tailrace.postgres.TestDatabase;
import tailrace.security.JwksServer;
import tailrace.security.TestIssuer;

/** A server whose tokens come from an issuer that publishes its keys: {@code JWT_JWKS_URL}, end to end. */
class IssuerIT {
    private static JsonObject claims() {
        return new JsonObject()
                .put("iss", "https://issuer.example.com")
                .put("role", "service_role")
                .put("exp", Clock.systemUTC().instant().getEpochSecond() + 3_600);
    }

    @Test
    void itStartsWithoutTheIssuerAndServesOnceTheIssuerIsThere(@TempDir Path directory) throws Exception {
        TestIssuer rsa = TestIssuer.rsa("one");
        TestIssuer ec = TestIssuer.ec("two");
        String secret = "not to be shown";
        try (TestDatabase database = TestDatabase.empty();
                JwksServer issuer = new JwksServer();
                ServerProcess server = ServerProcess.in(directory.resolve("data"))
                        .env("DATABASE_URL", database.urlText())
                        .env("JWT_SECRET", "")
                        .env("JWT_ISSUER", "https://issuer.example.com")
                        .env("JWT_JWKS_URL", issuer.url() + "?key=" + secret.replace(' ', '-'))
                        .start()) {
            Api service = new Api(server.base(), rsa.token(claims()));
            Api.Answer early = service.get("/v2/executions");
            assertThat(early.status()).isEqualTo(503);
            assertThat(early.body().get("code").asText()).isEqualTo("keys_unavailable");
            assertThat(early.response().headers().firstValue("Retry-After")).isPresent();
            assertThat(new Api(server.base(), "x.y.z").get("/v2/executions").status())
                    .isEqualTo(401);

            issuer.publish(rsa, ec);
            AwaitCondition.until(
                    "the keys are known", () -> service.get("/v2/executions").status() == 200);
            assertThat(service.post("/v2/executions/e/logs", "[{\"message\":\"hello\"}]")
                            .status())
                    .isEqualTo(202);
            Api other = new Api(
                    server.base(),
                    ec.token(claims().put("role", "authenticated").put("sub", "ann")));
            assertThat(other.get("/v2/executions/e").status()).isEqualTo(404);
            assertThat(new Api(server.base(), ServerProcess.serviceToken())
                            .get("/v2/executions")
                            .status())
                    .as("no secret counts beside an issuer")
                    .isEqualTo(401);
            JsonNode foreign = new Api(server.base(), TestIssuer.rsa("one").token(claims()))
                    .get("/v2/executions")
                    .body();
            assertThat(foreign.get("code").asText()).isEqualTo("invalid_token");

            assertThat(server.output())
                    .contains(
                            "tokens come from the issuer",
                            "cannot be fetched from 127.0.0.1",
                            "requests with tokens get 503")
                    .doesNotContain("not-to-be-shown")
                    .doesNotContain("#token=");
            try (var files = Files.list(directory.resolve("data"))) {
                assertThat(files.map(file -> file.getFileName().toString()).toList())
                        .doesNotContainAnyElementsOf(List.of("jwt-secret"));
            }
        }
    }
}
