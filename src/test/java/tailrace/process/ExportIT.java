package tailrace.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.NamedCsvRecord;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.http.HttpClient;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Iterator;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tailrace.postgres.TestDatabase;

/**
 * A whole execution leaves the server, from the journal and from PostgreSQL, through a heap that is smaller than it
 * (SPEC 5, promise 6). With {@code -Psoak} it has a million entries.
 */
class ExportIT {
    private static final int ENTRIES = Soak.times(40_000, 1_000_000);
    private static final int MESSAGE_CHARS = Soak.times(2_000, 250);
    private static final int BATCH_ENTRIES = 2_000;
    /** Less than what is exported, the server itself included. */
    private static final String HEAP = "-Xmx" + Soak.times(64, 128) + "m";

    private static final Duration PATIENCE = Soak.seconds(60, 600);
    private static final String PATH = "/v2/executions/big/logs/export";

    @TempDir
    private static Path directory;

    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    private static ServerProcess server(TestDatabase database, String name) {
        return ServerProcess.in(directory.resolve(name))
                .env("DATABASE_URL", database.urlText())
                .env("LOG_PERSIST", "all")
                .jvm(HEAP)
                .jvm("-XX:+ExitOnOutOfMemoryError");
    }

    @Test
    void whatIsLargerThanTheHeapLeavesItWhole() throws Exception {
        try (TestDatabase database = TestDatabase.empty()) {
            String token = ServerProcess.serviceToken();
            try (ServerProcess server = server(database, "first").start()) {
                Api api = new Api(server.base(), token);
                ingest(api);
                // From the journal
                requireWhole(api, "");
                requireCommand(server);
                AwaitCondition.until(
                        "PostgreSQL has it all",
                        PATIENCE,
                        () -> PostgresRows.of(database).count("big") == ENTRIES);
            }
            try (ServerProcess server = server(database, "second").start()) {
                // From PostgreSQL alone: this one's journal is new
                Api api = new Api(server.base(), token);
                requireWhole(api, "?gzip=true");
                requireCsv(api);
                requireAdminRuns(api);
            }
        }
    }

    private static void ingest(Api api) throws Exception {
        String padding = "x".repeat(MESSAGE_CHARS);
        for (int seq = 1; seq <= ENTRIES; ) {
            StringBuilder body = new StringBuilder("[");
            for (int i = 0; i < BATCH_ENTRIES && seq <= ENTRIES; i++, seq++) {
                body.append(i == 0 ? "" : ",").append("{\"message\":\"" + message(seq) + padding + "\"}");
            }
            String batch = body.append(']').toString();
            // Level 4 may refuse for a moment on a slow disk.
            AwaitCondition.until(
                    "a batch is taken",
                    PATIENCE,
                    () -> api.post("/v2/executions/big/logs", batch).status() == 202);
        }
    }

    /** Some are what a spreadsheet would calculate. */
    private static String message(long seq) {
        return (seq % 3 == 0 ? "=" : "") + "entry " + seq + " ";
    }

    private InputStream open(Api api, String query) throws Exception {
        HttpResponse<InputStream> response =
                client.send(api.request(PATH + query).build(), BodyHandlers.ofInputStream());
        assertThat(response.statusCode()).isEqualTo(200);
        return query.contains("gzip") ? new GZIPInputStream(response.body(), 64 << 10) : response.body();
    }

