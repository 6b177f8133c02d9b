package tailrace.http;

import io.vertx.core.Handler;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.CorsHandler;
import java.util.List;
import java.util.Set;

/**
 * Lets pages of the configured origins read what this server answers, with their visitors' cookies. Everybody else is
 * treated as if this were not here: the library would answer 403 to an origin that is not listed, and so to this server's
 * own page, which sends its origin with every POST.
 */
final class Cors implements Handler<RoutingContext> {
    private static final int PREFLIGHT_SECONDS = 600;

    private final Set<String> origins;
    private final CorsHandler handler;

    /** @param origins as browsers write them; not empty */
    Cors(Set<String> origins) {
        this.origins = Set.copyOf(origins);
        handler = CorsHandler.create()
                .addOrigins(List.copyOf(origins))
                .allowCredentials(true)
                .maxAgeSeconds(PREFLIGHT_SECONDS)
                .allowedMethods(Set.of(HttpMethod.GET, HttpMethod.POST, HttpMethod.PUT, HttpMethod.DELETE))
                .allowedHeaders(Set.of(
                        "Authorization",
                        "Content-Type",
                        "Content-Encoding",
                        "Idempotency-Key",
                        "Last-Event-ID",
                        "X-Request-ID",
                        "traceparent"))
                .exposedHeaders(Set.of("X-Request-ID", "Retry-After"));
    }

    @Override
    public void handle(RoutingContext ctx) {
        String origin = ctx.request().getHeader(HttpHeaders.ORIGIN);
        boolean listed = origin != null && origins.contains(origin);
        if (!listed || origins.size() == 1) {
            // A cache must not show one origin what was answered to another; else the library says so.
            ctx.response().putHeader(HttpHeaders.VARY, HttpHeaders.ORIGIN);
        }
        if (listed) {
            handler.handle(ctx);
        } else {
            ctx.next();
        }
    }
}
