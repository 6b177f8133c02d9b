package tailrace.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tailrace.postgres.Listener;
import tailrace.postgres.TestDatabase;

/** SPEC 11: rows of log_inbox and thread_logs are ingested like any others, live, exactly once, whatever is killed. */
class InboxIT {
    private static final int ROWS = 10_000;
    private static final int BULK = 100;
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String LEFT = "SELECT count(*) FROM tailrace.log_inbox";

    @TempDir
    private Path directory;

    private static String entry(String execution, long number) {
        return "{\"execution_id\":\"" + execution + "\",\"message\":\"row " + number
                + "\",\"display_priority\":8,\"data\":{\"at\":" + System.nanoTime() + "}}";
    }

    private static List<String> messages(List<JsonNode> history) {
        return history.stream().map(log -> log.get("message").asText()).toList();
    }

    private static List<String> rows(long last) {
        return LongStream.rangeClosed(1, last).mapToObj(i -> "row " + i).toList();
    }

    @Test
    void everyRowIsLiveAndStoredOnceWhileTheListenerIsCutOffEverySecond() throws Exception {
        try (TestDatabase database = TestDatabase.empty();
                ServerProcess server = ServerProcess.in(directory.resolve("data"))
                        .env("DATABASE_URL", database.urlText())
                        .start();
                Inserts service = Inserts.service(database);
                Inserts administrator = Inserts.administrator(database)) {
            Api api = new Api(server.base(), ServerProcess.serviceToken());
            api.put("/v2/executions/run", "{\"status\":\"RUNNING\"}");
            AtomicBoolean cutting = new AtomicBoolean(true);
            Thread cutter = new Thread(() -> cutEverySecond(administrator, cutting), "cutter");
            try (LiveFollower reader = new LiveFollower(api, "run", "")) {
                // Given somebody who watches, and a connection that listens and is ended every second
                cutter.start();

                // When rows come for some seconds
                long period = Duration.ofSeconds(Soak.on() ? 60 : 5).toNanos() / (ROWS / BULK);
                long scheduled = System.nanoTime();
                for (int i = 0; i < ROWS; i += BULK) {
                    int from = i;
                    service.entries(IntStream.rangeClosed(1, BULK)
                            .mapToObj(k -> entry("run", from + k))
                            .toList());
                    scheduled += period;
                    AwaitCondition.elapse(Duration.ofNanos(Math.max(0, scheduled - System.nanoTime())));
                }

                // Then each is live and stored, once and in order
                reader.awaitSeq(ROWS, PATIENCE).assertSeen(ROWS);
                assertThat(reader.delayMillis().getTotalCount()).as("seen live").isGreaterThan(ROWS / 2);
            } finally {
                cutting.set(false);
                cutter.join();
            }
            assertThat(messages(api.history("run"))).isEqualTo(rows(ROWS));
            AwaitCondition.until(
                    "PostgreSQL has them",
                    PATIENCE,
                    () -> ColdRows.of(database).of("run").size() >= ROWS);
            assertThat(ColdRows.of(database).of("run"))
                    .isEqualTo(LongStream.rangeClosed(1, ROWS)
                            .mapToObj(i -> i + ":row " + i)
                            .toList());
            AwaitCondition.until("nothing is left", () -> database.number(LEFT) == 0);
            JsonNode inbox = api.get("/v2/logs/stats").body().get("inbox");
            assertThat(inbox.get("taken").asInt()).isEqualTo(ROWS);
            assertThat(inbox.get("reconnects").asInt()).as("cuts it got over").isGreaterThanOrEqualTo(3);

            olderTable(database, service, api);
            badRows(database, service, administrator, api);
        }
    }

    private static void cutEverySecond(Inserts administrator, AtomicBoolean cutting) {
        while (cutting.get()) {
            try {
                administrator.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '"
                                + Listener.APPLICATION_NAME + "' AND datname = current_database()");
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
            AwaitCondition.elapse(Duration.ofSeconds(1));
        }
    }

    /** What writers and readers of thread_logs expect. */
    private static void olderTable(TestDatabase database, Inserts service, Api api) throws Exception {
        service.execute(
                "INSERT INTO tailrace.thread_logs (thread_id, message, level) VALUES ('thread', 'row 1', 'INFO')");
        AwaitCondition.until(
                "the first row", () -> api.get("/v2/executions/thread").status() == 200);
        try (Api.Stream stream = api.stream("thread", "")) {
            assertThat(stream.next().seq()).isEqualTo(1);
            service.execute("INSERT INTO tailrace.thread_logs (thread_id, message, created_at, level)"
                    + " SELECT 'thread', 'row ' || i, timestamptz '2026-01-02 03:04:05.5+09', 'warn'"
                    + " FROM generate_series(2, " + ROWS + ") i");
            List<Api.Event> events = stream.until(event -> event.seq() == ROWS);
            assertThat(events)
                    .extracting(event -> event.data().get("data").get("message").asText())
                    .isEqualTo(rows(ROWS).subList(1, ROWS));
            assertThat(events.get(0).data().get("data").get("level").asText()).isEqualTo("warning");
        }
        service.execute("INSERT INTO tailrace.thread_logs (message) VALUES ('nobody''s')");
        AwaitCondition.until(
                "the row without a thread",
                () -> api.get("/v2/executions/unassigned").status() == 200);
        assertThat(messages(api.history("unassigned"))).containsExactly("nobody's");
        String readable = "SELECT count(*) FROM tailrace.thread_logs WHERE thread_id IN ('thread', 'unassigned')";
        AwaitCondition.until("they can be read", PATIENCE, () -> database.number(readable) == ROWS + 1);
        assertThat(database.text("SELECT id || ' ' || message || ' ' || level || ' ' ||"
                        + " (created_at = timestamptz '2026-01-01 18:04:05.5Z')"
                        + " FROM tailrace.thread_logs WHERE thread_id = 'thread' AND id = 2"))
                .isEqualTo("2 row 2 warning true");
    }

