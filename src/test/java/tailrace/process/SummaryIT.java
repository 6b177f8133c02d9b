package tailrace.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tailrace.postgres.TestDatabase;

/** What is told of executions as a whole, through everything that can happen to a server. */
class SummaryIT {
    private static final String RUN = """
            [{"event_type":"workflow_started","message":"begin","timestamp":"2026-03-01T12:00:00Z"},
             {"event_type":"step_started","node_id":"load","node_name":"Load","step_number":1,"total_steps":2,
              "message":"loading","timestamp":"2026-03-01T12:00:01Z"},
             {"level":"debug","node_id":"load","message":"technical","timestamp":"2026-03-01T12:00:02Z"},
             {"event_type":"step_completed","node_id":"load","duration_seconds":2.5,"message":"loaded",
              "is_milestone":true,"timestamp":"2026-03-01T12:00:03Z"},
             {"event_type":"step_started","node_id":"send","node_name":"Send","node_type":"mail","step_number":2,
              "total_steps":2,"message":"sending","timestamp":"2026-03-01T12:00:04Z"},
             {"event_type":"step_error","level":"error","node_id":"send","error_code":"E42","attempt":1,
              "message":"no route","user_friendly_message":"The mail could not be sent",
              "timestamp":"2026-03-01T12:00:05Z"}]
            """;

    private static JsonNode json(String text) throws Exception {
        return Api.JSON.readTree(text.replace('\'', '"'));
    }

    private static JsonNode ok(Api.Answer answer) {
        assertThat(answer.status()).as(String.valueOf(answer.body())).isEqualTo(200);
        return answer.body();
    }

    private static JsonNode summary(Api api, String execution) throws Exception {
        JsonNode one = ok(api.get("/v2/executions/" + execution + "/logs/summary"));
        assertThat(ok(api.get("/api/v1/app/executions/" + execution + "/logs/summary")))
                .isEqualTo(one);
        return one;
    }

    private static void post(Api api, String execution, String body) throws Exception {
        Api.Answer answer = api.post("/v2/executions/" + execution + "/logs", body);
        assertThat(answer.status()).as(String.valueOf(answer.body())).isEqualTo(202);
    }

    private static long counted(JsonNode summary, String node) {
        return summary.get("nodes").get(node).get("logs_count").asLong();
    }

    /** As many debug entries of the step "load". */
    private static String technical(int count) {
        return "[" + "{\"level\":\"debug\",\"node_id\":\"load\",\"message\":\"more\"},".repeat(count - 1)
                + "{\"level\":\"debug\",\"node_id\":\"load\",\"message\":\"last\"}]";
    }

