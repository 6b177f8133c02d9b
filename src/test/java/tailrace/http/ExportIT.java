package tailrace.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vertx.core.Future;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tailrace.model.EntryFields;
import tailrace.model.Level;
import tailrace.model.LogFilter;
import tailrace.process.AwaitCondition;
import tailrace.query.EntryStore;
import tailrace.query.ForwardingStore;

/** Exports over HTTP: what they hold, how they are refused, how they end when something goes wrong. */
class ExportIT {
    private static final String EXPORT = "/v2/executions/e1/logs/export";
    private static final int LARGE_ENTRIES = 5_000;

    private final AtomicInteger reads = new AtomicInteger();
    private volatile int failAfterReads = Integer.MAX_VALUE;
    private final ReadingServer server = new ReadingServer(ReadingServer.LIVE, Counting::new, 1);
    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    /** Counts the pieces that are read, and can fail in the middle. */
    private final class Counting extends ForwardingStore {
        Counting(EntryStore store) {
            super(store);
        }

        @Override
        public Future<Slice> ascending(
                String id, long from, long to, int entries, long bytes, LogFilter filter, boolean exact) {
            return reads.incrementAndGet() > failAfterReads
                    ? Future.failedFuture("the disk is gone")
                    : super.ascending(id, from, to, entries, bytes, filter, exact);
        }
    }

    @AfterEach
    void close() {
        server.close();
    }

