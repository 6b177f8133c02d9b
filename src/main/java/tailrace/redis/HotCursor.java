package tailrace.redis;

import io.vertx.core.Future;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The cursor as it stands in Redis. It is moved only from where it is thought to be, so nothing else can go unnoticed. */
final class HotCursor {
    /** Nothing stands before it in Redis, so it shows soon whether Redis hangs. */
    private static final Duration MOVE_TIMEOUT = Duration.ofSeconds(2);
    /** It outlives the streams by so much, so that a quiet time does not look like an emptied Redis. */
    private static final Duration LONGER_THAN_STREAMS = Duration.ofDays(7);

    private final RedisLink link;
    private final String key;
    private final byte[] timeToLive;

    HotCursor(RedisLink link, Keys keys, Duration hotTtl) {
        this.link = link;
        this.key = keys.cursor();
        this.timeToLive = Script.argument(hotTtl.plus(LONGER_THAN_STREAMS).toMillis());
    }

    /**
     * @param position where it stands; only where it was not {@code moved} it may be nowhere, which is −1
     * @param moved whether it stood where it was thought to, and was moved
     */
    record Moved(long position, boolean moved) {}

    /** Puts it at a position unless it stands anywhere. */
    Future<Moved> open(long position) {
        return move("", position);
    }

    Future<Moved> move(long from, long to) {
        return move(Long.toString(from), to);
    }

    private Future<Moved> move(String from, long to) {
        return Script.MOVE
                .run(link, key, List.of(Script.argument(from), Script.argument(to), timeToLive))
                .timeout(MOVE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
                .map(answer -> {
                    if (answer == null || answer.size() != 2) {
                        throw new IllegalStateException("Redis answered a script with " + answer);
                    }
                    String there = answer.get(0).toString();
                    return new Moved(
                            there.isEmpty() ? -1 : Long.parseLong(there),
                            answer.get(1).toInteger() == 1);
                });
    }
}
