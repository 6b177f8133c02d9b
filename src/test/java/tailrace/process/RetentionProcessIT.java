package tailrace.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.OutputStream;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tailrace.postgres.ColdData;
import tailrace.postgres.TestDatabase;

/** Retention, workflows, archives and the commands for them, with the real server. */
class RetentionProcessIT {
    private static final LocalDate TODAY = LocalDate.now(ZoneOffset.UTC);

    @TempDir
    private static Path directory;

    private static TestDatabase database;
    private static DatabaseLink link;
    private static ServerProcess server;
    private static Api service;
    private static ColdData data;
    private static Path archive;

    @BeforeAll
    static void start() throws Exception {
        archive = directory.resolve("archive");
        database = TestDatabase.empty();
        link = new DatabaseLink(database.url().port());
        server = ServerProcess.in(directory.resolve("data"))
                .env("DATABASE_URL", database.text(link.port()))
                .env("LOG_CLEANUP_INTERVAL", "1s")
                .env("LOG_BATCH_INTERVAL", "50ms")
                .env("RETENTION_ARCHIVE_DIR", archive.toString())
                .start();
        service = new Api(server.base(), ServerProcess.serviceToken());
        data = new ColdData(database);
    }

    @AfterAll
    static void stop() throws Exception {
        server.close();
        link.close();
        database.close();
    }

    private static Map<String, String> target() {
        return Map.of("TAILRACE_URL", server.base().toString(), "TAILRACE_TOKEN", ServerProcess.serviceToken());
    }

    private static Api.Answer delete(String path) throws Exception {
        return service.send(service.request(path).DELETE());
    }

    @Test
    void aWorkflowIsForServicesAndItsOwner() throws Exception {
        Api.Answer made =
                service.put("/v2/workflows/wf%201", "{\"name\":\"Orders\",\"user_id\":\"ann\",\"tier\":\"free\"}");
        assertThat(made.status()).isEqualTo(201);
        assertThat(made.body().get("workflow_id").asText()).isEqualTo("wf 1");
        Api.Answer changed = service.put("/v2/workflows/wf%201", "{\"tier\":null}");
        assertThat(changed.status()).isEqualTo(200);
        assertThat(changed.body().get("name").asText()).isEqualTo("Orders");
        assertThat(changed.body().get("tier").isNull()).isTrue();

        assertThat(service.get("/v2/workflows/wf%201").body()).isEqualTo(changed.body());
        assertThat(user("ann").get("/v2/workflows/wf%201").body()).isEqualTo(changed.body());
        Api.Answer foreign = user("bob").get("/v2/workflows/wf%201");
        assertThat(foreign.status()).isEqualTo(404);
        assertThat(foreign.body().get("code").asText()).isEqualTo("workflow_not_found");
        assertThat(service.get("/v2/workflows/none").status()).isEqualTo(404);

        Map<String, String> wrong = Map.of(
                "{\"name\":7}",
                "name",
                "{\"user_id\":\"\"}",
                "user_id",
                "{\"tier\":\"" + "t".repeat(101) + "\"}",
                "tier",
                "{\"teir\":\"x\"}",
                "teir",
                "[]",
                "body",
                "{",
                "body");
        for (var each : wrong.entrySet()) {
            assertInvalid(service.nonsense().put("/v2/workflows/w", each.getKey()), each.getValue());
        }
        assertInvalid(service.nonsense().put("/v2/workflows/" + "w".repeat(256), "{}"), "workflow_id");
    }

    private static Api user(String subject) {
        return new Api(server.base(), ServerProcess.userToken(subject));
    }

    private static void assertInvalid(Api.Answer answer, String field) {
        assertThat(answer.status()).as(field).isEqualTo(400);
        assertThat(answer.body().get("field").asText()).isEqualTo(field);
    }

