package tailrace.http;

import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.eventbus.ReplyFailure;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.HttpException;
import java.util.Comparator;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.bus.Failure;
import tailrace.journal.JournalUnavailableException;
import tailrace.model.Visible;

/**
 * The one place where a failure becomes an answer (RFC 9457). What was not meant for the client is logged with the
 * request's id and answered with 500 and that id, nothing more.
 */
public final class ProblemHandler implements Handler<RoutingContext> {
    private static final Logger LOG = LoggerFactory.getLogger(ProblemHandler.class);

    /** Statuses that Vert.x answers by itself, with HTML or nothing, unless told otherwise. */
    private static final int[] OWN_STATUSES = {400, 401, 403, 404, 405, 406, 408, 413, 414, 415, 431, 500, 501, 503};

    private static final int RETRY_SECONDS = 1;

    private final Router router;

    private ProblemHandler(Router router) {
        this.router = router;
    }

    /** Answers every failure of this router. Call before its routes are added: a failure handler guards what follows it. */
    public static void install(Router router) {
        ProblemHandler handler = new ProblemHandler(router);
        router.route().failureHandler(handler);
        for (int status : OWN_STATUSES) {
            router.errorHandler(status, handler);
        }
    }

    /**
     * Answers what never became a request (a line or header too long, bytes that are no HTTP) and closes the connection:
     * nobody knows where the next request would begin. For {@code HttpServer.invalidRequestHandler}.
     */
    public static void invalidRequest(HttpServerRequest request) {
        Throwable cause = request.decoderResult().cause();
        int status = 400;
        if (cause instanceof TooLongHttpLineException) {
            status = 414;
        } else if (cause instanceof TooLongHttpHeaderException) {
            status = 431;
        }
        SecurityHeaders.set(request);
        // Its own id: the headers cannot be trusted, they may be what is broken.
        String id = RequestIdHandler.newId();
        HttpServerResponse response = request.response();
        response.putHeader("X-Request-ID", id).putHeader(HttpHeaders.CONNECTION, HttpHeaders.CLOSE);
        write(response, problem(status, null), id, true)
                .onComplete(written -> request.connection().close());
    }

    @Override
    public void handle(RoutingContext ctx) {
        // The catch-all for files has a GET for every path, so Vert.x says 405 where there is nothing, and 404 where
        // there
        // is something with other methods. RFC 9110, 15.5.6: a 405 names the methods, which Vert.x knows and does not
        // tell.
        boolean unrouted = ctx.failure() == null && (ctx.statusCode() == 404 || ctx.statusCode() == 405);
        Set<String> methods = unrouted ? Methods.of(router, ctx) : Set.of();
        boolean other =
                !methods.isEmpty() && !methods.contains(ctx.request().method().name());
        int status = unrouted ? (other ? 405 : 404) : ctx.statusCode();
        Problem problem = problem(status, ctx.failure());
        if (problem.status() == 500 && !(ctx.failure() instanceof Problem)) {
            LOG.error("{} {} failed", ctx.request().method(), loggablePath(ctx), ctx.failure());
        } else if (problem.status() >= 500) {
            // An outage fails every request alike; whoever has the outage logs it once.
            LOG.debug("{} {}: {}", ctx.request().method(), loggablePath(ctx), problem.detail());
        }
        HttpServerResponse response = ctx.response();
        if (response.ended() || response.closed()) {
            return;
        }
        if (response.headWritten()) {
            // Half an answer is out; cutting it off is the only way left to say that it is not whole.
            response.reset();
            return;
        }
        SecurityHeaders.set(ctx.request()); // those of the page, if it was a file that is not there, are not for this
        if (problem.status() == 405) {
            response.putHeader(HttpHeaders.ALLOW, String.join(", ", methods));
        }
        if (problem.retryAfterSeconds() > 0) {
            response.putHeader(HttpHeaders.RETRY_AFTER, Integer.toString(problem.retryAfterSeconds()));
        }
        // Failing to write it means that the client has gone; there is nobody left to tell.
        write(
                response,
                problem,
                RequestIdHandler.of(ctx),
                !ctx.request().method().equals(HttpMethod.HEAD));
    }

