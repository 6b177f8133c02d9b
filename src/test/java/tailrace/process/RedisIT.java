package tailrace.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import redis.clients.jedis.StreamEntryID;
import tailrace.postgres.TestDatabase;
import tailrace.redis.TestRedis;

/** Promise 5: Redis being away, slow, full, emptied or restarted loses nothing and is not noticed by anybody. */
class RedisIT {
    private static final List<String> EXECUTIONS = List.of("a", "b", "c", "d");
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    /** A reader that waited for a frozen Redis would wait until the client gives up. */
    private static final Duration PROMPT = Duration.ofSeconds(5);

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path directory;

    /** A server under load, with readers. */
    private static final class Scene {
        final TestRedis redis;
        final ServerProbe probe;
        final Api service;

        Scene(TestRedis redis, ServerProcess server) {
            this.redis = redis;
            this.probe = new ServerProbe(server);
            this.service = new Api(server.base(), ServerProcess.serviceToken());
        }

        JsonNode health() throws Exception {
            return probe.health().get("redis");
        }

        /** Redis takes entries and has all that was appended until now. */
        void awaitCaughtUp(String what) {
            AwaitCondition.until(what, PATIENCE, () -> {
                JsonNode stats = service.get("/v2/logs/stats").body();
                long end = stats.get("journal_position").asLong();
                AwaitCondition.until(
                        "the cursor in Redis passes " + end,
                        PATIENCE,
                        () -> health().get("available").asBoolean() && cursor() >= end);
                return true;
            });
        }

        long cursor() throws Exception {
            for (JsonNode cursor : service.get("/v2/logs/stats").body().get("cursors")) {
                if (cursor.get("cursor").asText().equals("redis")) {
                    return cursor.get("position").asLong();
                }
            }
            throw new IllegalStateException("no cursor of Redis in the stats");
        }

        /** All of a live execution by history: it begins with 1 and has no hole, and there is more each time. */
        int assertHistoryWhole(String execution) throws Exception {
            List<Long> seqs = service.history(execution).stream()
                    .map(entry -> entry.get("seq").asLong())
                    .toList();
            assertThat(seqs)
                    .isEqualTo(LongStream.rangeClosed(1, seqs.size()).boxed().toList());
            return seqs.size();
        }
    }

    @Test
    void whateverHappensToRedisNobodyNotices() throws Exception {
        try (TestDatabase database = TestDatabase.empty();
                TestRedis redis = TestRedis.start();
                ServerProcess server = ServerProcess.in(directory.resolve("data"))
                        .env("DATABASE_URL", database.urlText())
                        .env("REDIS_URL", redis.url())) {
            // Given a server that was started while Redis was away
            redis.kill();
            server.start();
            Scene scene = new Scene(redis, server);
            assertThat(scene.health().get("available").asBoolean()).isFalse();
            List<LiveFollower> readers = new ArrayList<>();
            try (EntryFeed feed = new EntryFeed(scene.service, EXECUTIONS, 20, 20, 100)) {
                for (String execution : EXECUTIONS) {
                    scene.service.put("/v2/executions/" + execution, "{\"status\":\"RUNNING\"}");
                    readers.add(new LiveFollower(scene.service, execution, ""));
                }
                feed.start();
                readers.get(0).awaitSeq(100, PATIENCE);

                // When it comes, it gets what there is, and is read
                redis.restart();
                scene.awaitCaughtUp("Redis is written");
                double hits = scene.probe.metric("tailrace_redis_read_hits_total");
                AwaitCondition.until("Redis is read", () -> {
                    scene.assertHistoryWhole("a");
                    return scene.probe.metric("tailrace_redis_read_hits_total") > hits;
                });

                emptied(scene);
                exchanged(scene);
                frozen(scene, readers.get(2));
                full(scene);
                evicting(scene);
                redis.kill();
                scene.assertHistoryWhole("b");
                redis.restart();
                scene.awaitCaughtUp("a Redis that was killed and is empty is filled");

                // Then nobody noticed
                feed.finish().assertAllTaken();
                for (int i = 0; i < readers.size(); i++) {
                    long lastSeq = feed.lastSeq(EXECUTIONS.get(i));
                    readers.get(i).awaitSeq(lastSeq, PATIENCE).assertSeen(lastSeq);
                    assertThat(scene.assertHistoryWhole(EXECUTIONS.get(i))).isEqualTo(lastSeq);
                }
                // And every entry is in Redis once
                scene.awaitCaughtUp("Redis has it all");
                for (String execution : EXECUTIONS) {
                    assertThat(redis.seqs(execution))
                            .as("the stream of " + execution)
                            .isEqualTo(LongStream.rangeClosed(1, feed.lastSeq(execution))
                                    .boxed()
                                    .toList());
                }
                PostgresRows.of(database).assertHold(feed, PATIENCE);
            } finally {
                for (LiveFollower reader : readers) {
                    reader.close();
                }
            }
            assertThat(server.output())
                    .as("outages are told in a line each")
                    .contains("Redis takes no entries", "Redis holds nothing of this journal")
                    .doesNotContain("\tat ");
            goesOnAfterARestart(server, redis);
        }
    }

