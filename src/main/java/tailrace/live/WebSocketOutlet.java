package tailrace.live;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.CorruptedWebSocketFrameException;
import io.netty.handler.codec.http.websocketx.PingWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import io.netty.util.ReferenceCountUtil;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.impl.HttpServerConnection;
import io.vertx.core.internal.buffer.BufferInternal;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A WebSocket that only speaks. Vert.x does the handshake; frames are written here, since it would make one of its own
 * for each reader, and control frames are answered here, since it would queue pongs without limit for a client that sends
 * pings and reads nothing.
 */
final class WebSocketOutlet extends Outlet {
    /** A client that does not answer a close frame by then is cut off. */
    private static final long CLOSE_SECONDS = 5;

    private static final int MAX_CONTROL_BYTES = 125;
    private static final byte FINAL_CLOSE = (byte) 0x88;
    private static final byte[] PING = {(byte) 0x89, 0};
    private static final byte FINAL_PONG = (byte) 0x8a;
    private static final int NO_CODE = -1;
    /** Of Vert.x in the pipeline. */
    private static final String VERTX_HANDLER = "handler";

    private final HttpServerRequest request;
    private @Nullable ChannelHandlerContext channel;
    private boolean closing;
    private boolean closed;
    private long lastPingNanos;
    private long lastHeardNanos;

    WebSocketOutlet(LiveHub hub, HttpServerRequest request) {
        super(hub);
        this.request = request;
    }

    @Override
    public Future<Void> open() {
        if (!(request.connection() instanceof HttpServerConnection connection)) {
            return Future.failedFuture(new IllegalStateException("only HTTP/1.1 is upgraded to a WebSocket"));
        }
        Channel connected = connection.channelHandlerContext().channel();
        return request.toWebSocket().map(socket -> {
            takeOver(connected);
            return null;
        });
    }

    /** Puts itself before Vert.x, which from here on sees only that the connection ends. */
    private void takeOver(Channel connected) {
        lastHeardNanos = hub.nanoTime();
        lastPingNanos = lastHeardNanos;
        if (!connected.isActive()) {
            closed = true;
            onGone();
            return;
        }
        Peer peer = new Peer();
        connected.pipeline().addBefore(VERTX_HANDLER, null, peer);
        channel = connected.pipeline().context(peer);
    }

    /** What the other side sends, on the event loop. */
    private final class Peer extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            if (!(message instanceof WebSocketFrame frame)) {
                ctx.fireChannelRead(message);
                return;
            }
            try {
                lastHeardNanos = hub.nanoTime();
                if (frame instanceof PingWebSocketFrame) {
                    pong(ctx, frame.content());
                } else if (frame instanceof CloseWebSocketFrame close) {
                    onClose(ctx, close);
                }
                // A pong has been heard; messages are none of ours and are passed over.
            } finally {
                ReferenceCountUtil.release(message);
            }
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext ctx) {
            if (ctx.channel().isWritable()) {
                lastHeardNanos = hub.nanoTime(); // somebody took something
                hub.onLoop(WebSocketOutlet.this::onDrained);
            }
            ctx.fireChannelWritabilityChanged();
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            closed = true;
            hub.onLoop(WebSocketOutlet.this::onGone);
            ctx.fireChannelInactive();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            Throwable broken = cause.getCause() == null ? cause : cause.getCause();
            if (broken instanceof CorruptedWebSocketFrameException corrupted && !closing) {
                hub.onLoop(WebSocketOutlet.this::onGone);
                sendClose(ctx, corrupted.closeStatus().code(), "");
            } else {
                ctx.close();
            }
        }
    }

    private static void pong(ChannelHandlerContext ctx, ByteBuf payload) {
        if (ctx.channel().isWritable() && payload.readableBytes() <= MAX_CONTROL_BYTES) {
            ByteBuf pong = ctx.alloc().buffer(2 + payload.readableBytes());
            pong.writeByte(FINAL_PONG).writeByte(payload.readableBytes()).writeBytes(payload);
            ctx.writeAndFlush(pong);
        }
    }

    private void onClose(ChannelHandlerContext ctx, CloseWebSocketFrame close) {
        if (closing) {
            ctx.close(); // the answer to ours
            return;
        }
        hub.onLoop(this::onGone);
        int code = close.statusCode(); // -1 if it has none
        sendClose(ctx, code, "").addListener(sent -> ctx.close());
    }

    /** Says that nothing more comes; the client answers and the connection ends, or it is cut off. */
    private ChannelFuture sendClose(ChannelHandlerContext ctx, int code, String reason) {
        closing = true;
        byte[] text = reason.getBytes(StandardCharsets.US_ASCII);
        ByteBuf frame = Unpooled.buffer(4 + text.length);
        frame.writeByte(FINAL_CLOSE);
        if (code == NO_CODE) {
            frame.writeByte(0);
        } else {
            frame.writeByte(2 + text.length).writeShort(code).writeBytes(text);
        }
        ctx.executor().schedule(() -> ctx.close(), CLOSE_SECONDS, TimeUnit.SECONDS);
        return ctx.writeAndFlush(frame);
    }

    @Override
    EventFormat format() {
        return hub.webSocketText();
    }

    @Override
    void begin() {}

    @Override
    boolean full() {
        ChannelHandlerContext open = channel;
        return open == null || !open.channel().isWritable();
    }

    @Override
    void put(SharedBytes bytes, int from, int count) {
        ChannelHandlerContext open = channel;
        if (open != null && !closing) {
            open.writeAndFlush(bytes.retainedPart(from, count));
        }
    }

    @Override
    void put(Buffer bytes) {
        ChannelHandlerContext open = channel;
        if (open != null && !closing) {
            open.writeAndFlush(((BufferInternal) bytes).getByteBuf());
        }
    }

    /** A ping even while events pass: only its answer shows that somebody is there. */
    @Override
    void silence(long nowNanos, long heartbeatNanos) {
        if (nowNanos - lastPingNanos >= heartbeatNanos) {
            lastPingNanos = nowNanos;
            write(Buffer.buffer(PING));
        }
    }

    @Override
    long unheardSinceNanos() {
        return lastHeardNanos;
    }

    @Override
    Future<Void> finish(Ending why) {
        ChannelHandlerContext open = channel;
        if (open == null || closing || closed) {
            return Future.succeededFuture();
        }
        Promise<Void> written = Promise.promise();
        String reason = why.retryMillis() > 0 ? "retry: " + why.retryMillis() : "";
        sendClose(open, why.closeCode(), reason).addListener(sent -> written.complete());
        return written.future();
    }

    @Override
    public void cut() {
        ChannelHandlerContext open = channel;
        if (open != null) {
            open.close();
        }
    }
}
