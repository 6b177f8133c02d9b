package tailrace.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.json.JsonObject;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** The document and its page, as they are sent. */
class DocsHandlerTest {
    private HttpTestServer server;

    @BeforeEach
    void start() throws Exception {
        server = new HttpTestServer(router -> {
            DocsHandler docs = new DocsHandler();
            router.get("/openapi.json").handler(docs.json());
            router.get("/openapi.yaml").handler(docs.yaml());
            router.get("/docs/*").handler(docs::page);
        });
    }

    @AfterEach
    void stop() throws Exception {
        server.close();
    }

    @Test
    void theDocumentIsTheSameInBothForms() throws Exception {
        HttpResponse<String> json = server.get("/openapi.json");
        assertThat(json.statusCode()).isEqualTo(200);
        assertThat(json.headers().firstValue("Content-Type")).hasValue("application/json");
        HttpResponse<String> yaml = server.get("/openapi.yaml");
        assertThat(yaml.statusCode()).isEqualTo(200);
        assertThat(yaml.headers().firstValue("Content-Type")).hasValue("application/yaml");
        assertThat(yaml.body()).startsWith("openapi: 3.1.0\n").doesNotContain("&id", "*id");
        Object read = new Load(LoadSettings.builder().build()).loadFromString(yaml.body());
        assertThat(new JsonObject(map(read))).isEqualTo(new JsonObject(json.body()));
    }

    @SuppressWarnings("unchecked") // keys of a document are strings
    private static Map<String, Object> map(Object read) {
        return (Map<String, Object>) read;
    }

    @Test
    void whoHasItIsToldSo() throws Exception {
        for (String path : List.of("/openapi.json", "/openapi.yaml")) {
            HttpResponse<String> first = server.get(path);
            String etag = first.headers().firstValue("ETag").orElseThrow();
            assertThat(first.headers().firstValue("Cache-Control")).hasValue("no-cache");
            for (String known : List.of(etag, "W/" + etag, "\"other\", " + etag, "*")) {
                HttpResponse<String> again = server.get(path, "If-None-Match", known);
                assertThat(again.statusCode()).as(known).isEqualTo(304);
                assertThat(again.body()).isEmpty();
                assertThat(again.headers().firstValue("ETag")).hasValue(etag);
            }
            assertThat(server.get(path, "If-None-Match", "\"other\"").statusCode())
                    .isEqualTo(200);
        }
    }

    @Test
    void thePageLoadsNothingFromElsewhereAndNothingInline() throws Exception {
        for (String path : List.of("/docs", "/docs/")) {
            HttpResponse<String> page = server.get(path);
            assertThat(page.statusCode()).as(path).isEqualTo(200);
            assertThat(page.headers().firstValue("Content-Type"))
                    .hasValueSatisfying(type -> assertThat(type).startsWith("text/html"));
            assertThat(page.headers().firstValue("Content-Security-Policy"))
                    .hasValueSatisfying(policy -> assertThat(policy)
                            .contains("default-src 'none'", "script-src 'self';", "frame-ancestors 'none'")
                            .doesNotContain("unsafe-eval", "http"));
            assertThat(page.body()).doesNotContain("//", "<style", "onload=");
            assertThat(page.body().split("<script ")).hasSize(3);
        }
        for (String file : List.of("swagger-ui-bundle.js", "swagger-ui.css", "docs.js")) {
            HttpResponse<String> answer = server.get("/docs/" + file);
            assertThat(answer.statusCode()).as(file).isEqualTo(200);
            assertThat(answer.headers().firstValue("X-Content-Type-Options")).hasValue("nosniff");
        }
        assertThat(server.get("/docs/../conf/tailrace.yaml").statusCode()).isEqualTo(404);
        assertThat(server.get("/docs/%2e%2e/conf/tailrace.yaml").statusCode()).isEqualTo(404);
        assertThat(server.get("/docs/swagger-ui-bundle.js.map").statusCode()).isEqualTo(404);
    }
}
