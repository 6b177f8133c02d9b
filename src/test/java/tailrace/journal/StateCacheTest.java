package tailrace.journal;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import tailrace.model.EventType;
import tailrace.model.ExecutionState;
import tailrace.model.ExecutionState.Counts;
import tailrace.model.ExecutionStatus;
import tailrace.model.Level;

/** Executions that nobody asks for cost nothing; those that are many, no more than the bound. */
class StateCacheTest {
    private final AtomicLong nanos = new AtomicLong();
    private final StateCache cache = new StateCache(nanos::get);

    private static StoredState state(String id, long lastSeq) {
        var state = new ExecutionState(
                id,
                "workflow",
                "user",
                ExecutionStatus.RUNNING,
                1,
                lastSeq,
                lastSeq,
                Counts.zero(Level.values().length),
                Counts.zero(EventType.values().length),
                0,
                -1,
                1,
                1,
                0,
                1,
                1,
                1,
                1);
        return StoredState.of(state, 1, 1);
    }

    @Test
    void aHundredThousandExecutionsTakeNoMoreThanTheBound() {
        for (int i = 0; i < 100_000; i++) {
            cache.put("execution-" + i, state("execution-" + i, i));
        }

        assertThat(cache.size()).isPositive().isLessThan(StateCache.MAX_BYTES / 700);
    }

    @Test
    void whatNobodyAsksForLeaves() {
        cache.put("idle", state("idle", 1));
        cache.put("active", state("active", 1));
        nanos.addAndGet(StateCache.IDLE.toNanos() / 2 + 1);
        cache.get("active", missing -> null);

        nanos.addAndGet(StateCache.IDLE.toNanos() / 2 + 1);

        assertThat(cache.size()).isEqualTo(1);
        assertThat(cache.get("active", missing -> null)).isPresent();
        assertThat(cache.get("idle", missing -> null)).isEmpty();
    }

    @Test
    void whoLooksAtAllKeepsNothing() {
        assertThat(cache.peek("e", id -> state(id, 1))).isPresent();
        cache.replace("e", state("e", 2));
        assertThat(cache.size()).isZero();

        cache.get("e", id -> state(id, 1));
        cache.replace("e", state("e", 2));

        assertThat(cache.peek("e", id -> null).orElseThrow().highestSeq()).isEqualTo(2);
    }
}
