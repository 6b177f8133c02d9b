package tailrace.http;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.handler.codec.http.LastHttpContent;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.http.impl.HttpServerConnection;
import java.time.Duration;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import tailrace.metrics.Metrics;

/**
 * Bounds what a client can hold by doing nothing, on one event loop: a request that trickles in, a connection that says
 * nothing, answers that are not taken. Idle timeouts alone do not, since every byte starts them anew. A connection notes
 * times in fields, and one timer looks at all of them: no request costs a timer of its own.
 *
 * <p>Over HTTP/1.1 a connection is one request at a time, and what is wrong with it ends the connection. Over HTTP/2 a
 * request that does not arrive is reset alone; a client that does not take answers loses its connection, for it holds back
 * all of them.
 */
public final class ConnectionGuard {
    private static final long MAX_SWEEP_MILLIS = 1_000;
    private static final long NEVER = 0;
    /** Sent while it takes nothing: more than a client can have under way by accident, and few enough small requests. */
    private static final long MAX_BYTES_WHILE_UNREAD = 128 << 10;
    /** In Vert.x's pipeline. */
    private static final String DECODER = "httpDecoder";

    private final Vertx vertx;
    private final Connections connections;
    private final Metrics metrics;
    private final long requestNanos;
    private final long unreadNanos;
    private final long timer;
    private final Set<Http1> http1 = Collections.newSetFromMap(new IdentityHashMap<>());
    private final Set<Http2Request> http2 = Collections.newSetFromMap(new IdentityHashMap<>());

    /**
     * Make it and use it on one event loop.
     *
     * @param requestTimeout from a request's first byte to its last
     * @param unreadTimeout after which answers that are not taken end the connection
     */
    public ConnectionGuard(Vertx vertx, Connections connections, Duration requestTimeout, Duration unreadTimeout) {
        this.vertx = vertx;
        this.connections = connections;
        this.metrics = connections.metrics();
        this.requestNanos = requestTimeout.toNanos();
        this.unreadNanos = unreadTimeout.toNanos();
        long shortest = Math.min(requestTimeout.toMillis(), unreadTimeout.toMillis());
        timer = vertx.setPeriodic(Math.max(10, Math.min(MAX_SWEEP_MILLIS, shortest / 4)), id -> sweep());
    }

    public void close() {
        vertx.cancelTimer(timer);
    }

    /** For {@code HttpServer.connectionHandler}. */
    public void connected(HttpConnection connection) {
        ChannelHandlerContext context = ((HttpServerConnection) connection).channelHandlerContext();
        if (!connections.enter()) {
            closeHard(context);
            return;
        }
        context.channel().closeFuture().addListener(closed -> connections.leave());
        ChannelPipeline pipeline = context.pipeline();
        if (pipeline.get(DECODER) != null) {
            Http1 watched = new Http1();
            http1.add(watched);
            context.channel().closeFuture().addListener(closed -> http1.remove(watched));
            pipeline.addBefore(DECODER, "arrivals", watched);
            pipeline.addAfter(DECODER, "wholeRequests", watched.whole());
        }
    }

    /** Around the handler of all requests. */
    public Handler<HttpServerRequest> around(Handler<HttpServerRequest> handler) {
        return request -> {
            if (request.version() == HttpVersion.HTTP_2) {
                http2.add(new Http2Request(request));
            }
            handler.handle(request);
        };
    }

    private void sweep() {
        long now = now();
        List.copyOf(http1).forEach(connection -> connection.check(now));
        http2.removeIf(request -> request.check(now));
    }

    /** Never {@link #NEVER}. */
    private static long now() {
        return System.nanoTime() | 1;
    }

    /** Without waiting for the socket to take what it never will, as closing the whole pipeline would. */
    private static void closeHard(ChannelHandlerContext context) {
        context.close();
    }

    /** Stands before the decoder and sees bytes come; what stands behind it tells when they were a whole request. */
    private final class Http1 extends ChannelInboundHandlerAdapter {
        private long arrivingSince = now();
        private long unwritableSince = NEVER;
        private long bytesWhileUnwritable;

        @SuppressWarnings("NullAway.Init") // Netty sets it before anything else
        private ChannelHandlerContext context;

        @Override
        public void handlerAdded(ChannelHandlerContext added) {
            context = added;
        }

        ChannelInboundHandlerAdapter whole() {
            return new ChannelInboundHandlerAdapter() {
                @Override
                public void channelRead(ChannelHandlerContext ctx, Object message) {
                    if (message instanceof LastHttpContent) {
                        arrivingSince = NEVER;
                    } else if (arrivingSince == NEVER && message instanceof HttpRequest) {
                        arrivingSince = now(); // the next one came in the same bytes
                    }
                    ctx.fireChannelRead(message);
                }
            };
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object bytes) {
            if (arrivingSince == NEVER) {
                arrivingSince = now();
            }
            if (unwritableSince != NEVER && bytes instanceof io.netty.buffer.ByteBuf buffer) {
                bytesWhileUnwritable += buffer.readableBytes();
            }
            ctx.fireChannelRead(bytes);
            if (bytesWhileUnwritable > MAX_BYTES_WHILE_UNREAD) {
                unread();
            }
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext ctx) {
            unwritableSince = ctx.channel().isWritable() ? NEVER : now();
            bytesWhileUnwritable = 0;
            ctx.fireChannelWritabilityChanged();
        }

        void check(long now) {
            if (unwritableSince != NEVER && now - unwritableSince >= unreadNanos) {
                unread();
            } else if (arrivingSince != NEVER && now - arrivingSince >= requestNanos) {
                if (context.pipeline().get(HttpRequestDecoder.class) == null) {
                    arrivingSince = NEVER; // it has become a WebSocket; whoever serves that watches it
                    return;
                }
                metrics.requestTimedOut();
                closeHard(context);
            }
        }

        private void unread() {
            metrics.answerUnread();
            closeHard(context);
        }
    }

    private final class Http2Request {
        private final HttpServerRequest request;
        private final long startedAt = now();
        private long endedAt = NEVER;

        Http2Request(HttpServerRequest request) {
            this.request = request;
        }

        /** Whether it needs to be looked at no more. */
        boolean check(long now) {
            HttpServerResponse response = request.response();
            if (response.closed()) {
                return true;
            }
            if (!request.isEnded() && now - startedAt >= requestNanos) {
                metrics.requestTimedOut();
                response.reset();
                return true;
            }
            if (endedAt == NEVER && response.ended()) {
                endedAt = now;
            }
            if (endedAt != NEVER && now - endedAt >= unreadNanos) {
                metrics.answerUnread();
                closeHard(((HttpServerConnection) request.connection()).channelHandlerContext());
                return true;
            }
            return false;
        }
    }
}
