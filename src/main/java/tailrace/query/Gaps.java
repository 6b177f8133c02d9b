package tailrace.query;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import tailrace.query.Coverage.Gap;
import tailrace.query.Coverage.Reason;

/**
 * What a read of any length could not have, in bounded memory. A page of history tells every gap exactly. A longer read
 * with more gaps joins neighbours: a joined one says that something between its ends is missing, not all.
 */
final class Gaps {
    /** Of one reason; more than the largest page can have. */
    static final int MAX_OF_A_REASON = 2_000;

    private static final Comparator<Gap> BY_SEQ = Comparator.comparingLong(Gap::fromSeq);

    private final Map<Reason, List<Gap>> byReason = new EnumMap<>(Reason.class);

    void addAll(List<Gap> gaps) {
        gaps.forEach(this::add);
    }

    private void add(Gap gap) {
        List<Gap> same = byReason.computeIfAbsent(gap.reason(), reason -> new ArrayList<>());
        Gap last = same.isEmpty() ? null : same.get(same.size() - 1);
        if (last != null && (last.toSeq() + 1 == gap.fromSeq() || gap.toSeq() + 1 == last.fromSeq())) {
            same.set(same.size() - 1, joined(last, gap));
        } else {
            same.add(gap);
        }
        if (same.size() > MAX_OF_A_REASON) {
            halve(same);
        }
    }

    private static void halve(List<Gap> gaps) {
        gaps.sort(BY_SEQ);
        List<Gap> pairs = new ArrayList<>();
        for (int i = 0; i < gaps.size(); i += 2) {
            pairs.add(i + 1 < gaps.size() ? joined(gaps.get(i), gaps.get(i + 1)) : gaps.get(i));
        }
        gaps.clear();
        gaps.addAll(pairs);
    }

    private static Gap joined(Gap one, Gap other) {
        return new Gap(Math.min(one.fromSeq(), other.fromSeq()), Math.max(one.toSeq(), other.toSeq()), one.reason());
    }

    /** All of them, ascending. */
    Stream<Gap> ascending() {
        return byReason.values().stream().flatMap(List::stream).sorted(BY_SEQ);
    }
}
