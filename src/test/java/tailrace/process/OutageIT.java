package tailrace.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tailrace.postgres.TestDatabase;

/** Promise 5: PostgreSQL being away stops neither ingest nor live streams and loses nothing. */
class OutageIT {
    private static final List<String> EXECUTIONS = List.of("a", "b", "c", "d");
    /** An outage that stopped ingest or delivery would show in seconds. */
    private static final int MAX_P99_MILLIS = 1_000;

    private static final int MAX_PAUSE_MILLIS = 5_000;
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    private Path directory;

    @Test
    @Tag("alone")
    void aPostgresThatHangsOrDiesIsNotMissed() throws Exception {
        // Given a server with its own PostgreSQL, readers, and load
        try (ServerProcess server =
                ServerProcess.in(directory.resolve("data")).underLoad().start()) {
            ServerProbe probe = new ServerProbe(server);
            Api service = new Api(server.base(), ServerProcess.serviceToken());
            List<LiveFollower> readers = new ArrayList<>();
            try (EntryFeed feed = new EntryFeed(service, EXECUTIONS, 20, 20, 100)) {
                for (String execution : EXECUTIONS) {
                    service.put("/v2/executions/" + execution, "{\"status\":\"RUNNING\"}");
                    readers.add(new LiveFollower(service, execution, ""));
                }
                feed.start();
                readers.get(0).awaitSeq(100, PATIENCE);
                assertThat(probe.level()).isEqualTo(1);

                // When it hangs for a while, every process of it
                ProcessHandle postmaster = server.postmaster().orElseThrow();
                List<ProcessHandle> frozen = Signals.freeze(postmaster);
                try {
                    AwaitCondition.until("health says degraded", () -> probe.level() == 2);
                    AwaitCondition.elapse(Soak.seconds(8, 60));
                    assertThat(probe.health().get("status").asText()).isEqualTo("degraded");
                    assertThat(probe.level()).isEqualTo(2);
                } finally {
                    Signals.thaw(frozen);
                }
                AwaitCondition.until("all is well again", PATIENCE, () -> probe.level() == 1);

                // And when it is killed
                long killed = postmaster.pid();
                postmaster.destroyForcibly();
                AwaitCondition.until(
                        "another postmaster is up and used",
                        PATIENCE,
                        () -> server.postmaster()
                                        .filter(now -> now.pid() != killed)
                                        .isPresent()
                                && probe.level() == 1);

                // Then nobody noticed, and every row is there once
                feed.finish().assertAllTaken();
                assertThat(feed.latencyMillis().getValueAtPercentile(99))
                        .as("p99 of the 202, ms")
                        .isLessThan(MAX_P99_MILLIS);
                assertThat(feed.latencyMillis().getMaxValue())
                        .as("the longest wait for a 202, ms")
                        .isLessThan(MAX_PAUSE_MILLIS);
                for (int i = 0; i < readers.size(); i++) {
                    long lastSeq = feed.lastSeq(EXECUTIONS.get(i));
                    readers.get(i).awaitSeq(lastSeq, PATIENCE).assertSeen(lastSeq);
                    assertThat(readers.get(i).delayMillis().getValueAtPercentile(99))
                            .as("p99 of the delivery, ms")
                            .isLessThan(MAX_P99_MILLIS);
                }
                PostgresRows.embeddedIn(server.dataDir()).assertHold(feed, PATIENCE);
            } finally {
                for (LiveFollower reader : readers) {
                    reader.close();
                }
            }
        }
    }

    @Test
    void aKnownJournalStartsWithoutPostgres() throws Exception {
        try (TestDatabase database = TestDatabase.empty();
                DatabaseLink link = new DatabaseLink(database.url().port());
                ServerProcess server =
                        ServerProcess.in(directory.resolve("data")).env("DATABASE_URL", database.text(link.port()))) {
            // Given a journal that PostgreSQL knows
            server.start();
            Api before = new Api(server.base(), ServerProcess.serviceToken());
            assertThat(before.post("/v2/executions/old/logs", "[{\"message\":\"before\"}]")
                            .status())
                    .isEqualTo(202);
            assertThat(server.terminate()).isEqualTo(143);

            // When the server starts while PostgreSQL is away
            link.cut();
            server.start();

            // Then it takes, shows and remembers
            ServerProbe probe = new ServerProbe(server);
            assertThat(probe.level()).isEqualTo(2);
            Api service = new Api(server.base(), ServerProcess.serviceToken());
            assertThat(service.history("old")).hasSize(1);
            try (EntryFeed feed = new EntryFeed(service, EXECUTIONS, 10, 20, 0).start()) {
                AwaitCondition.until(
                        "the execution is there",
                        () -> service.get("/v2/executions/a").status() == 200);
                try (LiveFollower reader = new LiveFollower(service, "a", "")) {
                    reader.awaitSeq(100, PATIENCE);
                    feed.finish().assertAllTaken();
                    reader.awaitSeq(feed.lastSeq("a"), PATIENCE).assertSeen(feed.lastSeq("a"));
                }

                // And when PostgreSQL is back, it gets everything
                link.mend();
                AwaitCondition.until("all is well", PATIENCE, () -> probe.level() == 1);
                PostgresRows.of(database).assertHold(feed, PATIENCE);
            }
        }
    }

    @Test
    void aNewJournalWaitsForPostgresAndSaysSo() throws Exception {
        try (TestDatabase database = TestDatabase.empty();
                DatabaseLink link = new DatabaseLink(database.url().port());
                ServerProcess server =
                        ServerProcess.in(directory.resolve("data")).env("DATABASE_URL", database.text(link.port()))) {
            link.cut();
            CompletableFuture<Void> started = CompletableFuture.runAsync(() -> {
                try {
                    server.start();
                } catch (Exception e) {
                    throw new IllegalStateException(e);
                }
            });
            AwaitCondition.until("it says what it waits for", PATIENCE, () -> server.output()
                    .contains("Waiting for PostgreSQL, without which a new journal cannot start"));
            assertThat(started).isNotDone();

            link.mend();
            started.get(60, TimeUnit.SECONDS);
            assertThat(new Api(server.base(), ServerProcess.serviceToken())
                            .post("/v2/executions/first/logs", "[{\"message\":\"taken\"}]")
                            .status())
                    .isEqualTo(202);
        }
    }

    @Test
    void connectionsThatBreakWithinFlushesWriteEachRowOnce() throws Exception {
        try (TestDatabase database = TestDatabase.empty();
                DatabaseLink link = new DatabaseLink(database.url().port());
                ServerProcess server = ServerProcess.in(directory.resolve("data"))
                        .env("DATABASE_URL", database.text(link.port()))
                        .env("LOG_BATCH_INTERVAL", "50ms")
                        .start()) {
            Api service = new Api(server.base(), ServerProcess.serviceToken());
            try (EntryFeed feed = new EntryFeed(service, EXECUTIONS, 20, 10, 200).start()) {
                // When connections break somewhere in what is said, again and again; by time, because the server
                // backs off, and how often it comes back is its own affair
                link.breakWithin(40_000);
                AwaitCondition.elapse(Soak.seconds(0, 90));
                AwaitCondition.until("connections have broken", PATIENCE, () -> link.breaks() >= Soak.times(8, 40));
                link.mend();

                // Then ingest did not notice and each row is there once
                feed.finish().assertAllTaken();
                PostgresRows.of(database).assertHold(feed, PATIENCE);
                assertThat(new ServerProbe(server).metric("tailrace_writer_flush_failures_total"))
                        .as("flushes that were broken off")
                        .isPositive();
            }
        }
    }
}
