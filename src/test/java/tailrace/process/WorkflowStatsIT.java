package tailrace.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tailrace.postgres.TestDatabase;

/** A workflow in numbers, through a crash and an outage. */
class WorkflowStatsIT {
    private static final String BEGIN = "{\"event_type\":\"workflow_started\",\"message\":\"begin\"}";

    private static String end(String status, double seconds) {
        return "{\"event_type\":\"workflow_completed\",\"message\":\"end\",\"duration_seconds\":" + seconds
                + ",\"data\":{\"status\":\"" + status + "\"}}";
    }

    private static String error(int host) {
        return "{\"level\":\"error\",\"error_code\":\"E42\",\"message\":\"no route to 10.0.0." + host + "\"}";
    }

    private static void post(Api api, String execution, String owner, String... entries) throws Exception {
        Api.Answer answer = api.post(
                "/v2/logs/batch",
                "{\"defaults\":{\"workflow_id\":\"w\"" + owner + ",\"execution_id\":\"" + execution
                        + "\"},\"entries\":[" + String.join(",", entries) + "]}");
        assertThat(answer.status()).as(String.valueOf(answer.body())).isEqualTo(202);
    }

    private static JsonNode ok(Api.Answer answer) {
        assertThat(answer.status()).as(String.valueOf(answer.body())).isEqualTo(200);
        return answer.body();
    }

    private static JsonNode stats(Api api, String query) throws Exception {
        return ok(api.get("/v2/workflows/w/stats" + query));
    }

    /** The numbers, once so many entries are counted. */
    private static JsonNode counted(Api api, int entries) throws Exception {
        AwaitCondition.until(entries + " entries are counted", () -> {
            Api.Answer answer = api.get("/v2/workflows/w/stats");
            return answer.status() == 200 // not while PostgreSQL is coming back
                    && answer.body().get("totals").get("entries").asInt() >= entries;
        });
        return stats(api, "");
    }

    @Test
    void aWorkflowIsCountedExactlyWhateverHappens(@TempDir Path temp) throws Exception {
        try (TestDatabase database = TestDatabase.empty();
                DatabaseLink link = new DatabaseLink(database.url().port());
                ServerProcess server = ServerProcess.in(temp.resolve("data"))
                        .env("DATABASE_URL", database.text(link.port()))
                        .start()) {
            Api service = new Api(server::base, ServerProcess.serviceToken());
            Api ann = new Api(server::base, ServerProcess.userToken("ann"));
            Api bob = new Api(server::base, ServerProcess.userToken("bob"));
            Instant before = Instant.now();
            service.put("/v2/workflows/w", "{\"user_id\":\"ann\"}");
            assertThat(stats(ann, "").get("totals").get("entries").asInt()).isZero();
            for (int i = 1; i <= 20; i++) {
                post(service, "e" + i, "", BEGIN, error(i), end(i % 4 == 0 ? "FAILED" : "SUCCEEDED", i / 10.0));
            }
            post(service, "bobs", ",\"user_id\":\"bob\"", BEGIN, error(99));
            service.put("/v2/executions/bobs", "{\"status\":\"STOPPED\"}");
            server.kill();
            server.start();
            post(service, "running", "", BEGIN, "{\"level\":\"debug\",\"message\":\"m\"}");

            JsonNode all = counted(service, 64);
            requireTotals(all.get("totals"));
            JsonNode sum = all.get("buckets").get(0);
            if (all.get("buckets").size() == 1) { // not around the full hour
                requireTotals(sum);
            }
            assertThat(all.get("bucket").asText()).isEqualTo("hour");
            assertThat(all.get("top_errors")).hasSize(1);
            JsonNode top = all.get("top_errors").get(0);
            assertThat(top.get("message").asText()).isEqualTo("no route to <*>");
            assertThat(top.get("error_code").asText()).isEqualTo("E42");
            assertThat(top.get("count").asInt()).isEqualTo(21);
            assertThat(top.get("execution_id").asText()).isEqualTo("bobs");
            assertThat(top.get("seq").asInt()).isEqualTo(2);
            assertThat(top.get("last_message").asText()).isEqualTo("no route to 10.0.0.99");
            assertThat(all.get("coverage").get("missing").get(0).get("reason").asText())
                    .isEqualTo("not_flushed");

            // The same by the minute and by the day, of a span that is over
            Instant after = Instant.now();
            AwaitCondition.until(
                    "all of that is in the answer",
                    () -> stats(service, "?bucket=day&to=" + after)
                                    .get("as_of")
                                    .asText()
                                    .compareTo(after.toString())
                            > 0);
            for (String bucket : List.of("minute", "hour", "day")) {
                JsonNode exact = stats(service, "?bucket=" + bucket + "&from=" + before + "&to=" + after);
                requireTotals(exact.get("totals"));
                assertThat(exact.get("bucket").asText()).isEqualTo(bucket);
            }
            assertThat(stats(
                                    service,
                                    "?bucket=minute&from="
                                            + before.minusSeconds(300_000).toEpochMilli() + "&to="
                                            + before.minusSeconds(250_000).toEpochMilli())
                            .get("coverage")
                            .get("missing")
                            .findValuesAsText("reason"))
                    .containsExactly("expired");

            requireWhoSeesWhat(ann, bob, new Api(server::base, ServerProcess.userToken("eve")));
            requireBadParametersAreNamed(service.nonsense());

            link.cut();
            AwaitCondition.until(
                    "it is noticed", () -> service.get("/v2/workflows/w/stats").status() == 503);
            post(service, "running", "", end("SUCCEEDED", 0.5));
            link.mend();
            assertThat(counted(service, 65).get("totals").get("succeeded").asInt())
                    .isEqualTo(16);
        }
    }

