package tailrace.openapi;

import java.net.URI;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;

/**
 * A request and its answer.
 *
 * @param sent its body, or null where it has none or none that can be read again
 * @param nonsense whether the test sends what the document forbids, on purpose
 * @param received the answer's body, or null where the test reads it by itself, as it does of streams
 */
record Exchange(
        String method,
        URI uri,
        HttpHeaders requestHeaders,
        byte[] sent,
        boolean nonsense,
        int status,
        HttpHeaders answerHeaders,
        byte[] received) {

    static Exchange of(
            HttpRequest request, byte[] sent, boolean nonsense, int status, HttpHeaders headers, Object body) {
        byte[] received = null;
        if (body instanceof String text) {
            received = text.getBytes(StandardCharsets.UTF_8);
        } else if (body instanceof byte[] bytes) {
            received = bytes;
        }
        return new Exchange(
                request.method(), request.uri(), request.headers(), sent, nonsense, status, headers, received);
    }

    String describe() {
        return method + " " + uri.getRawPath() + (uri.getRawQuery() == null ? "" : "?" + uri.getRawQuery()) + " -> "
                + status;
    }
}
