package tailrace.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tailrace.postgres.TestDatabase;

/** Promise 7: whatever becomes of the data directory, no seq is given twice, and readers are told what is missing. */
class LostDataDirIT {
    private static final long JUMP = 1_000_000_000L;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path temp;

    @SuppressWarnings("NullAway.Init")
    private TestDatabase database;

    @BeforeEach
    void makeDatabase() {
        database = TestDatabase.empty();
    }

    @AfterEach
    void dropDatabase() {
        database.close();
    }

    private ServerProcess server(String dataDir) {
        return ServerProcess.in(temp.resolve(dataDir)).env("DATABASE_URL", database.urlText());
    }

    private static Api api(ServerProcess server) {
        return new Api(server.base(), ServerProcess.serviceToken());
    }

    /** Posts friendly entries and returns the first seq given. */
    private static long post(Api api, String execution, int count) throws Exception {
        var entries = Api.JSON.createArrayNode();
        for (int i = 0; i < count; i++) {
            entries.addObject().put("message", "m").put("user_friendly_message", "shown");
        }
        Api.Answer answer = api.post("/v2/executions/" + Api.encode(execution) + "/logs", entries.toString());
        assertThat(answer.status()).as("%s", answer.body()).isEqualTo(202);
        return answer.body().get("executions").get(0).get("first_seq").asLong();
    }

    private void awaitRows(String execution, int count) throws Exception {
        Await.until(
                "rows of " + execution,
                () -> ColdRows.of(database).of(execution).size() == count);
    }

    private static void deleteTree(Path directory) throws IOException {
        try (var files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    private static void copyTree(Path from, Path to) throws IOException {
        try (var files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(from.relativize(file).toString()));
            }
        }
    }

    private static List<Path> setAside(ServerProcess server) throws IOException {
        try (var files = Files.list(server.dataDir())) {
            return files.filter(file -> file.getFileName().toString().startsWith("journal.aside-"))
                    .toList();
        }
    }

    @Test
    void aJournalRemovedBetweenTwoStartsGivesNoSeqTwice() throws Exception {
        try (ServerProcess server = server("data").env("LOG_BATCH_TRIGGER", "1").start()) {
            // Given an execution PostgreSQL knows, and one it has not heard of when the journal goes
            post(api(server), "known", 3);
            awaitRows("known", 3);
            server.kill();
            server.env("LOG_BATCH_TRIGGER", "1000")
                    .env("LOG_BATCH_INTERVAL", "1h")
                    .start();
            post(api(server), "unheard", 5);
            assertThat(post(api(server), "known", 2)).isEqualTo(4);
            server.kill();
            assertThat(ColdRows.of(database).of("unheard")).isEmpty();

            // When the journal is removed
            deleteTree(server.dataDir().resolve("journal"));
            server.env("LOG_BATCH_TRIGGER", "1").env("LOG_BATCH_INTERVAL", "1s").start();

            // Then both go on above all that can have been given
            assertThat(server.output()).contains("it was lost");
            Api api = api(server);
            assertThat(post(api, "known", 1)).isEqualTo(JUMP);
            assertThat(post(api, "unheard", 1)).isEqualTo(JUMP);

            // And readers are told of the hole, in the stream and in history
            requireLost(api, "known", 3, List.of(1L, 2L, 3L, JUMP));
            requireLost(api, "unheard", 0, List.of(JUMP));

            // And a second loss jumps once more
            awaitRows("known", 4);
            awaitRows("unheard", 1);
            server.kill();
            deleteTree(server.dataDir().resolve("journal"));
            server.start();
            assertThat(post(api(server), "known", 1)).isEqualTo(2 * JUMP);
            assertThat(post(api(server), "never-seen", 1)).isEqualTo(2 * JUMP);
        }
    }

