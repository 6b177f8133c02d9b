package tailrace.http;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.SecurityPolicyHandler;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import tailrace.http.Origins.Origin;
import tailrace.security.InvalidTokenException;
import tailrace.security.Jwt;
import tailrace.security.KeysUnavailableException;
import tailrace.security.Principal;
import tailrace.security.Sessions;

/**
 * Lets nobody past without a valid token, from {@code Authorization: Bearer} or {@code ?access_token=}, or the cookie of
 * a session that was made of one; the first of these that is there counts, be it good or bad. Puts the {@link Principal}
 * into the context under {@link Principal#KEY}. Runs on the event loop, a few microseconds for a token seen before; only
 * a token whose key is new waits, for its issuer.
 *
 * <p>To Vert.x it is a security policy and no authentication, because those must stand behind body handlers there: a
 * stranger's ten megabytes would be read before he is turned away.
 */
public final class AuthHandler implements SecurityPolicyHandler {
    /** The query parameter; never logged. */
    public static final String PARAMETER = "access_token";

    /** The query parameter of streams; never logged. */
    static final String TICKET = "ticket";

    private static final String SCHEME = "Bearer ";
    private static final int KEYS_RETRY_SECONDS = 2;

    private final Jwt jwt;
    private final Sessions sessions;
    private final Origins origins;

    public AuthHandler(Jwt jwt, Sessions sessions, Origins origins) {
        this.jwt = jwt;
        this.sessions = sessions;
        this.origins = origins;
    }

    @Override
    public void handle(RoutingContext ctx) {
        if (bearsToken(ctx)) {
            authenticate(ctx, token(ctx), principal -> pass(ctx, principal));
            return;
        }
        Optional<Principal> session = session(ctx);
        if (session.isEmpty()) {
            refuseMissing(ctx);
            return;
        }
        HttpMethod method = ctx.request().method();
        boolean changes = !method.equals(HttpMethod.GET) && !method.equals(HttpMethod.HEAD);
        if (changes && origins.of(ctx.request()) != Origin.OWN) {
            // The browser sent the cookie; whether its owner meant it is what Origin says.
            refuseForeign(ctx);
            return;
        }
        pass(ctx, session.get());
    }

    /**
     * The same for a stream, which lasts: a token opens it until its {@code exp} and no longer, since that is when the
     * stream ends; within the leeway a client whose stream has ended would come back again and again. And a ticket opens
     * it, once, and sets the cookie: an EventSource that reconnects asks for the same URL with the used ticket again, and
     * is let past by the cookie.
     */
    public SecurityPolicyHandler streams() {
        return lasting(false);
    }

    /**
     * The same for a WebSocket. A browser lets every page open one to every server, sends the cookie along and shows that
     * page the answers, whatever CORS would say; so with a cookie it has to come from a page of ours.
     */
    public SecurityPolicyHandler sockets() {
        return lasting(true);
    }

    private SecurityPolicyHandler lasting(boolean socket) {
        return ctx -> {
            if (bearsToken(ctx)) {
                authenticate(ctx, token(ctx), principal -> passUntilExpiry(ctx, principal));
                return;
            }
            Optional<String> ticket = parameter(ctx, TICKET);
            if (ticket.isPresent() && origins.of(ctx.request()) == Origin.FOREIGN) {
                // Or a foreign page could sign its visitors in as somebody of its choice.
                refuseForeign(ctx);
                return;
            }
            Optional<Principal> redeemed = ticket.flatMap(sessions::redeem);
            Optional<Principal> session = session(ctx);
            if (socket && redeemed.isEmpty() && session.isPresent() && origins.of(ctx.request()) != Origin.OWN) {
                refuseForeign(ctx);
                return;
            }
            redeemed.ifPresent(principal -> keepSession(ctx, principal, session));
            Optional<Principal> principal = redeemed.or(() -> session);
            if (principal.isPresent()) {
                passUntilExpiry(ctx, principal.get());
            } else if (ticket.isPresent()) {
                refuse(ctx, "the ticket was used already, or has expired, and there is no session", "invalid_ticket");
            } else {
                refuseMissing(ctx);
            }
        };
    }

