package tailrace.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
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
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tailrace.postgres.TestDatabase;

/** What the server shows to whoever comes: headers on every answer, methods, CORS, and its limits, by attack. */
@Timeout(60)
class SurfaceIT {
    private static final String LISTED = "https://app.example.com";
    private static final String FOREIGN = "https://evil.example.com";
    private static final int STREAMS_PER_PRINCIPAL = 3;
    private static final int IDLE_CONNECTIONS = 1_000;
    private static final int OPENED_AND_KILLED = 1_000;

    private static final Map<String, String> ALWAYS = Map.of(
            "X-Content-Type-Options", "nosniff",
            "Referrer-Policy", "no-referrer",
            "X-Frame-Options", "DENY",
            "Cross-Origin-Resource-Policy", "same-origin",
            "Cross-Origin-Opener-Policy", "same-origin");

    @TempDir
    private static Path directory;

    private static TestDatabase database;
    private static ServerProcess server;
    private static ServerProbe probe;
    private static Api service;
    private static final HttpClient CLIENT =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    @BeforeAll
    static void start() throws Exception {
        database = TestDatabase.empty();
        server = ServerProcess.in(directory.resolve("data"))
                .env("DATABASE_URL", database.urlText())
                .env("CORS_ORIGINS", LISTED + ",http://localhost:5173")
                .env("STREAMS_PER_PRINCIPAL", Integer.toString(STREAMS_PER_PRINCIPAL))
                .env("INGEST_RATE_ENTRIES", "1000")
                .env("INGEST_RATE_BURST", "1s")
                .start();
        probe = new ServerProbe(server);
        service = new Api(server.base(), ServerProcess.serviceToken());
        assertThat(service.post("/v2/executions/of-ann/logs", "[{\"message\":\"one\",\"user_id\":\"ann\"}]")
                        .status())
                .isEqualTo(202);
    }

    @AfterAll
    static void stop() throws Exception {
        server.close();
        database.close();
    }