    @Test
    void anExecutionIsSummedUpThroughCrashesAndOutagesAndByPostgresAlone(@TempDir Path temp) throws Exception {
        try (TestDatabase database = TestDatabase.empty();
                DatabaseLink link = new DatabaseLink(database.url().port());
                ServerProcess server = ServerProcess.in(temp.resolve("data"))
                        .env("DATABASE_URL", database.text(link.port()))
                        .env("LOG_BATCH_INTERVAL", "200ms")
                        .start()) {
            Api api = new Api(server::base, ServerProcess.serviceToken());
            api.put("/v2/executions/e", "{\"workflow_id\":\"w\",\"user_id\":\"ann\"}");
            post(api, "e", RUN);

            // While it runs, at once
            JsonNode running = summary(api, "e");
            assertThat(running).isEqualTo(json("""
                    {'execution_id':'e','status':'RUNNING','total_logs':6,
                     'log_levels':{'debug':1,'info':4,'error':1},
                     'event_types':{'workflow_started':1,'step_started':2,'step_completed':1,'step_error':1,'log':1},
                     'error_count':1,'warning_count':0,'milestone_count':1,
                     'milestones':[{'seq':4,'timestamp':'2026-03-01T12:00:03.000000Z','message':'loaded',
                       'event_type':'step_completed'}],
                     'nodes':{
                       'load':{'node_name':'Load','logs_count':3,'step_number':1,'status':'completed','node_type':null,
                         'parent_node_id':null,'attempts':1,'error_count':0,'first_log':'2026-03-01T12:00:01.000000Z',
                         'last_log':'2026-03-01T12:00:03.000000Z','duration_seconds':2.5},
                       'send':{'node_name':'Send','logs_count':2,'step_number':2,'status':'failed','node_type':'mail',
                         'parent_node_id':null,'attempts':1,'error_count':1,'first_log':'2026-03-01T12:00:04.000000Z',
                         'last_log':'2026-03-01T12:00:05.000000Z','duration_seconds':1.0}},
                     'timeline':{'first_log':'2026-03-01T12:00:00.000000Z','last_log':'2026-03-01T12:00:05.000000Z',
                       'duration_estimate':5.0},
                     'progress':{'percentage':null,'step_number':2,'total_steps':2},
                     'last_error':{'seq':6,'timestamp':'2026-03-01T12:00:05.000000Z',
                       'message':'The mail could not be sent','error_code':'E42'},
                     'last_seq':6,'up_to_seq':6}
                    """));

            assertThat(new Api(server::base, ServerProcess.userToken("bob"))
                            .get("/v2/executions/e/logs/summary")
                            .status())
                    .isEqualTo(404);

            // The server dies, and PostgreSQL is away when it is back
            post(api, "e", technical(500));
            server.kill();
            link.cut();
            server.start();
            assertThat(counted(summary(api, "e"), "load")).isEqualTo(503);
            post(api, "e", technical(100));
            JsonNode meanwhile = summary(api, "e");
            assertThat(counted(meanwhile, "load")).isEqualTo(603);
            assertThat(meanwhile.get("total_logs").asLong()).isEqualTo(606);
            assertThat(api.nonsense().get("/v2/executions/e/logs/summary?q=x").status())
                    .isEqualTo(400);

            // It comes back; the run ends, and PostgreSQL is given what it comes to
            link.mend();
            post(
                    api,
                    "e",
                    "[{\"event_type\":\"workflow_completed\",\"data\":{\"status\":\"FAILED\"},\"message\":\"end\"}]");
            JsonNode last = summary(api, "e");
            assertThat(last.get("status").asText()).isEqualTo("FAILED");
            AwaitCondition.until(
                    "the summary is in PostgreSQL",
                    () -> database.number(
                                    "SELECT count(*) FROM tailrace.execution_summaries WHERE execution_id = 'e' AND up_to_seq = 607")
                            == 1);
            AwaitCondition.until(
                    "the state is, too",
                    () -> database.number(
                                    "SELECT count(*) FROM tailrace.workflow_executions WHERE execution_id = 'e' AND last_seq = 607")
                            == 1);

            // The journal is lost: what is to come is counted on top of what PostgreSQL has
            server.kill();
            deleteJournal(server);
            server.start();
            assertThat(summary(api, "e")).isEqualTo(last);
            post(api, "e", technical(2));
            JsonNode goneOn = summary(api, "e");
            assertThat(counted(goneOn, "load")).isEqualTo(605);
            assertThat(goneOn.get("last_error")).isEqualTo(last.get("last_error"));
            assertThat(goneOn.has("logs_not_in_nodes")).isFalse();
        }
    }

    private static void deleteJournal(ServerProcess server) throws Exception {
        try (var files = java.nio.file.Files.list(server.dataDir().resolve("journal"))) {
            for (Path file : files.toList()) {
                java.nio.file.Files.delete(file);
            }
        }
    }

