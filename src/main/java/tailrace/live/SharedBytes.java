package tailrace.live;

import io.netty.buffer.ByteBuf;
import io.vertx.core.AsyncResult;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.internal.buffer.BufferInternal;

/**
 * Bytes outside the heap that go to many sockets without being copied for each. Vert.x never releases a buffer that it
 * did not make, so each write holds a reference of its own and gives it back when the socket has taken it or is gone.
 * Belongs to one event loop until it is written; references may be given back on any thread.
 */
final class SharedBytes {
    private final ByteBuf bytes;
    private final Handler<AsyncResult<Void>> written;

    /** Takes over the caller's reference; give it back with {@link #release}. */
    SharedBytes(ByteBuf bytes) {
        this.bytes = bytes;
        this.written = done -> bytes.release();
    }

    int length() {
        return bytes.readableBytes();
    }

    /** Writes a part of it; the caller has made sure that the response is open. */
    void writeTo(HttpServerResponse response, int from, int count) {
        bytes.retain();
        Future<Void> write;
        try {
            write = response.write(part(from, count));
        } catch (RuntimeException e) {
            bytes.release();
            throw e;
        }
        write.onComplete(written);
    }

    private Buffer part(int from, int count) {
        return BufferInternal.buffer(bytes.slice(from, count));
    }

    /** A part with a reference of its own, for whoever releases what it has written. */
    ByteBuf retainedPart(int from, int count) {
        return bytes.retainedSlice(from, count);
    }

    /** Lets somebody copy a part. */
    void show(long id, int from, int count, Frames.Visitor visitor) {
        visitor.event(id, bytes, from, count);
    }

    void release() {
        bytes.release();
    }
}
