package tailrace.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vertx.core.Future;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.eventbus.ReplyFailure;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.handler.BodyHandler;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import tailrace.bus.Failure;
import tailrace.journal.JournalUnavailableException;

class ProblemHandlerTest {
    private final HttpTestServer server = new HttpTestServer(router -> {
        router.get("/problem").handler(ctx -> {
            throw Problem.of(409, "busy", "Another is at it.")
                    .with("first_seq", 7)
                    .with("status", "cannot be overwritten")
                    .with("names", List.of("a", "b"));
        });
        router.get("/later").handler(ctx -> ctx.fail(Problem.unavailable("full", "Come again.", 3)));
        router.get("/bug").handler(ctx -> {
            throw new IllegalStateException("secret detail: hunter2");
        });
        router.get("/bug/argument").handler(ctx -> Future.failedFuture(new IllegalArgumentException("hunter2"))
                .onFailure(ctx::fail));
        router.get("/journal").handler(ctx -> ctx.fail(new JournalUnavailableException("/data/x is full")));
        router.get("/bus").handler(ctx -> ctx.fail(new ReplyException(ReplyFailure.TIMEOUT, "10.0.0.1")));
        router.get("/bus/failed")
                .handler(ctx -> ctx.fail(
                        new ReplyException(ReplyFailure.RECIPIENT_FAILURE, Failure.INTERNAL, "hunter2 Exception")));
        router.get("/bus/:code/refused")
                .handler(ctx -> ctx.fail(new ReplyException(
                        ReplyFailure.RECIPIENT_FAILURE, Integer.parseInt(ctx.pathParam("code")), "come again")));
        router.get("/named/:id").handler(ctx -> ctx.end());
        router.get("/query").handler(ctx -> ctx.end(ctx.queryParam("a").toString()));
        router.get("/status").handler(ctx -> ctx.fail(418));
        router.get("/half").handler(ctx -> {
            ctx.response().setChunked(true).write("half");
            throw new IllegalStateException("the rest is gone");
        });
        router.get("/twice/:id/logs").handler(ctx -> ctx.end("x"));
        router.put("/twice/:id/logs").handler(ctx -> ctx.end("x"));
        router.get("/static/*").handler(ctx -> ctx.end("x"));
        router.get("/*").handler(ctx -> ctx.next());
        router.post("/body")
                .consumes("application/json")
                .handler(BodyHandler.create(false).setBodyLimit(10))
                .handler(ctx -> ctx.end("x"));
    });

    ProblemHandlerTest() throws Exception {}

    @AfterEach
    void close() throws Exception {
        server.close();
    }

    private static JsonObject json(HttpResponse<String> answer) {
        assertThat(answer.headers().firstValue("Content-Type")).contains("application/problem+json");
        JsonObject body = new JsonObject(answer.body());
        assertThat(body.getInteger("status")).isEqualTo(answer.statusCode());
        assertThat(body.getString("type")).isEqualTo("urn:tailrace:problem:" + body.getString("code"));
        assertThat(body.getString("title")).isNotBlank();
        assertThat(body.getString("detail")).isNotBlank();
        assertThat(answer.headers().firstValue("X-Request-ID")).contains(body.getString("request_id"));
        return body;
    }

    @Test
    void aProblemKeepsItsMembersButNotOverTheStandardOnes() throws Exception {
        HttpResponse<String> answer = server.get("/problem");
        assertThat(answer.statusCode()).isEqualTo(409);
        assertThat(json(answer).getString("title")).isEqualTo("Conflict");
        assertThat(json(answer).getString("detail")).isEqualTo("Another is at it.");
        assertThat(json(answer).getInteger("first_seq")).isEqualTo(7);
        assertThat(json(answer).getJsonArray("names")).containsExactly("a", "b");
        assertThat(answer.headers().firstValue("Retry-After")).isEmpty();
    }

    @Test
    void retryAfterIsAHeader() throws Exception {
        HttpResponse<String> answer = server.get("/later");
        assertThat(answer.statusCode()).isEqualTo(503);
        assertThat(answer.headers().firstValue("Retry-After")).contains("3");
        assertThat(json(answer).getString("code")).isEqualTo("full");
    }

    @Test
    void whatTheJournalRefusesHasItsOwnStatusAndItsWords() throws Exception {
        Map<Integer, Integer> statuses =
                Map.of(Failure.JOURNAL_UNAVAILABLE, 503, Failure.JOURNAL_FULL, 503, Failure.IDEMPOTENCY_CONFLICT, 409);
        for (Map.Entry<Integer, Integer> expected : statuses.entrySet()) {
            HttpResponse<String> answer = server.get("/bus/" + expected.getKey() + "/refused");
            assertThat(answer.statusCode()).isEqualTo(expected.getValue());
            assertThat(json(answer).getString("detail")).isEqualTo("come again");
        }
    }

