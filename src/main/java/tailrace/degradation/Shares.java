package tailrace.degradation;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * Who sent how much lately: counters that lose half of what they hold every few seconds, for a bounded number of names.
 * Where there are more, those that send least are forgotten each second to make room, so whoever sends much is known
 * within a second or two. Belongs to one thread.
 */
final class Shares {
    static final int MAX_NAMES = 1_000;
    static final long HALF_LIFE_MICROS = TimeUnit.SECONDS.toMicros(5);
    private static final long STEP_MICROS = TimeUnit.SECONDS.toMicros(1);
    private static final double FORGET_BELOW = 0.5;

    private final Map<String, Share> shares = new HashMap<>();
    private double total;
    private long decayedAtMicros = Long.MIN_VALUE;

    /** One name's part. */
    static final class Share {
        private double count;
        /** What a strategy remembers of the name. */
        double credit;

        double count() {
            return count;
        }
    }

    /** For a name there is no room for; remembers nothing. */
    private final Share unknown = new Share();

    Share add(String name, double count, long nowMicros) {
        decay(nowMicros);
        total += count;
        Share share = shares.get(name);
        if (share == null) {
            if (shares.size() >= MAX_NAMES) {
                return unknown;
            }
            share = new Share();
            shares.put(name, share);
        }
        share.count += count;
        return share;
    }

    double total() {
        return total;
    }

    int size() {
        return shares.size();
    }

    void forget(String name) {
        Share gone = shares.remove(name);
        total -= gone == null ? 0 : gone.count;
    }

    void decay(long nowMicros) {
        long passed = nowMicros - decayedAtMicros;
        if (decayedAtMicros == Long.MIN_VALUE || passed < 0) {
            decayedAtMicros = nowMicros; // the first, or a clock that was put back
            return;
        }
        if (passed < STEP_MICROS) {
            return;
        }
        decayedAtMicros = nowMicros;
        double left = Math.pow(0.5, (double) passed / HALF_LIFE_MICROS);
        shares.values().removeIf(share -> (share.count *= left) < FORGET_BELOW);
        total = shares.isEmpty() ? 0 : total * left;
        if (shares.size() >= MAX_NAMES) {
            double median = lowerMedian();
            shares.values().removeIf(share -> share.count <= median);
        }
    }

    /** Half of the names sent no more than this; 0 where there is one name alone, for it has nobody to be like. */
    double lowerMedian() {
        if (shares.size() < 2) {
            return 0;
        }
        double[] counts = shares.values().stream()
                .mapToDouble(share -> share.count)
                .sorted()
                .toArray();
        return counts[(counts.length - 1) / 2];
    }

    /**
     * The names that send most, largest first, until together they make up a part of everything.
     *
     * @param overFair only names that sent more than this many times an equal share; one name alone always did
     * @param atLeast only names that sent so much
     * @param part of all that was sent, at which it is enough; one name at least
     */
    Set<String> largest(double overFair, double atLeast, double part) {
        double fair = shares.size() == 1 ? 0 : overFair * total / shares.size();
        List<Map.Entry<String, Share>> above = new ArrayList<>();
        shares.entrySet().stream()
                .filter(each -> each.getValue().count >= atLeast && each.getValue().count > fair)
                .forEach(above::add);
        above.sort(Comparator.<Map.Entry<String, Share>>comparingDouble(each -> -each.getValue().count)
                .thenComparing(Map.Entry::getKey));
        Set<String> names = new HashSet<>();
        double sum = 0;
        for (var each : above) {
            if (!names.isEmpty() && sum >= part * total) {
                break;
            }
            names.add(each.getKey());
            sum += each.getValue().count;
        }
        return names;
    }
}
