package tailrace.degradation;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Optional;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;
import tailrace.bus.BusMessage.WriterState;
import tailrace.degradation.Standing.Cause;

/** Each way up and down of SPEC 9, by samples of a test's choice. */
class LadderTest {
    private static final WriterState THERE = new WriterState(true, true, "");
    private static final WriterState AWAY = new WriterState(false, true, "PostgreSQL does not answer: refused");
    private static final long STEP = Duration.ofMillis(200).toNanos();

    private final Ladder ladder = new Ladder(80, 1_000, 100);
    private long now;

    private Standing next(WriterState writer, Optional<Boolean> redis, long needed, long queue) {
        now += STEP;
        return ladder.next(new Sample(writer, redis, needed, queue), now);
    }

    private int level(WriterState writer, Optional<Boolean> redis, long needed) {
        return next(writer, redis, needed, 0).level();
    }

    private void settles(WriterState writer, Optional<Boolean> redis, long needed, int from, int to) {
        for (long until = now + Ladder.DWELL.toNanos(); now < until; ) {
            assertThat(level(writer, redis, needed)).isEqualTo(from);
        }
        assertThat(level(writer, redis, needed)).isEqualTo(to);
    }

    @Test
    void postgresAwayIsLevelTwoAtOnceAndOneAgainOnceItHasLasted() {
        assertThat(level(THERE, Optional.empty(), 0)).isEqualTo(1);
        Standing away = next(AWAY, Optional.empty(), 0, 0);
        assertThat(away.level()).isEqualTo(2);
        assertThat(away.reasons()).containsExactly("PostgreSQL does not answer: refused");
        assertThat(away.pressure()).isZero();
        settles(THERE, Optional.empty(), 0, 2, 1);
        assertThat(next(THERE, Optional.empty(), 0, 0).reasons()).isEmpty();
    }

    @Test
    void whatComesAndGoesKeepsTheWorseLevel() {
        assertThat(level(AWAY, Optional.empty(), 0)).isEqualTo(2);
        for (int i = 0; i < 20; i++) {
            assertThat(level(THERE, Optional.empty(), 0)).isEqualTo(2);
            assertThat(level(THERE, Optional.empty(), 0)).isEqualTo(2);
            assertThat(level(AWAY, Optional.empty(), 0)).isEqualTo(2);
        }
    }

    @Test
    void redisAwayTooIsLevelThree() {
        assertThat(level(AWAY, Optional.of(true), 0)).isEqualTo(2);
        Standing both = next(AWAY, Optional.of(false), 0, 0);
        assertThat(both.level()).isEqualTo(3);
        assertThat(both.reasons()).hasSize(2);
        settles(AWAY, Optional.of(true), 0, 3, 2);
        settles(THERE, Optional.of(true), 0, 2, 1);
    }

    @Test
    void redisAloneAwayIsToldWithoutAChangeOfLevel() {
        Standing standing = next(THERE, Optional.of(false), 0, 0);
        assertThat(standing.level()).isEqualTo(1);
        assertThat(standing.degraded()).isTrue();
        assertThat(standing.reasons()).containsExactly("Redis does not answer");
    }

    @Test
    void whatIsNeededOverTheThresholdIsLevelFourWhateverTheRest() {
        assertThat(level(THERE, Optional.empty(), 799)).isEqualTo(1);
        assertThat(level(THERE, Optional.empty(), 800)).isEqualTo(4);
        Standing four = next(AWAY, Optional.empty(), 900, 0);
        assertThat(four.level()).isEqualTo(4);
        assertThat(four.cause()).isEqualTo(Cause.JOURNAL_BACKLOG);
        assertThat(four.pressure()).isEqualTo(0.5);
        assertThat(four.reasons())
                .containsExactly(
                        "PostgreSQL does not answer: refused",
                        "what PostgreSQL or Redis still need takes 90 % of JOURNAL_MAX_BYTES");
        assertThat(next(AWAY, Optional.empty(), 2_000, 0).pressure()).isEqualTo(1);
    }

    @Test
    void theQueueOverTheThresholdIsLevelFour() {
        assertThat(next(THERE, Optional.empty(), 0, 79).level()).isEqualTo(1);
        Standing four = next(THERE, Optional.empty(), 0, 90);
        assertThat(four.level()).isEqualTo(4);
        assertThat(four.cause()).isEqualTo(Cause.INGEST_QUEUE);
        assertThat(four.pressure()).isEqualTo(0.5);
        assertThat(four.reasons()).containsExactly("what waits for its commit takes 90 % of JOURNAL_QUEUE_BYTES");
    }

    @Test
    void levelFourIsLeftWellBelowTheThresholdOnly() {
        assertThat(level(THERE, Optional.empty(), 800)).isEqualTo(4);
        for (int i = 0; i < 50; i++) {
            Standing standing = next(THERE, Optional.empty(), 700, 0);
            assertThat(standing.level()).isEqualTo(4);
            assertThat(standing.pressure()).isZero();
        }
        settles(AWAY, Optional.empty(), 699, 4, 2);
        settles(THERE, Optional.empty(), 0, 2, 1);
        assertThat(level(THERE, Optional.empty(), 799)).isEqualTo(1);
    }

    @Test
    void theFirstSampleCountsAtOnce() {
        assertThat(level(AWAY, Optional.empty(), 0)).isEqualTo(2);
    }

    @Property(tries = 300)
    void noLevelIsLeftDownwardsSoonerThanTheBetterHasLasted(
            @ForAll @Size(min = 5, max = 200) @IntRange(max = 7) int[] samples) {
        var random = new Ladder(80, 1_000, 100);
        int before = 0;
        long lastUp = 0;
        for (int i = 0; i < samples.length; i++) {
            int sample = samples[i];
            long at = i * STEP;
            int level = random.next(
                            new Sample(
                                    (sample & 1) == 0 ? THERE : AWAY,
                                    Optional.of((sample & 2) == 0),
                                    (sample & 4) == 0 ? 0 : 900,
                                    0),
                            at)
                    .level();
            int wanted = (sample & 4) != 0 ? 4 : (sample & 1) == 0 ? 1 : (sample & 2) == 0 ? 2 : 3;
            assertThat(level).isGreaterThanOrEqualTo(wanted);
            if (i > 0 && level < before) {
                assertThat(level).isEqualTo(wanted);
                assertThat(at - lastUp).isGreaterThanOrEqualTo(Ladder.DWELL.toNanos());
            }
            if (wanted >= level) {
                lastUp = at;
            }
            before = level;
        }
    }
}
