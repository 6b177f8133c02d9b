package tailrace.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tailrace.postgres.TestDatabase;

/** {@code recover}, on what servers that were killed have left. */
class RecoverIT {
    private static final int BATCH = 200;
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    private Path temp;

    /** Sends entries, of which every other one is for PostgreSQL; their seqs go on from the last. */
    private static void post(Api api, String execution, int from, int to) throws Exception {
        for (int first = from; first <= to; first += BATCH) {
            var entries = Api.JSON.createArrayNode();
            for (int seq = first; seq <= Math.min(to, first + BATCH - 1); seq++) {
                entries.addObject().put("message", "m" + seq).put("display_priority", friendly(seq) ? 9 : 1);
            }
            Api.Answer answer = api.post("/v2/executions/" + execution + "/logs", entries.toString());
            assertThat(answer.status()).as("%s", answer.body()).isEqualTo(202);
        }
    }

    private static boolean friendly(int seq) {
        return seq % 2 == 0;
    }

    /** As {@link ColdRows} has them. */
    private static List<String> rows(int count, boolean all) {
        return IntStream.rangeClosed(1, count)
                .filter(seq -> all || friendly(seq))
                .mapToObj(seq -> seq + ":m" + seq)
                .toList();
    }

    /** Every file of a directory, byte for byte. */
    private static Map<String, Integer> contents(Path directory) throws IOException {
        Map<String, Integer> contents = new TreeMap<>();
        try (var files = Files.list(directory)) {
            for (Path file : files.toList()) {
                contents.put(file.getFileName().toString(), Arrays.hashCode(Files.readAllBytes(file)));
            }
        }
        return contents;
    }

    private static Path journal(ServerProcess server) {
        return server.dataDir().resolve("journal");
    }

    @Test
    void whatAnOutageLeftIsShownAndReplayed() throws Exception {
        int before = 10;
        int a = 6_000;
        int b = 1_000;
        try (TestDatabase database = TestDatabase.empty();
                DatabaseLink link = new DatabaseLink(database.url().port());
                ServerProcess server = ServerProcess.in(temp.resolve("data"))
                        .env("DATABASE_URL", database.text(link.port()))
                        .start()) {
            Map<String, String> direct = Map.of("DATABASE_URL", database.urlText());
            // Given a journal PostgreSQL knows, entries it has not got, and a server that is killed
            Api api = new Api(server.base(), ServerProcess.serviceToken());
            ColdRows rows = ColdRows.of(database);
            post(api, "a", 1, before);
            AwaitCondition.until("the first rows", () -> rows.of("a").equals(rows(before, false)));
            // A record is a cursor's step: what is beyond is counted in whole ones.
            AwaitCondition.until(
                    "the cursors", () -> database.number("SELECT min(position) FROM tailrace.lane_cursors") >= 1);
            link.cut();
            post(api, "a", before + 1, a);
            post(api, "b", 1, b);

            // While it runs nobody looks behind its back
            CommandProcess.Result refused = CommandProcess.run(server.dataDir(), direct, "recover", "--replay");
            assertThat(refused.exitCode()).isEqualTo(4);
            assertThat(refused.err()).contains("is in use: a server runs");
            server.kill();

            // Then it is shown, and nothing is changed by that
            Map<String, Integer> untouched = contents(journal(server));
            CommandProcess.Result shown = CommandProcess.run(server.dataDir(), direct, "recover", "-o", "json");
            assertThat(shown.exitCode()).as(shown.err()).isZero();
            JsonNode beyond = shown.json().get("beyond");
            assertThat(beyond.get("entries").asInt()).isEqualTo(a - before + b);
            assertThat(beyond.get("user_friendly_entries").asInt()).isEqualTo((a - before + b) / 2);
            assertThat(beyond.get("rows_to_write").asInt()).isEqualTo((a - before + b) / 2);
            assertThat(beyond.get("executions").asInt()).isEqualTo(2);
            assertThat(beyond.get("top").get(0).get("execution_id").asText()).isEqualTo("a");
            assertThat(beyond.get("top").get(1).get("entries").asInt()).isEqualTo(b);
            assertThat(beyond.get("oldest_received_at").asText()).isNotEmpty();
            assertThat(shown.json().get("journal").get("entries").asInt()).isEqualTo(a + b);
            assertThat(shown.json().get("postgres").get("standing").asText()).isEqualTo("continue");
            assertThat(shown.json().get("cursors")).hasSizeGreaterThan(1);
            assertThat(contents(journal(server))).isEqualTo(untouched);

            // And without PostgreSQL, what the journal alone says
            CommandProcess.Result alone =
                    CommandProcess.run(server.dataDir(), Map.of("DATABASE_URL", database.text(link.port())), "recover");
            assertThat(alone.exitCode()).isEqualTo(5);
            assertThat(alone.out()).contains("7,000, of 2 executions").contains("PostgreSQL cannot be asked");
            assertThat(contents(journal(server))).isEqualTo(untouched);

            // When a replay is killed in the middle
            link.mend();
            Map<String, String> slowly = new HashMap<>(Map.of(
                    "DATABASE_URL", database.text(link.port()), "LOG_BATCH_SIZE", "20", "LOG_BATCH_MAX_SIZE", "20"));
            try (CommandProcess replay = CommandProcess.start(server.dataDir(), slowly, "recover", "--replay")) {
                // More than a record's, so that a cursor has moved.
                AwaitCondition.until("some rows", PATIENCE, () -> rows.of("a").size() > 2 * BATCH || !replay.alive());
                link.cut();
            }
            int written = rows.of("a").size();
            assertThat(written).isBetween(2 * BATCH, a / 2 - 1);

            // Then the next one goes on, and everything is there once
            CommandProcess.Result replayed = CommandProcess.run(
                    server.dataDir(), direct, "recover", "--replay", "--progress", "plain", "-o", "json");
            assertThat(replayed.exitCode()).as(replayed.err()).isZero();
            assertThat(replayed.json().get("replay").get("rows").asInt())
                    .as("it goes on where the other was killed")
                    .isBetween(1, (a - before + b) / 2 - BATCH / 2);
            assertThat(rows.of("a")).isEqualTo(rows(a, false));
            assertThat(rows.of("b")).isEqualTo(rows(b, false));
            CommandProcess.Result nothing = CommandProcess.run(server.dataDir(), direct, "recover");
            assertThat(nothing.exitCode()).isZero();
            assertThat(nothing.out()).contains("Nothing is beyond any cursor.");

            // And the server goes on as if nothing had been
            link.mend();
            server.start();
            Api again = new Api(server.base(), ServerProcess.serviceToken());
            assertThat(again.history("a")).hasSize(a);
            post(again, "b", b + 1, b + 10);
            AwaitCondition.until("the new rows", () -> rows.of("b").equals(rows(b + 10, false)));
        }
    }

