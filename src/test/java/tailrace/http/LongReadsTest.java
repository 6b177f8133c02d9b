package tailrace.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import tailrace.metrics.Metrics;
import tailrace.security.Principal;

/** Who reads whole executions gets a place, up to a number, and gives it back once. */
class LongReadsTest {
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final LongReads reads = new LongReads(new Metrics(registry));

    private static Principal principal(String name) {
        return new Principal(name, false, Long.MAX_VALUE);
    }

    @Test
    void thereAreSoManyAndNoMore() {
        List<LongReads.Place> places = new ArrayList<>();
        for (int i = 0; i < LongReads.MAX_OPEN; i++) {
            places.add(reads.enter(principal("p" + i)));
        }
        assertThatThrownBy(() -> reads.enter(principal("late"))).isInstanceOfSatisfying(Problem.class, problem -> {
            assertThat(problem.status()).isEqualTo(429);
            assertThat(problem.retryAfterSeconds()).isPositive();
        });
        assertThat(reads.open()).isEqualTo(LongReads.MAX_OPEN);
        places.get(0).close();
        places.get(0).close();
        assertThat(reads.open()).isEqualTo(LongReads.MAX_OPEN - 1);
        reads.enter(principal("late"));
        assertThatThrownBy(() -> reads.enter(principal("later"))).isInstanceOf(Problem.class);
        assertThat(registry.get("tailrace.long.reads.refused").functionCounter().count())
                .isEqualTo(2);
    }

    @Test
    void nobodyGetsThemAll() {
        List<LongReads.Place> places = new ArrayList<>();
        for (int i = 0; i < LongReads.MAX_OPEN_OF_ONE; i++) {
            places.add(reads.enter(principal("greedy")));
        }
        assertThatThrownBy(() -> reads.enter(principal("greedy"))).isInstanceOf(Problem.class);
        places.add(reads.enter(principal("other")));
        places.forEach(LongReads.Place::close);
        assertThat(reads.open()).isZero();
        reads.enter(principal("greedy")).close();
    }
}
