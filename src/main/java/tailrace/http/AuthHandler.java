package tailrace.http;

import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.SecurityPolicyHandler;
import java.util.List;
import java.util.Optional;
import tailrace.security.InvalidTokenException;
import tailrace.security.Jwt;
import tailrace.security.Principal;

/**
 * Lets nobody past without a valid token, from {@code Authorization: Bearer} or, for EventSource, which can set no
 * header, {@code ?access_token=}; the header wins. Puts the {@link Principal} into the context under
 * {@link Principal#KEY}. Runs on the event loop, a few microseconds for a token seen before.
 *
 * <p>To Vert.x it is a security policy and no authentication, because those must stand behind body handlers there: a
 * stranger's ten megabytes would be read before he is turned away.
 */
public final class AuthHandler implements SecurityPolicyHandler {
    /** The query parameter; never logged. */
    public static final String PARAMETER = "access_token";

    private static final String SCHEME = "Bearer ";

    private final Jwt jwt;

    public AuthHandler(Jwt jwt) {
        this.jwt = jwt;
    }

    @Override
    public void handle(RoutingContext ctx) {
        Optional<String> token = token(ctx);
        if (token.isEmpty()) {
            // RFC 6750, 3.1: no error code for one who showed nothing at all.
            ctx.response().putHeader("WWW-Authenticate", "Bearer realm=\"tailrace\"");
            ctx.fail(Problem.of(
                    401,
                    "missing_token",
                    "Send a token as Authorization: Bearer …, or as ?access_token=… where no header can be set."));
            return;
        }
        try {
            ctx.put(Principal.KEY, jwt.verify(token.get()));
        } catch (InvalidTokenException e) {
            ctx.response()
                    .putHeader(
                            "WWW-Authenticate",
                            "Bearer realm=\"tailrace\", error=\"invalid_token\", error_description=\"" + e.reason()
                                    + "\"");
            ctx.fail(Problem.of(401, "invalid_token", "Not accepted: " + e.reason() + "."));
            return;
        }
        ctx.next();
    }

    /** After an {@link AuthHandler}: 403 for everybody but services. */
    public static SecurityPolicyHandler requireService() {
        return ctx -> {
            if (principal(ctx).service()) {
                ctx.next();
            } else {
                ctx.response().putHeader("WWW-Authenticate", "Bearer realm=\"tailrace\", error=\"insufficient_scope\"");
                ctx.fail(Problem.of(403, "service_token_required", "This needs a token with role service_role."));
            }
        };
    }

    /**
     * Who asks.
     *
     * @throws IllegalStateException on a route without an {@link AuthHandler}: rather a 500 than an open door
     */
    public static Principal principal(RoutingContext ctx) {
        Principal principal = ctx.get(Principal.KEY);
        if (principal == null) {
            throw new IllegalStateException("a route needs a principal and has no AuthHandler");
        }
        return principal;
    }

    private static Optional<String> token(RoutingContext ctx) {
        String header = ctx.request().getHeader(HttpHeaders.AUTHORIZATION);
        if (header != null) {
            return header.regionMatches(true, 0, SCHEME, 0, SCHEME.length())
                    ? Optional.of(header.substring(SCHEME.length()).strip()).filter(token -> !token.isEmpty())
                    : Optional.empty();
        }
        List<String> parameters = ctx.queryParam(PARAMETER);
        return parameters.stream().findFirst().filter(token -> !token.isEmpty());
    }
}
