package tailrace.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;

/** What Tailrace counts of its hot tier in Redis; made only where one is configured. Safe for any thread. */
public final class RedisMetrics {
    private final Counter entriesWritten;
    private final Counter failures;
    private final Counter rebuilds;
    private final Counter streamsRebuilt;
    private final Counter readHits;
    private final Counter readFallbacks;

    public RedisMetrics(MeterRegistry registry) {
        entriesWritten = counter(registry, "tailrace.redis.entries.written", "Entries added to streams in Redis");
        failures = counter(registry, "tailrace.redis.failures", "Attempts to write to Redis that failed");
        rebuilds = counter(registry, "tailrace.redis.rebuilds", "Times Redis was found empty and filled again");
        streamsRebuilt =
                counter(registry, "tailrace.redis.streams.rebuilt", "Streams that lacked entries and were filled up");
        readHits = counter(registry, "tailrace.redis.read.hits", "Pieces of history answered by Redis");
        readFallbacks = counter(
                registry, "tailrace.redis.read.fallbacks", "Pieces of history another store answered instead of Redis");
    }

    private static Counter counter(MeterRegistry registry, String name, String description) {
        return Counter.builder(name).description(description).register(registry);
    }

    public void written(long entries) {
        entriesWritten.increment(entries);
    }

    public void failed() {
        failures.increment();
    }

    public void rebuilt() {
        rebuilds.increment();
    }

    public void streamRebuilt() {
        streamsRebuilt.increment();
    }

    public void read(boolean byRedis) {
        (byRedis ? readHits : readFallbacks).increment();
    }

    public long entriesWritten() {
        return (long) entriesWritten.count();
    }

    /** Of Redis as a whole. */
    public long rebuilds() {
        return (long) rebuilds.count();
    }
}
