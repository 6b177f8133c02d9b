package tailrace.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Promises 1 to 6 under faults that nobody chose: what Tailrace depends on is frozen, stopped, killed, cut, slowed and
 * broken, and it is killed itself, one after the other and two at once, while entries pour in and readers check every
 * seq. A run is repeated with {@code -Dtailrace.seed=…}, which every run prints.
 */
class FaultScheduleIT {
    private static final List<String> EXECUTIONS = List.of("a", "b", "c", "d", "e", "f");
    private static final int HEAP_MIB = 256;
    /** The heap, RocksDB's caches and tables in writing, Netty's buffers, the JVM itself. */
    private static final int MAX_MEMORY_MIB = 700;

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    private Path directory;

    @Test
    void whateverFailsNothingIsLostRepeatedOrReordered() throws Exception {
        long seed = Long.getLong("tailrace.seed", System.nanoTime());
        System.out.println("FaultScheduleIT runs with -Dtailrace.seed=" + seed);
        Random random = new Random(seed);
        boolean withRedis = random.nextInt(4) != 0;
        try (PostgresStore postgres = new PostgresStore(directory.resolve("database"));
                RedisStore redis = new RedisStore();
                DatabaseLink toPostgres = new DatabaseLink(postgres.port());
                DatabaseLink toRedis = new DatabaseLink(redis.port());
                ServerProcess server = ServerProcess.in(directory.resolve("data"))
                        .env("DATABASE_URL", postgres.urlText(toPostgres.port()))
                        .env("REDIS_URL", withRedis ? RedisStore.urlText(toRedis.port()) : "")
                        .env("LOG_BATCH_INTERVAL", "200ms")
                        .underLoad()
                        .jvm("-Xmx" + HEAP_MIB + "m")
                        .start()) {
            ServerTarget target = new ServerTarget(server);
            List<Fault> faults = new ArrayList<>(Fault.of(postgres, toPostgres, random));
            if (withRedis) {
                faults.addAll(Fault.of(redis, toRedis, random));
            }
            faults.addAll(target.faults());
            FaultSchedule schedule = new FaultSchedule(seed, faults, Soak.times(1, 3));
            try {
                run(server, target, schedule, seed, postgres, withRedis ? Optional.of(redis) : Optional.empty());
            } catch (Exception | AssertionError e) {
                throw new AssertionError(
                        e + "\n" + schedule.transcript() + "\n--- the server since its last start\n" + server.output(),
                        e);
            }
        }
    }

