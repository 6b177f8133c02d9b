package tailrace.redis;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;
import java.time.Duration;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import tailrace.config.RedisUrl;
import tailrace.model.JournalId;

/** A journal's cursor as Redis has it, for those who only look: asking changes nothing. */
public final class StoredCursor {
    private static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(5);

    private StoredCursor() {}

    /** Where it stands; empty where Redis has nothing of this journal. Fails while Redis does not answer. */
    public static Future<OptionalLong> of(Vertx vertx, RedisUrl url, JournalId journal) {
        RedisLink link = new RedisLink(vertx, new RedisClients(url), () -> {});
        return link.connect()
                .compose(connected ->
                        link.send(Request.cmd(Command.GET).arg(Keys.of(journal).cursor())))
                .map(answer ->
                        answer == null ? OptionalLong.empty() : OptionalLong.of(Long.parseLong(answer.toString())))
                .timeout(ANSWER_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
                .onComplete(done -> link.close());
    }
}
