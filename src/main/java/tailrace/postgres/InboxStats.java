package tailrace.postgres;

/**
 * How {@code log_inbox} stands, for {@code /v2/logs/stats}; counted since the start.
 *
 * @param taken rows that became entries, were known by their id, or were shed
 * @param rejected rows that stay in the table with their error
 * @param oldestPendingSeconds age of the oldest row seen that is not settled yet; 0 where none is
 * @param listening whether notifications arrive now
 * @param reconnects of the connection that listens
 * @param pollFound times the slow poll found rows that no notification had announced
 */
public record InboxStats(
        long taken, long rejected, double oldestPendingSeconds, boolean listening, long reconnects, long pollFound) {}
