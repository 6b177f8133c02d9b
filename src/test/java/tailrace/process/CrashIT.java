package tailrace.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tailrace.postgres.TestDatabase;

/** Promises 1, 2 and 5: what was acknowledged is there, once, in order, in every tier, whatever was killed and when. */
class CrashIT {
    /** Each way of killing in turn: the server alone, its PostgreSQL before it, and after it. */
    private static final int ROUNDS = Soak.times(6, 30);

    private static final int THREADS = 4;

    private final Ledger ledger = new Ledger();
    private final Random random = new Random(42);

    @Test
    void nothingAcknowledgedIsLostByKillingTheServerInTheMiddleOfIngest(@TempDir Path temp) throws Exception {
        try (ServerProcess server = ServerProcess.in(temp.resolve("data")).start()) {
            for (int round = 1; round <= ROUNDS; round++) {
                // Given several senders to executions new and old
                List<String> executions = List.of("old-a", "old b/ü", "round-" + round + "-a", "round-" + round + "-b");
                Api api = new Api(server.base(), ServerProcess.serviceToken());
                Senders senders = new Senders(api, ledger, "r" + round, executions).start(THREADS);
                int before = ledger.batches();
                int enough = before + 20 + random.nextInt(60);

                // When the server is killed while they send, and in some rounds its PostgreSQL before or after it
                if (round % 3 == 1) {
                    Await.until("half of the ingest", () -> ledger.batches() >= (before + enough) / 2);
                    killPostmaster(server);
                }
                Await.until("ingest", () -> ledger.batches() >= enough);
                server.kill();
                if (round % 3 == 2) {
                    killPostmaster(server);
                }
                List<Senders.Batch> unanswered = senders.join();
                server.start();

                // Then all that was acknowledged is told, and what was not answered can be sent again
                Api again = new Api(server.base(), ServerProcess.serviceToken());
                retry(again, unanswered);
                for (String execution : executions) {
                    ledger.check(execution, again.history(execution));
                }
            }
            everyTierTellsTheSame(server);
        }
    }

    @Test
    void aServerToldToStopInTheMiddleOfIngestFlushesAllItAcknowledged(@TempDir Path temp) throws Exception {
        try (TestDatabase database = TestDatabase.empty();
                ServerProcess server = ServerProcess.in(temp.resolve("data"))
                        .env("DATABASE_URL", database.urlText())
                        .start()) {
            Api api = new Api(server.base(), ServerProcess.serviceToken());
            Senders senders = new Senders(api, ledger, "t", List.of("a", "b", "c")).start(THREADS);
            Await.until("ingest", () -> ledger.batches() >= 100);

            int exit = server.terminate();

            senders.stop();
            assertThat(exit)
                    .as("ended by SIGTERM, in order\n%s", server.output())
                    .isEqualTo(143);
            for (String execution : ledger.executions()) {
                List<String> acknowledged = ledger.of(execution).entrySet().stream()
                        .map(entry -> entry.getKey() + ":" + entry.getValue())
                        .toList();
                List<String> rows = ColdRows.of(database).of(execution);
                Set<String> distinct = new HashSet<>(rows);
                assertThat(rows).as("rows of %s", execution).hasSameSizeAs(distinct);
                // Not containsAll(): it looks through all rows, for every entry.
                assertThat(Ledger.friendly(acknowledged).stream().filter(entry -> !distinct.contains(entry)))
                        .as("what the last flush of %s left out", execution)
                        .isEmpty();
            }
            server.start();
            Api again = new Api(server.base(), ServerProcess.serviceToken());
            for (String execution : ledger.executions()) {
                ledger.check(execution, again.history(execution));
            }
        }
    }

    private static void killPostmaster(ServerProcess server) throws Exception {
        ProcessHandle postmaster = server.postmaster().orElseThrow();
        postmaster.destroyForcibly();
        Await.until("the end of PostgreSQL", () -> !postmaster.isAlive());
    }

    /** A batch with ids is stored once however often it is sent; one of which nothing is known is not sent again. */
    private void retry(Api api, List<Senders.Batch> unanswered) throws Exception {
        for (Senders.Batch batch : unanswered) {
            if (!batch.withIds()) {
                continue;
            }
            int lines = batch.texts().values().stream().mapToInt(List::size).sum();
            Api.Answer answer = api.post("/v2/logs/batch", batch.json());
            assertThat(answer.status()).as("%s", answer.body()).isEqualTo(202);
            int accepted = answer.body().get("accepted").asInt();
            int duplicates = answer.body().get("duplicates").asInt();
            assertThat(List.of(accepted, duplicates))
                    .as("a batch is there as a whole or not at all")
                    .isIn(List.of(lines, 0), List.of(0, lines));
            ledger.answered(answer.body(), batch.texts());
            JsonNode third = api.post("/v2/logs/batch", batch.json()).body();
            assertThat(third.get("duplicates").asInt()).isEqualTo(lines);
        }
    }

    private void everyTierTellsTheSame(ServerProcess server) throws Exception {
        Api api = new Api(server.base(), ServerProcess.serviceToken());
        ColdRows rows = ColdRows.embedded(server.dataDir());
        assertThat(ledger.executions()).hasSizeGreaterThan(ROUNDS);
        for (String execution : ledger.executions()) {
            List<String> history = ledger.check(execution, api.history(execution));
            assertThat(ledger.check(execution, stream(api, execution)))
                    .as("the stream of %s", execution)
                    .isEqualTo(history);
            List<String> friendly = Ledger.friendly(history);
            Await.until("the rows of " + execution, () -> rows.of(execution).size() >= friendly.size());
            assertThat(rows.of(execution)).as("PostgreSQL on %s", execution).isEqualTo(friendly);
        }
    }

    private static List<JsonNode> stream(Api api, String execution) throws Exception {
        List<JsonNode> entries = new ArrayList<>();
        try (Api.Stream stream = api.stream(execution, "?follow=false")) {
            for (Api.Event event; (event = stream.next()) != null; ) {
                assertThat(event.type()).isEqualTo("LOG");
                entries.add(event.data().get("data"));
                assertThat(event.seq())
                        .isEqualTo(event.data().get("data").get("seq").asLong());
            }
        }
        return entries;
    }
}
