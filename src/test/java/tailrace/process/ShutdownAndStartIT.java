package tailrace.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tailrace.postgres.TestDatabase;

/** How the process begins and ends: what it says, what it refuses, what it leaves behind. */
class ShutdownAndStartIT {
    private static final int SIGTERM_EXIT = 143;
    private static final Pattern READY_LINK = Pattern.compile("(http://127\\.0\\.0\\.1:\\d+)/#token=(\\S+)");

    @TempDir
    private Path directory;

    @Test
    void aFirstStartNeedsNothingAndTheNextFindsWhatItLeft() throws Exception {
        // Given a start with no configuration worth the name
        try (ServerProcess server = ServerProcess.in(directory.resolve("data"))
                .env("JWT_SECRET", "")
                .asShipped()) {
            server.start();
            Matcher link = READY_LINK.matcher(server.output());
            assertThat(link.find()).as("a ready link in " + server.output()).isTrue();
            assertThat(link.group(1)).isEqualTo(server.base().toString());
            String token = link.group(2);

            // Then the token of its ready link works
            Api service = new Api(server.base(), token);
            assertThat(service.post(
                                    "/v2/executions/kept/logs",
                                    "[{\"message\":\"one\",\"is_milestone\":true},{\"message\":\"two\"}]")
                            .status())
                    .isEqualTo(202);
            AwaitCondition.until(
                    "the row is written",
                    () -> PostgresRows.embeddedIn(server.dataDir()).of("kept").size() == 1);
            List<String> rows = PostgresRows.embeddedIn(server.dataDir()).of("kept");
            assertNoSecrets(server);
            long made = madeAt(server);

            // When a second process is started on the same directory, it is refused
            assertSecondIsRefused(server.dataDir());
            assertThat(service.get("/health").status()).as("the first goes on").isEqualTo(200);

            // When it is told to stop
            assertThat(server.postmaster()).isPresent();
            long begun = System.nanoTime();
            assertThat(server.terminate()).isEqualTo(SIGTERM_EXIT);
            assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(12));
            assertThat(server.postmaster()).as("its PostgreSQL").isEmpty();
            assertThat(server.output()).doesNotContain("ERROR", "did not stop in order", "Exception");

            // Then the next start uses the same database, secret and journal
            server.start();
            assertThat(madeAt(server)).isEqualTo(made);
            assertThat(server.output()).doesNotContain("made a PostgreSQL database");
            Api again = new Api(server.base(), token);
            assertThat(again.history("kept"))
                    .extracting(log -> log.get("message").asText())
                    .containsExactly("one", "two");
            assertThat(PostgresRows.embeddedIn(server.dataDir()).of("kept")).isEqualTo(rows);
            JsonNode next = again.post("/v2/executions/kept/logs", "[{\"message\":\"three\"}]")
                    .body();
            assertThat(next.get("executions").get(0).get("first_seq").asInt()).isEqualTo(3);
            assertNoSecrets(server);
        }
    }

    private static long madeAt(ServerProcess server) throws Exception {
        return Files.getLastModifiedTime(server.dataDir().resolve("postgres").resolve("PG_VERSION"))
                .toMillis();
    }

    private static void assertNoSecrets(ServerProcess server) throws Exception {
        for (String file : List.of("jwt-secret", "postgres.password")) {
            String secret = Files.readString(server.dataDir().resolve(file)).strip();
            assertThat(secret).hasSizeGreaterThan(20);
            assertThat(server.output()).doesNotContain(secret);
        }
    }

    // Not closed: that would end the PostgreSQL of the first.
    private static void assertSecondIsRefused(Path dataDir) throws Exception {
        ServerProcess second = ServerProcess.in(dataDir).env("JWT_SECRET", "");
        assertThat(second.startExpectingEnd()).isEqualTo(1);
        assertThat(second.output())
                .contains(dataDir.toString(), "is in use by another process", "another TAILRACE_DATA_DIR")
                .doesNotContain("\tat ");
    }

    @Test
    void aStopWritesWhatIsLeft() throws Exception {
        // Given rows that only the last flush will write
        try (TestDatabase database = TestDatabase.empty();
                ServerProcess server = ServerProcess.in(directory.resolve("data"))
                        .env("DATABASE_URL", database.urlText())
                        .env("LOG_BATCH_INTERVAL", "600s")
                        .env("LOG_BATCH_TRIGGER", "100000")) {
            server.start();
            Api service = new Api(server.base(), ServerProcess.serviceToken());
            StringBuilder entries = new StringBuilder();
            for (int i = 0; i < 300; i++) {
                entries.append(i == 0 ? "[" : ",").append("{\"message\":\"m\",\"display_priority\":7}");
            }
            assertThat(service.post("/v2/executions/e/logs", entries + "]").status())
                    .isEqualTo(202);
            assertThat(PostgresRows.of(database).of("e")).isEmpty();

            assertThat(server.terminate()).isEqualTo(SIGTERM_EXIT);

            assertThat(PostgresRows.of(database).of("e")).hasSize(300);
        }
    }

    @Test
    void aStopUnderLoadLosesNothingThatWasAcknowledged() throws Exception {
        try (TestDatabase database = TestDatabase.empty();
                ServerProcess server =
                        ServerProcess.in(directory.resolve("data")).env("DATABASE_URL", database.urlText())) {
            server.start();
            Api service = new Api(server.base(), ServerProcess.serviceToken());
            try (EntryFeed feed = new EntryFeed(service, List.of("e"), 20, 5, 50).start()) {
                AwaitCondition.until(
                        "it is under load",
                        () -> service.get("/v2/executions/e")
                                        .body()
                                        .path("last_seq")
                                        .asLong()
                                > 500);
                assertThat(server.terminate()).isEqualTo(SIGTERM_EXIT);
                List<String> acknowledged = feed.finish().acknowledged().get("e");

                server.start();
                List<String> there = new Api(server.base(), ServerProcess.serviceToken())
                        .history("e").stream()
                                .map(log -> log.get("id").asText())
                                .toList();
                // One batch may have been taken whose answer did not get out any more.
                assertThat(there)
                        .hasSizeBetween(acknowledged.size(), acknowledged.size() + 20)
                        .startsWith(acknowledged.toArray(String[]::new));
                assertThat(there).doesNotHaveDuplicates();
            }
        }
    }

    @Test
    void badConfigurationIsRefusedWithAllItsProblemsAndNoneOfItsSecrets() throws Exception {
        try (ServerProcess server = ServerProcess.in(directory.resolve("data"))
                .env("PORT", "eighty")
                .env("LOG_OVERSIZE", "ignore")
                .env("LOG_BATCH_INTERVAL", "3 parsecs")
                .env("DATABASE_URL", "mysql://user:open-sesame@host/db")
                .env("JWT_SECRET", "too-short-a-secret")
                .env("REDIS_URL", "redis://:open-sesame@host:port")) {
            assertThat(server.startExpectingEnd()).isEqualTo(1);
            assertThat(server.output())
                    .contains("the configuration has 6 problems")
                    .contains("PORT", "LOG_OVERSIZE", "LOG_BATCH_INTERVAL", "DATABASE_URL", "JWT_SECRET", "REDIS_URL")
                    .doesNotContain("open-sesame")
                    .doesNotContain("too-short-a-secret")
                    .doesNotContain("\tat ");
            assertThat(server.dataDir()).as("nothing was made").doesNotExist();
        }
    }
}
