package tailrace.http;

import io.vertx.core.http.Cookie;
import io.vertx.core.http.CookieSameSite;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import java.util.Optional;

/** The cookie that carries a session: no script can read it, and no other site's page can make a browser send it. */
final class SessionCookie {
    static final String NAME = "tailrace_session";

    private SessionCookie() {}

    static Optional<String> of(HttpServerRequest request) {
        return Optional.ofNullable(request.getCookie(NAME)).map(Cookie::getValue);
    }

    /** @param seconds until the session ends, at least one */
    static void set(HttpServerRequest request, String session, long seconds) {
        // As a header, since the answer to a WebSocket's handshake takes no cookies, but headers.
        request.response()
                .headers()
                .add(
                        HttpHeaders.SET_COOKIE,
                        cookie(request, session).setMaxAge(seconds).encode());
    }

    static void clear(HttpServerRequest request) {
        request.response().addCookie(cookie(request, "").setMaxAge(0));
    }

    private static Cookie cookie(HttpServerRequest request, String value) {
        return Cookie.cookie(NAME, value)
                .setPath("/")
                .setHttpOnly(true)
                .setSameSite(CookieSameSite.STRICT)
                .setSecure(overTls(request));
    }

    /**
     * Whether the browser speaks TLS, be it to us or to a proxy in front. A client that lies about it gets a cookie that
     * its browser throws away.
     */
    private static boolean overTls(HttpServerRequest request) {
        String origin = request.getHeader("Origin");
        String forwarded = request.getHeader("X-Forwarded-Proto");
        return request.isSSL()
                || (forwarded != null && forwarded.regionMatches(true, 0, "https", 0, 5))
                || (origin != null && origin.startsWith("https://"));
    }
}
