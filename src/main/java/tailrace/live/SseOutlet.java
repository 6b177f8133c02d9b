package tailrace.live;

import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;

/** Server-sent events: the body of a response that does not end. */
final class SseOutlet extends Outlet {
    private static final String HEARTBEAT = ":\n\n";

    private final HttpServerRequest request;
    private final HttpServerResponse response;
    private final EventFormat format;

    SseOutlet(LiveHub hub, HttpServerRequest request, EventFormat format) {
        super(hub);
        this.request = request;
        this.response = request.response();
        this.format = format;
    }

    @Override
    public Future<Void> open() {
        return Future.succeededFuture();
    }

    @Override
    EventFormat format() {
        return format;
    }

    @Override
    void begin() {
        if (response.headWritten()) {
            return;
        }
        response.setChunked(true)
                .putHeader(HttpHeaders.CONTENT_TYPE, "text/event-stream; charset=utf-8")
                .putHeader(HttpHeaders.CACHE_CONTROL, "no-store")
                .putHeader("X-Accel-Buffering", "no");
        response.drainHandler(drained -> onDrained());
        write(hub.retryFrame());
    }

    @Override
    boolean full() {
        return response.writeQueueFull();
    }

    @Override
    void put(SharedBytes bytes, int from, int count) {
        bytes.writeTo(response, from, count);
    }

    @Override
    @SuppressWarnings("FutureReturnValueIgnored") // whoever is gone is told by the response's handlers
    void put(Buffer bytes) {
        response.write(bytes);
    }

    @Override
    void silence(long nowNanos, long heartbeatNanos) {
        if (nowNanos - lastWriteNanos() >= heartbeatNanos) {
            write(Buffer.buffer(HEARTBEAT));
        }
    }

    @Override
    long unheardSinceNanos() {
        return 0;
    }

    @Override
    Future<Void> finish(Ending why) {
        if (why.retryMillis() > 0) {
            write(Buffer.buffer(SseFrame.retry(why.retryMillis())));
        }
        return response.end();
    }

    @Override
    public void cut() {
        HardClose.close(request);
    }
}
