package tailrace.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tailrace.http.WsClient;
import tailrace.openapi.CheckedClient;
import tailrace.postgres.TestDatabase;
import tailrace.security.Role;

/**
 * What a browser shows instead of a token: a cookie, a ticket; that nobody else's page can use them; and that neither
 * they nor tokens are ever printed. The real server, which logs every request here.
 */
@Timeout(45) // a stream that should have been refused would be read for ever
class SessionIT {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @TempDir
    private static Path directory;

    private static TestDatabase database;
    private static ServerProcess server;
    private static final HttpClient CLIENT = CheckedClient.of(HttpClient.newBuilder()
                    .version(HttpClient.Version.HTTP_1_1)
                    .followRedirects(HttpClient.Redirect.NEVER)
                    .build())
            .nonsense();

    @BeforeAll
    static void start() throws Exception {
        database = TestDatabase.empty();
        server = ServerProcess.in(directory.resolve("data"))
                .env("DATABASE_URL", database.urlText())
                .env("LOG_LEVEL", "debug")
                .start();
        Api service = new Api(server.base(), ServerProcess.serviceToken());
        for (String owner : List.of("ann", "bob")) {
            assertThat(service.post(
                                    "/v2/executions/of-" + owner + "/logs",
                                    "[{\"message\":\"one\",\"user_id\":\"" + owner + "\"},{\"message\":\"two\"}]")
                            .status())
                    .isEqualTo(202);
        }
    }

    @AfterAll
    static void stop() throws Exception {
        server.close();
        database.close();
    }

    private static HttpRequest.Builder request(String method, String path, String... headers) {
        HttpRequest.Builder builder = HttpRequest.newBuilder(URI.create(server.base() + path))
                .timeout(PATIENCE)
                .method(method, BodyPublishers.noBody());
        return headers.length == 0 ? builder : builder.headers(headers);
    }

    private static HttpResponse<String> send(String method, String path, String... headers) throws Exception {
        return CLIENT.send(request(method, path, headers).build(), BodyHandlers.ofString());
    }

    private static HttpResponse<String> post(String path, String body, String... headers) throws Exception {
        return CLIENT.send(
                request("POST", path, headers)
                        .POST(BodyPublishers.ofString(body))
                        .build(),
                BodyHandlers.ofString());
    }

    private static String bearer(String token) {
        return "Bearer " + token;
    }

    private static String own() {
        return server.base().toString();
    }

    private static String cookie(HttpResponse<?> answer) {
        String header = answer.headers().firstValue("Set-Cookie").orElseThrow();
        return header.substring(0, header.indexOf(';'));
    }

    private static String session(String subject) throws Exception {
        HttpResponse<String> answer =
                send("POST", "/v2/session", "Authorization", bearer(ServerProcess.userToken(subject)));
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        return cookie(answer);
    }

    private static String ticket(String token) throws Exception {
        HttpResponse<String> answer = send("POST", "/v2/stream-tickets", "Authorization", bearer(token));
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        JsonNode body = Api.JSON.readTree(answer.body());
        assertThat(body.get("expires_in").asInt()).isEqualTo(60);
        return body.get("ticket").asText();
    }

    private static void status(int expected, String code, HttpResponse<String> answer) throws Exception {
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(expected);
        assertThat(Api.JSON.readTree(answer.body()).get("code").asText()).isEqualTo(code);
    }

