package tailrace.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tailrace.postgres.TestDatabase;

/** SPEC 6 as a client pages through it, while entries arrive and stores come and go. */
class HistoryIT {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final long JUMP = 1_000_000_000L;

    @TempDir
    private static Path directory;

    private static TestDatabase database;
    private static DatabaseLink link;
    private static ServerProcess server;
    private static Api service;

    @BeforeAll
    static void start() throws Exception {
        database = TestDatabase.empty();
        link = new DatabaseLink(database.url().port());
        server = ServerProcess.in(directory.resolve("data"))
                .env("DATABASE_URL", database.text(link.port()))
                .start();
        service = new Api(server.base(), ServerProcess.serviceToken());
    }

    @AfterAll
    static void stop() throws Exception {
        server.close();
        link.close();
        database.close();
    }

    private static Api.Answer page(String execution, String query) throws Exception {
        return page(service, execution, query);
    }

    private static Api.Answer page(Api api, String execution, String query) throws Exception {
        return api.get("/v2/workflows/executions/" + Api.encode(execution) + "/logs" + query);
    }

    private static List<Long> seqs(Api.Answer page) {
        assertThat(page.status()).as(page.body().toString()).isEqualTo(200);
        List<Long> seqs = new ArrayList<>();
        page.body().get("logs").forEach(log -> seqs.add(log.get("seq").asLong()));
        return seqs;
    }

    private static void post(String execution, String entries) throws Exception {
        assertThat(service.post("/v2/executions/" + Api.encode(execution) + "/logs", entries)
                        .status())
                .isEqualTo(202);
    }

    /** Seqs page by page until there is no more. */
    private static List<Long> walk(String execution, String query) throws Exception {
        return walk(execution, query, () -> {});
    }

    /** Seqs page by page; what ends the ingest is called after some pages, and then the walk goes on to the end. */
    private static List<Long> walk(String execution, String query, Ending ending) throws Exception {
        List<Long> seen = new ArrayList<>();
        String cursor = "";
        boolean ended = false;
        while (true) {
            Api.Answer page = page(execution, query + cursor);
            seen.addAll(seqs(page));
            JsonNode pagination = page.body().get("pagination");
            boolean more = pagination.get("has_more").asBoolean();
            if (!more && ended) {
                return seen;
            }
            if (!more || seen.size() > 1_000 && !ended) {
                ending.run();
                ended = true;
            }
            cursor = "&cursor=" + Api.encode(pagination.get("next_cursor").asText());
        }
    }

    private interface Ending {
        void run() throws Exception;
    }

    @Test
    void aWalkUnderIngestSeesEachEntryOnce() throws Exception {
        try (EntryFeed feed = new EntryFeed(service, List.of("walked"), 5, 4, 20).start()) {
            AwaitCondition.until(
                    "there is something to walk",
                    () -> service.get("/v2/executions/walked")
                                    .body()
                                    .path("last_seq")
                                    .asLong()
                            > 300);

            // Downwards: from wherever it began, everything below, and nothing of what came meanwhile
            List<Long> down = walk("walked", "?order=desc&limit=7");
            assertThat(down)
                    .isEqualTo(LongStream.iterate(down.get(0), seq -> seq - 1)
                            .limit(down.get(0))
                            .boxed()
                            .toList());

            // Upwards: everything, those that came meanwhile too
            List<Long> up = walk("walked", "?limit=37", () -> feed.finish().assertAllTaken());
            assertThat(up)
                    .isEqualTo(LongStream.rangeClosed(1, feed.lastSeq("walked"))
                            .boxed()
                            .toList());

            // With a filter, both ways
            List<Long> warnings = LongStream.rangeClosed(1, feed.lastSeq("walked"))
                    .filter(EntryFeed::warning)
                    .boxed()
                    .toList();
            assertThat(walk("walked", "?min_level=warning&limit=11")).isEqualTo(warnings);
            List<Long> backwards = walk("walked", "?level=warning&order=desc&limit=11");
            java.util.Collections.reverse(backwards);
            assertThat(backwards).isEqualTo(warnings);
        }
    }