    private static String loggablePath(RoutingContext ctx) {
        return RequestIdHandler.loggable(ctx.normalizedPath());
    }

    private static Future<Void> write(
            HttpServerResponse response, Problem problem, String requestId, boolean withBody) {
        response.setStatusCode(problem.status())
                .putHeader(HttpHeaders.CONTENT_TYPE, "application/problem+json")
                .putHeader(HttpHeaders.CACHE_CONTROL, "no-store");
        return withBody ? response.end(body(problem, requestId).toBuffer()) : response.end();
    }

    /** The problem as JSON; the standard members win over the problem's own of the same name. */
    static JsonObject body(Problem problem, String requestId) {
        JsonObject body = new JsonObject()
                .put("type", "urn:tailrace:problem:" + problem.code())
                .put("title", HttpResponseStatus.valueOf(problem.status()).reasonPhrase())
                .put("status", problem.status())
                .put("code", problem.code())
                // May quote a path or a parameter; problems are printed by tools as they come.
                .put("detail", Visible.line(problem.detail()))
                .put("request_id", requestId);
        problem.members().entrySet().stream()
                .sorted(Map.Entry.comparingByKey(Comparator.naturalOrder()))
                .filter(member -> !body.containsKey(member.getKey()))
                .forEach(member -> body.put(member.getKey(), member.getValue()));
        return body;
    }

    private static Problem problem(int status, @Nullable Throwable failure) {
        if (failure instanceof Problem problem) {
            return problem;
        }
        if (failure instanceof JournalUnavailableException) {
            return Problem.unavailable("journal_unavailable", "The journal cannot be used now.", RETRY_SECONDS);
        }
        if (failure instanceof ReplyException reply) {
            Problem refused = refused(reply);
            if (refused != null) {
                return refused;
            }
        }
        int code = failure instanceof HttpException http ? http.getStatusCode() : status;
        return switch (code) {
            case 400 -> Problem.of(400, "bad_request", "The request is malformed: look at its path and query.");
            case 404 -> Problem.of(404, "not_found", "There is nothing at this path.");
            case 405 ->
                Problem.of(405, "method_not_allowed", "This path has other methods; the Allow header names them.");
            case 406 -> Problem.of(406, "not_acceptable", "Nothing here is of a type that Accept names.");
            case 408 -> Problem.of(408, "request_timeout", "The request took too long to arrive.");
            case 413 -> Problem.of(413, "payload_too_large", "The body is larger than this server takes.");
            case 414 -> Problem.of(414, "uri_too_long", "The URI is longer than this server takes.");
            case 415 -> Problem.of(415, "unsupported_media_type", "The body is of a type that is not taken here.");
            case 431 -> Problem.of(431, "headers_too_large", "The headers are larger than this server takes.");
            case 503 -> Problem.unavailable("unavailable", "Not available now.", RETRY_SECONDS);
            default ->
                code >= 400 && code < 500
                        ? Problem.of(
                                code,
                                "http_" + code,
                                HttpResponseStatus.valueOf(code).reasonPhrase() + ".")
                        : Problem.of(
                                500,
                                "internal_error",
                                "Something went wrong here; the log has it under the request_id.");
        };
    }

    /** What another verticle answered instead of doing as it was asked; null for a defect. */
    private static @Nullable Problem refused(ReplyException reply) {
        if (reply.failureType() != ReplyFailure.RECIPIENT_FAILURE) {
            return Problem.unavailable("not_ready", "The server is starting, stopping or overloaded.", RETRY_SECONDS);
        }
        String detail = String.valueOf(reply.getMessage());
        return switch (reply.failureCode()) {
            case Failure.JOURNAL_UNAVAILABLE -> Problem.unavailable("journal_unavailable", detail, RETRY_SECONDS);
            case Failure.JOURNAL_FULL -> Problem.unavailable("overloaded", detail, RETRY_SECONDS);
            case Failure.IDEMPOTENCY_CONFLICT -> Problem.of(409, "idempotency_conflict", detail);
            default -> null;
        };
    }
}
