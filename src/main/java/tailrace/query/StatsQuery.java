package tailrace.query;

import tailrace.stats.Resolution;

/**
 * What of a workflow is asked for.
 *
 * @param fromMicros epoch microseconds, where a bucket begins
 * @param toMicros where one ends; greater
 */
public record StatsQuery(String workflowId, Resolution resolution, long fromMicros, long toMicros) {
    /** Buckets of one answer. */
    public static final int MAX_BUCKETS = 1_500;

    /** Widens the span to whole buckets. */
    public static StatsQuery around(String workflowId, Resolution resolution, long fromMicros, long toMicros) {
        return new StatsQuery(
                workflowId,
                resolution,
                resolution.start(fromMicros),
                resolution.start(toMicros - 1) + resolution.micros());
    }

    /** How many buckets there are from end to end. */
    public long buckets() {
        return (toMicros - fromMicros) / resolution.micros();
    }
}
