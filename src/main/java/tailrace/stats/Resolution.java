package tailrace.stats;

import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** How long a cell is, and for how long it is kept in PostgreSQL. Cells begin with the minute, hour or day of UTC. */
public enum Resolution {
    MINUTE(1, 2),
    HOUR(60, 35),
    DAY(1_440, 400);

    private final int minutes;
    private final int keepDays;
    private final String wire = name().toLowerCase(Locale.ROOT);

    Resolution(int minutes, int keepDays) {
        this.minutes = minutes;
        this.keepDays = keepDays;
    }

    /** Minutes of a cell; also how PostgreSQL calls the resolution. */
    public int minutes() {
        return minutes;
    }

    /** Days after its beginning at which a cell may be removed. */
    public int keepDays() {
        return keepDays;
    }

    public long micros() {
        return TimeUnit.MINUTES.toMicros(minutes);
    }

    /** Where the cell begins that a time lies in; epoch microseconds, both. */
    public long start(long micros) {
        return Math.floorDiv(micros, micros()) * micros();
    }

    /** The name that requests and answers use. */
    public String wire() {
        return wire;
    }

    /** The one of that name. */
    public static Optional<Resolution> parse(String text) {
        for (Resolution each : values()) {
            if (each.wire.equals(text)) {
                return Optional.of(each);
            }
        }
        return Optional.empty();
    }
}