    @Test
    void everyFilterHolds() throws Exception {
        post("filters", """
                [{"message":"one","event_type":"workflow_started","timestamp":"2026-03-01T10:00:00Z"},
                 {"message":"two","level":"debug","timestamp":"2026-03-01T10:00:01Z"},
                 {"message":"three","level":"WARN","timestamp":"2026-03-01T10:00:02Z","is_milestone":true},
                 {"message":"four","level":"error","timestamp":"2026-03-01T10:00:03Z","event_type":"step_error"},
                 {"message":"five","level":"FATAL","timestamp":"2026-03-01T10:00:04Z","user_friendly_message":"cinq"},
                 {"message":"six","display_priority":9,"timestamp":"2026-03-01T10:00:05Z"}]""");
        Map<String, List<Long>> expected = Map.ofEntries(
                Map.entry("", List.of(1L, 2L, 3L, 4L, 5L, 6L)),
                Map.entry("?order=desc&limit=2", List.of(6L, 5L)),
                Map.entry("?limit=2&offset=3", List.of(4L, 5L)),
                Map.entry("?level=debug&level=error", List.of(2L, 4L)),
                Map.entry("?min_level=warning", List.of(3L, 4L, 5L)),
                Map.entry("?event_type=step_error&event_type=workflow_started", List.of(1L, 4L)),
                Map.entry("?category=business", List.of(5L)),
                Map.entry("?min_priority=7", List.of(6L)),
                Map.entry("?milestone=true", List.of(3L)),
                Map.entry("?start_time=2026-03-01T10:00:02Z&end_time=2026-03-01T10:00:03Z&level=warning", List.of(3L)),
                Map.entry("?after_seq=4", List.of(5L, 6L)),
                Map.entry("?before_seq=3", List.of(1L, 2L)),
                Map.entry("?level=debug&min_level=error", List.of()));
        for (var query : expected.entrySet()) {
            Api.Answer answer = page("filters", query.getKey());
            assertThat(seqs(answer)).as(query.getKey()).isEqualTo(query.getValue());
            assertThat(answer.body().get("coverage").toString()).isEqualTo("{\"complete\":true}");
        }
        JsonNode friendly =
                page("filters", "?category=business").body().get("logs").get(0);
        assertThat(friendly.get("message").asText()).isEqualTo("cinq");
        assertThat(friendly.get("raw_message").asText()).isEqualTo("five");
        assertThat(friendly.get("level").asText()).isEqualTo("critical");
        JsonNode counted = page("filters", "?min_level=warning&limit=1").body();
        assertThat(counted.get("total_count").asInt()).isEqualTo(3);
        assertThat(counted.get("last_seq").asInt()).isEqualTo(6);
        assertThat(counted.get("stream_url").asText()).endsWith("last_event_id=3");
    }

    @Test
    void aBadParameterIsNamed() throws Exception {
        post("named", "[{\"message\":\"one\"}]");
        List<String> bad = List.of(
                "limit=0",
                "limit=1001",
                "limit=ten",
                "limit=",
                "offset=-1",
                "order=up",
                "level=loud",
                "min_level=",
                "event_type=nothing",
                "category=private",
                "min_priority=11",
                "milestone=maybe",
                "start_time=yesterday",
                "end_time=2026-03-01T10:00:00",
                "after_seq=-1",
                "after_seq=1.5",
                "before_seq=x",
                "cursor=forged",
                "colour=red",
                "limit=1&limit=2");
        for (String query : bad) {
            Api.Answer answer = page(service.nonsense(), "named", "?" + query);
            String name = query.substring(0, query.indexOf('='));
            assertThat(answer.status()).as(query).isEqualTo(400);
            assertThat(answer.body().get("parameter").asText()).isEqualTo(name);
            assertThat(answer.body().get("detail").asText()).contains(name);
            assertThat(answer.response().headers().firstValue("Content-Type")).hasValue("application/problem+json");
        }
    }

