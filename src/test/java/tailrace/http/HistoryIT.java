package tailrace.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tailrace.model.EntryFields;
import tailrace.model.EventType;
import tailrace.model.ExecutionStatus;
import tailrace.model.Level;
import tailrace.model.LogCategory;
import tailrace.openapi.CheckedClient;

/** History over HTTP: its answer, its parameters, its errors (SPEC 6). */
class HistoryIT {
    private final ReadingServer server = ReadingServer.start();
    private final CheckedClient client = CheckedClient.of(HttpClient.newHttpClient());

    @AfterEach
    void close() {
        server.close();
    }

    private HttpResponse<String> get(String path, String... headers) throws Exception {
        return get(client, path, headers);
    }

    private HttpResponse<String> get(HttpClient client, String path, String... headers) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path))
                .timeout(Duration.ofSeconds(20));
        if (headers.length > 0) {
            request.headers(headers);
        }
        return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    private JsonObject page(String query) throws Exception {
        HttpResponse<String> response = get("/v2/workflows/executions/e1/logs" + query);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        assertThat(response.headers().firstValue("Content-Type")).hasValue("application/json");
        return new JsonObject(response.body());
    }

    private static List<Long> seqs(JsonObject page) {
        List<Long> seqs = new ArrayList<>();
        JsonArray logs = page.getJsonArray("logs");
        for (int i = 0; i < logs.size(); i++) {
            seqs.add(logs.getJsonObject(i).getLong("seq"));
        }
        return seqs;
    }

    private static List<Long> range(long from, long to) {
        return LongStream.rangeClosed(from, to).boxed().toList();
    }

    @Test
    void answersAsTheSpecificationSays() throws Exception {
        EntryFields friendly = server.entry("raw");
        friendly.userFriendlyMessage = "kind";
        friendly.level = Level.WARNING;
        friendly.data = "{\"a\":[1,{\"b\":null}]}";
        server.append("e1", friendly, server.entry("two"));
        JsonObject page = page("");
        assertThat(page.fieldNames())
                .containsExactly(
                        "execution_id",
                        "status",
                        "logs",
                        "total_count",
                        "pagination",
                        "last_seq",
                        "stream_url",
                        "coverage");
        assertThat(page.getString("execution_id")).isEqualTo("e1");
        assertThat(page.getString("status")).isEqualTo("NEW");
        assertThat(page.getLong("total_count")).isEqualTo(2);
        assertThat(page.getLong("last_seq")).isEqualTo(2);
        assertThat(page.getString("stream_url")).isEqualTo("/v2/executions/e1/logs/stream?last_event_id=2");
        assertThat(page.getJsonObject("coverage")).isEqualTo(new JsonObject().put("complete", true));
        JsonObject pagination = page.getJsonObject("pagination");
        assertThat(pagination.getInteger("limit")).isEqualTo(100);
        assertThat(pagination.getInteger("offset")).isZero();
        assertThat(pagination.getBoolean("has_more")).isFalse();
        assertThat(pagination.getString("next_cursor")).isNotEmpty();
        JsonObject log = page.getJsonArray("logs").getJsonObject(0);
        assertThat(log.getString("message")).isEqualTo("kind");
        assertThat(log.getString("raw_message")).isEqualTo("raw");
        assertThat(log.getString("level")).isEqualTo("warning");
        assertThat(log.getJsonObject("data").encode()).isEqualTo(friendly.data);
        assertThat(log.containsKey("is_realtime")).isFalse();
    }

    @Test
    void aFinishedExecutionHasNoStreamAndAnUnknownOneIsNotThere() throws Exception {
        server.register("e1", ExecutionStatus.SUCCEEDED, "alice");
        JsonObject page = page("");
        assertThat(page.containsKey("stream_url")).isFalse();
        assertThat(page.getJsonArray("logs")).isEmpty();
        assertThat(page.getLong("total_count")).isZero();
        assertThat(get("/v2/workflows/executions/none/logs").statusCode()).isEqualTo(404);
        String path = "/api/v1/app/executions/e1/logs";
        assertThat(get(path, "Authorization", "Bearer bob").statusCode()).isEqualTo(404);
        assertThat(get(path, "Authorization", "Bearer alice").statusCode()).isEqualTo(200);
    }

    @Test
    void theStreamGoesOnWhereThePageEnded() throws Exception {
        server.appendMany("e1", 5);
        assertThat(page("?limit=2").getString("stream_url")).endsWith("/logs/stream?last_event_id=2");
        assertThat(page("?limit=2&order=desc").getString("stream_url")).endsWith("?last_event_id=5");
        JsonObject app = new JsonObject(get("/api/v1/app/executions/e1/logs").body());
        assertThat(app.getString("stream_url")).isEqualTo("/api/v1/app/executions/e1/logs/stream?last_event_id=5");
        try (SseClient stream = SseClient.open(server.port(), app.getString("stream_url"))) {
            server.appendMany("e1", 1);
            assertThat(stream.next().seq()).isEqualTo(6);
        }
    }

    @Test
    void pagesBothWays() throws Exception {
        server.appendMany("e1", 25);
        JsonObject page = page("?limit=10");
        assertThat(seqs(page)).isEqualTo(range(1, 10));
        page = page("?limit=10&cursor=" + page.getJsonObject("pagination").getString("next_cursor"));
        assertThat(seqs(page)).isEqualTo(range(11, 20));
        page = page("?limit=10&cursor=" + page.getJsonObject("pagination").getString("next_cursor"));
        assertThat(seqs(page)).isEqualTo(range(21, 25));
        assertThat(page.getJsonObject("pagination").getBoolean("has_more")).isFalse();
        String cursor = page.getJsonObject("pagination").getString("next_cursor");
        assertThat(seqs(page("?cursor=" + cursor))).isEmpty();
        server.appendMany("e1", 2);
        assertThat(seqs(page("?cursor=" + cursor))).containsExactly(26L, 27L);
        page = page("?order=desc&limit=3");
        assertThat(seqs(page)).containsExactly(27L, 26L, 25L);
        cursor = page.getJsonObject("pagination").getString("next_cursor");
        assertThat(seqs(page("?limit=2&cursor=" + cursor))).containsExactly(24L, 23L);
        assertThat(seqs(page("?offset=5&limit=2"))).containsExactly(6L, 7L);
        assertThat(seqs(page("?offset=5&limit=2&order=desc"))).containsExactly(22L, 21L);
        assertThat(seqs(page("?after_seq=4&before_seq=7"))).containsExactly(5L, 6L);
        assertThat(page("?after_seq=4&before_seq=7").getLong("total_count")).isEqualTo(2);
    }

    @ParameterizedTest
    @CsvSource({
        "level=error, 2",
        "level=ERROR&level=info, 1 2 4",
        "min_level=warn, 2 3",
        "min_level=warning&level=error, 2",
        "min_level=critical&level=error, ''",
        "event_type=step_error, 2",
        "event_type=step_error&event_type=log, 1 2 3 4",
        "category=business, 3",
        "min_priority=6, 4",
        "milestone=true, 1",
        "milestone=false, 2 3 4",
        "start_time=2, 2 3 4",
        "end_time=2, 1 2",
        "start_time=1970-01-01T00:00:00.002Z&end_time=1970-01-01T01:00:00.003+01:00, 2 3",
        "level=info&milestone=true, 1"
    })
    void filters(String query, String expected) throws Exception {
        EntryFields one = server.entry("one");
        one.milestone = true;
        EntryFields two = server.entry("two");
        two.level = Level.ERROR;
        two.eventType = EventType.STEP_ERROR;
        EntryFields three = server.entry("three");
        three.level = Level.WARNING;
        three.category = LogCategory.BUSINESS;
        EntryFields four = server.entry("four");
        four.displayPriority = 6;
        EntryFields[] all = {one, two, three, four};
        for (int i = 0; i < all.length; i++) {
            all[i].timestampMicros = (i + 1) * 1_000L;
        }
        server.append("e1", all);
        List<Long> seqs = expected.isEmpty()
                ? List.of()
                : List.of(expected.split(" ")).stream().map(Long::valueOf).toList();
        JsonObject page = page("?" + query);
        assertThat(seqs(page)).isEqualTo(seqs);
        assertThat(page.getLong("total_count")).isEqualTo(seqs.size());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "limit=0",
                "limit=1001",
                "limit=x",
                "limit=",
                "limit=1.5",
                "limit=1&limit=2",
                "offset=-1",
                "offset=100001",
                "cursor=x",
                "cursor=",
                "order=up",
                "order=ASC",
                "level=loud",
                "level=",
                "min_level=x",
                "event_type=x",
                "category=x",
                "min_priority=0",
                "min_priority=11",
                "milestone=1",
                "start_time=yesterday",
                "start_time=2026-01-01T00:00:00",
                "end_time=2026-01-01",
                "end_time=999999999999999999",
                "after_seq=-1",
                "after_seq=x",
                "before_seq=-1",
                "q=",
                "q=-",
                "q=%22open",
                "q=a&q=b",
                "q=a%1Fb",
                "node_id=",
                "count=1",
                "around_seq=0",
                "around_seq=x",
                "before=5",
                "after=5",
                "after=101&around_seq=1",
                "before=-1&around_seq=1",
                "cursor=x&around_seq=1",
                "limit=5&around_seq=1",
                "after_seq=5&around_seq=1",
                "nonsense=1",
                "tail=5",
                "level=info&levell=x"
            })
    void aBadValueIsNamed(String query) throws Exception {
        server.appendMany("e1", 1);
        HttpResponse<String> response = get(client.nonsense(), "/v2/workflows/executions/e1/logs?" + query);
        assertThat(response.statusCode()).isEqualTo(400);
        String name = query.contains("levell") ? "levell" : query.substring(0, query.indexOf('='));
        assertThat(new JsonObject(response.body()).getString("parameter")).isEqualTo(name);
    }

    @Test
    void wordsAreFoundAndShown() throws Exception {
        EntryFields friendly = server.entry("Card 17 \"declined\"");
        friendly.userFriendlyMessage = "Your card was DECLINED";
        friendly.stackTrace = "PaymentDeclined";
        friendly.nodeId = "pay";
        EntryFields other = server.entry("declined again");
        other.nodeId = "other";
        server.append("e1", friendly, server.entry("paid"), other);

        JsonObject page = page("?q=declined&node_id=pay");

        assertThat(seqs(page)).containsExactly(1L);
        assertThat(page.getLong("total_count")).isEqualTo(1);
        assertThat(page.getJsonArray("logs")
                        .getJsonObject(0)
                        .getJsonObject("highlights")
                        .encode())
                .isEqualTo("{\"message\":[[14,22]],\"raw_message\":[[9,17]],\"stack_trace\":[[7,15]]}");
        assertThat(seqs(page("?q=declined&node_id=pay&node_id=other"))).containsExactly(1L, 3L);
        assertThat(seqs(page("?q=%22card%2017%22%20-again"))).containsExactly(1L);
        JsonObject rest = page("?q=-declined");
        assertThat(seqs(rest)).containsExactly(2L);
        assertThat(rest.getJsonArray("logs")
                        .getJsonObject(0)
                        .getJsonObject("highlights")
                        .isEmpty())
                .isTrue();
        assertThat(page("").getJsonArray("logs").getJsonObject(0).containsKey("highlights"))
                .isFalse();
        try (SseClient stream = SseClient.open(server.port(), "/v2/executions/e1/logs/stream?q=declined")) {
            assertThat(stream.next().seq()).isEqualTo(1);
            assertThat(stream.next().seq()).isEqualTo(3);
            server.append("e1", server.entry("nothing"), server.entry("DECLINED live"));
            assertThat(stream.next().seq()).isEqualTo(5);
        }
    }

    @Test
    void whoWantsNoCountGetsNone() throws Exception {
        server.appendMany("e1", 3);
        assertThat(page("?count=false").getValue("total_count")).isNull();
        assertThat(page("?count=true").getLong("total_count")).isEqualTo(3);
    }

    @Test
    void showsWhatStandsAroundAnEntry() throws Exception {
        server.appendMany("e1", 50);
        JsonObject page = page("?around_seq=20&before=2&after=3");
        assertThat(seqs(page)).isEqualTo(range(18, 23));
        assertThat(page.getLong("total_count")).isEqualTo(50);
        JsonObject pagination = page.getJsonObject("pagination");
        assertThat(pagination.getBoolean("has_before")).isTrue();
        assertThat(pagination.getBoolean("has_more")).isTrue();
        assertThat(seqs(page("?limit=2&cursor=" + pagination.getString("next_cursor"))))
                .isEqualTo(range(24, 25));
        page = page("?around_seq=2");
        assertThat(seqs(page)).isEqualTo(range(1, 12));
        assertThat(page.getJsonObject("pagination").getBoolean("has_before")).isFalse();
        assertThat(seqs(page("?around_seq=1000&before=3"))).isEqualTo(range(48, 50));
        assertThat(seqs(page("?around_seq=7&before=0&after=0"))).containsExactly(7L);
        assertThat(seqs(page("?around_seq=7&before=1&after=1&q=m1"))).containsExactly(2L, 11L);
        server.cold.away(true);
        assertThat(seqs(page("?around_seq=7&before=1&after=1"))).isEqualTo(range(6, 8));
    }

    @Test
    void aCursorBelongsToItsExecutionAndOrder() throws Exception {
        server.appendMany("e1", 3);
        server.appendMany("e2", 3);
        String cursor = page("?limit=1").getJsonObject("pagination").getString("next_cursor");
        assertThat(get("/v2/workflows/executions/e2/logs?cursor=" + cursor).statusCode())
                .isEqualTo(400);
        assertThat(get("/v2/workflows/executions/e1/logs?order=desc&cursor=" + cursor)
                        .statusCode())
                .isEqualTo(400);
        assertThat(get("/v2/workflows/executions/e1/logs?offset=1&cursor=" + cursor)
                        .statusCode())
                .isEqualTo(400);
        assertThat(seqs(page("?order=asc&offset=0&cursor=" + cursor))).containsExactly(2L, 3L);
    }

    @Test
    void saysWhatCannotBeHad() throws Exception {
        for (int i = 1; i <= 6; i++) {
            EntryFields fields = server.entry("m" + i);
            fields.milestone = i == 2;
            server.append("e1", fields);
        }
        server.cold.takeFrom(server.journal, "e1", 5);
        JsonObject page = page("");
        assertThat(seqs(page)).containsExactly(2L, 5L, 6L);
        assertThat(page.getLong("total_count")).isEqualTo(3);
        assertThat(page.getJsonObject("coverage").encode())
                .isEqualTo("{\"complete\":false,\"missing\":["
                        + "{\"from_seq\":1,\"to_seq\":1,\"reason\":\"technical_expired\"},"
                        + "{\"from_seq\":3,\"to_seq\":4,\"reason\":\"technical_expired\"}]}");
        assertThat(page("?milestone=true").getJsonObject("coverage").getBoolean("complete"))
                .isTrue();
        assertThat(page("?level=info").getJsonObject("coverage").encode())
                .isEqualTo("{\"complete\":false,\"missing\":["
                        + "{\"from_seq\":1,\"to_seq\":4,\"reason\":\"technical_expired\"}]}");

        server.cold.away(true);
        page = page("");
        assertThat(seqs(page)).containsExactly(5L, 6L);
        assertThat(page.getValue("total_count")).isNull();
        assertThat(page.getJsonObject("coverage").encode())
                .isEqualTo("{\"complete\":false,\"missing\":["
                        + "{\"from_seq\":1,\"to_seq\":4,\"reason\":\"postgres_unavailable\"}]}");
        page = page("?order=desc");
        assertThat(seqs(page)).containsExactly(6L, 5L);
        assertThat(get("/v2/workflows/executions/e1/logs?before_seq=5").statusCode())
                .isEqualTo(503);
        assertThat(get("/v2/workflows/executions/cold/logs").statusCode()).isEqualTo(503);

        server.cold.away(false);
        String cursor = page.getJsonObject("pagination").getString("next_cursor");
        assertThat(seqs(page("?cursor=" + cursor))).containsExactly(2L);
        server.journal.unavailable(true);
        assertThat(get("/v2/workflows/executions/e1/logs").statusCode()).isEqualTo(503);
    }

    @Test
    void anExecutionOfWhichOnlyPostgresKnowsIsThere() throws Exception {
        EntryFields milestone = server.entry("kept");
        milestone.milestone = true;
        server.append("e1", server.entry("gone"), milestone);
        server.cold.takeFrom(server.journal, "e1", 3);
        server.journal.forget("e1");
        assertThat(seqs(page(""))).containsExactly(2L);
        try (SseClient stream = SseClient.open(server.port(), "/v2/executions/e1/logs/stream")) {
            assertThat(stream.next().type()).isEqualTo("GAP");
            assertThat(stream.next().seq()).isEqualTo(2);
        }
    }

    @Test
    void aLargePageIsWrittenPieceByPiece() throws Exception {
        EntryFields[] batch = new EntryFields[1_000];
        for (int i = 0; i < batch.length; i++) {
            batch[i] = server.entry(i + "x".repeat(9_500));
        }
        server.append("e1", batch);
        JsonObject page = page("?limit=1000");
        assertThat(seqs(page)).isEqualTo(range(1, 1000));
        assertThat(seqs(page("?limit=1000&order=desc"))).hasSize(1000).startsWith(1000L);
    }
}