    /** A page that opens many streams has one session, not one for each. */
    private void keepSession(RoutingContext ctx, Principal principal, Optional<Principal> session) {
        boolean enough = session.filter(known -> known.subject().equals(principal.subject())
                        && known.service() == principal.service()
                        && known.expiresAtSeconds() >= principal.expiresAtSeconds())
                .isPresent();
        if (!enough && !jwt.ended(principal)) {
            // No room for a session costs no more than the reconnect; the stream itself begins.
            sessions.open(principal)
                    .ifPresent(id -> SessionCookie.set(ctx.request(), id, sessions.secondsLeft(principal)));
        }
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

    private static void pass(RoutingContext ctx, Principal principal) {
        ctx.put(Principal.KEY, principal);
        ctx.next();
    }

    private void passUntilExpiry(RoutingContext ctx, Principal principal) {
        if (unexpired(ctx, principal)) {
            pass(ctx, principal);
        }
    }

    /** Whether something that lasts may begin; if not, the request has been answered. */
    boolean unexpired(RoutingContext ctx, Principal principal) {
        if (jwt.ended(principal)) {
            refuse(ctx, "the token has expired", "invalid_token");
            return false;
        }
        return true;
    }

    /** Whether a foreign page sent it; if so, the request has been answered. */
    boolean foreign(RoutingContext ctx) {
        if (origins.of(ctx.request()) == Origin.FOREIGN) {
            refuseForeign(ctx);
            return true;
        }
        return false;
    }

    /** Checks a token, on the request's event loop, and goes on with its principal or answers the request. */
    void authenticate(RoutingContext ctx, Optional<String> token, Consumer<Principal> then) {
        if (token.isEmpty()) {
            refuseMissing(ctx);
            return;
        }
        Future<Principal> answer = jwt.authenticate(token.get());
        if (answer.succeeded()) {
            then.accept(answer.result());
            return;
        }
        if (answer.failed()) {
            refuse(ctx, answer.cause());
            return;
        }
        Context here = ctx.vertx().getOrCreateContext();
        boolean paused = !ctx.request().isEnded();
        if (paused) {
            ctx.request().pause(); // what comes meanwhile belongs to whoever reads the body
        }
        answer.onComplete(result -> here.runOnContext(back -> {
            // A request for a WebSocket must not end before it becomes one; its handler resumes it.
            if (paused && !(result.succeeded() && WebSocketUpgrade.asked(ctx.request()))) {
                ctx.request().resume();
            }
            if (result.succeeded()) {
                then.accept(result.result());
            } else {
                refuse(ctx, result.cause());
            }
        }));
    }

    private static void refuse(RoutingContext ctx, @Nullable Throwable cause) {
        if (cause instanceof InvalidTokenException invalid) {
            refuse(ctx, invalid.reason(), "invalid_token");
        } else if (cause instanceof KeysUnavailableException away) {
            ctx.fail(Problem.unavailable("keys_unavailable", String.valueOf(away.getMessage()), KEYS_RETRY_SECONDS));
        } else {
            ctx.fail(cause);
        }
    }

    private static void refuse(RoutingContext ctx, String reason, String code) {
        ctx.response()
                .putHeader(
                        "WWW-Authenticate",
                        "Bearer realm=\"tailrace\", error=\"invalid_token\", error_description=\"" + reason + "\"");
        ctx.fail(Problem.of(401, code, "Not accepted: " + reason + "."));
    }

    private static void refuseMissing(RoutingContext ctx) {
        // RFC 6750, 3.1: no error code for one who showed nothing at all.
        ctx.response().putHeader("WWW-Authenticate", "Bearer realm=\"tailrace\"");
        ctx.fail(Problem.of(
                401,
                "missing_token",
                "Send a token as Authorization: Bearer …, or as ?access_token=… where no header can be set, or open a"
                        + " session with POST /v2/session."));
    }

    private static void refuseForeign(RoutingContext ctx) {
        ctx.fail(Problem.of(
                403,
                "foreign_origin",
                "A page of another origin sent this, or the browser did not say whose page it was (Origin). If a proxy"
                        + " stands in front, it must pass the Host header on as it came."));
    }

    private Optional<Principal> session(RoutingContext ctx) {
        return SessionCookie.of(ctx.request()).flatMap(sessions::find);
    }

    private static boolean bearsToken(RoutingContext ctx) {
        return ctx.request().getHeader(HttpHeaders.AUTHORIZATION) != null
                || parameter(ctx, PARAMETER).isPresent();
    }

    /** From the header, or else from the query. */
    static Optional<String> token(RoutingContext ctx) {
        return ctx.request().getHeader(HttpHeaders.AUTHORIZATION) == null ? parameter(ctx, PARAMETER) : fromHeader(ctx);
    }

    static Optional<String> fromHeader(RoutingContext ctx) {
        return Optional.ofNullable(ctx.request().getHeader(HttpHeaders.AUTHORIZATION))
                .filter(header -> header.regionMatches(true, 0, SCHEME, 0, SCHEME.length()))
                .map(header -> header.substring(SCHEME.length()).strip())
                .filter(token -> !token.isEmpty());
    }

    private static Optional<String> parameter(RoutingContext ctx, String name) {
        return ctx.queryParam(name).stream().findFirst().filter(text -> !text.isEmpty());
    }
}