    private static HttpResponse<Stream<String>> send(String method, String path, String... headers) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(server.base() + path))
                .timeout(Duration.ofSeconds(30))
                .method(method, method.equals("POST") ? BodyPublishers.ofString("[]") : BodyPublishers.noBody());
        if (headers.length > 0) {
            request.headers(headers);
        }
        return CLIENT.send(request.build(), BodyHandlers.ofLines());
    }

    private static String header(HttpResponse<?> answer, String name) {
        return String.join(" | ", answer.headers().allValues(name));
    }

    private static String bearer() {
        return "Bearer " + ServerProcess.serviceToken();
    }

    /** What comes back for these bytes until the server closes. */
    private static String raw(String request) throws IOException {
        try (Socket socket = new Socket("127.0.0.1", server.base().getPort())) {
            socket.setSoTimeout(20_000);
            socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
        }
    }

    @Test
    void everyAnswerHasTheHeadersWhateverItIs() throws Exception {
        record Asked(String method, String path, int status) {}
        List<Asked> all = List.of(
                new Asked("GET", "/health", 200),
                new Asked("GET", "/metrics", 200),
                new Asked("GET", "/v2/executions", 200),
                new Asked("GET", "/v2/executions/nobody", 404),
                new Asked("GET", "/nothing", 404),
                new Asked("DELETE", "/v2/executions", 405),
                new Asked("GET", "/v2/logs/batch", 405),
                new Asked("POST", "/v2/logs/batch", 400),
                new Asked("GET", "/v2/executions?limit=x", 400),
                new Asked("OPTIONS", "/v2/executions", 204),
                new Asked("GET", "/v2/executions/of-ann/logs/stream", 200));
        for (Asked each : all) {
            HttpResponse<Stream<String>> answer =
                    send(each.method, each.path, "Authorization", bearer(), "Content-Type", "application/json");
            answer.body().close();
            assertThat(answer.statusCode()).as(each.toString()).isEqualTo(each.status);
            ALWAYS.forEach((name, value) ->
                    assertThat(header(answer, name)).as(each + " " + name).isEqualTo(value));
            assertThat(header(answer, "Content-Security-Policy"))
                    .as(each.toString())
                    .isEqualTo("default-src 'none'; frame-ancestors 'none'");
            assertThat(header(answer, "Cache-Control")).as(each.toString()).isEqualTo("no-store");
            assertThat(header(answer, "Strict-Transport-Security"))
                    .as("no promise of TLS without TLS")
                    .isEmpty();
        }
        for (String file : List.of("/", "/app.js", "/style.css")) {
            HttpResponse<Stream<String>> page = send("GET", file);
            page.body().close();
            ALWAYS.forEach((name, value) -> assertThat(header(page, name)).isEqualTo(value));
            assertThat(header(page, "Content-Security-Policy"))
                    .contains("default-src 'none'; script-src 'self'", "frame-ancestors 'none'")
                    .doesNotContain("unsafe");
            assertThat(header(page, "Cache-Control")).isEqualTo("no-cache");
        }
        for (String broken : List.of(
                "GET / HTTP/1.1\r\nno colon\r\n\r\n", "GET /" + "x".repeat(40_000) + " HTTP/1.1\r\nHost: x\r\n\r\n")) {
            assertThat(raw(broken).toLowerCase(java.util.Locale.ROOT))
                    .contains("x-content-type-options: nosniff", "default-src 'none'", "x-frame-options: deny");
        }
    }

    @Test
    void methodsThereAreNotAreSaidWithThoseThereAre() throws Exception {
        HttpResponse<Stream<String>> other = send("GET", "/v2/logs/batch");
        assertThat(other.statusCode()).isEqualTo(405);
        assertThat(header(other, "Allow")).isEqualTo("OPTIONS, POST");
        assertThat(header(send("POST", "/v2/executions/x"), "Allow")).isEqualTo("GET, HEAD, OPTIONS, PUT");
        HttpResponse<Stream<String>> options = send("OPTIONS", "/v2/executions/x/logs/stream");
        assertThat(options.statusCode()).isEqualTo(204);
        assertThat(header(options, "Allow")).as("no HEAD for what does not end").isEqualTo("GET, OPTIONS");
        assertThat(send("OPTIONS", "/nothing").statusCode()).isEqualTo(404);
        assertThat(send("POST", "/nothing").statusCode()).isEqualTo(404);
        assertThat(send("HEAD", "/v2/executions/of-ann/logs/stream", "Authorization", bearer())
                        .statusCode())
                .isEqualTo(405);
    }

    @Test
    void headIsGetWithoutItsBody() throws Exception {
        String token = bearer();
        for (String path : List.of(
                "/health", "/", "/app.js", "/v2/executions/of-ann", "/v2/workflows/executions/of-ann/logs?limit=1")) {
            String answer = raw("HEAD " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: " + token
                    + "\r\n\r\n");
            assertThat(answer).as(path).startsWith("HTTP/1.1 200 ").endsWith("\r\n\r\n");
            assertThat(answer.indexOf("\r\n\r\n")).as(path).isEqualTo(answer.length() - 4);
        }
        assertThat(raw("HEAD /v2/executions/of-ann HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
                .startsWith("HTTP/1.1 401 ");
    }

    @Test
    void pagesOfListedOriginsMayReadAndOthersMayNot() throws Exception {
        HttpResponse<Stream<String>> preflight = send(
                "OPTIONS",
                "/v2/logs/batch",
                "Origin",
                LISTED,
                "Access-Control-Request-Method",
                "POST",
                "Access-Control-Request-Headers",
                "authorization,idempotency-key");
        assertThat(preflight.statusCode()).as("before any token is asked for").isEqualTo(204);
        assertThat(header(preflight, "Access-Control-Allow-Origin")).isEqualTo(LISTED);
        assertThat(header(preflight, "Access-Control-Allow-Credentials")).isEqualTo("true");
        assertThat(header(preflight, "Access-Control-Allow-Methods")).contains("GET", "POST", "PUT", "DELETE");
        assertThat(header(preflight, "Access-Control-Allow-Headers").split(","))
                .containsExactlyInAnyOrder(
                        "Authorization",
                        "Content-Type",
                        "Content-Encoding",
                        "Idempotency-Key",
                        "Last-Event-ID",
                        "X-Request-ID",
                        "traceparent");
        HttpResponse<Stream<String>> read = send("GET", "/v2/executions", "Origin", LISTED, "Authorization", bearer());
        assertThat(read.statusCode()).isEqualTo(200);
        assertThat(header(read, "Access-Control-Allow-Origin")).isEqualTo(LISTED);
        assertThat(header(read, "Access-Control-Expose-Headers").split(","))
                .containsExactlyInAnyOrder("X-Request-ID", "Retry-After");
        assertThat(header(read, "Vary").toLowerCase(java.util.Locale.ROOT)).isEqualTo("origin");
        assertThat(header(send("GET", "/v2/executions", "Origin", LISTED), "Access-Control-Allow-Origin"))
                .as("errors can be read, too")
                .isEqualTo(LISTED);

        for (String origin : List.of(FOREIGN, "null", LISTED + ":8443", "http://app.example.com")) {
            for (String method : List.of("OPTIONS", "GET")) {
                HttpResponse<Stream<String>> refused = send(
                        method,
                        "/v2/executions",
                        "Origin",
                        origin,
                        "Access-Control-Request-Method",
                        "GET",
                        "Authorization",
                        bearer());
                assertThat(refused.headers().map().keySet())
                        .as(method + " from " + origin)
                        .noneMatch(
                                name -> name.toLowerCase(java.util.Locale.ROOT).startsWith("access-control-"));
                assertThat(header(refused, "Vary").toLowerCase(java.util.Locale.ROOT))
                        .isEqualTo("origin");
            }
        }
        assertThat(send("POST", "/v2/session", "Origin", server.base().toString(), "Authorization", bearer())
                        .statusCode())
                .as("this server's own page is not listed, and need not be")
                .isEqualTo(200);
        assertThat(send("POST", "/v2/session", "Origin", LISTED, "Authorization", bearer())
                        .statusCode())
                .isEqualTo(200);
        assertThat(send("POST", "/v2/session", "Origin", FOREIGN, "Authorization", bearer())
                        .statusCode())
                .isEqualTo(403);
    }

    @Test
    void whatTwoServersCouldReadDifferentlyIsRefused() throws Exception {
        String head = "POST /v2/logs/batch HTTP/1.1\r\nHost: x\r\n";
        String smuggled = "GET /health HTTP/1.1\r\nHost: x\r\n\r\n";
        List<String> attacks = List.of(
                head + "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled,
                head + "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n" + smuggled,
                head + "Content-Length: 0\r\nContent-Length: 44\r\n\r\n" + smuggled,
                head + "Content-Length: 0, 44\r\n\r\n" + smuggled,
                head + "Content-Length: +0\r\n\r\n" + smuggled,
                head + "Content-Length: -1\r\n\r\n" + smuggled,
                head + "Content-Length : 0\r\n\r\n" + smuggled,
                head + "Transfer-Encoding: identity, chunked, identity\r\nContent-Length: 44\r\n\r\n" + smuggled,
                "GET / HTTP/1.1\r\nHost: x\r\n folded: y\r\nA b: c\r\n\r\n" + smuggled);
        for (String attack : attacks) {
            String answer = raw(attack);
            assertThat(answer).as(attack).startsWith("HTTP/1.").contains(" 400 ");
            assertThat(answer.split("HTTP/1\\.[01] ", -1))
                    .as("one answer, and the connection closed, for " + attack)
                    .hasSize(2);
        }
        assertThat(raw(head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n" + smuggled))
                .as("what is wrong in the middle of a body ends the connection")
                .doesNotContain(" 200 ");
        assertThat(raw("GET / HTTP/1.1\r\nHost: x\r\nX: " + "h".repeat(20_000) + "\r\n\r\n"))
                .contains(" 431 ");
        assertThat(raw("GET / HTTP/1.1\r\nHost: x\r\n" + "a: b\r\n".repeat(10_000) + "\r\n"))
                .as("a flood of small headers")
                .contains(" 431 ");
        assertThat(raw("GET /?" + "q".repeat(100_000) + " HTTP/1.1\r\nHost: x\r\n\r\n"))
                .contains(" 414 ");
        assertThat(raw("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
                .as("HTTP/2 without TLS")
                .contains(" 501 ");
        assertThat(raw("GET /health HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                        + "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n"
                        + "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
                .as("an upgrade that a proxy in front would not look into")
                .startsWith("HTTP/1.1 200 ");
    }

    @Test
    void aThousandIdleConnectionsStopNobody() throws Exception {
        List<Socket> idle = new ArrayList<>();
        try {
            for (int i = 0; i < IDLE_CONNECTIONS; i++) {
                Socket socket = new Socket("127.0.0.1", server.base().getPort());
                if (i % 2 == 0) {
                    socket.getOutputStream().write("GET / HTTP/1.1\r\nX-".getBytes(StandardCharsets.US_ASCII));
                }
                idle.add(socket);
            }
            AwaitCondition.until(
                    "they are connected", () -> probe.metric("tailrace_http_connections") >= IDLE_CONNECTIONS);
            assertThat(service.get("/v2/executions/of-ann").status()).isEqualTo(200);
        } finally {
            for (Socket socket : idle) {
                socket.close();
            }
        }
        AwaitCondition.until("they are gone", () -> probe.metric("tailrace_http_connections") < 50);
    }

    private static Socket stream(String token) throws IOException {
        Socket socket = new Socket("127.0.0.1", server.base().getPort());
        socket.setSoTimeout(20_000);
        socket.getOutputStream()
                .write(("GET /v2/executions/of-ann/logs/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + token
                                + "\r\n\r\n")
                        .getBytes(StandardCharsets.US_ASCII));
        return socket;
    }

    private static String status(Socket socket) throws IOException {
        return new String(socket.getInputStream().readNBytes(12), StandardCharsets.US_ASCII);
    }

    @Test
    void oneReaderHasAsManyStreamsAsAllowedAndNotOneMoreAndNoneIsLostWhenTheyAreKilled() throws Exception {
        String ann = ServerProcess.userToken("ann");
        ExecutorService killers = Executors.newFixedThreadPool(8);
        List<Future<?>> kills = new ArrayList<>();
        for (int i = 0; i < OPENED_AND_KILLED; i++) {
            boolean reset = i % 2 == 0;
            boolean answered = i % 3 == 0;
            kills.add(killers.submit(() -> {
                try (Socket socket = stream(ann)) {
                    if (answered) {
                        status(socket);
                    }
                    if (reset) {
                        socket.setSoLinger(true, 0); // RST instead of FIN
                    }
                }
                return null;
            }));
        }
        for (Future<?> kill : kills) {
            kill.get();
        }
        killers.shutdown();
        AwaitCondition.until("all of them have ended", () -> probe.liveStreams() == 0);

        List<Socket> open = new ArrayList<>();
        try {
            for (int i = 0; i < STREAMS_PER_PRINCIPAL; i++) {
                Socket socket = stream(ann);
                open.add(socket);
                assertThat(status(socket)).as("stream %s, for none is lost", i).isEqualTo("HTTP/1.1 200");
            }
            HttpResponse<Stream<String>> refused =
                    send("GET", "/v2/executions/of-ann/logs/stream", "Authorization", "Bearer " + ann);
            assertThat(refused.statusCode()).isEqualTo(429);
            assertThat(header(refused, "Retry-After")).isEqualTo("5");
            assertThat(String.join("", refused.body().toList())).contains("\"code\":\"too_many_streams\"");
            try (Socket services = stream(ServerProcess.serviceToken())) {
                assertThat(status(services)).isEqualTo("HTTP/1.1 200");
            }
            open.remove(0).close();
            AwaitCondition.until("a place is free again", () -> {
                Socket again = stream(ann);
                open.add(again);
                return status(again).equals("HTTP/1.1 200");
            });
        } finally {
            for (Socket socket : open) {
                socket.close();
            }
        }
        assertThat(probe.metric("tailrace_live_streams_refused_total")).isPositive();
    }

    @Test
    void aSenderAboveItsRateWaitsAndNothingOfWhatIsRefusedIsTaken() throws Exception {
        String token = ServerProcess.tokens()
                .mint(tailrace.security.Role.SERVICE_ROLE, java.util.Optional.of("noisy"), Duration.ofHours(1));
        Api noisy = new Api(server.base(), token);
        String batch = "[" + "{\"message\":\"m\"},".repeat(3_999) + "{\"message\":\"m\"}]";
        Api.Answer first = noisy.post("/v2/executions/rated/logs", batch);
        assertThat(first.status()).as("larger than the burst, and taken").isEqualTo(202);
        Api.Answer second = noisy.post("/v2/executions/rated/logs", "[{\"message\":\"m\"}]");
        assertThat(second.status()).isEqualTo(429);
        assertThat(second.body().get("code").asText()).isEqualTo("rate_limited");
        int seconds = Integer.parseInt(
                second.response().headers().firstValue("Retry-After").orElseThrow());
        assertThat(seconds).isBetween(1, 4);
        assertThat(service.post("/v2/executions/others/logs", "[{\"message\":\"m\"}]")
                        .status())
                .as("others do not pay for it")
                .isEqualTo(202);
        assertThat(noisy.get("/v2/executions/rated").body().get("last_seq").asLong())
                .isEqualTo(4_000);
        AwaitCondition.elapse(Duration.ofSeconds(seconds));
        assertThat(noisy.post("/v2/executions/rated/logs", "[{\"message\":\"m\"}]")
                        .status())
                .isEqualTo(202);
        assertThat(probe.metric("tailrace_ingest_rate_limited_total")).isEqualTo(1);
    }
}