    private static void emptied(Scene scene) throws Exception {
        double rebuilds = scene.probe.metric("tailrace_redis_rebuilds_total");
        scene.redis.run(redis -> redis.flushAll());
        scene.assertHistoryWhole("a");
        AwaitCondition.until(
                "an emptied Redis is noticed",
                PATIENCE,
                () -> scene.probe.metric("tailrace_redis_rebuilds_total") > rebuilds);
        scene.awaitCaughtUp("an emptied Redis is filled");
        assertThat(scene.redis.seqs("a").get(0)).isEqualTo(1);
    }

    /** Another installation's Redis in place of ours: it knows an execution of the same name. */
    private static void exchanged(Scene scene) throws Exception {
        String ours = scene.redis.stream("a");
        String others = ours.replaceFirst("tailrace:[0-9a-f]{16}", "tailrace:0123456789abcdef");
        scene.redis.run(redis -> {
            redis.flushAll();
            redis.set("tailrace:0123456789abcdef:cursor", "1000000");
            for (int seq = 1; seq <= 50; seq++) {
                redis.xadd(others, new StreamEntryID(seq, 0), Map.of("e", "another's"));
            }
            return true;
        });
        scene.assertHistoryWhole("a");
        scene.awaitCaughtUp("an exchanged Redis is filled");
        long first = scene.redis.run(redis ->
                redis.xrange(ours, (StreamEntryID) null, null, 1).get(0).getID().getTime());
        assertThat(first).isEqualTo(1);
        scene.redis.run(redis -> redis.del(others));
    }

    private static void frozen(Scene scene, LiveFollower reader) throws Exception {
        scene.redis.freeze();
        try {
            for (int i = 0; i < 5; i++) {
                long started = System.nanoTime();
                assertThat(scene.service
                                .get("/v2/workflows/executions/c/logs?limit=100")
                                .status())
                        .isEqualTo(200);
                assertThat(Duration.ofNanos(System.nanoTime() - started)).isLessThan(PROMPT);
            }
            AwaitCondition.until(
                    "health says that Redis does not answer",
                    PATIENCE,
                    () -> scene.health().path("detail").asText().equals("does not answer"));
            // What is sent now is taken and shown now
            int before = scene.assertHistoryWhole("c");
            reader.awaitSeq(before + 200, PATIENCE);
            assertThat(scene.assertHistoryWhole("c")).isGreaterThanOrEqualTo(before + 200);
            assertThat(scene.probe.health().get("status").asText()).isEqualTo("ok");
        } finally {
            scene.redis.thaw();
        }
        scene.awaitCaughtUp("a Redis that hung catches up");
    }

    private static void full(Scene scene) throws Exception {
        scene.redis.set("maxmemory", "1");
        try {
            AwaitCondition.until(
                    "health says that Redis is full",
                    PATIENCE,
                    () -> scene.health().path("detail").asText().contains("OOM"));
            scene.assertHistoryWhole("d");
        } finally {
            scene.redis.set("maxmemory", "0");
        }
        scene.awaitCaughtUp("a Redis that was full catches up");
    }

    private static void evicting(Scene scene) throws Exception {
        long evicted = scene.redis.info("evicted_keys");
        scene.redis.set("maxmemory-policy", "allkeys-lru");
        scene.redis.set("maxmemory", Long.toString(scene.redis.info("used_memory")));
        try {
            AwaitCondition.until("streams are evicted", PATIENCE, () -> scene.redis.info("evicted_keys") > evicted + 2);
            for (String execution : EXECUTIONS) {
                scene.assertHistoryWhole(execution);
            }
        } finally {
            scene.redis.set("maxmemory", "0");
        }
        scene.awaitCaughtUp("what was evicted comes back");
    }

    private static void goesOnAfterARestart(ServerProcess server, TestRedis redis) throws Exception {
        assertThat(server.terminate()).isEqualTo(143);
        server.start();
        Scene again = new Scene(redis, server);
        again.awaitCaughtUp("the cursor is found again");
        assertThat(again.probe.metric("tailrace_redis_rebuilds_total")).isZero();
        assertThat(again.probe.metric("tailrace_redis_entries_written_total")).isZero();
    }
}