    @Test
    void reselectPutsWhatTheHotTierHasIntoPostgres() throws Exception {
        int count = 1_200;
        // Given a selective server with its own PostgreSQL, killed with some of it beyond the cursors
        try (ServerProcess server = ServerProcess.in(temp.resolve("data")).start()) {
            Api api = new Api(server.base(), ServerProcess.serviceToken());
            post(api, "a", 1, count);
            post(api, "b", 1, 10);
            AwaitCondition.until(
                    "rows", () -> ColdRows.embedded(server.dataDir()).of("b").equals(rows(10, false)));
            server.kill();

            // When all is selected
            Map<String, String> all = Map.of("LOG_PERSIST", "all");
            CommandProcess.Result first =
                    CommandProcess.run(server.dataDir(), all, "recover", "--reselect", "-o", "json");
            CommandProcess.Result second = CommandProcess.run(server.dataDir(), all, "recover", "--reselect");

            // Then what was missing is there, what was there has stayed, and a second time changes nothing
            assertThat(first.exitCode()).as(first.err()).isZero();
            assertThat(first.json().get("reselect").get("entries").asInt()).isEqualTo(count + 10);
            assertThat(first.json().get("reselect").get("inserted").asInt()).isBetween(5, count / 2 + 5);
            assertThat(second.exitCode()).as(second.err()).isZero();
            assertThat(second.out()).contains("all 1,210 entries of the hot tier; 0 of them were missing");
            assertThat(server.postmaster())
                    .as("its PostgreSQL is stopped again")
                    .isEmpty();
            server.env("LOG_PERSIST", "all").start();
            ColdRows rows = ColdRows.embedded(server.dataDir());
            assertThat(rows.of("a")).isEqualTo(rows(count, true));
            assertThat(rows.of("b")).isEqualTo(rows(10, true));
        }
    }
}
