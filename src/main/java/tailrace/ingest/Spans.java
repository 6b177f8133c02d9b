package tailrace.ingest;

import java.util.Arrays;

/** Pieces of a text that are secrets, in any order, overlapping or not. Belongs to one call. */
final class Spans {
    private static final int START_SHIFT = 32;
    private static final int FIRST_CAPACITY = 4;
    /** Most texts have no secret, and there is one of these for each. */
    private static final long[] NONE = {};

    // start << 32 | end, which sorts by start
    private long[] spans = NONE;
    private int count;
    private int furthestStart;
    private int furthestEnd;

    /** @param end exclusive; an empty span is none */
    void add(int start, int end) {
        if (start >= end) {
            return;
        }
        if (count == spans.length) {
            spans = Arrays.copyOf(spans, Math.max(FIRST_CAPACITY, count * 2));
        }
        spans[count++] = (long) start << START_SHIFT | end;
        if (end > furthestEnd) {
            furthestStart = start;
            furthestEnd = end;
        }
    }

    boolean isEmpty() {
        return count == 0;
    }

    /** Whether a place lies in the span that reaches furthest: what begins there is masked already. */
    boolean covers(int at) {
        return at >= furthestStart && at < furthestEnd;
    }

    /** The text with a mask in place of each; spans that touch get one mask, so that it never tells a length. */
    String masked(String text, String mask) {
        Arrays.sort(spans, 0, count);
        var out = new StringBuilder(text.length() + mask.length());
        int done = 0;
        for (int i = 0; i < count; ) {
            int start = (int) (spans[i] >>> START_SHIFT);
            int end = (int) spans[i];
            for (i++; i < count && (int) (spans[i] >>> START_SHIFT) <= end; i++) {
                end = Math.max(end, (int) spans[i]);
            }
            out.append(text, done, start).append(mask);
            done = end;
        }
        return out.append(text, done, text.length()).toString();
    }
}