    @Test
    void aTokenBecomesACookieThatNoScriptSeesAndNoOtherSiteSends() throws Exception {
        String token = ServerProcess.userToken("ann");
        HttpResponse<String> answer = send("POST", "/v2/session", "Authorization", bearer(token), "Origin", own());
        assertThat(answer.headers().firstValue("Set-Cookie")).hasValueSatisfying(cookie -> assertThat(cookie)
                .matches("tailrace_session=[\\w-]{43}; Max-Age=7[12]\\d\\d; .*")
                .contains("Path=/", "HTTPOnly", "SameSite=Strict")
                .doesNotContain("Secure")
                .doesNotContain(token));
        assertThat(answer.headers().firstValue("Cache-Control")).contains("no-store");
        assertThat(Api.JSON.readTree(answer.body()).get("sub").asText()).isEqualTo("ann");

        HttpResponse<String> tls =
                send("POST", "/v2/session", "Authorization", bearer(token), "X-Forwarded-Proto", "https");
        assertThat(tls.headers().firstValue("Set-Cookie"))
                .hasValueSatisfying(cookie -> assertThat(cookie).contains("; Secure"));
        HttpResponse<String> body = post("/v2/session", "{\"access_token\":\"" + token + "\"}");
        assertThat(body.statusCode()).isEqualTo(200);

        for (HttpResponse<String> each : List.of(answer, tls, body)) {
            String cookie = cookie(each);
            assertThat(send("GET", "/v2/executions/of-ann", "Cookie", cookie).statusCode())
                    .isEqualTo(200);
            assertThat(send("GET", "/v2/executions/of-bob", "Cookie", "a=b; " + cookie)
                            .statusCode())
                    .isEqualTo(404);
        }
    }

    @Test
    void whatIsNoTokenBecomesNoCookie() throws Exception {
        status(401, "missing_token", post("/v2/session", ""));
        status(401, "missing_token", post("/v2/session", "{\"token\":\"x\"}"));
        status(401, "missing_token", post("/v2/session", "{\"access_token\":7}"));
        status(401, "invalid_token", post("/v2/session", "{\"access_token\":\"x\"}"));
        status(400, "invalid_json", post("/v2/session", "{\"access_token\":"));
        status(413, "body_too_large", post("/v2/session", "x".repeat(20_000)));
        String token = ServerProcess.userToken("ann");
        status(401, "missing_token", post("/v2/session?access_token=" + token, ""));
        status(401, "missing_token", post("/v2/session", "", "Cookie", session("ann"), "Origin", own()));
        status(401, "missing_token", send("GET", "/v2/executions/of-ann", "Cookie", "tailrace_session=" + token));
        status(401, "missing_token", send("GET", "/v2/executions/of-ann", "Cookie", "tailrace_session="));
    }

    @Test
    void theHeaderWinsOverTheQueryAndTheQueryOverTheCookie() throws Exception {
        String anns = session("ann");
        String bob = ServerProcess.userToken("bob");
        String path = "/v2/executions/of-bob";
        assertThat(send("GET", path, "Cookie", anns, "Authorization", bearer(bob))
                        .statusCode())
                .isEqualTo(200);
        assertThat(send("GET", path + "?access_token=" + bob, "Cookie", anns).statusCode())
                .isEqualTo(200);
        status(401, "invalid_token", send("GET", "/v2/executions/of-ann?access_token=x", "Cookie", anns));
        status(401, "missing_token", send("GET", "/v2/executions/of-ann", "Cookie", anns, "Authorization", "Basic x"));
    }

