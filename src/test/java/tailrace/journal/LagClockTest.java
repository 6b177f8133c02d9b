package tailrace.journal;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class LagClockTest {
    private static final long SECOND = 1_000_000_000L;
    private final LagClock clock = new LagClock();

    @Test
    void isAsOldAsTheOldestRecordNotPassed() {
        clock.sample(10, SECOND);
        clock.sample(20, 2 * SECOND);

        assertThat(clock.ageSeconds(0, 5 * SECOND)).isEqualTo(4);
        assertThat(clock.ageSeconds(10, 5 * SECOND)).isEqualTo(3);
        assertThat(clock.ageSeconds(20, 5 * SECOND)).isZero();
    }

    @Test
    void aLongOutageKeepsItsAgeAndLittleMemory() {
        for (int second = 1; second <= 100_000; second++) {
            clock.sample(second, second * SECOND);
        }

        assertThat(clock.ageSeconds(0, 100_000 * SECOND)).isEqualTo(99_999);
        assertThat(clock.ageSeconds(99_000, 100_000 * SECOND)).isBetween(900.0, 1_000.0);
    }
}