    private static void run(
            ServerProcess server,
            ServerTarget target,
            FaultSchedule schedule,
            long seed,
            PostgresStore postgres,
            Optional<RedisStore> redis)
            throws Exception {
        Api api = new Api(server::base, ServerProcess.serviceToken());
        ServerProbe probe = new ServerProbe(server);
        // Given executions into which entries pour, and readers of every kind
        for (String execution : EXECUTIONS) {
            assertThat(api.put("/v2/executions/" + execution, "{\"status\":\"RUNNING\"}")
                            .status())
                    .isEqualTo(201);
        }
        try (EntryFeed small = new EntryFeed(api, EXECUTIONS.subList(0, 3), 5, 20, 50).retrying(target::mayRefuse);
                EntryFeed large =
                        new EntryFeed(api, EXECUTIONS.subList(3, 6), 40, 100, 400).retrying(target::mayRefuse);
                SeqReaders readers = new SeqReaders(api, target)) {
            List<EntryFeed> feeds = List.of(small, large);
            EXECUTIONS.forEach(readers::follow);
            for (int i = 0; i < 3; i++) {
                readers.wander(EXECUTIONS.get(2 * i), new Random(seed + i));
            }
            readers.walk(EXECUTIONS, new Random(seed));
            feeds.forEach(EntryFeed::start);
            readers.awaitSeq("a", 50, PATIENCE);
            AwaitCondition.until("all is well", () -> probe.level() == 1);

            // When one thing after the other fails
            Trouble trouble = new Trouble(probe, feeds, readers);
            schedule.run(Soak.seconds(30, 600), trouble::any);

            // Then all is well again, and nobody has seen anything wrong
            assertThat(readers.wrong()).isEmpty();
            AwaitCondition.until("all is well again", PATIENCE, () -> probe.level() == 1);
            schedule.note("level 1");
            for (EntryFeed feed : feeds) {
                feed.finish().assertAllTaken();
                for (String execution : feed.acknowledged().keySet()) {
                    readers.awaitSeq(execution, feed.lastSeq(execution), PATIENCE);
                }
            }
            assertThat(readers.wrong()).isEmpty();
            schedule.note("the followers are at the end");
            everyTierTellsTheSame(api, feeds, readers, PostgresRows.at(postgres.url()));
            redis.ifPresent(hot -> feeds.forEach(feed -> hot.assertHold(feed, PATIENCE)));
            schedule.note("all tiers are read");
            assertThat(probe.metric("tailrace_writer_rows_refused_total")).isZero();
            assertThat(probe.level()).isEqualTo(1);
            assertThat(trouble.maxMemoryMib())
                    .as("the most memory the process had, MiB")
                    .isPositive()
                    .isLessThan(MAX_MEMORY_MIB);
            System.out.println("FaultScheduleIT: "
                    + feeds.stream()
                            .flatMap(feed -> feed.acknowledged().values().stream())
                            .mapToInt(List::size)
                            .sum()
                    + " entries acknowledged, requests repeated: " + small.refusals() + large.refusals() + ", "
                    + target.kills() + " times killed, " + readers + ", at most " + trouble.maxMemoryMib() + " MiB\n"
                    + schedule.transcript());
        }
    }

    /** Whether there is any reason to stop before the time is over; looks at the memory when asked. */
    private static final class Trouble {
        private final ServerProbe probe;
        private final List<EntryFeed> feeds;
        private final SeqReaders readers;
        private long maxMemoryMib;

        Trouble(ServerProbe probe, List<EntryFeed> feeds, SeqReaders readers) {
            this.probe = probe;
            this.feeds = feeds;
            this.readers = readers;
        }

        boolean any() {
            try {
                maxMemoryMib = Math.max(maxMemoryMib, probe.memoryMib());
            } catch (Exception e) {
                throw new AssertionError("the server's memory cannot be read", e);
            }
            return readers.hasSeenWrong() || feeds.stream().anyMatch(EntryFeed::hasFailures);
        }

        long maxMemoryMib() {
            any();
            return maxMemoryMib;
        }
    }

    /** Each entry that was acknowledged, once and in order, by stream, by history, and in PostgreSQL. */
    private static void everyTierTellsTheSame(Api api, List<EntryFeed> feeds, SeqReaders readers, PostgresRows rows)
            throws Exception {
        for (EntryFeed feed : feeds) {
            for (var execution : feed.acknowledged().entrySet()) {
                String id = execution.getKey();
                List<String> expected = execution.getValue();
                assertThat(api.history(id))
                        .extracting(entry -> entry.get("id").asText())
                        .as("history of %s", id)
                        .isEqualTo(expected);
                assertThat(streamed(api, id)).as("the stream of %s", id).isEqualTo(expected);
                var seen = readers.seen(id);
                assertThat(LongStream.rangeClosed(1, expected.size())
                                .mapToObj(seen::get)
                                .toList())
                        .as("what anybody saw of %s", id)
                        .isEqualTo(expected);
                assertThat(seen).hasSize(expected.size());
            }
            rows.assertHold(feed, PATIENCE);
        }
    }

    private static List<String> streamed(Api api, String execution) throws Exception {
        List<String> ids = new ArrayList<>();
        try (Api.Stream stream = api.stream(execution, "?follow=false")) {
            for (Api.Event event; (event = stream.next()) != null; ) {
                JsonNode entry = event.data().get("data");
                assertThat(event.type()).isEqualTo("LOG");
                assertThat(event.seq()).isEqualTo(ids.size() + 1L);
                ids.add(entry.get("id").asText());
            }
        }
        return ids;
    }
}
