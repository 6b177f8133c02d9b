package tailrace.http;

import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.StaticHandler;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import tailrace.http.ApiDocument.Representation;

/**
 * What the API is: the OpenAPI document, and Swagger UI to read it with. Public, since the document is no secret and
 * whoever looks for a token must be able to read how to send it. One for each event loop.
 */
final class DocsHandler {
    /** Of this server alone: its page loads its own files and talks to its own API. */
    private static final String PAGE_POLICY =
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
                    + " base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private static final String PAGE = "/docs";

    private final StaticHandler files = StaticHandler.create("docs").setMaxAgeSeconds(3_600);
    private @Nullable Future<ApiDocument> document;

    /** {@code /openapi.json}. */
    Handler<RoutingContext> json() {
        return ctx -> send(ctx, ApiDocument::asJson);
    }

    /** {@code /openapi.yaml}. */
    Handler<RoutingContext> yaml() {
        return ctx -> send(ctx, ApiDocument::asYaml);
    }

    /** {@code /docs} and the files of that page. */
    void page(RoutingContext ctx) {
        if (ctx.normalizedPath().equals(PAGE)) {
            ctx.reroute(PAGE + "/"); // the files' handler would send the reader there
            return;
        }
        ctx.response()
                .putHeader("Content-Security-Policy", PAGE_POLICY)
                .putHeader("X-Content-Type-Options", "nosniff")
                .putHeader("Referrer-Policy", "no-referrer");
        files.handle(ctx);
    }

    private void send(RoutingContext ctx, Function<ApiDocument, Representation> form) {
        document(ctx.vertx()).compose(loaded -> send(ctx, form.apply(loaded))).onFailure(ctx::fail);
    }

    /** Read when it is asked for first: no start should wait for it. */
    private Future<ApiDocument> document(Vertx vertx) {
        Future<ApiDocument> known = document;
        if (known == null || known.failed()) {
            known = vertx.executeBlocking(() -> ApiDocument.load(version()), false);
            document = known;
        }
        return known;
    }

    private static String version() {
        return Optional.ofNullable(DocsHandler.class.getPackage().getImplementationVersion())
                .orElse("development");
    }

    private static Future<Void> send(RoutingContext ctx, Representation form) {
        HttpServerResponse response = ctx.response()
                .putHeader(HttpHeaders.ETAG, form.etag())
                .putHeader(HttpHeaders.CACHE_CONTROL, "no-cache"); // to be kept, and asked about each time
        if (known(ctx.request().getHeader(HttpHeaders.IF_NONE_MATCH), form.etag())) {
            return response.setStatusCode(304).end();
        }
        return response.putHeader(HttpHeaders.CONTENT_TYPE, form.contentType())
                .putHeader("X-Content-Type-Options", "nosniff")
                .end(form.body());
    }

    /** Weak ones count, too (RFC 9110, 13.1.2): a proxy that compresses makes them so. */
    private static boolean known(@Nullable String ifNoneMatch, String etag) {
        return ifNoneMatch != null
                && Arrays.stream(ifNoneMatch.split(","))
                        .map(String::strip)
                        .anyMatch(tag -> tag.equals("*") || tag.equals(etag) || tag.equals("W/" + etag));
    }
}
