package tailrace.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tailrace.postgres.TestDatabase;

/** More is written than the journal may hold, while PostgreSQL keeps up: nobody is refused, and readers are told. */
class JournalTrimIT {
    private static final long MAX_BYTES = 64L << 20;
    private static final int EXECUTIONS = 8;
    private static final int BATCH_ENTRIES = 100;
    private static final int BATCHES = 96;
    private static final int FRIENDLY_EVERY = 20;
    /** Less than a disk and PostgreSQL take, so that what fills the journal is what was written and not what waits. */
    private static final Duration PACE = Duration.ofMillis(100);

    private final Random random = new Random(5);

    /** Text that no compression makes small. */
    private String batch() {
        StringBuilder body = new StringBuilder("[");
        byte[] bytes = new byte[6_000];
        for (int i = 1; i <= BATCH_ENTRIES; i++) {
            random.nextBytes(bytes);
            body.append(i == 1 ? "" : ",")
                    .append("{\"message\":\"")
                    .append(Base64.getEncoder().encodeToString(bytes))
                    .append("\",\"display_priority\":")
                    .append(i % FRIENDLY_EVERY == 0 ? 8 : 3)
                    .append('}');
        }
        return body.append(']').toString();
    }

    private static long filesBytes(Path directory) {
        try (var files = Files.list(directory)) {
            return files.mapToLong(file -> file.toFile().length()).sum();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void theFilesStayWithinTheirBoundAndReadersAreToldWhatWent(@TempDir Path temp) throws Exception {
        try (TestDatabase database = TestDatabase.empty();
                ServerProcess server = ServerProcess.in(temp.resolve("data"))
                        .env("DATABASE_URL", database.urlText())
                        .env("JOURNAL_MAX_BYTES", "64MiB")
                        .env("LOG_BATCH_INTERVAL", "200ms")
                        .start()) {
            Api api = new Api(server.base(), ServerProcess.serviceToken());
            Path journal = server.dataDir().resolve("journal");
            long largest = 0;
            for (int i = 0; i < BATCHES; i++) {
                Api.Answer answer = api.post("/v2/executions/e" + i % EXECUTIONS + "/logs", batch());
                assertThat(answer.status()).as("batch %d: %s", i, answer.body()).isEqualTo(202);
                largest = Math.max(largest, filesBytes(journal));
                AwaitCondition.elapse(PACE);
                if (i % 10 == 9) {
                    AwaitCondition.until("PostgreSQL keeps up", () -> lag(api) <= 1);
                }
            }

            assertThat((long) BATCHES * BATCH_ENTRIES * 8_000)
                    .as("more than fits")
                    .isGreaterThan(MAX_BYTES);
            assertThat(largest).as("bytes of files").isLessThanOrEqualTo(MAX_BYTES);
            long last = BATCHES / EXECUTIONS * BATCH_ENTRIES;
            requireHistory(api, last);
            requireGap(api, last);
            assertThat(api.get("/health").status()).isEqualTo(200);
        }
    }

    private static long lag(Api api) throws Exception {
        JsonNode stats = api.get("/v2/logs/stats").body();
        long most = 0;
        for (JsonNode cursor : stats.get("cursors")) {
            most = Math.max(most, cursor.get("lag_records").asLong());
        }
        return most;
    }

    /** The oldest page: what PostgreSQL keeps, and by name what is gone. The newest: everything. */
    private static void requireHistory(Api api, long last) throws Exception {
        JsonNode oldest = api.get("/v2/workflows/executions/e0/logs?limit=10").body();
        assertThat(seqs(oldest))
                .isEqualTo(LongStream.rangeClosed(1, 10)
                        .map(n -> n * FRIENDLY_EVERY)
                        .boxed()
                        .toList());
        assertThat(oldest.get("coverage").get("complete").asBoolean()).isFalse();
        JsonNode missing = oldest.get("coverage").get("missing");
        assertThat(missing.get(0).get("from_seq").asLong()).isEqualTo(1);
        assertThat(missing.get(0).get("to_seq").asLong()).isEqualTo(FRIENDLY_EVERY - 1);
        assertThat(missing).allMatch(gap -> gap.get("reason").asText().equals("technical_expired"));
        JsonNode newest =
                api.get("/v2/workflows/executions/e0/logs?limit=10&order=desc").body();
        assertThat(newest.get("coverage").get("complete").asBoolean()).isTrue();
        assertThat(seqs(newest))
                .isEqualTo(LongStream.range(0, 10).map(n -> last - n).boxed().toList());
    }

    private static List<Long> seqs(JsonNode page) {
        return page.findValues("seq").stream().map(JsonNode::asLong).toList();
    }

    /** Who comes back with the seq of an entry that is gone is told so, and misses nothing that is left. */
    private static void requireGap(Api api, long last) throws Exception {
        long next = 3;
        boolean gap = false;
        try (Api.Stream stream = api.streamAfter("e0", 2)) {
            for (Api.Event event : stream.until(event -> event.seq() >= last)) {
                if (event.type().equals("GAP")) {
                    JsonNode told = event.data().get("data");
                    assertThat(told.get("from_seq").asLong()).isEqualTo(next);
                    assertThat(told.get("reason").asText()).isEqualTo("technical_expired");
                    next = told.get("to_seq").asLong() + 1;
                    gap = true;
                } else {
                    assertThat(event.seq()).isEqualTo(next++);
                }
            }
        }
        assertThat(gap).isTrue();
        assertThat(next).isEqualTo(last + 1);
    }
}