    @Test
    void aForeignPageIsTurnedAway() throws Exception {
        String token = ServerProcess.userToken("ann");
        String port = ":" + server.base().getPort();
        List<String> foreign = List.of(
                "https://evil.example.com",
                "null",
                "http://127.0.0.1",
                "http://localhost" + port,
                own() + "1",
                "file://");
        for (String origin : foreign) {
            status(
                    403,
                    "foreign_origin",
                    send("POST", "/v2/session", "Authorization", bearer(token), "Origin", origin));
            status(
                    403,
                    "foreign_origin",
                    send("POST", "/v2/stream-tickets", "Cookie", session("ann"), "Origin", origin));
        }
        status(
                403,
                "foreign_origin",
                send("POST", "/v2/session", "Authorization", bearer(token), "Sec-Fetch-Site", "cross-site"));
        status(403, "foreign_origin", send("POST", "/v2/stream-tickets", "Cookie", session("ann")));
        String services = cookie(send("POST", "/v2/session", "Authorization", bearer(ServerProcess.serviceToken())));
        for (String origin : foreign) {
            HttpRequest put = request("PUT", "/v2/executions/csrf", "Cookie", services, "Origin", origin)
                    .PUT(BodyPublishers.ofString("{\"status\":\"FAILED\"}"))
                    .build();
            status(403, "foreign_origin", CLIENT.send(put, BodyHandlers.ofString()));
        }
        assertThat(send("GET", "/v2/executions/csrf", "Cookie", services).statusCode())
                .isEqualTo(404);
        HttpRequest meant = request("PUT", "/v2/executions/meant", "Cookie", services, "Origin", own())
                .PUT(BodyPublishers.ofString("{\"status\":\"RUNNING\"}"))
                .build();
        assertThat(CLIENT.send(meant, BodyHandlers.ofString()).statusCode()).isEqualTo(201);
        assertThat(send("POST", "/v2/stream-tickets", "Cookie", session("ann"), "Sec-Fetch-Site", "same-origin")
                        .statusCode())
                .isEqualTo(200);
    }

    @Test
    void anEndedSessionIsNone() throws Exception {
        String anns = session("ann");
        status(403, "foreign_origin", send("DELETE", "/v2/session", "Cookie", anns));
        HttpResponse<String> ended = send("DELETE", "/v2/session", "Cookie", anns, "Origin", own());
        assertThat(ended.statusCode()).isEqualTo(204);
        assertThat(ended.headers().firstValue("Set-Cookie"))
                .hasValueSatisfying(cookie -> assertThat(cookie).startsWith("tailrace_session=; Max-Age=0; "));
        status(401, "missing_token", send("GET", "/v2/executions/of-ann", "Cookie", anns));
    }

    /** One connection of an EventSource: the URL stays the same, and of what it has learned it sends the last id. */
    private record Source(HttpResponse<InputStream> response, List<String> lines) {
        static Source open(String url, int events, String... headers) throws Exception {
            HttpResponse<InputStream> response =
                    CLIENT.send(request("GET", url, headers).build(), BodyHandlers.ofInputStream());
            List<String> lines = new ArrayList<>();
            try (InputStream body = response.body()) {
                var reader = new BufferedReader(new InputStreamReader(body, StandardCharsets.UTF_8));
                for (int seen = 0; seen < events; ) {
                    String line = reader.readLine();
                    if (line == null) {
                        break;
                    }
                    lines.add(line);
                    seen += line.startsWith("data: ") ? 1 : 0;
                }
            }
            return new Source(response, lines);
        }

        List<String> ids() {
            return lines.stream()
                    .filter(line -> line.startsWith("id: "))
                    .map(line -> line.substring(4))
                    .toList();
        }
    }

    @Test
    void aTicketOpensOneStreamAndItsCookieTheReconnects() throws Exception {
        String token = ServerProcess.userToken("ann");
        String url = "/v2/executions/of-ann/logs/stream?ticket=" + ticket(token);
        status(403, "foreign_origin", send("GET", url, "Sec-Fetch-Site", "cross-site"));
        Source first = Source.open(url, 2, "Sec-Fetch-Site", "same-origin");
        assertThat(first.response.statusCode()).isEqualTo(200);
        assertThat(first.ids()).containsExactly("1", "2");
        String cookie = cookie(first.response);

        Source again = Source.open(url, 1, "Cookie", cookie, "Last-Event-ID", "1");
        assertThat(again.response.statusCode()).isEqualTo(200);
        assertThat(again.ids()).containsExactly("2");
        assertThat(again.response.headers().firstValue("Set-Cookie")).isEmpty();

        status(401, "invalid_ticket", send("GET", url));
        status(401, "invalid_ticket", send("GET", url, "Cookie", "tailrace_session=" + "x".repeat(43)));
        status(
                401,
                "missing_token",
                send("GET", "/v2/executions/of-ann?ticket=" + ticket(ServerProcess.userToken("ann"))));

        String more = "/v2/executions/of-ann/logs/stream?ticket=" + ticket(token);
        Source second = Source.open(more, 1, "Cookie", cookie);
        assertThat(second.response.headers().firstValue("Set-Cookie"))
                .as("one session is enough")
                .isEmpty();

        String bobs = "/v2/executions/of-ann/logs/stream?ticket=" + ticket(ServerProcess.userToken("bob"));
        assertThat(send("GET", bobs).statusCode()).isEqualTo(404);
    }