    private static void requireLost(Api api, String execution, long lastKnown, List<Long> seqs) throws Exception {
        try (Api.Stream stream = api.stream(execution, "?follow=false")) {
            var seen = new java.util.ArrayList<Long>();
            JsonNode gap = null;
            for (Api.Event event; (event = stream.next()) != null; ) {
                if (event.type().equals("GAP")) {
                    assertThat(gap).isNull();
                    gap = event.data().get("data");
                    assertThat(event.seq()).isEqualTo(JUMP - 1);
                } else {
                    seen.add(event.seq());
                }
            }
            assertThat(seen).isEqualTo(seqs);
            assertThat(gap).isNotNull();
            assertThat(gap.get("from_seq").asLong()).isEqualTo(lastKnown + 1);
            assertThat(gap.get("to_seq").asLong()).isEqualTo(JUMP - 1);
            assertThat(gap.get("reason").asText()).isEqualTo("lost");
        }
        JsonNode page =
                api.get("/v2/workflows/executions/" + execution + "/logs").body();
        assertThat(page.get("logs")).hasSize(seqs.size());
        JsonNode coverage = page.get("coverage");
        assertThat(coverage.get("complete").asBoolean()).isFalse();
        assertThat(coverage.get("missing")).hasSize(1);
        assertThat(coverage.get("missing").get(0).get("reason").asText()).isEqualTo("lost");
        assertThat(coverage.get("missing").get(0).get("from_seq").asLong()).isEqualTo(lastKnown + 1);
    }

    @Test
    void anOldCopyOfTheJournalIsSetAside() throws Exception {
        try (ServerProcess server = server("data").start()) {
            Path journal = server.dataDir().resolve("journal");
            post(api(server), "e", 2);
            awaitRows("e", 2);
            server.terminate();
            copyTree(journal, temp.resolve("old"));
            server.start();
            post(api(server), "e", 3);
            awaitRows("e", 5);
            server.terminate();

            // When a copy from before is put in its place
            deleteTree(journal);
            copyTree(temp.resolve("old"), journal);
            server.start();

            // Then it is kept, named, and not used
            assertThat(server.output()).contains("set aside").contains("old copy");
            assertThat(setAside(server)).hasSize(1);
            assertThat(post(api(server), "e", 1)).isEqualTo(JUMP);
            assertThat(api(server).history("e"))
                    .extracting(log -> log.get("seq").asLong())
                    .containsExactly(1L, 2L, 3L, 4L, 5L, JUMP);
        }
    }

    @Test
    void anotherDatabasesJournalIsSetAside() throws Exception {
        try (TestDatabase other = TestDatabase.empty();
                ServerProcess server = server("data").start()) {
            post(api(server), "e", 2);
            awaitRows("e", 2);
            server.terminate();
            try (ServerProcess foreign = ServerProcess.in(temp.resolve("foreign"))
                    .env("DATABASE_URL", other.urlText())
                    .start()) {
                post(api(foreign), "e", 7);
                foreign.terminate();
                deleteTree(server.dataDir().resolve("journal"));
                copyTree(foreign.dataDir().resolve("journal"), server.dataDir().resolve("journal"));
            }

            server.start();

            assertThat(server.output()).contains("set aside");
            assertThat(setAside(server)).hasSize(1);
            assertThat(post(api(server), "e", 1)).isEqualTo(JUMP);
            assertThat(api(server).history("e")).hasSize(3);
        }
    }

    @Test
    void aSecondServerOnTheSameDatabaseTakesNothingAndSaysWhy() throws Exception {
        try (ServerProcess first = server("first").start();
                ServerProcess second = server("second").start()) {
            post(api(first), "e", 1);

            Api.Answer refused = api(second).post("/v2/executions/e/logs", "[{\"message\":\"m\"}]");
            Api.Answer ready = api(second).get("/health/ready");

            assertThat(refused.status()).isEqualTo(503);
            assertThat(refused.response().headers().firstValue("Retry-After")).isPresent();
            assertThat(refused.body().get("detail").asText()).contains("another Tailrace process");
            assertThat(ready.status()).isEqualTo(503);
            assertThat(ready.body().toString()).contains("another Tailrace process");
            assertThat(second.output()).contains("another Tailrace process");
            assertThat(post(api(first), "e", 1)).isEqualTo(2);
            second.kill(); // a stop would wait for its turn to write
        }
    }
}
