package tailrace.http;

import io.vertx.core.Handler;
import io.vertx.core.MultiMap;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;

/**
 * First on every route: what tells a browser to do nothing with an answer but what it is for. Everything an answer bears is
 * set before anybody writes it, so errors, streams and files have it, too. The texts are made once; for each answer they
 * are only pointed to.
 */
public final class SecurityHeaders implements Handler<RoutingContext> {
    /** Nothing but what this server serves; log content is hostile. */
    private static final String PAGE_POLICY =
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
                    + " base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private static final CharSequence CONTENT_SECURITY_POLICY = text("content-security-policy");

    /** Names and values in turn. CORS is not hindered by them: what an origin fetches in that mode, none of them forbids. */
    private static final CharSequence[] ALWAYS = {
        text("x-content-type-options"),
        text("nosniff"),
        text("referrer-policy"),
        text("no-referrer"),
        text("x-frame-options"),
        text("DENY"),
        text("cross-origin-resource-policy"),
        text("same-origin"),
        text("cross-origin-opener-policy"),
        text("same-origin"),
        CONTENT_SECURITY_POLICY,
        text("default-src 'none'; frame-ancestors 'none'"),
        HttpHeaders.CACHE_CONTROL,
        text("no-store"),
    };

    private static final CharSequence HSTS = text("strict-transport-security");
    private static final CharSequence HSTS_YEAR = text("max-age=31536000");
    private static final CharSequence PAGE_POLICY_TEXT = text(PAGE_POLICY);
    private static final CharSequence NO_CACHE = text("no-cache");

    private static CharSequence text(String text) {
        return HttpHeaders.createOptimized(text);
    }

    @Override
    public void handle(RoutingContext ctx) {
        set(ctx.request());
        ctx.next();
    }

    /** Sets them on an answer that has no others yet. */
    static void set(HttpServerRequest request) {
        MultiMap headers = request.response().headers();
        for (int i = 0; i < ALWAYS.length; i += 2) {
            headers.set(ALWAYS[i], ALWAYS[i + 1]);
        }
        if (request.isSSL() && !localhost(request)) {
            headers.set(HSTS, HSTS_YEAR);
        }
    }

    /** Browsers apply it to all ports of a name: on a developer's machine it would lock up whatever else runs there. */
    private static boolean localhost(HttpServerRequest request) {
        return request.authority() != null
                && "localhost".equals(request.authority().host());
    }

    /** The same for the page and its files: what it needs is allowed, and it may be kept if it is asked for again. */
    static void page(RoutingContext ctx) {
        HttpServerResponse response = ctx.response();
        response.putHeader(CONTENT_SECURITY_POLICY, PAGE_POLICY_TEXT).putHeader(HttpHeaders.CACHE_CONTROL, NO_CACHE);
        ctx.next();
    }
}