    @Test
    void aBugIsAnsweredWithItsRequestIdAndNothingElse() throws Exception {
        for (String path : List.of("/bug", "/bug/argument", "/bus/failed")) {
            HttpResponse<String> answer = server.get(path, "X-Request-ID", "abc");
            assertThat(answer.statusCode()).isEqualTo(500);
            assertThat(json(answer).getString("request_id")).isEqualTo("abc");
            assertThat(answer.body()).doesNotContain("hunter2").doesNotContain("Exception");
        }
    }

    @Test
    void whatPassesByItselfIsA503() throws Exception {
        for (String path : List.of("/journal", "/bus")) {
            HttpResponse<String> answer = server.get(path);
            assertThat(answer.statusCode()).isEqualTo(503);
            assertThat(answer.headers().firstValue("Retry-After")).contains("1");
            assertThat(json(answer).getString("detail")).doesNotContain("/data").doesNotContain("10.0.0.1");
        }
    }

    @Test
    void vertxsOwnStatusesAreProblemsToo() throws Exception {
        assertThat(json(server.get("/nowhere")).getString("code")).isEqualTo("not_found");
        assertThat(json(server.get("/status")).getString("code")).isEqualTo("http_418");
        assertThat(json(server.send("POST", "/body", "Content-Type", "text/plain"))
                        .getString("code"))
                .isEqualTo("unsupported_media_type");
    }

    @Test
    void aQueryThatCannotBeDecodedIsA400() throws Exception {
        for (String path : new String[] {"/query", "/named/x"}) {
            assertThat(raw("GET " + path + "?a=%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
                    .as(path)
                    .startsWith("HTTP/1.1 400 ")
                    .contains("\"code\":\"bad_request\"");
        }
    }

    @Test
    void whatIsNoRequestIsAProblemTooAndEndsTheConnection() throws Exception {
        assertThat(raw("GET /" + "x".repeat(10_000) + " HTTP/1.1\r\nHost: x\r\n\r\n"))
                .containsPattern("\\AHTTP/1.[01] 414 ")
                .contains("\"code\":\"uri_too_long\"");
        assertThat(raw("GET / HTTP/1.1\r\nHost: x\r\nA: " + "x".repeat(20_000) + "\r\n\r\n"))
                .containsPattern("\\AHTTP/1.[01] 431 ")
                .contains("\"code\":\"headers_too_large\"");
        assertThat(raw("GET / HTTP/1.1\r\nno colon here\r\n\r\n"))
                .containsPattern("\\AHTTP/1.[01] 400 ")
                .contains("\"code\":\"bad_request\"");
    }

    @Test
    void aBodyTooLargeIsA413() throws Exception {
        String answer = raw("POST /body HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n"
                + "Content-Length: 20\r\n\r\n01234567890123456789");
        assertThat(answer).startsWith("HTTP/1.1 413 ").contains("\"code\":\"payload_too_large\"");
    }

    @Test
    void a405NamesTheMethodsThereAre() throws Exception {
        HttpResponse<String> answer = server.send("DELETE", "/twice/7/logs");
        assertThat(answer.statusCode()).isEqualTo(405);
        assertThat(answer.headers().firstValue("Allow")).contains("GET, HEAD, OPTIONS, PUT");
        assertThat(json(answer).getString("code")).isEqualTo("method_not_allowed");
        assertThat(server.send("POST", "/static/a/b").headers().firstValue("Allow"))
                .contains("GET, HEAD, OPTIONS");
        HttpResponse<String> behindTheCatchAll = server.get("/body");
        assertThat(behindTheCatchAll.statusCode()).isEqualTo(405);
        assertThat(behindTheCatchAll.headers().firstValue("Allow")).contains("OPTIONS, POST");
        assertThat(json(server.send("DELETE", "/nowhere")).getString("code")).isEqualTo("not_found");
        assertThat(server.send("DELETE", "/nowhere").headers().firstValue("Allow"))
                .isEmpty();
    }

    @Test
    void halfAnAnswerIsCutOffAndNotCompleted() {
        assertThatThrownBy(() -> server.get("/half")).isInstanceOf(IOException.class);
    }

    @Test
    void aHeadRequestGetsNoBody() throws Exception {
        HttpResponse<String> answer = server.send("HEAD", "/nowhere");
        assertThat(answer.statusCode()).isEqualTo(404);
        assertThat(answer.body()).isEmpty();
    }

    private String raw(String request) throws IOException {
        try (Socket socket = new Socket("127.0.0.1", server.port())) {
            socket.setSoTimeout(10_000);
            OutputStream out = socket.getOutputStream();
            out.write(request.getBytes(StandardCharsets.US_ASCII));
            out.flush();
            InputStream in = socket.getInputStream();
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
