package tailrace.http;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.live.HardClose;

/**
 * Writes an answer piece by piece as the client takes it: at most one piece waits for the socket, so the size of an
 * answer costs neither memory nor the event loop. An answer of one piece is sent whole, with its length. Belongs to the
 * event loop of the request.
 */
final class PieceSender {
    /** A client that takes nothing for so long is closed, as a stuck stream is. */
    private static final long STUCK_MILLIS = 60_000;

    private static final Logger LOG = LoggerFactory.getLogger(PieceSender.class);

    private final RoutingContext ctx;
    private final HttpServerResponse response;
    private final Source source;
    private final Promise<Void> sent = Promise.promise();
    private @Nullable Promise<Void> draining;
    private boolean gone;

    /** @param last whether the answer ends with it */
    record Piece(Buffer bytes, boolean last) {}

    /** Makes the pieces, one after the other. */
    @FunctionalInterface
    interface Source {
        /** The next piece; its bytes may be empty. Not asked again before the last one was taken. */
        Future<Piece> next();
    }

    private PieceSender(RoutingContext ctx, Source source) {
        this.ctx = ctx;
        this.response = ctx.response();
        this.source = source;
    }

    /**
     * Sends all of it. Fails if a piece cannot be made, or if the client is gone or takes nothing: then no more pieces
     * are asked for. Where a failure is to end the answer, {@link #fail} does that.
     */
    static Future<Void> send(RoutingContext ctx, Source source) {
        PieceSender sender = new PieceSender(ctx, source);
        ctx.addEndHandler(ended -> sender.clientIsGone());
        sender.next();
        return sender.sent.future();
    }

    /** Ends a request that failed: with a problem while that can be said, else by breaking the answer off. */
    static void fail(RoutingContext ctx, Throwable failure) {
        HttpServerResponse response = ctx.response();
        if (response.closed() || response.ended()) {
            return; // the client is gone
        }
        if (response.headWritten()) {
            // Half an answer must not look like a whole one.
            LOG.warn("An answer broke off in the middle", failure);
            response.reset();
        } else {
            ctx.fail(Reading.problem(failure));
        }
    }

    /** Once for each piece, and no chain of futures: a long answer has thousands. */
    private void next() {
        source.next().onFailure(sent::tryFail).onSuccess(this::write);
    }

    private void write(Piece piece) {
        if (gone || response.closed()) {
            sent.tryFail("the client is gone");
            return;
        }
        if (piece.last()) {
            response.end(piece.bytes()).onComplete(ended -> {
                if (ended.succeeded()) {
                    sent.tryComplete();
                } else {
                    sent.tryFail(ended.cause());
                }
            });
            return;
        }
        if (!response.headWritten()) {
            response.setChunked(true);
        }
        if (piece.bytes().length() > 0) {
            response.write(piece.bytes());
        }
        if (response.writeQueueFull()) {
            awaitDrain();
        } else {
            next();
        }
    }

    private void awaitDrain() {
        Promise<Void> drained = Promise.promise();
        draining = drained;
        response.drainHandler(ready -> drained.tryComplete());
        long patience = ctx.vertx().setTimer(STUCK_MILLIS, id -> {
            if (drained.tryFail("the client takes nothing")) {
                HardClose.close(ctx.request());
            }
        });
        drained.future().onComplete(done -> {
            ctx.vertx().cancelTimer(patience);
            draining = null;
            if (done.succeeded()) {
                next();
            } else {
                sent.tryFail(done.cause());
            }
        });
    }

    private void clientIsGone() {
        gone = true;
        Promise<Void> waiting = draining;
        if (waiting != null) {
            waiting.tryFail("the client is gone");
        }
    }
}
