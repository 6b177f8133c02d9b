package tailrace.query;

import tailrace.model.LogFilter;

/**
 * A request for what stands around one entry: the filter's entries nearest to a seq, in ascending order.
 *
 * @param seq in the middle; its own entry is part of the answer if it is there and the filter accepts it
 * @param before entries below it, at most
 * @param after entries above it, at most
 * @param counted whether the answer says how many the filter accepts in the whole execution
 */
public record Around(LogFilter filter, long seq, int before, int after, boolean counted) {
    /** Of each side: at 10 KiB an entry the lower one is 1 MiB, which is read twice. */
    public static final int MAX_SIDE = 100;

    public static final int DEFAULT_SIDE = 10;
}
