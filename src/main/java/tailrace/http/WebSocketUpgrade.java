package tailrace.http;

import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import java.util.Base64;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Whether a request asks for a WebSocket as RFC 6455, 4.2.1 says it must; what does not is answered before any upgrade. */
final class WebSocketUpgrade {
    private static final String VERSION = "13";
    private static final int KEY_BYTES = 16;
    private static final Pattern LIST = Pattern.compile("\\s*,\\s*");

    private WebSocketUpgrade() {}

    /** Whether it may be one. */
    static boolean asked(HttpServerRequest request) {
        return request.version() == HttpVersion.HTTP_1_1 && names(request.getHeader(HttpHeaders.UPGRADE), "websocket");
    }

    /** @throws Problem 426 if the handshake cannot succeed */
    static void require(HttpServerRequest request) {
        boolean complete = asked(request)
                && HttpMethod.GET.equals(request.method())
                && names(request.getHeader(HttpHeaders.CONNECTION), "upgrade")
                && VERSION.equals(request.getHeader("Sec-WebSocket-Version"))
                && isKey(request.getHeader("Sec-WebSocket-Key"));
        if (!complete) {
            request.response().putHeader(HttpHeaders.UPGRADE, "websocket").putHeader("Sec-WebSocket-Version", VERSION);
            throw Problem.of(
                    426,
                    "upgrade_required",
                    "This is a WebSocket: come with HTTP/1.1 and its handshake, version 13. The same events are to be had"
                            + " without it at …/logs/stream.");
        }
    }

    private static boolean names(@Nullable String header, String token) {
        return header != null && LIST.splitAsStream(header.strip()).anyMatch(token::equalsIgnoreCase);
    }

    private static boolean isKey(@Nullable String key) {
        try {
            return key != null && Base64.getDecoder().decode(key.strip()).length == KEY_BYTES;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }
}