    @Test
    void policiesAreCheckedFieldByField() throws Exception {
        Api.Answer made = service.put("/v2/retention/policies/p.1", "{\"tier\":\"gold\",\"max_age_days\":0.5}");
        assertThat(made.status()).isEqualTo(201);
        Api.Answer replaced = service.put("/v2/retention/policies/p.1", "{\"workflow_id\":\"none\",\"newest_n\":3}");
        assertThat(replaced.status()).isEqualTo(200);
        assertThat(replaced.body().get("tier").isNull()).isTrue();
        assertThat(replaced.body().get("max_age_days").isNull()).isTrue();
        assertThat(service.get("/v2/retention/policies").body().get("policies").findValuesAsText("id"))
                .contains("p.1");

        Map<String, String> wrong = Map.ofEntries(
                Map.entry("{\"newest_n\":3}", "workflow_id"),
                Map.entry("{\"workflow_id\":\"w\",\"tier\":\"t\",\"newest_n\":3}", "tier"),
                Map.entry("{\"tier\":\"t\"}", "max_age_days"),
                Map.entry("{\"tier\":\"t\",\"max_age_days\":11}", "max_age_days"),
                Map.entry("{\"tier\":\"t\",\"max_age_days\":0}", "max_age_days"),
                Map.entry("{\"tier\":\"t\",\"max_age_days\":\"1\"}", "max_age_days"),
                Map.entry("{\"tier\":\"t\",\"newest_n\":0}", "newest_n"),
                Map.entry("{\"tier\":\"t\",\"newest_n\":1.5}", "newest_n"),
                Map.entry("{\"tier\":\"t\",\"newest_n\":1e300}", "newest_n"),
                Map.entry("{\"tier\":5,\"newest_n\":1}", "tier"),
                Map.entry("{\"tier\":\"t\",\"newest\":1}", "newest"),
                Map.entry("", "body"));
        for (var each : wrong.entrySet()) {
            assertInvalid(service.nonsense().put("/v2/retention/policies/p", each.getKey()), each.getValue());
        }
        assertInvalid(
                service.nonsense().put("/v2/retention/policies/.hidden", "{\"tier\":\"t\",\"newest_n\":1}"), "id");
        assertThat(service.put("/v2/retention/policies/p", "{\"tier\":\"t\",\"max_age_days\":11}")
                        .body()
                        .get("detail")
                        .asText())
                .contains("can only shorten LOG_RETENTION_DAYS, which is 10");

        assertThat(delete("/v2/retention/policies/p.1").status()).isEqualTo(204);
        assertThat(delete("/v2/retention/policies/p.1").status()).isEqualTo(404);
    }

    @Test
    void whatGoesIsReportedArchivedAndReadBack() throws Exception {
        // Given a day past its time, and an execution with a policy
        LocalDate old = TODAY.minusDays(12);
        service.put("/v2/workflows/chatty", "{\"tier\":\"free\"}");
        service.put("/v2/retention/policies/few", "{\"tier\":\"free\",\"newest_n\":4}");
        StringBuilder batch = new StringBuilder();
        for (int i = 1; i <= 10; i++) {
            batch.append("{\"message\":\"raw " + i + "\",\"user_friendly_message\":\"entry " + i
                    + "\",\"workflow_id\":\"chatty\",\"data\":{\"exact\":0.10,\"n\":" + i + "},\"odd\":true}\n");
        }
        HttpRequest.Builder post = service.request("/v2/executions/talker/logs")
                .header("Content-Type", "application/x-ndjson")
                .POST(HttpRequest.BodyPublishers.ofString(batch.toString()));
        assertThat(service.send(post).status()).isEqualTo(202);
        List<JsonNode> original = service.history("talker");
        data.day(old, 100, 2);

        // Then it goes, and the server says so
        AwaitCondition.until("the old day is dropped", () -> !data.table(old));
        AwaitCondition.until("the policy is applied", () -> rowsOf("talker") == 4);
        ServerProbe probe = new ServerProbe(server);
        AwaitCondition.until(
                "it is counted",
                () -> probe.metric("tailrace_retention_rows_deleted_total") == 6
                        && probe.metric("tailrace_retention_partitions_dropped_total") == 1);
        assertThat(server.output()).contains("cleanup done: 1 partitions dropped (" + ColdData.name(old) + ")");
        JsonNode stats = service.get("/v2/logs/stats").body().get("retention");
        assertThat(stats.get("next_run").asText()).isNotEmpty();
        assertThat(stats.get("last_run").get("errors")).isEmpty();

        // And is read back as executions of their own
        List<String> files = files();
        assertThat(files).hasSize(2);
        List<String> arguments = new ArrayList<>(List.of("ingest", "--archive"));
        files.forEach(file -> arguments.add(archive.resolve(file).toString()));
        Cli.Result first = Cli.run(directory, target(), arguments.toArray(String[]::new));
        assertThat(first).isEqualTo(new Cli.Result(0, "accepted 106, duplicates 0, dropped 0, rejected 0\n", ""));
        Cli.Result again = Cli.run(directory, target(), arguments.toArray(String[]::new));
        assertThat(again).isEqualTo(new Cli.Result(0, "accepted 0, duplicates 106, dropped 0, rejected 0\n", ""));
        List<JsonNode> back = service.history("archive:talker");
        assertThat(back).hasSize(6);
        for (int i = 0; i < back.size(); i++) {
            JsonNode was = original.get(i);
            ObjectNode is = (ObjectNode) back.get(i);
            JsonNode extra = ((ObjectNode) is.get("data")).remove("_extra_fields");
            assertThat(extra.get("seq").asLong()).isEqualTo(i + 1L);
            assertThat(extra.get("received_at")).isEqualTo(was.get("received_at"));
            is.set("received_at", was.get("received_at"));
            assertThat((JsonNode) is).isEqualTo(was);
        }
        assertThat(service.history("archive:e1-" + old)).hasSize(50);
        assertThat(service.history("talker")).as("the original stays as it was").isEqualTo(original);
    }

