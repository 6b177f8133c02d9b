package tailrace.query;

import io.vertx.core.Future;
import java.util.List;
import java.util.Optional;
import tailrace.model.LogEntry;
import tailrace.redis.RedisHotTier;
import tailrace.redis.RedisReader;

/** The hot tier in Redis, for the event loop it was made on. */
public final class RedisHotStore implements HotStore {
    private final RedisHotTier tier;
    private final RedisReader reader;

    public RedisHotStore(RedisHotTier tier) {
        this.tier = tier;
        this.reader = tier.reader();
    }

    @Override
    public boolean usable() {
        return reader.usable();
    }

    @Override
    public long position() {
        return tier.position();
    }

    @Override
    public Future<List<LogEntry>> entries(
            String executionId, long fromSeq, long toSeq, boolean ascending, int maxEntries) {
        return reader.entries(executionId, fromSeq, toSeq, ascending, maxEntries);
    }

    @Override
    public Future<Optional<Span>> span(String executionId) {
        return reader.span(executionId)
                .map(found -> found.map(span -> new Span(span.firstSeq(), span.lastSeq(), span.length())));
    }

    @Override
    public void counted(boolean answered) {
        tier.read(answered);
    }
}
