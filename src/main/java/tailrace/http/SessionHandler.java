package tailrace.http;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.Json;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;
import java.time.Instant;
import java.util.Optional;
import tailrace.security.Principal;
import tailrace.security.Role;
import tailrace.security.Sessions;

/**
 * Sessions and stream tickets: what a page shows instead of its token, which then stands in no URL and within reach of no
 * script (SPEC 8).
 */
public final class SessionHandler {
    /** The longest token, as JSON, with room around it. */
    private static final int MAX_BODY_BYTES = 16 << 10;

    private static final int RETRY_AFTER_SECONDS = 10;

    private final AuthHandler auth;
    private final Sessions sessions;

    public SessionHandler(AuthHandler auth, Sessions sessions) {
        this.auth = auth;
        this.sessions = sessions;
    }

    /**
     * {@code POST /v2/session}: a token, in the header or as {@code {"access_token":"…"}}, becomes a cookie. A cookie or a
     * token in the query does not: the one would only repeat itself, the other is what this is there to avoid.
     */
    public void open(RoutingContext ctx) {
        if (auth.foreign(ctx)) {
            return; // or a foreign page could sign its visitors in as somebody of its choice
        }
        if (ctx.request().getHeader(HttpHeaders.AUTHORIZATION) != null) {
            auth.authenticate(ctx, AuthHandler.fromHeader(ctx), principal -> open(ctx, principal));
            return;
        }
        BodyReader.read(ctx.request(), MAX_BODY_BYTES)
                .map(SessionHandler::token)
                .onSuccess(token -> auth.authenticate(ctx, token, principal -> open(ctx, principal)))
                .onFailure(ctx::fail);
    }

    /** The parser's own words are not passed on: they quote what was sent. */
    private static Optional<String> token(byte[] body) {
        try {
            Object json = body.length == 0 ? null : Json.decodeValue(Buffer.buffer(body));
            Object token = json instanceof JsonObject object ? object.getValue(AuthHandler.PARAMETER) : null;
            return token instanceof String text && !text.isEmpty() ? Optional.of(text) : Optional.empty();
        } catch (DecodeException e) {
            throw Problem.of(400, "invalid_json", "The body is not JSON; send {\"access_token\":\"…\"}.");
        }
    }

    private void open(RoutingContext ctx, Principal principal) {
        if (!auth.unexpired(ctx, principal)) {
            return;
        }
        Optional<String> session = sessions.open(principal);
        if (session.isEmpty()) {
            ctx.fail(Problem.unavailable(
                    "too_many_sessions", "This server has as many sessions as it may have.", RETRY_AFTER_SECONDS));
            return;
        }
        // The one that the browser has now is replaced there, so nobody could end it any more.
        SessionCookie.of(ctx.request()).ifPresent(sessions::end);
        SessionCookie.set(ctx.request(), session.get(), sessions.secondsLeft(principal));
        answer(
                ctx,
                new JsonObject()
                        .put("role", (principal.service() ? Role.SERVICE_ROLE : Role.AUTHENTICATED).wire())
                        .put("sub", principal.subject())
                        .put(
                                "expires_at",
                                Instant.ofEpochSecond(principal.expiresAtSeconds())
                                        .toString()));
    }

    /** {@code DELETE /v2/session}: the cookie's session ends. Streams that it opened go on until the token expires. */
    public void end(RoutingContext ctx) {
        SessionCookie.of(ctx.request()).ifPresent(sessions::end);
        SessionCookie.clear(ctx.request());
        ctx.response().setStatusCode(204).end();
    }

    /** {@code POST /v2/stream-tickets}: a text that opens one stream as {@code ?ticket=}, soon. */
    public void ticket(RoutingContext ctx) {
        Principal principal = AuthHandler.principal(ctx);
        if (!auth.unexpired(ctx, principal)) {
            return;
        }
        if (sessions.tooManyTickets(principal)) {
            ctx.fail(Problem.tooMany(
                    "too_many_tickets",
                    "You have as many unused tickets as you may have; one is good for " + Sessions.TICKET_SECONDS
                            + " s.",
                    RETRY_AFTER_SECONDS));
            return;
        }
        Optional<String> ticket = sessions.ticket(principal);
        if (ticket.isEmpty()) {
            ctx.fail(Problem.unavailable(
                    "too_many_tickets", "This server has as many tickets as it may have.", RETRY_AFTER_SECONDS));
            return;
        }
        long seconds = Math.min(Sessions.TICKET_SECONDS, sessions.secondsLeft(principal));
        answer(ctx, new JsonObject().put("ticket", ticket.get()).put("expires_in", seconds));
    }

    private static void answer(RoutingContext ctx, JsonObject body) {
        ctx.response()
                .putHeader(HttpHeaders.CONTENT_TYPE, "application/json")
                .putHeader(HttpHeaders.CACHE_CONTROL, "no-store")
                .end(body.toBuffer());
    }
}