    private static int socket(String query, String... headers) {
        try (WsClient client =
                WsClient.open(server.base().getPort(), "/v2/executions/of-ann/logs/ws" + query, headers)) {
            if (client.status() == 101) {
                assertThat(client.next().seq()).isEqualTo(1);
            }
            return client.status();
        }
    }

    /** A browser lets any page open a WebSocket, and shows it what comes: only Origin tells whose page it is. */
    @Test
    void aForeignPageOpensNoWebSocketWithACookieOrTicket() throws Exception {
        String token = ServerProcess.userToken("ann");
        String cookie = "Cookie: " + session("ann");
        String own = "Origin: http://localhost:" + server.base().getPort();
        String foreign = "Origin: http://localhost.evil.example";
        assertThat(socket("", cookie, own)).isEqualTo(101);
        assertThat(socket("", cookie, foreign)).isEqualTo(403);
        assertThat(socket("", cookie, "Origin: null")).isEqualTo(403);
        assertThat(socket("", cookie, "Sec-Fetch-Site: same-site")).isEqualTo(403);
        assertThat(socket("", cookie)).as("no browser would leave it out").isEqualTo(403);
        assertThat(socket("", "Authorization: " + bearer(token), foreign))
                .as("whoever has the token may be anybody")
                .isEqualTo(101);
        assertThat(socket("?access_token=" + token)).isEqualTo(101);
        assertThat(socket("", own)).isEqualTo(401);
        assertThat(socket("?access_token=" + ServerProcess.userToken("bob"))).isEqualTo(404);

        String ticket = "?ticket=" + ticket(token);
        assertThat(socket(ticket, foreign)).isEqualTo(403);
        try (WsClient client = WsClient.open(server.base().getPort(), "/v2/executions/of-ann/logs/ws" + ticket, own)) {
            assertThat(client.status()).isEqualTo(101);
            assertThat(client.header("Set-Cookie")).startsWith("tailrace_session=");
        }
        assertThat(socket(ticket, own)).as("it was used").isEqualTo(401);
    }

    @Test
    void whatLastsEndsWithTheTokenAndDoesNotComeBack() throws Exception {
        String token = ServerProcess.tokens().mint(Role.AUTHENTICATED, Optional.of("ann"), Duration.ofSeconds(3));
        HttpResponse<String> opened = send("POST", "/v2/session", "Authorization", bearer(token));
        String cookie = cookie(opened);
        String url = "/v2/executions/of-ann/logs/stream?ticket="
                + Api.JSON
                        .readTree(send("POST", "/v2/stream-tickets", "Authorization", bearer(token))
                                .body())
                        .get("ticket")
                        .asText();
        Source stream = Source.open(url, 3, "Cookie", cookie);
        assertThat(stream.lines.get(stream.lines.size() - 1))
                .contains("\"error_type\":\"token_expired\"", "\"is_final\":true");

        status(401, "invalid_ticket", send("GET", url, "Cookie", cookie));
        status(401, "invalid_token", send("GET", "/v2/executions/of-ann/logs/stream?access_token=" + token));
        status(401, "invalid_token", send("POST", "/v2/session", "Authorization", bearer(token)));
        status(401, "invalid_token", send("POST", "/v2/stream-tickets", "Authorization", bearer(token)));
        status(401, "missing_token", send("GET", "/v2/executions/of-ann", "Cookie", cookie));
        assertThat(send("GET", "/v2/executions/of-ann", "Authorization", bearer(token))
                        .statusCode())
                .as("a single request has the leeway")
                .isEqualTo(200);
    }

