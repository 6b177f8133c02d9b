package tailrace.degradation;

import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import tailrace.model.Level;

/**
 * Nothing is shed: the senders that send more than an equal share are turned away for some seconds, largest first, and
 * then let in again until they have sent too much again. All others pass. Safe for any thread.
 */
final class CircuitBreakSources implements Shedding {
    private static final double OVER_FAIR = 1.25;

    /** Entries of lately; who sends less is not noisy, whatever the others do. */
    private static final double SENT_AT_LEAST = 200;

    /** Part of everything sent that the senders turned away make up, at no pressure. */
    private static final double FIRST_PART = 0.3;

    /** How long a circuit stays open, at no pressure and what full pressure adds. */
    private static final long OPEN_MICROS = TimeUnit.SECONDS.toMicros(1);

    private static final long OPEN_MORE_MICROS = TimeUnit.SECONDS.toMicros(9);

    /** Who is noisy is looked for so often: it takes a look at every sender. */
    private static final long REFRESH_MICROS = TimeUnit.MILLISECONDS.toMicros(100);

    private final Shares shares = new Shares();
    private final Map<String, Long> openUntilMicros = new HashMap<>();
    private Set<String> noisiest = new HashSet<>();
    private long refreshedAtMicros;

    @Override
    public boolean sheds(
            String executionId, @Nullable String workflowId, Level level, double pressure, long nowMicros) {
        return false;
    }

    @Override
    public synchronized void sent(String sender, int entries, long nowMicros) {
        shares.add(sender, entries, nowMicros);
    }

    @Override
    public synchronized OptionalInt refusal(String sender, double pressure, long nowMicros) {
        long open = OPEN_MICROS + (long) (OPEN_MORE_MICROS * pressure);
        Long until = openUntilMicros.get(sender);
        if (until == null) {
            if (!noisiest(pressure, nowMicros).contains(sender)) {
                return OptionalInt.empty();
            }
            // From here on it counts anew: it is let in again when the time is over, not when all is forgotten.
            shares.forget(sender);
            noisiest.remove(sender);
            until = nowMicros + open;
            openUntilMicros.put(sender, until);
            trim(nowMicros);
        }
        long left = Math.min(until - nowMicros, OPEN_MICROS + OPEN_MORE_MICROS); // a clock may be put back
        if (left <= 0) {
            openUntilMicros.remove(sender);
            return OptionalInt.empty();
        }
        return OptionalInt.of((int) Math.max(1, (left + 999_999) / 1_000_000));
    }

    private Set<String> noisiest(double pressure, long nowMicros) {
        if (Math.abs(nowMicros - refreshedAtMicros) >= REFRESH_MICROS) {
            refreshedAtMicros = nowMicros;
            shares.decay(nowMicros);
            noisiest = shares.largest(OVER_FAIR, SENT_AT_LEAST, Math.max(FIRST_PART, pressure));
        }
        return noisiest;
    }

    /** Senders that never came back are forgotten. */
    private void trim(long nowMicros) {
        if (openUntilMicros.size() > Shares.MAX_NAMES) {
            openUntilMicros.values().removeIf(until -> until <= nowMicros);
        }
        while (openUntilMicros.size() > Shares.MAX_NAMES) {
            openUntilMicros.entrySet().stream()
                    .min(Comparator.comparing(Map.Entry::getValue))
                    .ifPresent(first -> openUntilMicros.remove(first.getKey()));
        }
    }
}
