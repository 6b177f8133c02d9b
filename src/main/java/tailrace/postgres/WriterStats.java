package tailrace.postgres;

import java.util.List;

/**
 * How the writer stands, for {@code /v2/logs/stats}.
 *
 * @param bufferedEntries user-friendly entries known to wait in the journal; those found by catching up are not known
 * @param successfulBatches transactions since the start
 * @param failedBatches transactions that failed and were tried again
 * @param rowsWritten since the start
 * @param rowsRefused set aside in {@code log_rejects} since the start
 * @param lanes by number; empty until PostgreSQL told the cursors
 * @param breaker CLOSED, OPEN or HALF_OPEN
 * @param lastError of the last failure since a success, or ""
 */
public record WriterStats(
        long bufferedEntries,
        long successfulBatches,
        long failedBatches,
        long rowsWritten,
        long rowsRefused,
        List<LaneStats> lanes,
        String breaker,
        String lastError) {
    public WriterStats {
        lanes = List.copyOf(lanes);
    }

    /**
     * @param position the lane's cursor in PostgreSQL
     * @param lagPositions journal records behind it
     * @param lagSeconds since the oldest of them was seen
     */
    public record LaneStats(int lane, long position, long lagPositions, double lagSeconds) {}
}
