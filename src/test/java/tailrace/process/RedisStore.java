package tailrace.process;

import java.time.Duration;
import java.util.List;
import java.util.stream.LongStream;
import redis.clients.jedis.Jedis;
import tailrace.redis.TestRedis;

/** A Redis of one test's own, which keeps on disk what it is told. */
final class RedisStore implements Store {
    private final TestRedis redis = TestRedis.start("--appendonly", "yes");

    /** As configuration has it, through another port of this machine. */
    static String urlText(int port) {
        return "redis://127.0.0.1:" + port;
    }

    @Override
    public String name() {
        return "redis";
    }

    @Override
    public int port() {
        return redis.port();
    }

    @Override
    public void start() {
        redis.restart();
    }

    /** SIGTERM: what was written is on disk. */
    @Override
    public void stop() {
        redis.stop();
    }

    @Override
    public void kill() {
        redis.kill();
    }

    @Override
    public void freeze() {
        redis.freeze();
    }

    @Override
    public void thaw() {
        redis.thaw();
    }

    @Override
    public List<Fault> ownFaults(Fault.Step restart) {
        return List.of(
                new Fault(name(), "flushed", () -> redis.run(Jedis::flushAll), () -> {}, 0, 500),
                new Fault(
                        name(),
                        "exchanged for an empty one",
                        () -> {
                            redis.run(Jedis::flushAll);
                            redis.kill();
                        },
                        restart,
                        0,
                        3_000));
    }

    /** Waits until each acknowledged entry is here, and sees that it is once, in order, and nothing else is. */
    void assertHold(EntryFeed feed, Duration patience) {
        for (String execution : feed.acknowledged().keySet()) {
            List<Long> expected =
                    LongStream.rangeClosed(1, feed.lastSeq(execution)).boxed().toList();
            AwaitCondition.until(
                    "Redis has the " + expected.size() + " entries of " + execution + ", once and in order",
                    patience,
                    () -> redis.seqs(execution).equals(expected));
        }
    }

    @Override
    public void close() {
        redis.close();
    }
}
