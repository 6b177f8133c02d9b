package tailrace.redis;

import io.vertx.core.Future;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What Redis runs as one step, on one key, so that a cluster can run it, too. Named by its hash; a server that does not
 * know it (new, restarted, another node) is sent the text.
 */
enum Script {
    /**
     * Appends consecutive entries to a stream and renews its time to live. Skips what the stream has, so it may be
     * repeated. A stream that ends below the entry before the first is left alone unless the journal has nothing of what
     * is missing.
     *
     * <p>What was appended last is asked for by the id that Redis goes on from, not by the last entry: if somebody removed
     * that, its id is refused for ever, and all of the cursor would wait for one stream. A hole does no harm.
     *
     * <p>ARGV: time to live in ms, seq of the first entry, the lowest seq the journal has, the entries. Returns the last
     * seq the stream had (0: there was none), or −1 − that if it was left alone.
     */
    APPEND("""
            local last = 0
            local kind = redis.call('TYPE', KEYS[1])['ok']
            if kind == 'stream' then
              local facts = redis.call('XINFO', 'STREAM', KEYS[1])
              for i = 1, #facts, 2 do
                if facts[i] == 'last-generated-id' then
                  last = tonumber(string.match(facts[i + 1], '^%d+'))
                end
              end
            elseif kind ~= 'none' then
              redis.call('DEL', KEYS[1])
            end
            local first = tonumber(ARGV[2])
            if last + 1 < first and first > tonumber(ARGV[3]) then
              return -1 - last
            end
            for i = 4, #ARGV do
              local seq = first + i - 4
              if seq > last then
                redis.call('XADD', KEYS[1], string.format('%.0f-0', seq), 'e', ARGV[i])
              end
            end
            redis.call('PEXPIRE', KEYS[1], ARGV[1])
            return last
            """),

    /**
     * Moves the cursor, if it is where it is thought to be. ARGV: where that is ('' for nowhere), where to, time to live
     * in ms. Returns where it is afterwards, and 1 if it was moved.
     */
    MOVE("""
            local now = redis.call('GET', KEYS[1]) or ''
            if now ~= ARGV[1] then
              return {now, 0}
            end
            redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
            return {ARGV[2], 1}
            """),

    /** The first and last seq of a stream and how many entries it has; nothing if there is none. */
    SPAN("""
            local length = redis.call('XLEN', KEYS[1])
            if length == 0 then
              return {}
            end
            local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1][1]
            local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1][1]
            return {string.match(first, '^%d+'), string.match(last, '^%d+'), tostring(length)}
            """);

    private final String text;
    private final String sha1;

    Script(String text) {
        this.text = text;
        try {
            byte[] hash = MessageDigest.getInstance("SHA-1").digest(text.getBytes(StandardCharsets.UTF_8));
            this.sha1 = HexFormat.of().formatHex(hash);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** @param arguments in UTF-8 */
    Future<@Nullable Response> run(RedisLink link, String key, List<byte[]> arguments) {
        return link.send(request(Command.EVALSHA, sha1, key, arguments)).recover(failure -> {
            String message = String.valueOf(failure.getMessage());
            return message.startsWith("NOSCRIPT")
                    ? link.send(request(Command.EVAL, text, key, arguments))
                    : Future.failedFuture(failure);
        });
    }

    private static Request request(Command command, String script, String key, List<byte[]> arguments) {
        Request request = Request.cmd(command).arg(script).arg(1).arg(key);
        arguments.forEach(request::arg);
        return request;
    }

    static byte[] argument(long number) {
        return argument(Long.toString(number));
    }

    static byte[] argument(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
