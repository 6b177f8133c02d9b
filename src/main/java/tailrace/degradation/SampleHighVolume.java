package tailrace.degradation;

import org.jspecify.annotations.Nullable;
import tailrace.model.Level;

/**
 * Of executions that send far more than the middle one, one technical entry in N is kept, N growing with the pressure;
 * of the others all are, until it is almost full. Then every execution is sampled.
 */
final class SampleHighVolume implements Shedding {
    /** Far more than the middle execution. */
    private static final double FAR_ABOVE = 4;

    /** Of lately: less is no high volume, whatever the others do. */
    private static final double HIGH_AT_LEAST = 200;

    /** N at no pressure and at full. */
    private static final double FIRST_N = 2;

    private static final double LAST_N = 100;

    /** The middle is looked for again after so many entries: it takes a look at every execution. */
    private static final int REFRESH_ENTRIES = 512;

    private final Shares shares = new Shares();
    private int untilRefresh;
    private double limit;

    @Override
    public boolean sheds(
            String executionId, @Nullable String workflowId, Level level, double pressure, long nowMicros) {
        Shares.Share share = shares.add(executionId, 1, nowMicros);
        if (--untilRefresh < 0) {
            untilRefresh = REFRESH_ENTRIES;
            limit = Math.max(HIGH_AT_LEAST, FAR_ABOVE * shares.lowerMedian());
        }
        if (share.count() <= limit && pressure < ALMOST_FULL) {
            return false;
        }
        share.credit += 1 / (FIRST_N * Math.pow(LAST_N / FIRST_N, pressure));
        if (share.credit < 1) {
            return true;
        }
        share.credit -= 1;
        return false;
    }
}
