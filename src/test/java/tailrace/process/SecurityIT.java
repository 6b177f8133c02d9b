package tailrace.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tailrace.openapi.CheckedClient;
import tailrace.postgres.TestDatabase;

/** Who gets past the door, route by route (SPEC 5 and 8). A route that is not in the table fails the test. */
class SecurityIT {
    private enum Who {
        ANYONE,
        READER,
        SERVICE
    }

    private record Row(String method, String route, String query, Who who) {
        Row(String method, String route, Who who) {
            this(method, route, "", who);
        }

        boolean namesAnExecution() {
            return route.contains(":id") || query.contains("execution_id");
        }
    }

    private static final List<Row> ROUTES = List.of(
            new Row("GET", "/health", Who.ANYONE),
            new Row("GET", "/health/live", Who.ANYONE),
            new Row("GET", "/health/ready", Who.ANYONE),
            new Row("GET", "/api/v1/public/health", Who.ANYONE),
            new Row("GET", "/metrics", Who.ANYONE),
            new Row("GET", "/openapi.json", Who.ANYONE),
            new Row("GET", "/openapi.yaml", Who.ANYONE),
            new Row("GET", "/docs/*", Who.ANYONE),
            new Row("GET", "/*", Who.ANYONE),
            new Row("POST", "/v2/logs/batch", Who.SERVICE),
            new Row("POST", "/v2/executions/:id/logs", Who.SERVICE),
            new Row("PUT", "/v2/executions/:id", Who.SERVICE),
            new Row("GET", "/v2/executions/:id", Who.READER),
            new Row("GET", "/v2/executions", Who.READER),
            new Row("GET", "/api/v1/app/executions/:id/logs", Who.READER),
            new Row("GET", "/v2/workflows/executions/:id/logs", Who.READER),
            new Row("GET", "/api/v1/app/executions/:id/logs/export", Who.READER),
            new Row("GET", "/v2/executions/:id/logs/export", Who.READER),
            new Row("GET", "/api/v1/app/executions/:id/logs/diff", Who.READER),
            new Row("GET", "/v2/executions/:id/logs/diff", Who.READER),
            new Row("GET", "/admin/runs/:id/logs", Who.SERVICE),
            new Row("GET", "/api/v1/app/executions/:id/logs/stream", Who.READER),
            new Row("GET", "/v2/executions/:id/logs/stream", Who.READER),
            new Row("GET", "/api/v1/app/executions/:id/logs/summary", Who.READER),
            new Row("GET", "/v2/executions/:id/logs/summary", Who.READER),
            new Row("GET", "/api/v1/app/executions/recent_logs", Who.READER),
            new Row("GET", "/v2/workflows/executions/recent_logs", Who.READER),
            new Row("GET", "/v2/workflows/:id/logs", Who.READER),
            new Row("GET", "/v2/workflows/:id/stats", Who.READER),
            new Row("GET", "/v2/logs/search", Who.READER),
            new Row("GET", "/api/v1/app/executions/:id/logs/ws", Who.READER),
            new Row("GET", "/v2/executions/:id/logs/ws", Who.READER),
            new Row("GET", "/v2/logs/stream", "?execution_id=somebodys", Who.READER),
            new Row("POST", "/v2/session", Who.READER),
            new Row("DELETE", "/v2/session", Who.READER),
            new Row("POST", "/v2/stream-tickets", Who.READER),
            new Row("PUT", "/v2/workflows/:id", Who.SERVICE),
            new Row("GET", "/v2/workflows/:id", Who.READER),
            new Row("GET", "/v2/retention/policies", Who.SERVICE),
            new Row("PUT", "/v2/retention/policies/:id", Who.SERVICE),
            new Row("DELETE", "/v2/retention/policies/:id", Who.SERVICE),
            new Row("GET", "/v2/logs/stats", Who.SERVICE),
            new Row("POST", "/v2/bench/empty", Who.SERVICE));

    @TempDir
    private static Path directory;

    private static TestDatabase database;
    private static ServerProcess server;
    private static final HttpClient CLIENT =
            CheckedClient.of(HttpClient.newHttpClient()).nonsense();

