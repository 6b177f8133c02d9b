package tailrace.export;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.zone.ZoneOffsetTransition;
import java.time.zone.ZoneRules;
import org.jspecify.annotations.Nullable;
import tailrace.model.JsonWriter;
import tailrace.model.Timestamps;

/**
 * Epoch microseconds as ISO 8601 with the offset of a zone, six digits. The offset is looked up again only where the last
 * one ended, since entries come in about the order of time. Belongs to one thread.
 */
final class ZonedTimes {
    private static final long MIN_MICROS = micros(LocalDateTime.of(1, 1, 1, 0, 0));
    private static final long END_MICROS = micros(LocalDateTime.of(9999, 12, 31, 23, 59, 59)) + 1_000_000;

    private final ZoneRules rules;
    private final boolean utc;
    private final JsonWriter out = new JsonWriter();
    private long fromMicros;
    /** Not included; at first nothing is within. */
    private long toMicros;

    private long offsetMicros;
    private byte[] offset = {'Z'};

    ZonedTimes(ZoneId zone) {
        rules = zone.getRules();
        utc = rules.isFixedOffset() && rules.getOffset(Instant.EPOCH).equals(ZoneOffset.UTC);
    }

    /** Whether every time is as {@link Timestamps} writes it. */
    boolean utc() {
        return utc;
    }

    String text(long micros) {
        out.reset();
        write(micros, out);
        return new String(out.array(), 0, out.length(), StandardCharsets.US_ASCII);
    }

    void write(long micros, JsonWriter to) {
        if (micros < fromMicros || micros >= toMicros) {
            lookUp(micros);
        }
        long local = micros + offsetMicros;
        if (local < MIN_MICROS || local >= END_MICROS) {
            Timestamps.write(micros, to); // its year would not have four digits
            return;
        }
        Timestamps.write(local, to);
        to.shorten(1).raw(offset);
    }

    private void lookUp(long micros) {
        Instant at = Timestamps.instant(micros);
        ZoneOffset found = rules.getOffset(at);
        offsetMicros = found.getTotalSeconds() * 1_000_000L;
        offset = found.getId().getBytes(StandardCharsets.US_ASCII);
        // previousTransition looks strictly before, and one may be right here.
        fromMicros = bound(rules.previousTransition(at.plusNanos(1)), Long.MIN_VALUE);
        toMicros = bound(rules.nextTransition(at), Long.MAX_VALUE);
    }

    private static long bound(@Nullable ZoneOffsetTransition transition, long none) {
        return transition == null ? none : Timestamps.micros(transition.getInstant());
    }

    private static long micros(LocalDateTime utc) {
        return Timestamps.micros(utc.toInstant(ZoneOffset.UTC));
    }
}
