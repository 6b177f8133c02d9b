package tailrace.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import tailrace.config.TailraceConfig.IngestRate;

class SenderRatesTest {
    private static final long SECOND = 1_000_000_000L;

    private long now = 5 * SECOND;

    private SenderRates rates(OptionalLong entries, OptionalLong bytes, Duration burst) {
        return new SenderRates(new IngestRate(entries, bytes, burst), () -> now);
    }

    private SenderRates entries(long perSecond, int burstSeconds) {
        return rates(OptionalLong.of(perSecond), OptionalLong.empty(), Duration.ofSeconds(burstSeconds));
    }

    @Test
    void withoutALimitNobodyIsAskedOrRemembered() {
        SenderRates rates = rates(OptionalLong.empty(), OptionalLong.empty(), Duration.ofSeconds(1));
        for (int i = 0; i < 1_000; i++) {
            assertThat(rates.take("a", 1_000_000, 1L << 40)).isEmpty();
        }
        assertThat(rates.refusal("a")).isEmpty();
        assertThat(rates.size()).isZero();
    }

    @Test
    void theBurstIsTakenAndThenTheRateHolds() {
        SenderRates rates = entries(100, 10);
        assertThat(rates.take("a", 600, 0)).isEmpty();
        assertThat(rates.take("a", 400, 0)).isEmpty();
        assertThat(rates.refusal("a")).hasValue(1);
        assertThat(rates.take("a", 1, 0)).hasValue(1);
        now += SECOND;
        assertThat(rates.refusal("a")).isEmpty();
        assertThat(rates.take("a", 100, 0)).isEmpty();
        assertThat(rates.take("a", 1, 0)).isPresent();
    }

    @Test
    void aBatchLargerThanTheBurstIsTakenAndWaitedOffToTheSecond() {
        SenderRates rates = entries(10, 1);
        assertThat(rates.take("a", 1_010, 0)).isEmpty();
        assertThat(rates.refusal("a")).as("1,000 entries of debt and one more").hasValue(101);
        now += 100 * SECOND;
        assertThat(rates.refusal("a")).hasValue(1);
        now += SECOND;
        assertThat(rates.take("a", 1_010, 0)).isEmpty();
    }

    @Test
    void inTheLongRunNoMoreThanTheRateComesThroughWhateverTheSizes() {
        SenderRates rates = entries(50, 2);
        long taken = 0;
        long size = 1;
        for (int tenth = 0; tenth < 10_000; tenth++) {
            size = (size * 31 + 7) % 400;
            if (rates.take("a", size, 0).isEmpty()) {
                taken += Math.max(1, size);
            }
            now += SECOND / 10;
        }
        // 1,000 s at 50 a second, the burst, and the last batch's debt
        assertThat(taken).isBetween(49_500L, 50_000L + 100 + 400);
    }

    @Test
    void whoeverWaitsAsLongAsHeIsToldIsTaken() {
        SenderRates rates = rates(OptionalLong.of(7), OptionalLong.of(1_000), Duration.ofMillis(1));
        for (int i = 0; i < 100; i++) {
            assertThat(rates.take("a", 23, 5_000)).as("batch %s", i).isEmpty();
            OptionalInt wait = rates.refusal("a");
            assertThat(wait).isPresent();
            now += wait.getAsInt() * SECOND;
        }
    }

    @Test
    void theSlowerOfTheTwoCountsAndSendersDoNotPayForEachOther() {
        SenderRates rates = rates(OptionalLong.of(1_000), OptionalLong.of(100), Duration.ofSeconds(1));
        assertThat(rates.take("a", 1, 1_100)).isEmpty();
        assertThat(rates.refusal("a")).as("1,000 bytes of debt and one more").hasValue(11);
        assertThat(rates.refusal("b")).isEmpty();
        assertThat(rates.take("b", 1, 1)).isEmpty();
    }

    @Test
    void sendersAreRememberedUpToALimit() {
        SenderRates rates = entries(1, 1);
        for (int i = 0; i < 3 * SenderRates.MAX_SENDERS; i++) {
            rates.take("sender " + i, 1, 1);
        }
        assertThat(rates.size()).isLessThanOrEqualTo(SenderRates.MAX_SENDERS);
    }
}
