package tailrace.http;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import java.util.Arrays;

/** Collects a request's body into one array, up to a limit; what comes beyond it is never held. */
final class BodyReader {
    private static final int UNKNOWN_LENGTH_BYTES = 8 << 10;

    private final HttpServerRequest request;
    private final int maxBytes;
    private final Promise<byte[]> promise = Promise.promise();
    private byte[] body;
    private int length;

    private BodyReader(HttpServerRequest request, int maxBytes, int expected) {
        this.request = request;
        this.maxBytes = maxBytes;
        this.body = new byte[expected];
    }

    /**
     * @return the body; fails with a {@link Problem} 413 as soon as it is known to be too large
     */
    static Future<byte[]> read(HttpServerRequest request, int maxBytes) {
        String header = request.getHeader(HttpHeaders.CONTENT_LENGTH);
        long declared = header == null ? UNKNOWN_LENGTH_BYTES : parse(header);
        if (declared > maxBytes) {
            return tooLarge(request, maxBytes);
        }
        return new BodyReader(request, maxBytes, (int) declared).start();
    }

    private static long parse(String contentLength) {
        try {
            return Long.parseLong(contentLength);
        } catch (NumberFormatException e) {
            return Long.MAX_VALUE; // Netty has checked it; a number too long for a long is too large anyway
        }
    }

    private static Future<byte[]> tooLarge(HttpServerRequest request, int maxBytes) {
        // The rest of the body will not be read, so the connection is of no further use.
        if (request.version() != HttpVersion.HTTP_2) { // where there is no such header, and a stream ends by itself
            request.response().putHeader(HttpHeaders.CONNECTION, HttpHeaders.CLOSE);
        }
        return Future.failedFuture(Problem.of(
                413, "body_too_large", "The body has more than " + maxBytes + " bytes. Send the batch in parts."));
    }

    private Future<byte[]> start() {
        request.handler(this::chunk);
        request.endHandler(end -> promise.tryComplete(length == body.length ? body : Arrays.copyOf(body, length)));
        request.exceptionHandler(promise::tryFail);
        request.resume();
        return promise.future();
    }

    private void chunk(Buffer chunk) {
        if (promise.future().isComplete()) {
            return;
        }
        int needed = length + chunk.length();
        if (needed > maxBytes) {
            tooLarge(request, maxBytes).onFailure(promise::tryFail);
            return;
        }
        if (needed > body.length) {
            body = Arrays.copyOf(body, Math.min(maxBytes, Math.max(needed, body.length * 2)));
        }
        chunk.getBytes(body, length);
        length = needed;
    }
}