    @Test
    void whatTheJournalHoldsIsReadWithoutPostgres() throws Exception {
        post("hot", "[{\"message\":\"one\"},{\"message\":\"two\",\"is_milestone\":true}]");
        ServerProbe probe = new ServerProbe(server);
        link.cut();
        try {
            AwaitCondition.until("PostgreSQL is away", () -> probe.level() == 2);
            Api.Answer answer = page("hot", "");
            assertThat(seqs(answer)).containsExactly(1L, 2L);
            assertThat(answer.body().get("coverage").toString()).isEqualTo("{\"complete\":true}");
            // An execution that only PostgreSQL might know is neither there nor not there.
            Api.Answer unknown = page("perhaps", "");
            assertThat(unknown.status()).isEqualTo(503);
            assertThat(unknown.response().headers().firstValue("Retry-After")).isPresent();
        } finally {
            link.mend();
        }
        AwaitCondition.until("PostgreSQL is back", () -> probe.level() == 1);
        assertThat(page("perhaps", "").status()).isEqualTo(404);
    }

    @Test
    void coverageSaysWhatAnAnswerLacks() throws Exception {
        try (TestDatabase own = TestDatabase.empty();
                DatabaseLink way = new DatabaseLink(own.url().port())) {
            // Given an execution of which a lost journal left only what was in PostgreSQL
            try (ServerProcess lost = ServerProcess.in(directory.resolve("lost"))
                    .env("DATABASE_URL", own.text(way.port()))
                    .start()) {
                Api api = new Api(lost.base(), ServerProcess.serviceToken());
                String kept = "{\"message\":\"kept\",\"is_milestone\":true}";
                api.post(
                        "/v2/executions/e/logs",
                        "[" + kept + ",{\"message\":\"technical\"}," + kept + "," + kept + "]");
                AwaitCondition.until(
                        "its rows are written",
                        () -> PostgresRows.of(own).of("e").size() == 3);
            }
            try (ServerProcess server = ServerProcess.in(directory.resolve("follower"))
                    .env("DATABASE_URL", own.text(way.port()))
                    .start()) {
                Api api = new Api(server.base(), ServerProcess.serviceToken());
                String path = "/v2/workflows/executions/e/logs";
                api.post("/v2/executions/e/logs", "[{\"message\":\"new\"},{\"message\":\"newer\"}]");
                List<Long> all = List.of(1L, 3L, 4L, JUMP, JUMP + 1);

                // Then both tiers are one answer, and it says what is gone and why
                Api.Answer whole = api.get(path);
                assertThat(seqs(whole)).isEqualTo(all);
                JsonNode gaps = whole.body().get("coverage").get("missing");
                assertThat(gaps.toString())
                        .isEqualTo("[{\"from_seq\":2,\"to_seq\":2,\"reason\":\"technical_expired\"},"
                                + "{\"from_seq\":5,\"to_seq\":" + (JUMP - 1) + ",\"reason\":\"lost\"}]");
                assertThat(whole.body().get("total_count").asInt()).isEqualTo(5);
                assertThat(seqs(api.get(path + "?order=desc"))).isEqualTo(List.of(JUMP + 1, JUMP, 4L, 3L, 1L));

                // And while PostgreSQL is away, what can be read is read and the rest is named
                ServerProbe probe = new ServerProbe(server);
                way.cut();
                AwaitCondition.until("PostgreSQL is away", () -> probe.level() == 2);
                Api.Answer hot = api.get(path);
                assertThat(seqs(hot)).containsExactly(JUMP, JUMP + 1);
                assertThat(hot.body().get("coverage").toString())
                        .isEqualTo("{\"complete\":false,\"missing\":[{\"from_seq\":1,\"to_seq\":" + (JUMP - 1)
                                + ",\"reason\":\"postgres_unavailable\"}]}");
                assertThat(hot.body().get("total_count").isNull()).isTrue();
                Api.Answer cold = api.get(path + "?before_seq=5");
                assertThat(cold.status()).isEqualTo(503);
                assertThat(cold.body().get("code").asText()).isEqualTo("postgres_unavailable");
                assertThat(cold.response().headers().firstValue("Retry-After")).isPresent();

                way.mend();
                AwaitCondition.until("PostgreSQL is back", PATIENCE, () -> probe.level() == 1);
                assertThat(seqs(api.get(path))).isEqualTo(all);
            }
        }
    }
}
