package tailrace.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class QuantityTest {
    private static final Duration SECOND = Duration.ofSeconds(1);

    @ParameterizedTest
    @CsvSource({
        "1s,1000",
        "500ms,500",
        "500 MS,500",
        "1.5s,1500",
        "2,2000",
        "0,0",
        "10min,600000",
        "10m,600000",
        "1h,3600000",
        "1d,86400000",
        " 3s ,3000"
    })
    void durations(String text, long millis) {
        assertThat(Quantity.duration(text, SECOND)).contains(Duration.ofMillis(millis));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "s", "1 s s", "-1s", "1e3", "1w", "1,5s", "0x10", "999999999999999999d", "1s\n2s"})
    void noDurations(String text) {
        assertThat(Quantity.duration(text, SECOND)).isEmpty();
    }

    @Test
    void aBareNumberCountsTheKeysUnit() {
        assertThat(Quantity.duration("5", Duration.ofMillis(1))).contains(Duration.ofMillis(5));
    }

    @ParameterizedTest
    @CsvSource({
        "1,1",
        "1B,1",
        "1kB,1000",
        "1KiB,1024",
        "10GiB,10737418240",
        "1.5MiB,1572864",
        "2MB,2000000",
        "1TiB,1099511627776",
        "3 gib,3221225472"
    })
    void sizes(String text, long bytes) {
        assertThat(Quantity.bytes(text)).contains(bytes);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "GiB", "-1", "1k", "10Gib/s", "999999999999999999TiB"})
    void noSizes(String text) {
        assertThat(Quantity.bytes(text)).isEmpty();
    }

    @Test
    void messagesUseTheRoundestUnit() {
        assertThat(Quantity.format(10L << 30)).isEqualTo("10GiB");
        assertThat(Quantity.format(1_000)).isEqualTo("1000");
        assertThat(Quantity.format(0)).isEqualTo("0");
        assertThat(Quantity.format(Duration.ofSeconds(90))).isEqualTo("90s");
        assertThat(Quantity.format(Duration.ofMillis(5))).isEqualTo("5ms");
    }
}
