package tailrace.config;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads durations and sizes as people write them: {@code 1.5s}, {@code 500 ms}, {@code 10GiB}. */
public final class Quantity {
    private static final Pattern NUMBER_UNIT = Pattern.compile("(\\d{1,18}(?:\\.\\d{1,9})?)\\s*([A-Za-z]*)");

    private Quantity() {}

    /** @param bareUnit what a number without a unit counts */
    public static Optional<Duration> duration(String text, Duration bareUnit) {
        Matcher m = NUMBER_UNIT.matcher(text.strip());
        if (!m.matches()) {
            return Optional.empty();
        }
        Duration unit =
                switch (m.group(2).toLowerCase(Locale.ROOT)) {
                    case "" -> bareUnit;
                    case "us" -> Duration.ofNanos(1_000);
                    case "ms" -> Duration.ofMillis(1);
                    case "s" -> Duration.ofSeconds(1);
                    case "m", "min" -> Duration.ofMinutes(1);
                    case "h" -> Duration.ofHours(1);
                    case "d" -> Duration.ofDays(1);
                    default -> Duration.ZERO;
                };
        return unit.isZero()
                ? Optional.empty()
                : whole(m.group(1), unit.toNanos()).map(Duration::ofNanos);
    }

    /** Bytes; {@code KiB} is 1,024 and {@code kB} 1,000. */
    static Optional<Long> bytes(String text) {
        Matcher m = NUMBER_UNIT.matcher(text.strip());
        if (!m.matches()) {
            return Optional.empty();
        }
        long unit =
                switch (m.group(2).toLowerCase(Locale.ROOT)) {
                    case "", "b" -> 1L;
                    case "kb" -> 1_000L;
                    case "mb" -> 1_000_000L;
                    case "gb" -> 1_000_000_000L;
                    case "tb" -> 1_000_000_000_000L;
                    case "kib" -> 1L << 10;
                    case "mib" -> 1L << 20;
                    case "gib" -> 1L << 30;
                    case "tib" -> 1L << 40;
                    default -> 0L;
                };
        return unit == 0 ? Optional.empty() : whole(m.group(1), unit);
    }

    private static Optional<Long> whole(String number, long unit) {
        BigDecimal value =
                new BigDecimal(number).multiply(BigDecimal.valueOf(unit)).setScale(0, RoundingMode.HALF_UP);
        return value.toBigInteger().bitLength() < Long.SIZE ? Optional.of(value.longValue()) : Optional.empty();
    }

    /** The shortest exact form, for messages. */
    static String format(Duration duration) {
        long millis = duration.toMillis();
        if (millis % 1_000 != 0 || millis == 0) {
            return millis + "ms";
        }
        return millis / 1_000 + "s";
    }

    /** The largest binary unit that divides it, for messages. */
    static String format(long bytes) {
        String[] units = {"", "KiB", "MiB", "GiB", "TiB"};
        int unit = 0;
        long rest = bytes;
        while (rest != 0 && rest % 1_024 == 0 && unit < units.length - 1) {
            rest /= 1_024;
            unit++;
        }
        return rest + units[unit];
    }
}
