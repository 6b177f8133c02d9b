package tailrace.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tailrace.postgres.TestDatabase;
import tailrace.security.Role;

/** SPEC 7 as a browser meets it: the real server, SSE over a real connection. */
class StreamIT {
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
    }

    @AfterAll
    static void stop() throws Exception {
        server.close();
        database.close();
    }

    private static void post(String execution, String... entries) throws Exception {
        Api.Answer answer = service.post(
                "/v2/executions/" + Api.encode(execution) + "/logs", "[" + String.join(",", entries) + "]");
        assertThat(answer.status()).as(answer.body().toString()).isEqualTo(202);
    }

    /** So many entries; every third is a warning. */
    private static void postMany(String execution, int count) throws Exception {
        post(
                execution,
                LongStream.rangeClosed(1, count)
                        .mapToObj(seq -> "{\"message\":\"entry " + seq + "\",\"level\":\""
                                + (EntryFeed.warning(seq) ? "WARNING" : "INFO") + "\"}")
                        .toArray(String[]::new));
    }

    private static List<Long> seqs(List<Api.Event> events) {
        return events.stream()
                .filter(event -> event.type().equals("LOG"))
                .map(Api.Event::seq)
                .toList();
    }

    private static List<Long> upTo(long last) {
        return LongStream.rangeClosed(1, last).boxed().toList();
    }

    /** Where an event is, as {@code execution:seq}. */
    private static List<String> places(List<Api.Event> events) {
        return events.stream()
                .filter(event -> event.type().equals("LOG"))
                .map(event -> event.data().get("session_id").asText() + ":"
                        + event.data().get("data").get("seq").asLong())
                .toList();
    }

    @Test
    void aWorkflowsExecutionsShareOneConnection() throws Exception {
        // Given a workflow with one run, and somebody who watches it
        post("wf-1", "{\"message\":\"a\",\"workflow_id\":\"wf\"}", "{\"message\":\"b\"}");
        String id;
        try (Api.Stream stream = service.streamOfMany("workflow_id=wf")) {
            assertThat(places(stream.until(event -> event.data().toString().contains("\"seq\":2"))))
                    .containsExactly("wf-1:1", "wf-1:2");

            // When a second begins, and one is claimed after its first entry
            post("wf-2", "{\"message\":\"a\",\"workflow_id\":\"wf\"}");
            assertThat(places(List.of(stream.next()))).containsExactly("wf-2:1");
            post("wf-3", "{\"message\":\"a\"}");
            service.put("/v2/executions/wf-3", "{\"workflow_id\":\"wf\",\"status\":\"RUNNING\"}");
            Api.Event claimed = stream.next();
            assertThat(places(List.of(claimed))).containsExactly("wf-3:1");
            id = claimed.id();
        }

        // Then a reader who comes back gets what came meanwhile, and nothing else
        post("wf-1", "{\"message\":\"c\"}");
        post("wf-4", "{\"message\":\"a\",\"workflow_id\":\"wf\"}");
        try (Api.Stream stream = service.streamOfMany("workflow_id=wf", "Last-Event-ID", id)) {
            assertThat(places(List.of(stream.next(), stream.next()))).containsExactlyInAnyOrder("wf-1:3", "wf-4:1");
        }

        // And by their names they are shown to their ends, while a foreigner sees none of them
        for (String run : List.of("wf-1", "wf-2")) {
            post(run, "{\"event_type\":\"workflow_completed\",\"message\":\"done\"}");
        }
        String names = "execution_id=wf-1&execution_id=wf-2";
        try (Api.Stream stream = service.streamOfMany(names)) {
            List<Api.Event> events = stream.until(event -> event.id().equals("wf-1:4*,wf-2:2*"));
            assertThat(places(events))
                    .containsExactlyInAnyOrder("wf-1:1", "wf-1:2", "wf-1:3", "wf-1:4", "wf-2:1", "wf-2:2");
            assertThat(stream.next()).as("over").isNull();
        }
        assertThat(service.streamOfMany(names, "Last-Event-ID", "wf-1:4*,wf-2:2*").status)
                .isEqualTo(204);
        assertThat(new Api(server.base(), ServerProcess.userToken("foreigner")).streamOfMany(names).status)
                .isEqualTo(404);
    }

    @Test
    void historyGoesOverToLiveWithoutASeam() throws Exception {
        // Given an execution into which entries pour
        try (EntryFeed feed = new EntryFeed(service, List.of("seam"), 3, 3, 20).start()) {
            AwaitCondition.until(
                    "it has a history",
                    () -> service.get("/v2/executions/seam")
                                    .body()
                                    .path("last_seq")
                                    .asLong()
                            > 50);
            boolean sawBoth = false;
            for (int round = 0; round < 40; round++) {
                long known = service.get("/v2/executions/seam")
                        .body()
                        .get("last_seq")
                        .asLong();

                // When somebody connects in the middle of it
                try (Api.Stream stream = service.stream("seam", "")) {
                    List<Api.Event> events = stream.until(event -> event.seq() >= known + 40);

                    // Then they get all of it in order, first as history, then live
                    assertThat(seqs(events))
                            .isEqualTo(upTo(events.get(events.size() - 1).seq()));
                    List<Boolean> live = events.stream()
                            .map(event ->
                                    event.data().get("data").path("is_realtime").asBoolean())
                            .toList();
                    assertThat(live.get(0)).isFalse();
                    assertThat(live.lastIndexOf(false) + 1)
                            .as("no history after the first live one")
                            .isEqualTo(live.contains(true) ? live.indexOf(true) : live.size());
                    sawBoth |= live.contains(true);
                }
            }
            assertThat(sawBoth).isTrue();
            feed.finish().assertAllTaken();
        }
    }

    @Test
    void theSameStreamIsOnBothPaths() throws Exception {
        postMany("paths", 3);
        for (String path : List.of("/api/v1/app/executions/paths/logs/stream", "/v2/executions/paths/logs/stream")) {
            Api.Answer whole = sse(path + "?follow=false");
            assertThat(whole.status()).isEqualTo(200);
            assertThat(whole.response().headers().firstValue("Content-Type"))
                    .hasValueSatisfying(type -> assertThat(type).startsWith("text/event-stream"));
            assertThat(whole.response().headers().firstValue("Cache-Control")).hasValue("no-store");
            assertThat(whole.response().headers().firstValue("X-Accel-Buffering"))
                    .hasValue("no");
            assertThat(whole.response().body().lines().filter(line -> line.startsWith("id: ")))
                    .containsExactly("id: 1", "id: 2", "id: 3");
            assertThat(whole.response().body()).contains("retry: 2000\n");
        }
    }

    /** The whole of a stream that ends by itself, as text. */
    private static Api.Answer sse(String path) throws Exception {
        var response = java.net.http.HttpClient.newHttpClient()
                .send(service.request(path).build(), java.net.http.HttpResponse.BodyHandlers.ofString());
        return new Api.Answer(response.statusCode(), Api.JSON.nullNode(), response);
    }

    @Test
    void tailStartsBeforeTheEndAndFollowFalseEndsAtIt() throws Exception {
        postMany("tail", 30);
        try (Api.Stream stream = service.stream("tail", "?tail=5&follow=false")) {
            assertThat(seqs(all(stream))).containsExactly(26L, 27L, 28L, 29L, 30L);
        }
        try (Api.Stream stream = service.stream("tail", "?follow=false")) {
            assertThat(all(stream))
                    .as("no COMPLETE, it runs on")
                    .extracting(Api.Event::type)
                    .containsOnly("LOG");
        }
        try (Api.Stream stream = service.stream("tail", "?tail=2&min_level=warning&follow=false")) {
            assertThat(seqs(all(stream))).containsExactly(27L, 30L);
        }
    }

    @Test
    void aFilterHoldsForHistoryAndLive() throws Exception {
        postMany("filtered", 9);
        try (Api.Stream stream = service.stream("filtered", "?min_level=warning")) {
            assertThat(seqs(stream.until(event -> event.seq() == 9))).containsExactly(3L, 6L, 9L);
            post("filtered", "{\"message\":\"info\"}", "{\"message\":\"worse\",\"level\":\"ERROR\"}");
            assertThat(stream.next().seq()).isEqualTo(11);
        }
        assertThat(service.nonsense().stream("filtered", "?min_level=dreadful").status)
                .isEqualTo(400);
    }

    @Test
    void completeComesTwoSecondsAfterTheEndAndIsTheEnd() throws Exception {
        post("done", "{\"message\":\"go\",\"event_type\":\"workflow_started\"}", "{\"message\":\"work\"}");
        try (Api.Stream stream = service.stream("done", "")) {
            stream.until(event -> event.seq() == 2);

            // When it is over, and the engine flushes late
            post(
                    "done",
                    "{\"message\":\"end\",\"event_type\":\"workflow_completed\",\"data\":{\"status\":\"FAILED\"}}");
            post("done", "{\"message\":\"flushed late\"}");
            long ended = System.nanoTime();

            // Then the late entry comes, then COMPLETE, then the end
            List<Api.Event> rest = stream.until(event -> event.type().equals("COMPLETE"));
            Duration silence = Duration.ofNanos(System.nanoTime() - ended);
            assertThat(seqs(rest)).containsExactly(3L, 4L);
            assertThat(silence).isBetween(Duration.ofMillis(1_500), Duration.ofSeconds(8));
            Api.Event complete = rest.get(rest.size() - 1);
            assertThat(complete.id()).isEqualTo("4");
            assertThat(complete.data().get("is_final").asBoolean()).isTrue();
            JsonNode data = complete.data().get("data");
            assertThat(data.get("status").asText()).isEqualTo("FAILED");
            assertThat(data.get("total_logs").asLong()).isEqualTo(4);
            assertThat(data.get("last_seq").asLong()).isEqualTo(4);
            assertThat(stream.next()).isNull();
        }

        // And who comes back with nothing beyond is stopped, but gets what still came after COMPLETE
        assertThat(service.streamAfter("done", 4).status).isEqualTo(204);
        post("done", "{\"message\":\"very late\"}");
        try (Api.Stream stream = service.streamAfter("done", 4)) {
            List<Api.Event> late = stream.until(event -> event.type().equals("COMPLETE"));
            assertThat(late).extracting(Api.Event::id).containsExactly("5", "5");
            assertThat(stream.next()).isNull();
        }
        assertThat(service.streamAfter("done", 5).status).isEqualTo(204);
    }

    @Test
    void aStatusThatIsPutEndsTheStream() throws Exception {
        postMany("put", 2);
        try (Api.Stream stream = service.stream("put", "")) {
            stream.until(event -> event.seq() == 2);
            service.put("/v2/executions/put", "{\"status\":\"STOPPED\"}");
            Api.Event end = stream.next();
            assertThat(end.type()).isEqualTo("COMPLETE");
            assertThat(end.data().get("data").get("status").asText()).isEqualTo("STOPPED");
            assertThat(stream.next()).isNull();
        }
    }

    @Test
    void aPageMayBeOpenBeforeTheRunStarts() throws Exception {
        assertThat(service.stream("not yet", "").status).isEqualTo(404);
        try (Api.Stream stream = service.stream("not yet", "?wait=30")) {
            assertThat(stream.status).isEqualTo(200);
            post("not yet", "{\"message\":\"here it is\"}");
            Api.Event first = stream.next();
            assertThat(first.seq()).isEqualTo(1);
            assertThat(first.data().get("data").get("is_realtime").asBoolean()).isTrue();
        }
        try (Api.Stream stream = service.stream("never", "?wait=1")) {
            Api.Event end = stream.next();
            assertThat(end.type()).isEqualTo("ERROR");
            assertThat(end.data().get("is_final").asBoolean()).isTrue();
            assertThat(stream.next()).isNull();
        }
    }

    @Test
    void anothersExecutionCannotBeToldFromNone() throws Exception {
        post("hers", "{\"message\":\"private\",\"user_id\":\"ann\"}");
        Api ann = new Api(server.base(), ServerProcess.userToken("ann"));
        Api bob = new Api(server.base(), ServerProcess.userToken("bob"));
        for (String path : List.of(
                "/v2/executions/%s",
                "/v2/executions/%s/logs/stream",
                "/api/v1/app/executions/%s/logs/stream",
                "/v2/workflows/executions/%s/logs",
                "/api/v1/app/executions/%s/logs")) {
            Api.Answer foreign = bob.get(path.formatted("hers"));
            Api.Answer missing = bob.get(path.formatted("none"));
            assertThat(foreign.status()).as(path).isEqualTo(404);
            assertThat(missing.status()).as(path).isEqualTo(404);
            assertThat(anonymous(foreign, "hers")).isEqualTo(anonymous(missing, "none"));
            assertThat(foreign.response().headers().map().keySet())
                    .isEqualTo(missing.response().headers().map().keySet());
        }
        assertThat(ann.get("/v2/executions/hers").status()).isEqualTo(200);
        assertThat(ann.history("hers")).hasSize(1);
        try (Api.Stream stream = ann.stream("hers", "?follow=false")) {
            assertThat(seqs(all(stream))).containsExactly(1L);
        }

        // Nor by waiting for it
        try (Api.Stream foreign = bob.stream("hers", "?wait=1");
                Api.Stream missing = bob.stream("none", "?wait=1")) {
            assertThat(foreign.status).isEqualTo(missing.status);
            ObjectNode foreignEnd = (ObjectNode) foreign.next().data();
            ObjectNode missingEnd = (ObjectNode) missing.next().data();
            foreignEnd.remove("timestamp");
            missingEnd.remove("timestamp");
            assertThat(foreignEnd.toString().replace("hers", "ID"))
                    .isEqualTo(missingEnd.toString().replace("none", "ID"));
        }
    }

    private static String anonymous(Api.Answer answer, String id) {
        ObjectNode body = (ObjectNode) answer.body();
        body.remove("request_id");
        return body.toString().replace(id, "ID");
    }

    @Test
    void theStreamEndsWithTheToken() throws Exception {
        post("expiring", "{\"message\":\"one\",\"user_id\":\"ann\"}");
        String token = ServerProcess.tokens().mint(Role.AUTHENTICATED, Optional.of("ann"), Duration.ofSeconds(3));
        Api ann = new Api(server.base(), token);
        try (Api.Stream stream = ann.stream("expiring", "")) {
            assertThat(stream.next().seq()).isEqualTo(1);
            Api.Event end = stream.next();
            assertThat(end.type()).isEqualTo("ERROR");
            assertThat(end.data().get("is_final").asBoolean()).isTrue();
            assertThat(end.data().get("data").get("error_type").asText()).isEqualTo("token_expired");
            assertThat(stream.next()).isNull();
        }
    }

    @Test
    void aServerThatStopsSendsItsReadersElsewhereAndNotAllAtOnce() throws Exception {
        try (TestDatabase own = TestDatabase.empty();
                ServerProcess stopping = ServerProcess.in(directory.resolve("stopping"))
                        .env("DATABASE_URL", own.urlText())
                        .start();
                StreamFleet fleet = new StreamFleet(stopping.base(), ServerProcess.serviceToken())) {
            Api api = new Api(stopping.base(), ServerProcess.serviceToken());
            api.post("/v2/executions/running/logs", "[{\"message\":\"one\"}]");
            for (int i = 0; i < 20; i++) {
                fleet.open("running", "", false);
            }
            AwaitCondition.until(
                    "all have the entry", () -> fleet.readers().stream().allMatch(reader -> reader.entries == 1));

            assertThat(stopping.terminate()).isEqualTo(143);

            AwaitCondition.until("all ended", () -> fleet.readers().stream().allMatch(reader -> reader.ended));
            assertThat(fleet.readers()).allSatisfy(reader -> {
                assertThat(reader.complete).isFalse();
                assertThat(reader.otherEvents).isEmpty();
                assertThat(reader.retryMillis).isBetween(2_000L, 10_000L);
            });
            assertThat(fleet.readers().stream()
                            .map(reader -> reader.retryMillis)
                            .collect(Collectors.toSet()))
                    .as("different times to come back")
                    .hasSizeGreaterThan(10);
            fleet.check();
        }
    }

    private static List<Api.Event> all(Api.Stream stream) throws IOException {
        List<Api.Event> events = new java.util.ArrayList<>();
        for (Api.Event event; (event = stream.next()) != null; ) {
            events.add(event);
        }
        return events;
    }
}