    private static void requireTotals(JsonNode totals) {
        assertThat(totals.get("entries").asInt()).isEqualTo(64);
        assertThat(totals.get("levels")).hasToString("{\"debug\":1,\"info\":42,\"error\":21}");
        assertThat(totals.get("event_types"))
                .hasToString("{\"workflow_started\":22,\"workflow_completed\":20,\"log\":22}");
        assertThat(totals.get("runs").asInt()).isEqualTo(22);
        assertThat(totals.get("succeeded").asInt()).isEqualTo(15);
        assertThat(totals.get("failed").asInt()).isEqualTo(5);
        assertThat(totals.get("stopped").asInt()).isEqualTo(1);
        JsonNode durations = totals.get("duration_ms");
        assertThat(durations.get("count").asInt()).isEqualTo(21);
        assertThat(durations.get("p50").asInt()).isBetween(900, 1_112);
        assertThat(durations.get("p95").asInt()).isBetween(1_800, 2_000);
        assertThat(durations.get("max").asInt()).isEqualTo(2_000);
    }

    private static void requireWhoSeesWhat(Api ann, Api bob, Api eve) throws Exception {
        JsonNode anns = stats(ann, "");
        assertThat(anns.get("totals").get("entries").asInt()).isEqualTo(62);
        assertThat(anns.get("totals").get("runs").asInt()).isEqualTo(21);
        assertThat(anns.toString()).doesNotContain("bob", "10.0.0.99");
        JsonNode bobs = stats(bob, "");
        assertThat(bobs.get("totals").get("entries").asInt()).isEqualTo(2);
        assertThat(bobs.get("totals").get("stopped").asInt()).isEqualTo(1);
        assertThat(bobs.get("top_errors").get(0).get("count").asInt()).isEqualTo(1);
        assertThat(eve.get("/v2/workflows/w/stats").status()).isEqualTo(404);
        assertThat(eve.get("/v2/workflows/unknown/stats").status()).isEqualTo(404);
    }

    private static void requireBadParametersAreNamed(Api nonsense) throws Exception {
        for (String wrong : List.of(
                "from=then",
                "to=-5",
                "bucket=week",
                "from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z",
                "bucket=minute&from=2026-03-01T00:00:00Z&to=2026-03-03T00:00:00Z",
                "from=0",
                "to=2026-03-01T00:00:00Z&to=2026-03-02T00:00:00Z",
                "limit=5")) {
            Api.Answer refused = nonsense.get("/v2/workflows/w/stats?" + wrong);
            assertThat(refused.status()).as(wrong).isEqualTo(400);
            assertThat(refused.body().get("parameter").asText())
                    .as(wrong)
                    .isEqualTo(wrong.substring(0, wrong.indexOf('=')));
        }
    }
}
