package tailrace.redis;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisConnection;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One connection to Redis, on which requests are answered in their order without waiting for each other. The client
 * neither reconnects by itself nor gives up on a server that has stopped answering; so whoever meets a failure calls
 * {@link #drop}, which ends the client with all its sockets, and the next {@link #connect} makes another. With sentinels
 * that asks for the master again, with a cluster for its slots. All but {@link #connected} belongs to the context it was
 * made on.
 */
final class RedisLink {
    private final Vertx vertx;
    private final RedisClients clients;
    private final Runnable ended;
    private @Nullable Redis client;
    private volatile @Nullable RedisConnection connection;
    private @Nullable Future<Void> connecting;
    private boolean closed;

    /** @param ended called when a connection ended that was not dropped */
    RedisLink(Vertx vertx, RedisClients clients, Runnable ended) {
        this.vertx = vertx;
        this.clients = clients;
        this.ended = ended;
    }

    /** Any thread. */
    boolean connected() {
        return connection != null;
    }

    /** Connects if it is not connected; fails after {@link RedisClients#CONNECT_TIMEOUT} at the latest. */
    Future<Void> connect() {
        Future<Void> already = connecting;
        if (connection != null) {
            return Future.succeededFuture();
        }
        if (already != null) {
            return already;
        }
        if (closed) {
            return Future.failedFuture("closed");
        }
        Redis fresh;
        try {
            fresh = clients.create(vertx);
        } catch (RuntimeException e) {
            return Future.failedFuture(e); // such as a certificate that cannot be read
        }
        client = fresh;
        Future<Void> attempt = fresh.connect()
                .timeout(RedisClients.CONNECT_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
                .transform(made -> {
                    connecting = null;
                    if (made.failed() || client != fresh) {
                        if (client == fresh) {
                            client = null;
                        }
                        fresh.close();
                        return Future.failedFuture(
                                made.failed() ? made.cause() : new IllegalStateException("closed meanwhile"));
                    }
                    made.result().exceptionHandler(failure -> ended(fresh));
                    made.result().endHandler(end -> ended(fresh));
                    connection = made.result();
                    return Future.succeededFuture();
                });
        // A client may answer within the call; then there is no attempt under way any more.
        connecting = attempt.isComplete() ? null : attempt;
        return attempt;
    }

    private void ended(Redis which) {
        if (client == which) {
            drop();
            ended.run();
        }
    }

    /** The answer; an answer that is an error fails. Never waits for a connection. */
    Future<@Nullable Response> send(Request request) {
        RedisConnection open = connection;
        return open == null ? Future.failedFuture("not connected to Redis") : open.send(request);
    }

    /** Ends the connection; requests on their way fail. */
    void drop() {
        Redis old = client;
        client = null;
        connection = null;
        connecting = null;
        if (old != null) {
            old.close();
        }
    }

    /** For good. */
    void close() {
        closed = true;
        drop();
    }
}
