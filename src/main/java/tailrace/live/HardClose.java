package tailrace.live;

import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.http.impl.HttpServerConnection;

/** Ends a connection whose client takes nothing any more. */
public final class HardClose {
    private HardClose() {}

    /**
     * Closes without waiting for the socket to take what it never will: Vert.x's own close flushes first, so a client
     * that has stopped reading could hold it for ever. Over HTTP/2 only the request's stream is ended.
     */
    @SuppressWarnings("FutureReturnValueIgnored") // there is nobody left to be told
    public static void close(HttpServerRequest request) {
        if (request.version() != HttpVersion.HTTP_2
                && request.connection() instanceof HttpServerConnection connection) {
            connection.channelHandlerContext().close();
        } else {
            request.response().reset();
        }
    }
}