    private void requireWhole(Api api, String query) throws Exception {
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(open(api, query), StandardCharsets.UTF_8), 1 << 16)) {
            requireLines(lines);
        }
    }

    private static void requireLines(BufferedReader lines) throws IOException {
        long seq = 0;
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            JsonNode entry = Api.JSON.readTree(line);
            seq++;
            if (entry.path("seq").asLong() != seq
                    || !entry.path("message").asText().startsWith(message(seq))) {
                throw new AssertionError("entry " + seq + " is " + line.substring(0, Math.min(300, line.length())));
            }
        }
        assertThat(seq).isEqualTo(ENTRIES);
    }

    private void requireCsv(Api api) throws Exception {
        var seq = new AtomicLong();
        try (CsvReader<NamedCsvRecord> rows =
                CsvReader.builder().ofNamedCsvRecord(open(api, "?format=csv&tz=Europe/Berlin"))) {
            for (Iterator<NamedCsvRecord> each = rows.iterator(); each.hasNext(); ) {
                NamedCsvRecord row = each.next();
                long expected = seq.incrementAndGet();
                String message = row.getField("message");
                if (!row.getField("seq").equals(Long.toString(expected))
                        || !message.startsWith((expected % 3 == 0 ? "'" : "") + message(expected))) {
                    throw new AssertionError("row " + expected + " is " + row);
                }
            }
        }
        assertThat(seq).hasValue(ENTRIES);
    }

    /** The command writes the same file, compressed, without a rest of its work. */
    private static void requireCommand(ServerProcess server) throws Exception {
        Path file = directory.resolve("big.ndjson.gz");
        Cli.Result done = Cli.run(
                directory,
                Map.of(
                        "TAILRACE_TOKEN",
                        ServerProcess.serviceToken(),
                        "TAILRACE_URL",
                        server.base().toString()),
                "export",
                "big",
                "--gzip",
                "-o",
                file.toString());
        assertThat(done.code()).as(done.err()).isZero();
        assertThat(done.err()).contains(ENTRIES + " entries in");
        assertThat(file.resolveSibling("big.ndjson.gz.part")).doesNotExist();
        try (BufferedReader lines = new BufferedReader(
                new InputStreamReader(new GZIPInputStream(Files.newInputStream(file)), StandardCharsets.UTF_8))) {
            requireLines(lines);
        }
    }

    private static void requireAdminRuns(Api api) throws Exception {
        JsonNode runs = api.get("/admin/runs/big/logs?limit=3").body();
        assertThat(runs.get("count").asInt()).isEqualTo(3);
        assertThat(runs.get("logs").get(0).get("id").asLong()).isEqualTo(ENTRIES - 2L);
        assertThat(runs.get("logs").get(2).get("level").asText()).isEqualTo("INFO");
    }

    @Test
    void runsOfOneWorkflowAreCompared() throws Exception {
        try (TestDatabase database = TestDatabase.empty();
                ServerProcess server = ServerProcess.in(directory.resolve("diff"))
                        .env("DATABASE_URL", database.urlText())
                        .start()) {
            Api api = new Api(server.base(), ServerProcess.serviceToken());
            post(api, "good", "w", "alice", "\"step_completed\",\"duration_seconds\":0.5", "read 5 rows");
            post(api, "bad", "w", "alice", "\"step_error\",\"duration_seconds\":2", "read 7 rows");
            post(api, "other", "x", "alice", "\"step_error\"", "read 7 rows");
            post(api, "foreign", "w", "bob", "\"step_error\"", "read 7 rows");
            Api alice = new Api(server.base(), ServerProcess.userToken("alice"));

            JsonNode diff =
                    alice.get("/v2/executions/bad/logs/diff?against=good").body();
            assertThat(diff.get("identical").asBoolean()).isFalse();
            JsonNode changed = diff.get("steps").get("changed");
            assertThat(changed.size()).isEqualTo(1);
            assertThat(changed.get(0).get("changes").toString()).isEqualTo("[\"status\",\"slower\"]");
            assertThat(changed.get(0).get("ratio").asDouble()).isEqualTo(4.0);
            assertThat(diff.get("messages").get("new").size()).isZero();

            JsonNode itself = alice.get("/api/v1/app/executions/bad/logs/diff?against=bad")
                    .body();
            assertThat(itself.get("identical").asBoolean())
                    .as(itself.toString())
                    .isTrue();

            for (String unseen : new String[] {"foreign", "nowhere"}) {
                assertThat(alice.get("/v2/executions/bad/logs/diff?against=" + unseen)
                                .status())
                        .isEqualTo(404);
                assertThat(alice.get("/v2/executions/" + unseen + "/logs/diff?against=bad")
                                .status())
                        .isEqualTo(404);
            }
            for (String wrong : new String[] {"?against=other", "", "?against=", "?against=good&level=info"}) {
                Api.Answer answer = alice.nonsense().get("/v2/executions/bad/logs/diff" + wrong);
                assertThat(answer.status()).as(wrong).isEqualTo(400);
                assertThat(answer.body().get("parameter").asText())
                        .isEqualTo(wrong.contains("level") ? "level" : "against");
            }
        }
    }

    private static void post(Api api, String id, String workflow, String owner, String how, String message)
            throws Exception {
        String defaults = "\"workflow_id\":\"" + workflow + "\",\"user_id\":\"" + owner + "\"";
        Api.Answer answer = api.post(
                "/v2/executions/" + id + "/logs",
                "[{" + defaults + ",\"message\":\"" + message + "\"},{" + defaults
                        + ",\"message\":\"step over\",\"node_id\":\"n\",\"node_name\":\"Fetch\",\"event_type\":" + how
                        + "}]");
        assertThat(answer.body().path("accepted").asInt())
                .as(answer.body().toString())
                .isEqualTo(2);
    }
}
