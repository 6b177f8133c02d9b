package tailrace.model;

import java.time.Instant;
import java.time.LocalDate;
import java.util.concurrent.TimeUnit;

/** Epoch microseconds, the resolution of PostgreSQL, and their one text form: ISO 8601 in UTC with six digits. */
public final class Timestamps {
    private static final long MICROS_A_DAY = TimeUnit.DAYS.toMicros(1);

    private Timestamps() {}

    /** Truncates to microseconds. */
    public static long micros(Instant instant) {
        return Math.addExact(Math.multiplyExact(instant.getEpochSecond(), 1_000_000L), instant.getNano() / 1_000);
    }

    public static Instant instant(long micros) {
        return Instant.ofEpochSecond(Math.floorDiv(micros, 1_000_000L), Math.floorMod(micros, 1_000_000L) * 1_000L);
    }

    /** For example {@code 2026-01-31T23:59:59.000001Z}; years 1 to 9999. */
    public static String format(long micros) {
        JsonWriter out = new JsonWriter();
        write(micros, out);
        return new String(out.array(), 0, out.length(), java.nio.charset.StandardCharsets.US_ASCII);
    }

    /** Appends {@link #format} without quotes. */
    public static void write(long micros, JsonWriter out) {
        LocalDate date = LocalDate.ofEpochDay(Math.floorDiv(micros, MICROS_A_DAY));
        long rest = Math.floorMod(micros, MICROS_A_DAY);
        int start = out.length();
        out.skip(27);
        byte[] to = out.array();
        digits(to, start, 4, date.getYear());
        to[start + 4] = '-';
        digits(to, start + 5, 2, date.getMonthValue());
        to[start + 7] = '-';
        digits(to, start + 8, 2, date.getDayOfMonth());
        to[start + 10] = 'T';
        digits(to, start + 11, 2, rest / 3_600_000_000L);
        to[start + 13] = ':';
        digits(to, start + 14, 2, rest / 60_000_000 % 60);
        to[start + 16] = ':';
        digits(to, start + 17, 2, rest / 1_000_000 % 60);
        to[start + 19] = '.';
        digits(to, start + 20, 6, rest % 1_000_000);
        to[start + 26] = 'Z';
    }

    private static void digits(byte[] to, int at, int count, long value) {
        long rest = value;
        for (int i = at + count - 1; i >= at; i--) {
            to[i] = (byte) ('0' + rest % 10);
            rest /= 10;
        }
    }
}