    private <T> HttpResponse<T> get(String path, HttpResponse.BodyHandler<T> body, String... headers) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path))
                .timeout(Duration.ofSeconds(20));
        if (headers.length > 0) {
            request.headers(headers);
        }
        return client.send(request.build(), body);
    }

    private String export(String query) throws Exception {
        HttpResponse<String> response = get(EXPORT + query, BodyHandlers.ofString());
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return response.body();
    }

    private static List<Long> seqs(String ndjson) {
        return ndjson.lines().map(line -> new JsonObject(line).getLong("seq")).toList();
    }

    private void appendLarge() {
        EntryFields[] batch = new EntryFields[LARGE_ENTRIES];
        for (int i = 0; i < batch.length; i++) {
            batch[i] = server.entry(i + "x".repeat(4_000));
        }
        server.append("e1", batch);
    }

    @Test
    void isWhatHistoryIs() throws Exception {
        server.appendMany("e1", 20);
        JsonObject page = new JsonObject(
                get("/v2/workflows/executions/e1/logs", BodyHandlers.ofString()).body());
        var lines = new JsonArray();
        export("").lines().forEach(line -> lines.add(new JsonObject(line)));
        assertThat(lines).isEqualTo(page.getJsonArray("logs"));
        JsonObject document = new JsonObject(export("?format=json"));
        assertThat(document.fieldNames()).containsExactly("execution_id", "logs", "coverage");
        assertThat(document.getString("execution_id")).isEqualTo("e1");
        assertThat(document.getJsonArray("logs")).isEqualTo(page.getJsonArray("logs"));
        assertThat(document.getJsonObject("coverage").encode()).isEqualTo("{\"complete\":true}");
        assertThat(export("?format=csv").lines()).hasSize(21);
        assertThat(export("?format=txt&tz=Asia/Tokyo").lines())
                .hasSize(20)
                .allMatch(line -> line.contains("+09:00 INFO     m"));
        assertThat(export("?tz=%2B02:00").lines()).allMatch(line -> line.contains("+02:00\""));
    }

    @Test
    void takesTheFiltersOfHistory() throws Exception {
        EntryFields error = server.entry("two");
        error.level = Level.ERROR;
        server.append("e1", server.entry("one"), error, server.entry("three"), server.entry("four"));
        assertThat(seqs(export("?min_level=warning"))).containsExactly(2L);
        assertThat(seqs(export("?order=desc"))).containsExactly(4L, 3L, 2L, 1L);
        assertThat(seqs(export("?after_seq=1&before_seq=4"))).containsExactly(2L, 3L);
        assertThat(export("?level=critical")).isEmpty();
        assertThat(new JsonObject(export("?level=critical&format=json")).getJsonArray("logs"))
                .isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "format=xml",
                "format=",
                "format=CSV",
                "tz=Mars/Olympus",
                "tz=",
                "tz=%2B25:00",
                "gzip=yes",
                "limit=5",
                "offset=1",
                "cursor=x",
                "level=loud",
                "nonsense=1"
            })
    void aBadValueIsNamed(String query) throws Exception {
        server.appendMany("e1", 1);
        HttpResponse<String> response = get(EXPORT + "?" + query, BodyHandlers.ofString());
        assertThat(response.statusCode()).isEqualTo(400);
        assertThat(new JsonObject(response.body()).getString("parameter"))
                .isEqualTo(query.substring(0, query.indexOf('=')));
    }

    @Test
    void whatIsNotTheirsIsNotThere() throws Exception {
        server.register("e1", tailrace.model.ExecutionStatus.RUNNING, "alice");
        server.appendMany("e1", 3);
        for (String path : List.of(EXPORT, "/v2/executions/none/logs/export")) {
            assertThat(get(path, BodyHandlers.ofString(), "Authorization", "Bearer bob")
                            .statusCode())
                    .isEqualTo(404);
        }
        assertThat(get(EXPORT, BodyHandlers.ofString(), "Authorization", "Bearer alice")
                        .statusCode())
                .isEqualTo(200);
    }

    @ParameterizedTest
    @CsvSource({
        "ndjson, application/x-ndjson",
        "json, application/json",
        "csv, text/csv; charset=utf-8; header=present",
        "txt, text/plain; charset=utf-8"
    })
    void isAFileOfItsType(String format, String type) throws Exception {
        server.appendMany("e1", 3);
        HttpResponse<String> response = get(EXPORT + "?format=" + format, BodyHandlers.ofString());
        assertThat(response.headers().firstValue("Content-Type")).hasValue(type);
        assertThat(response.headers().firstValue("Content-Encoding")).isEmpty();
        assertThat(response.headers().firstValue("Cache-Control")).hasValue("no-store");
        assertThat(response.headers().firstValue("Content-Disposition"))
                .hasValue(
                        "attachment; filename=\"tailrace-e1." + format + "\"; filename*=UTF-8''tailrace-e1." + format);
    }

    @Test
    void aHostileIdStaysAName() throws Exception {
        String id = "../\"\r\nX-Evil: 1\r\n\r\nü/;\u202e" + "x".repeat(200);
        server.appendMany(id, 1);
        String path = "/v2/executions/"
                + java.net.URLEncoder.encode(id, StandardCharsets.UTF_8).replace("+", "%20") + "/logs/export";
        HttpResponse<String> response = get(path + "?format=csv", BodyHandlers.ofString());
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.headers().firstValue("X-Evil")).isEmpty();
        assertThat(response.headers().firstValue("Content-Disposition")).hasValueSatisfying(value -> assertThat(value)
                .matches("attachment; filename=\"tailrace-[A-Za-z0-9._-]{50}\\.csv\"; "
                        + "filename\\*=UTF-8''tailrace-[A-Za-z0-9._%-]+\\.csv")
                .contains("%C3%BC"));
    }

    @Test
    void isCompressedWhereTheClientTakesIt() throws Exception {
        server.appendMany("e1", 500);
        String plain = export("?format=csv");
        for (String accepted : List.of("gzip", "br, gzip;q=0.5", "*")) {
            HttpResponse<byte[]> encoded =
                    get(EXPORT + "?format=csv", BodyHandlers.ofByteArray(), "Accept-Encoding", accepted);
            assertThat(encoded.headers().firstValue("Content-Encoding")).hasValue("gzip");
            assertThat(unzipped(encoded.body())).isEqualTo(plain);
        }
        for (String refused : List.of("identity", "gzip;q=0", "br, *;q=0")) {
            HttpResponse<String> as = get(EXPORT + "?format=csv", BodyHandlers.ofString(), "Accept-Encoding", refused);
            assertThat(as.headers().firstValue("Content-Encoding")).isEmpty();
            assertThat(as.body()).isEqualTo(plain);
        }
        HttpResponse<byte[]> file =
                get(EXPORT + "?format=csv&gzip=true", BodyHandlers.ofByteArray(), "Accept-Encoding", "gzip");
        assertThat(file.headers().firstValue("Content-Encoding")).isEmpty();
        assertThat(file.headers().firstValue("Content-Type")).hasValue("application/gzip");
        assertThat(file.headers().firstValue("Content-Disposition").orElseThrow())
                .endsWith("tailrace-e1.csv.gz");
        assertThat(unzipped(file.body())).isEqualTo(plain);
    }

    private static String unzipped(byte[] bytes) throws IOException {
        try (var in = new GZIPInputStream(new java.io.ByteArrayInputStream(bytes))) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @Test
    void saysInEveryFormatWhatCannotBeHad() throws Exception {
        for (int i = 1; i <= 6; i++) {
            EntryFields fields = server.entry("m" + i);
            fields.milestone = i == 2;
            server.append("e1", fields);
        }
        server.cold.takeFrom(server.journal, "e1", 5);
        String coverage = "{\"complete\":false,\"missing\":["
                + "{\"from_seq\":1,\"to_seq\":1,\"reason\":\"technical_expired\"},"
                + "{\"from_seq\":3,\"to_seq\":4,\"reason\":\"technical_expired\"}]}";
        assertThat(export("").lines()).hasSize(4).endsWith("{\"coverage\":" + coverage + "}");
        assertThat(new JsonObject(export("?format=json"))
                        .getJsonObject("coverage")
                        .encode())
                .isEqualTo(coverage);
        assertThat(export("?format=csv")).contains("\r\n,,,,,,coverage,,");
        assertThat(export("?format=txt")).endsWith("# 1 to 1: technical_expired\n# 3 to 4: technical_expired\n");
        assertThat(export("?milestone=true").lines()).hasSize(1);

        server.cold.away(true);
        assertThat(export("").lines()).hasSize(3).last().asString().contains("postgres_unavailable");
        HttpResponse<String> cold = get(EXPORT + "?before_seq=5", BodyHandlers.ofString());
        assertThat(cold.statusCode()).isEqualTo(503);
        assertThat(cold.headers().firstValue("Retry-After")).isPresent();
        assertThat(cold.headers().firstValue("Content-Disposition")).isEmpty();
        assertThat(server.longReads.open()).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"ndjson", "json", "csv", "txt", "ndjson&gzip=true"})
    void whatBreaksOffIsNoWholeAnswer(String format) throws Exception {
        appendLarge();
        failAfterReads = reads.get() + 10;
        HttpResponse<InputStream> response = get(EXPORT + "?format=" + format, BodyHandlers.ofInputStream());
        assertThat(response.statusCode()).isEqualTo(200);
        assertThatThrownBy(() -> response.body().readAllBytes()).isInstanceOf(IOException.class);
        assertThat(server.longReads.open()).isZero();
    }

    @Test
    void aClientWhoDoesNotReadCostsAPieceOrTwo() throws Exception {
        appendLarge(); // 20 MB are some 80 pieces
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
            socket.getOutputStream()
                    .write(("GET " + EXPORT + " HTTP/1.1\r\nHost: x\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
            AwaitCondition.until("it is under way", () -> server.longReads.open() == 1 && reads.get() > 0);
            AwaitCondition.until("it waits for the socket", () -> {
                int before = reads.get();
                AwaitCondition.elapse(Duration.ofMillis(300));
                return reads.get() == before;
            });
            assertThat(reads.get()).as("pieces that were read for nobody").isLessThan(60);
        }
        AwaitCondition.until("whoever is gone holds nothing", () -> server.longReads.open() == 0);
        assertThat(reads.get()).isLessThan(60);
    }

    @Test
    void whoAsksForMoreThanTheirShareIsTurnedAway() throws Exception {
        server.register("e1", tailrace.model.ExecutionStatus.RUNNING, "alice");
        appendLarge();
        List<Socket> open = new ArrayList<>();
        try {
            for (int i = 0; i < LongReads.MAX_OPEN_OF_ONE; i++) {
                Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
                open.add(socket);
                socket.getOutputStream()
                        .write(("GET " + EXPORT + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer alice\r\n\r\n")
                                .getBytes(StandardCharsets.US_ASCII));
            }
            AwaitCondition.until("all are under way", () -> server.longReads.open() == LongReads.MAX_OPEN_OF_ONE);
            HttpResponse<String> refused = get(EXPORT, BodyHandlers.ofString(), "Authorization", "Bearer alice");
            assertThat(refused.statusCode()).isEqualTo(429);
            assertThat(refused.headers().firstValue("Retry-After")).isPresent();
            assertThat(new JsonObject(refused.body()).getString("code")).isEqualTo("too_many_long_reads");
            assertThat(get(EXPORT + "?before_seq=3", BodyHandlers.ofString()).statusCode())
                    .as("another principal")
                    .isEqualTo(200);
        } finally {
            for (Socket socket : open) {
                socket.close();
            }
        }
        AwaitCondition.until("their places are free", () -> server.longReads.open() == 0);
        assertThat(get(EXPORT + "?before_seq=3", BodyHandlers.ofString(), "Authorization", "Bearer alice")
                        .statusCode())
                .isEqualTo(200);
    }

    @Test
    void adminRunsAnswerInTheOldShape() throws Exception {
        for (int i = 1; i <= 5; i++) {
            EntryFields fields = server.entry("m" + i);
            fields.timestampMicros = i * 1_000_000L;
            fields.level = i == 5 ? Level.WARNING : Level.INFO;
            fields.userFriendlyMessage = i == 4 ? "friendly" : null;
            server.append("e1", fields);
        }
        HttpResponse<String> latest = get("/admin/runs/e1/logs?limit=2", BodyHandlers.ofString());
        assertThat(latest.body())
                .isEqualTo("{\"logs\":["
                        + "{\"id\":4,\"thread_id\":\"e1\",\"message\":\"m4\",\"created_at\":\"1970-01-01T00:00:04.000000Z\","
                        + "\"level\":\"INFO\"},"
                        + "{\"id\":5,\"thread_id\":\"e1\",\"message\":\"m5\",\"created_at\":\"1970-01-01T00:00:05.000000Z\","
                        + "\"level\":\"WARNING\"}],\"count\":2}");
        JsonObject all = new JsonObject(
                get("/admin/runs/e1/logs", BodyHandlers.ofString()).body());
        assertThat(all.getInteger("count")).isEqualTo(5);
        assertThat(all.getJsonArray("logs").getJsonObject(0).getInteger("id")).isEqualTo(1);
        for (String bad : List.of("limit=0", "limit=1001", "limit=x", "level=info", "q=x")) {
            HttpResponse<String> refused = get("/admin/runs/e1/logs?" + bad, BodyHandlers.ofString());
            assertThat(refused.statusCode()).as(bad).isEqualTo(400);
        }
        assertThat(get("/admin/runs/none/logs", BodyHandlers.ofString()).statusCode())
                .isEqualTo(404);
        server.cold.takeFrom(server.journal, "e1", 3);
        assertThat(new JsonObject(get("/admin/runs/e1/logs", BodyHandlers.ofString())
                                .body())
                        .getInteger("count"))
                .isEqualTo(3);
        server.cold.away(true);
        assertThat(get("/admin/runs/e1/logs?limit=3", BodyHandlers.ofString()).statusCode())
                .as("the journal has all of it")
                .isEqualTo(200);
        assertThat(get("/admin/runs/e1/logs", BodyHandlers.ofString()).statusCode())
                .as("an answer that cannot say what it lacks")
                .isEqualTo(503);
    }

    @Test
    void adminRunsHaveNothingButTheLatest() throws Exception {
        appendLarge();
        JsonObject runs = new JsonObject(
                get("/admin/runs/e1/logs?limit=1000", BodyHandlers.ofString()).body());
        assertThat(runs.getInteger("count")).isEqualTo(1_000);
        JsonArray logs = runs.getJsonArray("logs");
        assertThat(logs).hasSize(1_000);
        assertThat(logs.getJsonObject(0).getLong("id")).isEqualTo(LARGE_ENTRIES - 999);
        assertThat(logs.getJsonObject(999).getLong("id")).isEqualTo(LARGE_ENTRIES);
    }
}