    @Test
    void recentLogsAndListsAreTheReadersOwnOverBothTiers(@TempDir Path temp) throws Exception {
        try (TestDatabase database = TestDatabase.empty();
                DatabaseLink link = new DatabaseLink(database.url().port());
                ServerProcess server = ServerProcess.in(temp.resolve("data"))
                        .env("DATABASE_URL", database.text(link.port()))
                        .start()) {
            Api service = new Api(server::base, ServerProcess.serviceToken());
            Api ann = new Api(server::base, ServerProcess.userToken("ann"));
            Api bob = new Api(server::base, ServerProcess.userToken("bob"));
            for (int i = 1; i <= 30; i++) {
                String owner = i % 3 == 0 ? "bob" : "ann";
                service.put("/v2/executions/e" + i, "{\"workflow_id\":\"w\",\"user_id\":\"" + owner + "\"}");
            }
            post(service, "e29", RUN);
            post(
                    service,
                    "e29",
                    "[{\"event_type\":\"workflow_completed\",\"data\":{\"status\":\"FAILED\"},"
                            + "\"message\":\"end\",\"timestamp\":\"2026-03-01T12:00:06Z\"}]");

            requireRecentLogs(ann);
            assertThat(ok(bob.get("/v2/workflows/executions/recent_logs?workflow_id=w"))
                            .get("latest_execution")
                            .get("execution_id")
                            .asText())
                    .isEqualTo("e30");
            assertThat(ok(bob.get("/v2/workflows/executions/recent_logs?workflow_id=other")))
                    .isEqualTo(json("{'workflow_id':'other','latest_execution':null,'logs':[],'summary':"
                            + "{'total_logs':0,'error_count':0,'warning_count':0,'milestone_count':0}}"));

            // A walk while new ones come sees those that were there, each once, whose they are
            List<String> walked = new ArrayList<>();
            String cursor = "";
            for (int made = 31; ; made++) {
                JsonNode page = ok(ann.get("/v2/executions?workflow_id=w&limit=3" + cursor));
                page.get("executions")
                        .forEach(one -> walked.add(one.get("execution_id").asText()));
                if (!page.get("has_more").asBoolean()) {
                    break;
                }
                cursor = "&cursor=" + Api.encode(page.get("next_cursor").asText());
                service.put("/v2/executions/e" + made, "{\"workflow_id\":\"w\",\"user_id\":\"ann\"}");
            }
            List<String> expected = new ArrayList<>();
            for (int i = 30; i >= 1; i--) {
                if (i % 3 > 0) {
                    expected.add("e" + i);
                }
            }
            assertThat(walked).isEqualTo(expected);

            JsonNode failed = ok(ann.get("/v2/executions?status=failed"));
            assertThat(failed.get("executions")).hasSize(1);
            assertThat(failed.get("executions").get(0).get("error_count").asLong())
                    .isEqualTo(1);
            assertThat(ok(bob.get("/v2/executions?status=failed")).get("executions"))
                    .isEmpty();
            for (String wrong :
                    List.of("status=odd", "limit=0", "cursor=x", "since=then", "order=asc", "limit=1&limit=2")) {
                Api.Answer refused = service.nonsense().get("/v2/executions?" + wrong);
                assertThat(refused.status()).as(wrong).isEqualTo(400);
                assertThat(refused.body().get("detail").asText() + refused.body())
                        .contains(wrong.substring(0, wrong.indexOf('=')));
            }

            // PostgreSQL goes away: what the journal knows is told, and that it is not all
            link.cut();
            AwaitCondition.until("it is noticed", () -> !ok(service.get("/v2/executions?limit=1"))
                    .get("coverage")
                    .get("complete")
                    .asBoolean());
            assertThat(ok(ann.get("/v2/executions?workflow_id=w&limit=500")).get("executions"))
                    .hasSizeGreaterThanOrEqualTo(20);
            assertThat(bob.get("/v2/executions?workflow_id=nothing").status()).isEqualTo(503);
            server.kill(); // a stop would wait for PostgreSQL
        }
    }

    private static void requireRecentLogs(Api ann) throws Exception {
        String query = "/recent_logs?workflow_id=w&limit=2&include_all_executions=true";
        JsonNode recent = ok(ann.get("/api/v1/app/executions" + query));
        JsonNode latest = recent.get("latest_execution");
        ((ObjectNode) latest).put("end_time", "-").put("duration", -1);
        assertThat(latest)
                .isEqualTo(json("{'execution_id':'e29','status':'FAILED',"
                        + "'start_time':'2026-03-01T12:00:00.000000Z','end_time':'-','duration':-1,"
                        + "'error_message':'The mail could not be sent'}"));
        assertThat(recent.get("workflow_id").asText()).isEqualTo("w");
        assertThat(recent.get("summary"))
                .isEqualTo(json("{'total_logs':7,'error_count':1,'warning_count':0,'milestone_count':1}"));
        assertThat(recent.get("logs").findValuesAsText("seq")).containsExactly("6", "7");
        assertThat(recent.get("logs").get(0).get("message").asText()).isEqualTo("The mail could not be sent");
        assertThat(recent.get("total_executions").asLong()).isEqualTo(20);
        assertThat(recent.get("other_executions")).hasSize(19);
        assertThat(recent.get("other_executions").get(0).get("execution_id").asText())
                .isEqualTo("e28");
        assertThat(recent).hasSize(6);
        assertThat(ok(ann.get("/v2/workflows/executions" + query)).get("logs")).isEqualTo(recent.get("logs"));
    }
}