    @Test
    void neitherTokensNorCookiesNorTicketsAreEverPrinted() throws Exception {
        String token = ServerProcess.userToken("ann");
        String cookie = session("ann");
        String ticket = ticket(token);
        String path = "/v2/executions/of-ann";
        send("GET", path + "?access_token=" + token);
        send("GET", path + "?ACCESS%5FTOKEN=" + token + "&limit=1");
        send("GET", path + "?token=" + token);
        send("GET", path + "?q=" + token);
        send("GET", path + "?ticket=" + ticket);
        send("GET", path + "/logs/stream?follow=false&ticket=" + ticket);
        send("GET", path + "/logs/stream?follow=false&ticket=" + ticket, "Cookie", cookie);
        send("GET", path, "Authorization", bearer(token) + "x");
        send("GET", path, "Authorization", token);
        send("GET", "/v2/executions/" + token, "Authorization", bearer(token));
        send("GET", "/" + token);
        send("GET", path, "X-Request-ID", token, "Authorization", bearer(token));
        send("GET", path, "Authorization", bearer(token), "Referer", own() + "/?access_token=" + token);
        post("/v2/session", "{\"access_token\":\"" + token + "\"");
        post("/v2/logs/batch", "{\"entries\":[{\"message\":\"" + token + "\"", "Authorization", bearer(token));
        send("GET", path + "/logs?cursor=" + token, "Authorization", bearer(token));
        List<String> malformed = List.of(
                "GET " + path + "?access_token=" + token + " and more HTTP/1.1\r\nHost: x\r\n\r\n",
                "GET " + path + "?%zz=" + token + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                "GET " + path + "?access_token=%zz" + token + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                "GET " + path + " HTTP/1.1\r\nHost: x\r\nAuthorization Bearer " + token + "\r\n\r\n",
                "GET " + path + " HTTP/1.1\r\nHost: " + token + " x\r\nConnection: close\r\n\r\n",
                "Bearer " + token + "\r\n\r\n",
                "GET " + path + "?access_token=" + token + "&x=" + "x".repeat(33_000) + " HTTP/1.1\r\nHost: x\r\n\r\n",
                "GET " + path + " HTTP/1.1\r\nHost: x\r\nAuthorization: " + bearer(token) + "\r\nX: "
                        + "x".repeat(20_000) + "\r\n\r\n");
        for (String request : malformed) {
            String answer = raw(request);
            assertThat(answer)
                    .as(request.substring(0, 30))
                    .matches("(?s)HTTP/1\\.[01] 4.*")
                    .doesNotContain(token);
        }
        String metrics = send("GET", "/metrics").body();
        AwaitCondition.until(
                "the requests have been logged", () -> server.output().contains("?q=***"));
        String random = cookie.substring(cookie.indexOf('=') + 1);
        assertThat(server.output()).contains("access_token=***", "ticket=***", "/logs/stream?follow=false");
        for (String secret : List.of(token, token.substring(token.lastIndexOf('.') + 1), random, ticket)) {
            assertThat(server.output()).doesNotContain(secret);
            assertThat(metrics).doesNotContain(secret);
        }
        assertThat(send("GET", "/").headers().firstValue("Referrer-Policy")).contains("no-referrer");
    }

    private static String raw(String request) throws IOException {
        try (Socket socket = new Socket("127.0.0.1", server.base().getPort())) {
            socket.setSoTimeout((int) PATIENCE.toMillis());
            OutputStream out = socket.getOutputStream();
            out.write(request.getBytes(StandardCharsets.US_ASCII));
            out.flush();
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
        }
    }
}
