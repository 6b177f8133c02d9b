package tailrace.journal;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * Keys of entries, in RocksDB's order.
 *
 * @param from included
 * @param to not included
 */
record KeyRange(byte[] from, byte[] to) {

    /** Everything that an execution can hold below a seq. */
    static KeyRange below(int bucket, byte[] executionId, long seq) {
        return new KeyRange(Keys.entry(bucket, executionId, 0), Keys.entry(bucket, executionId, seq));
    }

    boolean overlaps(KeyRange other) {
        return Arrays.compareUnsigned(from, other.to) < 0 && Arrays.compareUnsigned(other.from, to) < 0;
    }

    private KeyRange with(KeyRange other) {
        return new KeyRange(
                Arrays.compareUnsigned(from, other.from) <= 0 ? from : other.from,
                Arrays.compareUnsigned(to, other.to) >= 0 ? to : other.to);
    }

    /** The same keys in ascending ranges that do not touch; the nearest by order are joined until so many are left. */
    static List<KeyRange> joined(List<KeyRange> ranges, int max) {
        var sorted = new ArrayList<>(ranges);
        sorted.sort(Comparator.comparing(KeyRange::from, Arrays::compareUnsigned));
        var joined = new ArrayList<KeyRange>();
        for (KeyRange next : sorted) {
            KeyRange last = joined.isEmpty() ? null : joined.get(joined.size() - 1);
            if (last != null && Arrays.compareUnsigned(next.from, last.to) <= 0) {
                joined.set(joined.size() - 1, last.with(next));
            } else {
                joined.add(next);
            }
        }
        int together = (joined.size() + max - 1) / max;
        if (together <= 1) {
            return joined;
        }
        var fewer = new ArrayList<KeyRange>();
        for (int i = 0; i < joined.size(); i += together) {
            fewer.add(joined.get(i).with(joined.get(Math.min(i + together, joined.size()) - 1)));
        }
        return fewer;
    }
}
