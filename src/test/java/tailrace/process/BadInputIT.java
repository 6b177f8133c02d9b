package tailrace.process;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_16;
import static java.nio.charset.StandardCharsets.UTF_16LE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tailrace.config.TailraceConfig;
import tailrace.postgres.TestDatabase;
import tailrace.security.Role;
import tailrace.security.Tokens;

/** Whatever is sent gets its exact answer, and the good entries beside the bad are kept. */
class BadInputIT {
    private static TestDatabase database;
    private static ServerProcess server;
    private static Api api;

    @BeforeAll
    static void start(@TempDir Path temp) throws Exception {
        database = TestDatabase.empty();
        server = ServerProcess.in(temp.resolve("data"))
                .env("DATABASE_URL", database.urlText())
                .start();
        api = new Api(server.base(), ServerProcess.serviceToken());
    }

    @AfterAll
    static void stop() throws Exception {
        server.close();
        database.close();
    }

    /** An entry that is refused alone: its members beside execution_id, the code, the field. */
    record BadEntry(String members, String code, String field) {
        @Override
        public String toString() {
            return code + " " + field + " " + (members.length() > 60 ? members.substring(0, 60) + "…" : members);
        }
    }

    private static BadEntry bad(String members, String code, String field) {
        return new BadEntry(members, code, field);
    }

    private static String with(String member) {
        return "\"message\":\"m\"," + member;
    }

    static Stream<BadEntry> badEntries() {
        return Stream.of(
                bad("\"level\":\"INFO\"", "missing_message", "message"),
                bad("\"message\":null", "missing_message", "message"),
                bad("\"message\":\"\"", "empty_message", "message"),
                bad("\"message\":5", "invalid_type", "message"),
                bad("\"message\":{\"a\":1}", "invalid_type", "message"),
                bad(with("\"level\":\"LOUD\""), "invalid_level", "level"),
                bad(with("\"level\":3"), "invalid_type", "level"),
                bad(with("\"event_type\":\"party\""), "invalid_event_type", "event_type"),
                bad(with("\"log_category\":\"private\""), "invalid_log_category", "log_category"),
                bad(with("\"display_priority\":0"), "invalid_display_priority", "display_priority"),
                bad(with("\"display_priority\":11"), "invalid_display_priority", "display_priority"),
                bad(with("\"display_priority\":1.5"), "invalid_integer", "display_priority"),
                bad(with("\"display_priority\":\"5\""), "invalid_type", "display_priority"),
                bad(with("\"is_milestone\":\"yes\""), "invalid_type", "is_milestone"),
                bad(with("\"is_milestone\":1"), "invalid_type", "is_milestone"),
                bad(with("\"data\":[1]"), "invalid_type", "data"),
                bad(with("\"data\":\"x\""), "invalid_type", "data"),
                bad(with("\"technical_details\":7"), "invalid_type", "technical_details"),
                bad(with("\"performance_metrics\":false"), "invalid_type", "performance_metrics"),
                bad(with("\"data\":" + "{\"a\":".repeat(33) + "1" + "}".repeat(33)), "too_deep", "data"),
                bad(with("\"data\":{\"n\":1e200000}"), "number_out_of_range", "data"),
                bad(with("\"data\":{\"n\":1e-400}"), "number_out_of_range", "data"),
                bad(with("\"duration_seconds\":1e999"), "number_out_of_range", "duration_seconds"),
                bad(with("\"duration_seconds\":\"1\""), "invalid_type", "duration_seconds"),
                bad(with("\"progress_percentage\":100.01"), "invalid_progress_percentage", "progress_percentage"),
                bad(with("\"progress_percentage\":-1"), "invalid_progress_percentage", "progress_percentage"),
                bad(with("\"step_number\":2147483648"), "invalid_integer", "step_number"),
                bad(with("\"attempt\":true"), "invalid_type", "attempt"),
                bad(with("\"error_code\":\"" + "e".repeat(101) + "\""), "too_long", "error_code"),
                bad(with("\"node_type\":\"" + "t".repeat(101) + "\""), "too_long", "node_type"),
                bad(with("\"node_id\":\"" + "n".repeat(256) + "\""), "too_long", "node_id"),
                bad(with("\"parent_node_id\":\"" + "ä".repeat(256) + "\""), "too_long", "parent_node_id"),
                bad(with("\"workflow_id\":\"" + "w".repeat(256) + "\""), "too_long", "workflow_id"),
                bad(with("\"user_id\":\"\""), "empty_user_id", "user_id"),
                bad(with("\"execution_id\":\"\""), "empty_execution_id", "execution_id"),
                bad(with("\"execution_id\":\"" + "x".repeat(256) + "\""), "too_long", "execution_id"),
                bad(with("\"execution_id\":5"), "invalid_type", "execution_id"),
                bad(with("\"execution_id\":\"elsewhere\""), "execution_id_conflict", "execution_id"),
                bad(with("\"trace_id\":\"xyz\""), "invalid_trace_id", "trace_id"),
                bad(with("\"trace_id\":\"" + "0".repeat(32) + "\""), "invalid_trace_id", "trace_id"),
                bad(with("\"span_id\":\"b7ad6b716920333\""), "invalid_span_id", "span_id"),
                bad(with("\"timestamp\":\"yesterday\""), "invalid_timestamp", "timestamp"),
                bad(with("\"timestamp\":\"2026-01-01T00:00:00\""), "invalid_timestamp", "timestamp"),
                bad(with("\"timestamp\":1e300"), "invalid_timestamp", "timestamp"),
                bad(with("\"timestamp\":true"), "invalid_type", "timestamp"),
                bad(with("\"id\":\"not-a-uuid\""), "invalid_id", "id"),
                bad(with("\"id\":17"), "invalid_type", "id"),
                bad("\"message\":\"" + "x".repeat(10_300) + "\"", "entry_too_large", ""));
    }