    @BeforeAll
    static void start() throws Exception {
        database = TestDatabase.empty();
        server = ServerProcess.in(directory.resolve("data"))
                .env("DATABASE_URL", database.urlText())
                .env("BENCH_ENDPOINT", "on")
                .start();
    }

    @AfterAll
    static void stop() throws Exception {
        server.close();
        database.close();
    }

    /** Without a token where it is empty. */
    private static HttpResponse<String> send(Row row, String query, String authorization) throws Exception {
        String path = row.route().replace("*", "").replace(":id", "somebodys");
        String own = path.endsWith("/diff") ? "?against=somebodys" : row.query;
        path += own + (own.isEmpty() ? query : query.replace('?', '&'));
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(server.base() + path))
                .timeout(Duration.ofSeconds(10))
                .method(
                        row.method(),
                        row.method().equals("GET") ? BodyPublishers.noBody() : BodyPublishers.ofString("[]"));
        if (!authorization.isEmpty()) {
            request.header("Authorization", authorization);
        }
        return CLIENT.send(request.build(), BodyHandlers.ofString());
    }

    @Test
    void theTableHasEveryRoute() throws Exception {
        Matcher paths = Pattern.compile("\"(/(?:v2|api|admin|health|metrics|openapi|docs|\\*)[^\"]*)\"")
                .matcher(Files.readString(Path.of("src/main/java/tailrace/http/Routes.java")));
        Set<String> inSource = new TreeSet<>();
        while (paths.find()) {
            inSource.add(paths.group(1));
        }
        assertThat(ROUTES.stream().map(Row::route).distinct().toList()).containsExactlyInAnyOrderElementsOf(inSource);
    }

    @Test
    void nobodyGetsPastWithoutAToken() throws Exception {
        for (Row row : ROUTES) {
            HttpResponse<String> answer = send(row, "", "");
            if (row.who() == Who.ANYONE) {
                assertThat(answer.statusCode()).as(row.toString()).isEqualTo(200);
                continue;
            }
            assertThat(answer.statusCode()).as(row.toString()).isEqualTo(401);
            assertThat(answer.headers().firstValue("WWW-Authenticate"))
                    .hasValueSatisfying(challenge -> assertThat(challenge).startsWith("Bearer"));
            assertThat(answer.headers().firstValue("Content-Type")).hasValue("application/problem+json");
            assertThat(answer.body()).doesNotContain("somebodys");
        }
    }

    @Test
    void nobodyGetsPastWithAnythingButAValidToken() throws Exception {
        String token = ServerProcess.serviceToken();
        String tampered = token.substring(0, token.length() - 4) + (token.endsWith("AAAA") ? "BBBB" : "AAAA");
        List<String> wrong = List.of(
                "Bearer " + tampered,
                "Bearer",
                "Bearer null",
                "Basic " + token,
                token,
                "Bearer " + token + "," + token);
        for (Row row : ROUTES) {
            for (String authorization : wrong) {
                HttpResponse<String> answer = send(row, "", authorization);
                assertThat(answer.statusCode())
                        .as(row + " with " + authorization)
                        .isEqualTo(row.who() == Who.ANYONE ? 200 : 401);
                assertThat(answer.body()).doesNotContain(token);
            }
            if (row.who() != Who.ANYONE) {
                assertThat(send(row, "?access_token=" + tampered, "").statusCode())
                        .as(row.toString())
                        .isEqualTo(401);
            }
        }
    }

    @Test
    void aUserIsNoService() throws Exception {
        String user = "Bearer " + ServerProcess.userToken("ann");
        for (Row row : ROUTES) {
            int status = send(row, "", user).statusCode();
            switch (row.who()) {
                case SERVICE -> assertThat(status).as(row.toString()).isEqualTo(403);
                case READER ->
                    assertThat(status)
                            .as(row.toString())
                            .isEqualTo(
                                    row.namesAnExecution() ? 404 : row.method().equals("DELETE") ? 204 : 200);
                case ANYONE -> assertThat(status).as(row.toString()).isEqualTo(200);
            }
        }
        assertThat(new Api(server.base(), ServerProcess.serviceToken())
                        .get("/v2/executions/somebodys")
                        .status())
                .as("nothing was written by those who were turned away")
                .isEqualTo(404);
    }
}