    private static long rowsOf(String execution) {
        return database.number(
                "SELECT count(*) FROM tailrace.workflow_execution_logs WHERE execution_id = '" + execution + "'");
    }

    private static List<String> files() throws Exception {
        try (Stream<Path> files = Files.list(archive)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void aToolsLinesAreLiveWhileItRuns() throws Exception {
        Process ingest = Cli.start(directory, target(), List.of("ingest", "a tool"));
        OutputStream tool = ingest.getOutputStream();
        tool.write("one\n{\"message\":\"two\",\"level\":\"WARNING\"}\n".getBytes(StandardCharsets.UTF_8));
        tool.flush();
        AwaitCondition.until(
                "the first lines are there", () -> service.history("a tool").size() == 2);
        tool.write("three\n{\"message\":\"four\",\"level\":\"LOUD\"}\n".getBytes(StandardCharsets.UTF_8));
        Cli.Result ended = Cli.end(directory, ingest);

        assertThat(ended.code()).isEqualTo(1);
        assertThat(ended.out()).isEqualTo("accepted 3, duplicates 0, dropped 0, rejected 1\n");
        assertThat(ended.err()).contains("rejected: line 4: level is \"LOUD\"");
        assertThat(service.history("a tool").stream()
                        .map(entry -> entry.get("message").asText()))
                .containsExactly("one", "two", "three");
    }

    @Test
    void theCommandShowsWhatWouldGo() throws Exception {
        // Another schema, so that the server does not come first
        try (TestDatabase own = TestDatabase.migrated()) {
            new ColdData(own).day(TODAY.minusDays(20), 10, 1).day(TODAY, 10, 1);
            Map<String, String> environment = Map.of(
                    "DATABASE_URL",
                    own.urlText(),
                    "TAILRACE_DATA_DIR",
                    directory.resolve("none").toString());

            Cli.Result dry = Cli.run(directory, environment, "retention", "--dry-run");
            assertThat(dry.code()).as(dry.err()).isZero();
            assertThat(dry.out())
                    .contains(TODAY.minusDays(20) + "  10 rows, ")
                    .contains("would be dropped")
                    .contains("1 partitions, 10 rows in all, looked at");
            Cli.Result real = Cli.run(directory, environment, "retention", "-o", "json");
            assertThat(real.code()).as(real.err()).isZero();
            JsonNode report = Api.JSON.readTree(real.out());
            assertThat(report.get("partitions")).hasSize(1);
            assertThat(report.get("dry_run").asBoolean()).isFalse();
            assertThat(own.number("SELECT count(*) FROM tailrace.workflow_execution_logs"))
                    .isEqualTo(10);
        }
    }

    @Test
    void withoutPostgresWorkflowsAndPoliciesAreUnavailable() throws Exception {
        link.cut();
        try {
            for (Api.Answer answer : List.of(
                    service.get("/v2/workflows/w"),
                    service.put("/v2/workflows/w", "{}"),
                    service.get("/v2/retention/policies"))) {
                assertThat(answer.status()).isEqualTo(503);
                assertThat(answer.body().get("code").asText()).isEqualTo("postgres_unavailable");
                assertThat(answer.response().headers().firstValue("Retry-After"))
                        .isPresent();
            }
            AwaitCondition.until("a cleanup failed with one line", () -> server.output()
                    .contains("cleanup not complete, the next one goes on"));
            assertThat(server.output()).doesNotContain("\tat tailrace.postgres.Retention");
        } finally {
            link.mend();
        }
        AwaitCondition.until("cleanups are done again", () -> service.get("/v2/logs/stats")
                .body()
                .get("retention")
                .get("last_run")
                .get("errors")
                .isEmpty());
    }
}
