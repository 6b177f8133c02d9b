package tailrace.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tailrace.postgres.TestDatabase;

/** A reader who stops reading costs no memory and hurts nobody else (SPEC 7, promise 6). */
@Tag("alone")
class SlowReaderIT {
    private static final int STALLED = 5;
    private static final long PASSING_BYTES = 100L << 20;
    private static final int MESSAGE_CHARS = 8_000;
    private static final int BATCH_ENTRIES = 50;
    private static final int BATCH_MILLIS = 20;
    /** A tenth of what would be queued if each stalled reader had a queue. */
    private static final int MAX_GROWTH_MIB = 50;
    /** Of a reader beside the stalled ones; 50 ms on a machine of its own. */
    private static final int MAX_P99_MILLIS = 500;

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    private static Path directory;

    private static TestDatabase database;
    private static ServerProcess server;
    private static ServerProbe probe;
    private static Api service;

    @BeforeAll
    static void start() throws Exception {
        database = TestDatabase.empty();
        server = ServerProcess.in(directory.resolve("data"))
                .env("DATABASE_URL", database.urlText())
                .env("STREAM_STUCK_TIMEOUT", "20s")
                .underLoad()
                .jvm("-Xmx256m")
                .start();
        probe = new ServerProbe(server);
        service = new Api(server.base(), ServerProcess.serviceToken());
    }

    @AfterAll
    static void stop() throws Exception {
        server.close();
        database.close();
    }

    @Test
    void aReaderThatStopsReadingCostsNothing() throws Exception {
        // Given the memory the server takes once as much has passed with nobody stalled
        passBy("warm-up", 0);
        long memoryBefore = probe.memoryMib();

        // When it passes again, by readers who do not read
        try (StreamFleet fleet = new StreamFleet(server.base(), ServerProcess.serviceToken())) {
            service.put("/v2/executions/stalled", "{\"status\":\"RUNNING\"}");
            for (int i = 0; i < STALLED; i++) {
                fleet.open("stalled", "", true);
            }
            AwaitCondition.until("they are connected", () -> probe.liveStreams() == STALLED);
            long lastSeq = passBy("stalled", STALLED);

            // Then nothing was kept for them
            assertThat(probe.memoryMib() - memoryBefore)
                    .as("MiB that %s stalled readers cost, from %s", STALLED, memoryBefore)
                    .isLessThan(MAX_GROWTH_MIB);

            // And when one of them reads on, it misses nothing; those who do not are closed
            StreamFleet.Reader back = fleet.readers().get(0);
            back.resume();
            AwaitCondition.until("the one who reads again has caught up", PATIENCE, () -> back.lastSeq >= lastSeq);
            assertThat(back.entries).as("%s", back).isEqualTo(lastSeq);
            assertThat(back.outOfStep).as("%s", back).isZero();
            AwaitCondition.until("the others are closed", PATIENCE, () -> probe.liveStreams() == 1);
            assertThat(probe.metric("tailrace_live_readers_closed_stuck_total")).isEqualTo(STALLED - 1);
            fleet.check();
        }
        AwaitCondition.until("no stream is left", () -> probe.liveStreams() == 0);
    }

    /** Sends 100 MB past a reader who reads, and proves that it is served well; returns the last seq. */
    private static long passBy(String execution, int stalled) throws Exception {
        service.put("/v2/executions/" + execution, "{\"status\":\"RUNNING\"}");
        try (LiveFollower reader = new LiveFollower(service, execution, "");
                EntryFeed feed =
                        new EntryFeed(service, List.of(execution), BATCH_ENTRIES, BATCH_MILLIS, MESSAGE_CHARS)) {
            feed.start();
            long entries = PASSING_BYTES / MESSAGE_CHARS;
            reader.awaitSeq(entries, PATIENCE);
            if (stalled > 0) {
                assertThat(probe.liveStreams()).isEqualTo(stalled + 1);
            }
            feed.finish().assertAllTaken();
            long lastSeq = feed.lastSeq(execution);
            reader.awaitSeq(lastSeq, PATIENCE).assertSeen(lastSeq);
            assertThat(reader.delayMillis().getValueAtPercentile(99))
                    .as("p99 of the delivery of " + lastSeq + " entries, ms")
                    .isLessThan(MAX_P99_MILLIS);
            return lastSeq;
        }
    }
}
