package tailrace.export;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.util.List;
import java.util.Random;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import tailrace.model.Timestamps;

/** Times in a zone are those of java.time, whatever order they come in. */
class ZonedTimesTest {
    private static final List<String> ZONES = List.of(
            "UTC",
            "Europe/Berlin",
            "America/New_York",
            "Asia/Kathmandu",
            "Australia/Lord_Howe",
            "Africa/Monrovia",
            "+14:00",
            "-12:34:56",
            "Z");

    @Property(tries = 300)
    void isWhatJavaTimeSays(@ForAll Random random) {
        ZoneId zone = ZoneId.of(ZONES.get(random.nextInt(ZONES.size())));
        var times = new ZonedTimes(zone);
        long micros = random.nextLong(-50_000_000_000_000_000L, 200_000_000_000_000_000L);
        for (int i = 0; i < 200; i++) {
            var expected = Timestamps.instant(micros).atZone(zone).toOffsetDateTime();
            String text = times.text(micros);
            assertThat(OffsetDateTime.parse(text)).as(zone + " " + text).isEqualTo(expected);
            assertThat(text).endsWith(expected.getOffset().getId());
            micros += random.nextLong(-10_000_000_000_000L, 10_000_000_000_000L);
        }
    }

    @Example
    void changesAtTheVeryMicrosecond() {
        var times = new ZonedTimes(ZoneId.of("Europe/Berlin"));
        long change = Timestamps.micros(Instant.parse("2026-03-29T01:00:00Z"));
        assertThat(times.text(change)).isEqualTo("2026-03-29T03:00:00.000000+02:00");
        assertThat(times.text(change - 1)).isEqualTo("2026-03-29T01:59:59.999999+01:00");
        assertThat(times.text(change)).isEqualTo("2026-03-29T03:00:00.000000+02:00");
    }

    @Example
    void aYearAlwaysHasFourDigits() {
        long last = Timestamps.micros(Instant.parse("9999-12-31T23:59:59.999999Z"));
        long first = Timestamps.micros(Instant.parse("0001-01-01T00:00:00Z"));
        assertThat(new ZonedTimes(ZoneId.of("+01:00")).text(last)).isEqualTo("9999-12-31T23:59:59.999999Z");
        assertThat(new ZonedTimes(ZoneId.of("-01:00")).text(first)).isEqualTo("0001-01-01T00:00:00.000000Z");
    }

    @Example
    void utcIsToldFromTheRest() {
        assertThat(new ZonedTimes(ZoneId.of("UTC")).utc()).isTrue();
        assertThat(new ZonedTimes(ZoneId.of("+00:00")).utc()).isTrue();
        assertThat(new ZonedTimes(ZoneId.of("Europe/London")).utc()).isFalse();
        assertThat(new ZonedTimes(ZoneId.of("+01:00")).utc()).isFalse();
    }
}
