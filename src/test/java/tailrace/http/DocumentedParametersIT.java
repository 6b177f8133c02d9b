package tailrace.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.json.JsonObject;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** That the reading endpoints know the query parameters that the OpenAPI document gives them. */
class DocumentedParametersIT {
    private final ReadingServer server = ReadingServer.start();
    private final HttpClient client = HttpClient.newHttpClient();
    private final JsonObject document = ApiDocument.load("test").json();

    @AfterEach
    void close() {
        server.close();
    }

    @Test
    void whatIsDocumentedIsKnown() throws Exception {
        server.appendMany("e1", 1);
        for (String path : List.of(
                "/v2/workflows/executions/{id}/logs",
                "/api/v1/app/executions/{id}/logs",
                "/v2/executions/{id}/logs/stream",
                "/api/v1/app/executions/{id}/logs/stream")) {
            Set<String> documented = documented(path);
            assertThat(documented).contains("level", "after_seq");
            Set<String> unknown = new TreeSet<>();
            for (String name : documented) {
                String detail = problem(path, name);
                if (detail.contains("there is no such parameter")) {
                    unknown.add(name);
                }
            }
            assertThat(unknown).as(path).isEmpty();
        }
    }

    private Set<String> documented(String path) {
        Set<String> names = new TreeSet<>();
        document.getJsonObject("paths").getJsonObject(path).getJsonObject("get").getJsonArray("parameters").stream()
                .map(JsonObject.class::cast)
                .map(parameter -> parameter.containsKey("$ref")
                        ? document.getJsonObject("components")
                                .getJsonObject("parameters")
                                .getJsonObject(parameter.getString("$ref").replaceFirst(".*/", ""))
                        : parameter)
                .filter(parameter -> parameter.getString("in").equals("query"))
                .forEach(parameter -> names.add(parameter.getString("name")));
        return names;
    }

    /** What the server says of an empty value, which none of them can have. */
    private String problem(String path, String name) throws Exception {
        HttpResponse<InputStream> response = client.send(
                HttpRequest.newBuilder(URI.create(
                                "http://127.0.0.1:" + server.port() + path.replace("{id}", "e1") + "?" + name + "="))
                        .timeout(Duration.ofSeconds(10))
                        .build(),
                HttpResponse.BodyHandlers.ofInputStream());
        try (InputStream body = response.body()) {
            assertThat(response.statusCode()).as(name).isEqualTo(400);
            JsonObject problem = new JsonObject(new String(body.readAllBytes(), StandardCharsets.UTF_8));
            assertThat(problem.getString("parameter")).isEqualTo(name);
            return problem.getString("detail");
        }
    }
}