    @ParameterizedTest
    @MethodSource("badEntries")
    void aBadEntryIsRefusedAloneAndItsNeighboursAreKept(BadEntry entry) throws Exception {
        String execution = "beside-" + UUID.randomUUID();
        String good = "{\"message\":\"before\"}";
        String body = "[" + good + ",{" + entry.members + "}," + good.replace("before", "after") + "]";

        Api.Answer answer = api.nonsense().post("/v2/executions/" + execution + "/logs", body);
        Api.Answer alone = api.nonsense().post("/v2/executions/" + execution + "/logs", "[{" + entry.members + "}]");

        for (Api.Answer each : List.of(answer, alone)) {
            JsonNode rejected = each.body().get("rejected");
            assertThat(rejected).hasSize(1);
            assertThat(rejected.get(0).get("code").asText()).isEqualTo(entry.code);
            assertThat(rejected.get(0).get("field").asText()).isEqualTo(entry.field);
            assertThat(rejected.get(0).get("message").asText()).isNotBlank().hasSizeLessThan(400);
        }
        assertThat(answer.status()).isEqualTo(202);
        assertThat(answer.body().get("accepted").asInt()).isEqualTo(2);
        assertThat(answer.body().get("rejected").get(0).get("index").asInt()).isEqualTo(1);
        assertThat(alone.status()).isEqualTo(400);
        assertThat(alone.body().get("accepted").asInt()).isZero();
        assertThat(api.history(execution))
                .extracting(log -> log.get("seq").asInt() + log.get("message").asText())
                .containsExactly("1before", "2after");
    }

    /** A request refused as a whole. */
    record BadRequest(String name, HttpRequest.Builder request, int status, String code) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static BadRequest refused(String name, HttpRequest.Builder request, int status, String code) {
        return new BadRequest(name, request, status, code);
    }

    private static HttpRequest.Builder batch(byte[] body, String... headers) {
        HttpRequest.Builder request = api.request("/v2/logs/batch").POST(BodyPublishers.ofByteArray(body));
        boolean typed = false;
        for (int i = 0; i < headers.length; i += 2) {
            request.setHeader(headers[i], headers[i + 1]);
            typed |= headers[i].equals("Content-Type");
        }
        return typed ? request : request.setHeader("Content-Type", "application/json");
    }

    private static HttpRequest.Builder batch(String body, String... headers) {
        return batch(body.getBytes(UTF_8), headers);
    }

    private static final String GOOD = "[{\"execution_id\":\"refused\",\"message\":\"m\"}]";

    private static byte[] gzip(byte[] plain) {
        var out = new ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(out)) {
            gzip.write(plain);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        return out.toByteArray();
    }

    private static byte[] cut(byte[] bytes, int count) {
        return java.util.Arrays.copyOf(bytes, bytes.length - count);
    }