    /** A bad row stays with what a request would have been told, and holds up nobody. */
    private static void badRows(TestDatabase database, Inserts service, Inserts administrator, Api api)
            throws Exception {
        api.put("/v2/executions/owned", "{\"status\":\"RUNNING\",\"user_id\":\"alice\"}");
        service.entries(List.of(
                "{\"execution_id\":\"mixed\",\"message\":\"row 1\"}",
                "{\"execution_id\":\"mixed\",\"message\":\"row\",\"level\":\"loud\"}",
                "{\"execution_id\":\"owned\",\"message\":\"row\",\"user_id\":\"bob\"}",
                "[1]",
                "{\"message\":\"no execution\"}",
                "{\"execution_id\":\"mixed\",\"message\":\"" + "x".repeat(20_000) + "\"}",
                "{\"execution_id\":\"mixed\",\"message\":\"row 2 \\u0000 password=hunter2hunter2\"}"));
        AwaitCondition.until(
                "the bad are marked",
                () -> database.number(LEFT + " WHERE error IS NULL") == 0 && database.number(LEFT) == 5);
        assertThat(messages(api.history("mixed"))).hasSize(2).first().isEqualTo("row 1");
        assertThat(messages(api.history("mixed")).get(1))
                .startsWith("row 2 \uFFFD ")
                .doesNotContain("hunter2");
        assertThat(database.text(
                        "SELECT string_agg(split_part(error, ':', 1), ', ' ORDER BY n) FROM tailrace.log_inbox"))
                .isEqualTo("invalid_level (level), owner_conflict (user_id), not_an_object,"
                        + " missing_execution_id (execution_id), entry_too_large");

        administrator.execute("UPDATE tailrace.log_inbox SET entry = (entry::jsonb || '{\"level\":\"info\"}')::json,"
                + " error = NULL WHERE error LIKE 'invalid_level%'");

        AwaitCondition.until("the mended row", () -> api.history("mixed").size() == 3);
        // It is there before it goes from here.
        AwaitCondition.until("it is no longer among the bad", () -> database.number(LEFT) == 4);
    }

    @Test
    void killedBetweenAppendAndDeleteEveryRowIsThereOnce() throws Exception {
        int each = 2_000;
        try (TestDatabase database = TestDatabase.empty();
                ServerProcess server = ServerProcess.in(directory.resolve("data"))
                        .env("DATABASE_URL", database.urlText())
                        .start();
                Inserts administrator = Inserts.administrator(database)) {
            // Given a DELETE that waits for us, so that rows are durable and still in the table
            administrator.execute("CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS"
                    + " $$ BEGIN PERFORM pg_advisory_xact_lock(42); RETURN NULL; END $$");
            administrator.execute("CREATE TRIGGER wait BEFORE DELETE ON tailrace.log_inbox"
                    + " FOR EACH STATEMENT EXECUTE FUNCTION wait()");
            administrator.execute("SELECT pg_advisory_lock(42)");
            administrator.entries(IntStream.rangeClosed(1, each)
                    .mapToObj(i -> entry("run", i))
                    .toList());
            Api first = new Api(server.base(), ServerProcess.serviceToken());
            AwaitCondition.until(
                    "some are durable",
                    () -> first.get("/v2/executions/run").status() == 200
                            && !first.history("run").isEmpty());
            assertThat(database.number(LEFT)).isEqualTo(each);

            // When the server is killed there, and twice more at some moment of taking in
            server.kill();
            administrator.execute("SELECT pg_advisory_unlock(42)");
            for (int round = 2; round <= Soak.times(3, 20); round++) {
                int from = (round - 1) * each;
                administrator.entries(IntStream.rangeClosed(1, each)
                        .mapToObj(i -> entry("run", from + i))
                        .toList());
                server.start();
                Api api = new Api(server.base(), ServerProcess.serviceToken());
                AwaitCondition.until(
                        "it takes in",
                        PATIENCE,
                        () -> api.get("/v2/executions/run")
                                        .body()
                                        .path("last_seq")
                                        .asLong()
                                > from);
                server.kill();
            }
            server.start();

            // Then each row is there once and in order
            long all = Soak.times(3, 20) * (long) each;
            Api api = new Api(server.base(), ServerProcess.serviceToken());
            AwaitCondition.until("nothing is left", PATIENCE, () -> database.number(LEFT) == 0);
            assertThat(messages(api.history("run"))).isEqualTo(rows(all));
            AwaitCondition.until(
                    "PostgreSQL has them",
                    PATIENCE,
                    () -> ColdRows.of(database).of("run").size() >= all);
            assertThat(ColdRows.of(database).of("run"))
                    .isEqualTo(LongStream.rangeClosed(1, all)
                            .mapToObj(i -> i + ":row " + i)
                            .toList());
        }
    }
}
