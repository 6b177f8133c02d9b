package tailrace.http;

import com.github.f4b6a3.uuid.UuidCreator;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * First on every route: takes or makes the {@code X-Request-ID}, carries {@code traceparent} and {@code X-Trace-ID} on,
 * and logs the request at debug when it has ended. Runs on the event loop.
 */
public final class RequestIdHandler implements Handler<RoutingContext> {
    /** Under which the routing context holds the request's id. */
    public static final String KEY = "request_id";

    private static final Logger LOG = LoggerFactory.getLogger("tailrace.access");

    /** They go back in a header and into log lines: nothing but visible ASCII, and not too much of it. */
    private static final Pattern ID = Pattern.compile("[\\x21-\\x7E]{1,128}");

    /** W3C Trace Context: version, trace id, parent id, flags. */
    private static final Pattern TRACEPARENT =
            Pattern.compile("(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}");

    private static final int LOGGED_URI_CHARS = 500;

    private static final Set<String> SECRETS = Set.of(AuthHandler.PARAMETER, AuthHandler.TICKET, "token");

    /** Every JWT begins with {@code {"} in base64; dots and all else may stand there percent-encoded. */
    private static final Pattern JWT = Pattern.compile("eyJ[\\w.%~+/=-]{8,}");

    @Override
    public void handle(RoutingContext ctx) {
        HttpServerRequest request = ctx.request();
        HttpServerResponse response = ctx.response();
        String id = valid(request.getHeader("X-Request-ID")).orElseGet(RequestIdHandler::newId);
        response.putHeader("X-Request-ID", id);

        Optional<String> traceparent =
                Optional.ofNullable(request.getHeader("traceparent")).map(String::strip);
        var parsed = traceparent.map(TRACEPARENT::matcher).filter(m -> m.matches());
        parsed.ifPresent(m -> response.putHeader("traceparent", m.group()));
        Optional<String> traceId = valid(request.getHeader("X-Trace-ID"));
        traceId.ifPresent(value -> response.putHeader("X-Trace-ID", value));

        ctx.put(KEY, id);
        RequestTrace trace = new RequestTrace(id, parsed.map(m -> m.group(1)).or(() -> traceId));
        Optional.ofNullable(Vertx.currentContext()).ifPresent(trace::attach);
        if (LOG.isDebugEnabled()) {
            logWhenEnded(ctx);
        }
        // Throws a 400 where it cannot be decoded; left to the router, a path with a name in it would make it a 500.
        ctx.queryParams();
        ctx.next();
    }

    /** The request's id, "" before this handler has seen it. */
    public static String of(RoutingContext ctx) {
        String id = ctx.get(KEY);
        return id == null ? "" : id;
    }

    /** An id nobody else has; they sort by time. */
    static String newId() {
        return UuidCreator.getTimeOrderedEpoch().toString();
    }

    private static Optional<String> valid(@Nullable String header) {
        return Optional.ofNullable(header).map(String::strip).filter(text -> ID.matcher(text)
                .matches());
    }

    private static void logWhenEnded(RoutingContext ctx) {
        long start = System.nanoTime();
        ctx.addEndHandler(ended -> LOG.debug(
                "{} {} {} {} bytes {} ms{}",
                ctx.request().method(),
                loggable(ctx.request().uri()),
                ctx.response().getStatusCode(),
                ctx.response().bytesWritten(),
                TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start),
                ended.failed() ? " (cut off)" : ""));
    }

    /**
     * A request's URI, or a part of it, without what must not be logged: a token or a ticket is as good as a password, and
     * whoever puts one in the wrong place has still not meant to show it.
     */
    static String loggable(String uri) {
        int query = uri.indexOf('?');
        String safe = query < 0
                ? uri
                : uri.substring(0, query + 1)
                        + Arrays.stream(uri.substring(query + 1).split("[&;]", -1))
                                .map(RequestIdHandler::loggableParameter)
                                .collect(Collectors.joining("&"));
        String masked = JWT.matcher(safe).replaceAll("***");
        return masked.length() > LOGGED_URI_CHARS ? masked.substring(0, LOGGED_URI_CHARS) + "…" : masked;
    }

    private static String loggableParameter(String parameter) {
        int equals = parameter.indexOf('=');
        if (equals < 0) {
            return parameter;
        }
        String name = parameter.substring(0, equals);
        try {
            name = URLDecoder.decode(name, StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            // Not decodable, so nobody can tell what it hides.
            return "***";
        }
        String plain = name.strip().toLowerCase(Locale.ROOT);
        return SECRETS.contains(plain) ? plain + "=***" : parameter;
    }
}
