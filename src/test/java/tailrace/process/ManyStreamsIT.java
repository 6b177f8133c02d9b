package tailrace.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tailrace.postgres.TestDatabase;

/** 1,000 people watch at once: each gets everything, and they cost the server little. */
class ManyStreamsIT {
    private static final int STREAMS = 1_000;
    /** 1,000 connections at 9 KB of heap and their share of Netty's buffers, with room for the collector's mood. */
    private static final int MAX_GROWTH_MIB = 150;

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
    void aThousandWatchOneExecution() throws Exception {
        everybodyGetsEverything(List.of("one of all"), 20);
    }

    @Test
    void aThousandWatchAHundredExecutions() throws Exception {
        everybodyGetsEverything(
                IntStream.range(0, 100).mapToObj(i -> "one of hundred " + i).toList(), 10);
    }

    private static void everybodyGetsEverything(List<String> executions, int batchEntries) throws Exception {
        // Given executions that run, and what the server takes with some work done but nobody watching
        for (String execution : executions) {
            assertThat(service.put("/v2/executions/" + Api.encode(execution), "{\"status\":\"RUNNING\"}")
                            .status())
                    .isEqualTo(201);
        }
        long memoryBefore = probe.memoryMib();
        try (StreamFleet fleet = new StreamFleet(server.base(), ServerProcess.serviceToken());
                EntryFeed feed = new EntryFeed(service, executions, batchEntries, 20, 200)) {
            // When entries pour in while 1,000 connect, and go on for a while
            feed.start();
            for (int i = 0; i < STREAMS; i++) {
                fleet.open(executions.get(i % executions.size()), "", false);
            }
            AwaitCondition.until("all streams are open", PATIENCE, () -> probe.liveStreams() == STREAMS);
            AwaitCondition.elapse(Soak.seconds(4, 60));
            feed.finish().assertAllTaken();
            long memoryDuring = probe.memoryMib();
            for (String execution : executions) {
                service.put("/v2/executions/" + Api.encode(execution), "{\"status\":\"SUCCEEDED\"}");
            }

            // Then each sees all of its execution, in order, COMPLETE, and the end
            AwaitCondition.until("all streams have ended", PATIENCE, () -> fleet.readers().stream()
                    .allMatch(reader -> reader.ended));
            fleet.check();
            for (int i = 0; i < STREAMS; i++) {
                StreamFleet.Reader reader = fleet.readers().get(i);
                assertThat(reader.status).isEqualTo(200);
                assertThat(reader.entries)
                        .as("%s", reader)
                        .isEqualTo(feed.lastSeq(executions.get(i % executions.size())));
                assertThat(reader.outOfStep).as("%s", reader).isZero();
                assertThat(reader.complete).as("%s", reader).isTrue();
                assertThat(reader.otherEvents).isEmpty();
            }
            assertThat(memoryDuring - memoryBefore)
                    .as("MiB that 1,000 streams cost, from " + memoryBefore)
                    .isLessThan(MAX_GROWTH_MIB);
        }
        AwaitCondition.until("no stream is left", () -> probe.liveStreams() == 0);
    }
}
