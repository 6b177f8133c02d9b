package tailrace.journal;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Scheduler;
import com.github.benmanes.caffeine.cache.Ticker;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import tailrace.model.ExecutionState;

/**
 * Committed states of executions that somebody writes or reads. Bounded in bytes, and what nobody asked for lately goes
 * by itself: executions that were active an hour ago cost nothing. Safe for any thread.
 */
final class StateCache {
    /** Of heap, about: 20,000 states and more. */
    static final long MAX_BYTES = 16L << 20;

    static final Duration IDLE = Duration.ofMinutes(10);

    /** Of a state without its texts: the records, its counters, and the cache's own node. */
    private static final int STATE_BYTES = 700;

    private final Cache<String, StoredState> states;

    StateCache() {
        this(Ticker.systemTicker());
    }

    StateCache(Ticker ticker) {
        states = Caffeine.newBuilder()
                .maximumWeight(MAX_BYTES)
                .weigher(StateCache::bytes)
                .expireAfterAccess(IDLE)
                // Otherwise a server on which nothing happens keeps what it had when it was busy.
                .scheduler(Scheduler.systemScheduler())
                .ticker(ticker)
                .build();
    }

    private static int bytes(String executionId, StoredState stored) {
        ExecutionState state = stored.state();
        return STATE_BYTES
                + 2 * executionId.length()
                + (state == null ? 0 : length(state.workflowId()) + length(state.userId()));
    }

    private static int length(@Nullable String text) {
        return text == null ? 0 : 2 * text.length();
    }

    /** From memory, else from the files. */
    Optional<StoredState> get(String executionId, Function<String, @Nullable StoredState> read) {
        StoredState known = states.getIfPresent(executionId);
        return Optional.ofNullable(known != null ? known : states.get(executionId, read));
    }

    /** From memory, else from the files, without keeping what was read: for those who look at all of them. */
    Optional<StoredState> peek(String executionId, Function<String, @Nullable StoredState> read) {
        StoredState known = states.getIfPresent(executionId);
        return Optional.ofNullable(known != null ? known : read.apply(executionId));
    }

    void put(String executionId, StoredState committed) {
        states.put(executionId, committed);
    }

    /** What is in memory becomes what was committed; what is not stays out of it. */
    void replace(String executionId, StoredState committed) {
        states.asMap().computeIfPresent(executionId, (id, before) -> committed);
    }

    void clear() {
        states.invalidateAll();
    }

    /** How many it holds, after what is due has left. */
    long size() {
        states.cleanUp();
        return states.estimatedSize();
    }
}
