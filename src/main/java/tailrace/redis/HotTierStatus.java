package tailrace.redis;

/**
 * How the hot tier in Redis stands, for {@code /health} and {@code /v2/logs/stats}.
 *
 * @param available whether the last attempt to reach it succeeded
 * @param detail for people, why not; no address and no secret
 * @param position the last journal position that is in Redis as a whole, 0 while that is not known
 * @param lagPositions journal records behind it
 * @param lagSeconds since the oldest of them was seen
 * @param entriesWritten since the start
 * @param rebuilds how often it was found empty and filled again since the start
 * @param breaker of the writer: CLOSED, OPEN or HALF_OPEN
 * @param readBreaker of the readers
 */
public record HotTierStatus(
        boolean available,
        String detail,
        long position,
        long lagPositions,
        double lagSeconds,
        long entriesWritten,
        long rebuilds,
        String breaker,
        String readBreaker) {}