    private static byte[] join(byte[] a, byte[] b) {
        byte[] joined = java.util.Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, joined, a.length, b.length);
        return joined;
    }

    private static HttpRequest.Builder withToken(String token) {
        return batch(GOOD).setHeader("Authorization", token);
    }

    private static String token(String secret, Duration age) {
        return new Tokens(
                        new TailraceConfig.Secret(secret),
                        Optional.empty(),
                        Optional.empty(),
                        Clock.offset(Clock.systemUTC(), age.negated()))
                .mint(Role.SERVICE_ROLE, Optional.empty(), Duration.ofHours(1));
    }

    static Stream<BadRequest> badRequests() {
        byte[] good = GOOD.getBytes(UTF_8);
        byte[] zipped = gzip(good);
        byte[] eleven = new byte[11 << 20];
        java.util.Arrays.fill(eleven, (byte) ' ');
        String entry = "{\"execution_id\":\"refused\",\"message\":\"m\"}";
        String tooMany = "[" + (entry + ",").repeat(5_000) + entry + "]";
        return Stream.of(
                // JSON
                refused("empty", batch(""), 400, "invalid_body"),
                refused("a number", batch("5"), 400, "invalid_body"),
                refused("a string", batch("\"x\""), 400, "invalid_body"),
                refused("not JSON", batch("hello"), 400, "invalid_json"),
                refused("unclosed", batch("[" + entry), 400, "invalid_json"),
                refused("a comma too many", batch("[" + entry + ",]"), 400, "invalid_json"),
                refused("NaN", batch("[{\"execution_id\":\"refused\",\"message\":NaN}]"), 400, "invalid_json"),
                refused("more behind the end", batch(GOOD + GOOD), 400, "invalid_json"),
                refused("raw control character", batch(GOOD.replace("\"m\"", "\"a\u0001b\"")), 400, "invalid_json"),
                refused("no entries", batch("{\"defaults\":{}}"), 400, "missing_entries"),
                refused("no entry", batch("[]"), 400, "empty_batch"),
                refused("entries no array", batch("{\"entries\":{}}"), 400, "invalid_body"),
                refused("defaults no object", batch("{\"defaults\":[],\"entries\":" + GOOD + "}"), 400, "invalid_body"),
                refused(
                        "bad defaults",
                        batch("{\"defaults\":{\"level\":\"LOUD\"},\"entries\":" + GOOD + "}"),
                        400,
                        "invalid_level"),
                refused(
                        "an id as default",
                        batch("{\"defaults\":{\"id\":\"" + new UUID(1, 2) + "\"},\"entries\":" + GOOD + "}"),
                        400,
                        "invalid_id"),
                refused("unknown member", batch("{\"entrys\":[]}"), 400, "unknown_member"),
                refused("nested beyond everything", batch("[".repeat(100_000)), 400, "invalid_json"),
                // NDJSON
                refused("blank lines", batch("\n \n\r\n", "Content-Type", "application/x-ndjson"), 400, "empty_batch"),
                // encodings
                refused("UTF-16", batch(GOOD.getBytes(UTF_16)), 400, "invalid_encoding"),
                refused("UTF-16 without BOM", batch(GOOD.getBytes(UTF_16LE)), 400, "invalid_encoding"),
                refused("Latin-1", batch(GOOD.replace("\"m\"", "\"ü\"").getBytes(ISO_8859_1)), 400, "invalid_encoding"),
                refused(
                        "overlong UTF-8",
                        batch(join(cut(good, 3), join(new byte[] {(byte) 0xC0, (byte) 0xAF}, "\"}]".getBytes(UTF_8)))),
                        400,
                        "invalid_encoding"),
                // gzip
                refused("gzip cut off", batch(cut(zipped, 5), "Content-Encoding", "gzip"), 400, "invalid_gzip"),
                refused("gzip that is none", batch(good, "Content-Encoding", "gzip"), 400, "invalid_gzip"),
                refused("gzip of nothing", batch(new byte[0], "Content-Encoding", "gzip"), 400, "invalid_gzip"),
                refused(
                        "gzip and garbage",
                        batch(join(zipped, "garbage".getBytes(UTF_8)), "Content-Encoding", "gzip"),
                        400,
                        "invalid_gzip"),
                refused("gzip unannounced", batch(zipped), 400, "invalid_encoding"),
                refused("gzip bomb", batch(gzip(eleven), "Content-Encoding", "gzip"), 413, "body_too_large"),
                // sizes
                refused("too many entries", batch(tooMany), 413, "too_many_entries"),
                refused("too many bytes", batch(eleven), 413, "body_too_large"),
                refused(
                        "too many bytes, chunked",
                        api.request("/v2/logs/batch")
                                .header("Content-Type", "application/json")
                                .POST(BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(eleven))),
                        413,
                        "body_too_large"),
                // headers
                refused("text", batch(GOOD, "Content-Type", "text/plain"), 415, "unsupported_media_type"),
                refused("garbled type", batch(GOOD, "Content-Type", ";;"), 415, "unsupported_media_type"),
                refused(
                        "charset",
                        batch(GOOD, "Content-Type", "application/json; charset=latin1"),
                        415,
                        "unsupported_charset"),
                refused("brotli", batch(GOOD, "Content-Encoding", "br"), 415, "unsupported_encoding"),
                refused("twice gzip", batch(GOOD, "Content-Encoding", "gzip, gzip"), 415, "unsupported_encoding"),
                refused("blank key", batch(GOOD, "Idempotency-Key", " "), 400, "invalid_idempotency_key"),
                refused("long key", batch(GOOD, "Idempotency-Key", "k".repeat(256)), 400, "invalid_idempotency_key"),
                // methods and paths
                refused(
                        "PUT",
                        api.request("/v2/logs/batch").PUT(BodyPublishers.ofString(GOOD)),
                        405,
                        "method_not_allowed"),
                refused("DELETE", api.request("/v2/logs/batch").DELETE(), 405, "method_not_allowed"),
                refused(
                        "no such path",
                        api.request("/v2/logs/bunch").POST(BodyPublishers.ofString(GOOD)),
                        404,
                        "not_found"),
                refused(
                        "long id in the path",
                        api.request("/v2/executions/" + "x".repeat(256) + "/logs")
                                .header("Content-Type", "application/json")
                                .POST(BodyPublishers.ofString("[{\"message\":\"m\"}]")),
                        400,
                        "invalid_execution_id"),
                // tokens
                refused("no token", withToken("Bearer"), 401, "missing_token"),
                refused("basic", withToken("Basic YTpi"), 401, "missing_token"),
                refused("garbage token", withToken("Bearer x.y.z"), 401, "invalid_token"),
                refused("long token", withToken("Bearer " + "x".repeat(9_000)), 401, "invalid_token"),
                refused(
                        "another secret",
                        withToken("Bearer "
                                + token("a secret that is another one, of more than 32 bytes", Duration.ZERO)),
                        401,
                        "invalid_token"),
                refused(
                        "expired",
                        withToken("Bearer " + token(ServerProcess.SECRET, Duration.ofHours(2))),
                        401,
                        "invalid_token"),
                refused(
                        "unsigned",
                        withToken("Bearer eyJhbGciOiJub25lIn0.eyJyb2xlIjoic2VydmljZV9yb2xlIiwiZXhwIjo5OTk5OTk5OTk5fQ."),
                        401,
                        "invalid_token"),
                refused(
                        "a reader",
                        withToken("Bearer " + ServerProcess.userToken("anna")),
                        403,
                        "service_token_required"));
    }

    @ParameterizedTest
    @MethodSource("badRequests")
    void aBadRequestIsRefusedAsAWhole(BadRequest bad) throws Exception {
        Api.Answer answer = api.nonsense().send(bad.request);

        assertThat(answer.status()).as("%s", answer.body()).isEqualTo(bad.status);
        assertThat(answer.body().get("code").asText()).as("%s", answer.body()).isEqualTo(bad.code);
        assertThat(answer.body().get("detail").asText()).isNotBlank();
        assertThat(answer.body().get("request_id").asText())
                .isEqualTo(
                        answer.response().headers().firstValue("X-Request-ID").orElseThrow());
        assertThat(answer.response().headers().firstValue("Content-Type")).contains("application/problem+json");
        assertThat(api.get("/v2/executions/refused").status())
                .as("nothing was taken")
                .isEqualTo(404);
    }

    @Test
    void whatLooksOddAndIsRightIsTaken() throws Exception {
        byte[] bom = {(byte) 0xEF, (byte) 0xBB, (byte) 0xBF};
        String entry = "{\"execution_id\":\"odd\",\"message\":\"m\"}";
        byte[] plain = ("[" + entry + "]").getBytes(UTF_8);
        byte[] halves = join(
                gzip(java.util.Arrays.copyOf(plain, 10)), gzip(java.util.Arrays.copyOfRange(plain, 10, plain.length)));
        List<HttpRequest.Builder> right = List.of(
                batch(join(bom, plain)),
                batch(gzip(plain), "Content-Encoding", "gzip"),
                batch(gzip(plain), "Content-Encoding", "GZIP"),
                batch(halves, "Content-Encoding", "gzip"),
                batch(plain, "Content-Type", "Application/JSON; charset=\"UTF-8\""),
                batch(entry + "\r\n\r\n", "Content-Type", "application/x-ndjson"),
                batch("{\"entries\":[{\"message\":\"m\"}],\"defaults\":{\"execution_id\":\"odd\"}}"),
                batch(plain, "Idempotency-Key", "k".repeat(255)),
                batch(plain, "X-Request-ID", "x".repeat(500)));
        for (HttpRequest.Builder request : right) {
            Api.Answer answer = api.send(request);
            assertThat(answer.status()).as("%s", answer.body()).isEqualTo(202);
        }
        assertThat(api.history("odd")).hasSize(right.size());
    }

    @Test
    void aBrokenLineIsRefusedAlone() throws Exception {
        String lines = "{\"message\":\"one\"}\n{\"message\":\nnonsense\n{\"message\":\"two\"} {\"message\":\"x\"}\n"
                + "[1]\n\n{\"message\":\"three\"}";

        Api.Answer answer = api.nonsense()
                .send(api.request("/v2/executions/lines/logs")
                        .header("Content-Type", "application/x-ndjson")
                        .POST(BodyPublishers.ofString(lines)));

        assertThat(answer.status()).isEqualTo(202);
        assertThat(answer.body().get("rejected"))
                .extracting(
                        bad -> bad.get("index").asInt() + " " + bad.get("code").asText())
                .containsExactly("1 invalid_json", "2 invalid_json", "3 invalid_json", "4 not_an_object");
        assertThat(api.history("lines"))
                .extracting(log -> log.get("message").asText())
                .containsExactly("one", "three");
    }

    @Test
    void anExecutionsIdMayBeAnythingThatHasAName() throws Exception {
        for (String id :
                List.of("a/b", "a b", "ä🚀", "%2F", "a?b#c", "x".repeat(255), "🚀".repeat(255), "\"quoted\"\\")) {
            String path = "/v2/executions/" + Api.encode(id) + "/logs";
            Api.Answer answer = api.post(path, "[{\"message\":\"m\"}]");
            assertThat(answer.status()).as("%s: %s", id, answer.body()).isEqualTo(202);
            assertThat(answer.body()
                            .get("executions")
                            .get(0)
                            .get("execution_id")
                            .asText())
                    .isEqualTo(id);
            assertThat(api.history(id)).as(id).hasSize(1);
        }
        // NUL cannot be kept anywhere and becomes U+FFFD, by either way in.
        Api.Answer nul = api.post("/v2/executions/nul%00/logs", "[{\"message\":\"m\"}]");
        assertThat(nul.body().get("executions").get(0).get("execution_id").asText())
                .isEqualTo("nul\uFFFD");
        api.post("/v2/logs/batch", "[{\"execution_id\":\"nul\\u0000\",\"message\":\"m\"}]");
        assertThat(api.history("nul\uFFFD")).hasSize(2);
    }

    /** What the JDK's client would not send. */
    private static String raw(String request) throws IOException {
        try (Socket socket = new Socket("127.0.0.1", server.base().getPort())) {
            socket.setSoTimeout(10_000);
            OutputStream out = socket.getOutputStream();
            out.write(request.getBytes(ISO_8859_1));
            out.flush();
            InputStream in = socket.getInputStream();
            return new String(in.readAllBytes(), ISO_8859_1);
        }
    }

    /** Only the first line of the answer: the server may wait for the rest of a body that never comes. */
    private static String statusLine(String request) throws IOException {
        try (Socket socket = new Socket("127.0.0.1", server.base().getPort())) {
            socket.setSoTimeout(10_000);
            OutputStream out = socket.getOutputStream();
            out.write(request.getBytes(ISO_8859_1));
            out.flush();
            return new BufferedReader(new InputStreamReader(socket.getInputStream(), ISO_8859_1)).readLine();
        }
    }

    @Test
    void aHeaderCannotBreakOut() throws Exception {
        String head = "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";

        String folded = raw(head + "X-Request-ID: abc\r\n injected: 1\r\n\r\n");
        String bare = raw(head + "X-Request-ID: abc\rinjected: 1\r\n\r\n");
        String encoded = raw(head + "X-Request-ID: abc%0d%0ainjected: 1\r\n\r\n");
        String accented = raw(head + "X-Request-ID: \u00e4\u00e4\r\n\r\n");

        for (String answer : List.of(folded, bare, encoded, accented)) {
            assertThat(answer.lines()).noneMatch(line -> line.startsWith("injected"));
        }
        assertThat(accented).contains("200").doesNotContain("\u00e4");
    }

    @Test
    void aContentLengthThatLiesTakesNothing() throws Exception {
        String head =
                "POST /v2/logs/batch HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
                        + "Authorization: Bearer " + ServerProcess.serviceToken() + "\r\n";

        assertThat(statusLine(head + "Content-Length: -1\r\n\r\n" + GOOD)).startsWith("HTTP/1.1 400");
        assertThat(statusLine(head + "Content-Length: 99999999999999999999\r\n\r\n" + GOOD))
                .matches(answer -> answer.startsWith("HTTP/1.1 400") || answer.startsWith("HTTP/1.1 413"));
        assertThat(statusLine(head + "Content-Length: 20000000\r\n\r\n" + GOOD)).startsWith("HTTP/1.1 413");
        assertThat(api.get("/v2/executions/refused").status()).isEqualTo(404);
    }

    @Test
    void aRepeatedKeyIsStoredOnceAndAnsweredAlikeAlsoAtTheSameTimeAndAfterARestart() throws Exception {
        String path = "/v2/executions/idempotent/logs";
        String body = "[{\"message\":\"once\"},{\"message\":\"\"}]";
        var answers = new ArrayList<Api.Answer>(together(16, () -> keyed(path, body, "k")));
        answers.add(keyed(path, body, "k"));
        Api.Answer other = keyed(path, "[{\"message\":\"other\"}]", "k");
        server.kill();
        server.start();
        api = new Api(server.base(), ServerProcess.serviceToken());
        answers.add(keyed(path, body, "k"));

        assertThat(answers).extracting(Api.Answer::status).containsOnly(202);
        assertThat(Set.copyOf(answers.stream().map(Api.Answer::body).toList())).hasSize(1);
        assertThat(answers.stream().filter(answer -> answer.response()
                        .headers()
                        .firstValue("Idempotency-Replayed")
                        .isEmpty()))
                .as("one of them is the first")
                .hasSize(1);
        assertThat(other.status()).isEqualTo(409);
        assertThat(keyed(path, "[{\"message\":\"other\"}]", "k").status()).isEqualTo(409);
        assertThat(api.history("idempotent")).hasSize(1);
    }

    private static Api.Answer keyed(String path, String body, String key) throws Exception {
        return api.nonsense()
                .send(api.request(path)
                        .header("Content-Type", "application/json")
                        .header("Idempotency-Key", key)
                        .POST(BodyPublishers.ofString(body)));
    }

    @Test
    void twinsOfAnIdAreStoredOnce() throws Exception {
        UUID id = UUID.randomUUID();
        String entry = "{\"message\":\"twin\",\"id\":\"" + id + "\"}";
        String path = "/v2/executions/twins/logs";

        List<Api.Answer> answers =
                together(16, () -> api.post(path, "[" + entry + "," + entry.replace("twin", "other") + "]"));

        assertThat(answers).extracting(Api.Answer::status).containsOnly(202);
        assertThat(answers.stream()
                        .mapToInt(answer -> answer.body().get("accepted").asInt())
                        .sum())
                .isEqualTo(1);
        assertThat(answers.stream()
                        .mapToInt(answer -> answer.body().get("duplicates").asInt())
                        .sum())
                .isEqualTo(31);
        assertThat(api.history("twins"))
                .extracting(log -> log.get("id").asText())
                .containsExactly(id.toString());
        // An id names an entry within its execution only.
        assertThat(api.post("/v2/executions/another/logs", "[" + entry + "]")
                        .body()
                        .get("accepted")
                        .asInt())
                .isEqualTo(1);
    }

    private static List<Api.Answer> together(int count, java.util.concurrent.Callable<Api.Answer> send)
            throws Exception {
        var threads = Executors.newFixedThreadPool(count);
        try {
            var barrier = new CyclicBarrier(count);
            var answers = new ArrayList<CompletableFuture<Api.Answer>>();
            for (int i = 0; i < count; i++) {
                answers.add(CompletableFuture.supplyAsync(
                        () -> {
                            try {
                                barrier.await();
                                return send.call();
                            } catch (Exception e) {
                                throw new IllegalStateException(e);
                            }
                        },
                        threads));
            }
            var done = new ArrayList<Api.Answer>();
            for (CompletableFuture<Api.Answer> answer : answers) {
                done.add(answer.get(60, TimeUnit.SECONDS));
            }
            return done;
        } finally {
            threads.shutdownNow();
        }
    }
}
