package tailrace.stats;

import org.HdrHistogram.Histogram;
import org.HdrHistogram.PackedHistogram;
import org.jspecify.annotations.Nullable;
import tailrace.model.EventType;
import tailrace.model.ExecutionStatus;
import tailrace.model.Level;

/** What was counted in a span of time. Cells add up, in any order, to the cell of all they count. One thread at a time. */
public final class Cell {
    /** Durations are told apart to one part in a hundred. */
    private static final int SIGNIFICANT_DIGITS = 2;

    /** A run that took longer counts as one that took so long: a year, in milliseconds. */
    public static final long MAX_DURATION_MILLIS = 366L * 24 * 60 * 60 * 1_000;

    /** Of heap, about, for one without durations and errors. */
    private static final int OWN_BYTES = 500;
    /** The same for a kind of error. */
    private static final int ERROR_BYTES = 1_200;

    final long[] levels = new long[Level.values().length];
    final long[] events = new long[EventType.values().length];
    /** By {@link ExecutionStatus#ordinal}; only of those that are finished. */
    final long[] ends = new long[ExecutionStatus.values().length];

    final TopErrors errors;
    long runs;
    long maxMillis;

    @Nullable
    Histogram durations;

    /** @param errorKinds how many kinds of errors are told apart */
    public Cell(int errorKinds) {
        errors = new TopErrors(errorKinds);
    }

    /** @param millis how long the run took, negative if nobody knows */
    void end(ExecutionStatus how, long millis) {
        ends[how.ordinal()]++;
        if (millis >= 0) {
            long within = Math.min(millis, MAX_DURATION_MILLIS);
            maxMillis = Math.max(maxMillis, within);
            histogram().recordValue(within);
        }
    }

    private Histogram histogram() {
        Histogram known = durations;
        if (known == null) {
            known = new PackedHistogram(SIGNIFICANT_DIGITS); // grows with what is put in
            durations = known;
        }
        return known;
    }

    /** Adds what another has counted; the other stays as it is. */
    public void add(Cell more) {
        addCounts(more);
        errors.add(more.errors);
    }

    /** The same, but for the errors. */
    public void addCounts(Cell more) {
        add(levels, more.levels);
        add(events, more.events);
        add(ends, more.ends);
        runs += more.runs;
        maxMillis = Math.max(maxMillis, more.maxMillis);
        Histogram theirs = more.durations;
        if (theirs != null) {
            histogram().add(theirs);
        }
    }

    private static void add(long[] to, long[] more) {
        for (int i = 0; i < to.length; i++) {
            to[i] += more[i];
        }
    }

    public long entries() {
        long entries = 0;
        for (long of : levels) {
            entries += of;
        }
        return entries;
    }

    public long count(Level level) {
        return levels[level.ordinal()];
    }

    public long count(EventType type) {
        return events[type.ordinal()];
    }

    /** Runs that began. */
    public long runs() {
        return runs;
    }

    /** Runs that ended so. */
    public long ended(ExecutionStatus how) {
        return ends[how.ordinal()];
    }

    /** Ended runs of which it is known how long they took. */
    public long durations() {
        Histogram known = durations;
        return known == null ? 0 : known.getTotalCount();
    }

    /** Milliseconds within which so many of them ended, one part in a hundred more at most; only where there are any. */
    public long durationMillis(double percentile) {
        return Math.min(maxMillis, histogram().getValueAtPercentile(percentile));
    }

    /** Milliseconds, exactly. */
    public long maxMillis() {
        return maxMillis;
    }

    public TopErrors errors() {
        return errors;
    }

    /** Bytes of heap, about. */
    long heapBytes() {
        Histogram known = durations;
        return OWN_BYTES
                + (long) ERROR_BYTES * errors.size()
                + (known == null ? 0 : known.getEstimatedFootprintInBytes());
    }
}
