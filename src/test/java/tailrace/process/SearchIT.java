package tailrace.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tailrace.postgres.TestDatabase;

/** Entries across executions over HTTP, while others are sent. */
class SearchIT {
    @TempDir
    private static Path directory;

    private static TestDatabase database;
    private static ServerProcess server;
    private static Api service;

    @BeforeAll
    static void start() throws Exception {
        database = TestDatabase.empty();
        server = ServerProcess.in(directory.resolve("data"))
                .env("DATABASE_URL", database.urlText())
                .start();
        service = new Api(server.base(), ServerProcess.serviceToken());
        for (String execution : List.of("a1", "a2", "b1")) {
            String owner = execution.startsWith("a") ? "ann" : "bob";
            service.put(
                    "/v2/executions/" + execution,
                    "{\"workflow_id\":\"w-" + execution.charAt(0) + "\",\"user_id\":\"" + owner + "\"}");
            send(execution, 40);
        }
        AwaitCondition.until("all rows in PostgreSQL", Duration.ofSeconds(60), () -> rows() == 120);
    }

    @AfterAll
    static void stop() throws Exception {
        server.close();
        database.close();
    }

    private static long rows() {
        return database.number("SELECT count(*) FROM tailrace.workflow_execution_logs");
    }

    private static void send(String execution, int count) throws Exception {
        StringBuilder entries = new StringBuilder("[");
        for (int i = 0; i < count; i++) {
            entries.append(i == 0 ? "" : ",")
                    .append("{\"message\":\"raw ")
                    .append(i)
                    .append("\",\"user_friendly_message\":\"")
                    .append(i % 10 == 0 ? "Something FAILED in " : "All well in ")
                    .append(execution)
                    .append("\",\"node_id\":\"n")
                    .append(i % 2)
                    .append("\"}");
        }
        assertThat(service.post("/v2/executions/" + execution + "/logs", entries + "]")
                        .status())
                .isEqualTo(202);
    }

    private static Api as(String user) {
        return new Api(server.base(), ServerProcess.userToken(user));
    }

    private static List<String> keys(JsonNode page) {
        List<String> keys = new ArrayList<>();
        page.get("logs")
                .forEach(log -> keys.add(
                        log.get("execution_id").asText() + "/" + log.get("seq").asLong()));
        return keys;
    }

    private static JsonNode ok(Api api, String path) throws Exception {
        Api.Answer answer = api.get(path);
        assertThat(answer.status()).as(answer.body().toString()).isEqualTo(200);
        return answer.body();
    }

    @Test
    void wordsAreFoundAcrossAWorkflowAndAcrossAll() throws Exception {
        JsonNode page = ok(service, "/v2/workflows/w-a/logs?q=failed&limit=1000");
        assertThat(page.get("workflow_id").asText()).isEqualTo("w-a");
        assertThat(keys(page)).hasSize(8).allMatch(key -> key.startsWith("a"));
        JsonNode log = page.get("logs").get(0);
        assertThat(log.get("message").asText()).startsWith("Something FAILED");
        assertThat(log.get("highlights").toString()).isEqualTo("{\"message\":[[10,16]]}");
        assertThat(page.get("total_count").isNull()).isTrue();
        assertThat(page.get("pagination").get("has_more").asBoolean()).isFalse();
        assertThat(page.get("coverage").toString()).contains("\"reason\":\"technical_not_kept\"");
        assertThat(keys(ok(service, "/v2/logs/search?q=failed&node_id=n1"))).isEmpty();
        assertThat(keys(ok(service, "/v2/logs/search?q=failed%20b1&node_id=n0")))
                .hasSize(4);
        List<String> times = new ArrayList<>();
        ok(service, "/v2/logs/search?limit=1000")
                .get("logs")
                .forEach(one -> times.add(one.get("received_at").asText()));
        assertThat(times).isSortedAccordingTo(java.util.Comparator.reverseOrder());
    }

    @Test
    void nobodySeesWhatIsNotTheirs() throws Exception {
        assertThat(keys(ok(as("ann"), "/v2/logs/search?limit=1000")))
                .hasSizeGreaterThanOrEqualTo(80)
                .allMatch(key -> key.startsWith("a"));
        assertThat(keys(ok(as("bob"), "/v2/logs/search?q=failed&limit=1000"))).allMatch(key -> key.startsWith("b1/"));
        assertThat(keys(ok(as("eve"), "/v2/logs/search?limit=1000"))).isEmpty();
        Api.Answer foreign = as("bob").get("/v2/workflows/w-a/logs");
        Api.Answer unknown = as("bob").get("/v2/workflows/w-z/logs");
        assertThat(foreign.status()).isEqualTo(404);
        assertThat(unknown.status()).isEqualTo(404);
        assertThat(foreign.body().get("code")).isEqualTo(unknown.body().get("code"));
        assertThat(keys(ok(as("ann"), "/v2/workflows/w-a/logs?q=nowhere"))).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"q=", "limit=0", "cursor=x", "offset=1", "order=asc", "after_seq=1", "around_seq=1", "level=x"})
    void aBadParameterIsNamed(String query) throws Exception {
        for (String path : List.of("/v2/logs/search?", "/v2/workflows/w-a/logs?")) {
            Api.Answer answer = service.nonsense().get(path + query);
            assertThat(answer.status()).isEqualTo(400);
            assertThat(answer.body().get("parameter").asText()).isEqualTo(query.substring(0, query.indexOf('=')));
        }
    }

    @Test
    void aWalkWhileEntriesComeSeesEachEntryOnce() throws Exception {
        Set<String> there = new HashSet<>(keys(ok(service, "/v2/workflows/w-a/logs?limit=1000")));
        List<String> seen = new ArrayList<>();
        String cursor = "";
        while (true) {
            JsonNode page = ok(service, "/v2/workflows/w-a/logs?limit=9" + cursor);
            seen.addAll(keys(page));
            if (!page.get("pagination").get("has_more").asBoolean()) {
                break;
            }
            cursor = "&cursor=" + page.get("pagination").get("next_cursor").asText();
            send("a1", 2);
        }
        assertThat(seen).doesNotHaveDuplicates();
        assertThat(new HashSet<>(seen)).containsAll(there);
    }
}
