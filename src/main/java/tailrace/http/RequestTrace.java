package tailrace.http;

import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.internal.VertxBootstrap;
import io.vertx.core.spi.VertxServiceProvider;
import io.vertx.core.spi.context.storage.ContextLocal;
import java.util.Optional;

/**
 * What names a request in answers and log lines. It lies in the request's Vert.x context, so every line that is logged on
 * its behalf can bear it, from whichever thread and callback; a thread-local would name the wrong request.
 *
 * @param requestId never empty
 * @param traceId from {@code traceparent}, else {@code X-Trace-ID}
 */
public record RequestTrace(String requestId, Optional<String> traceId) {
    private static final ContextLocal<RequestTrace> LOCAL = ContextLocal.registerLocal(RequestTrace.class);

    /** The trace of the request this thread works for now, if any. */
    public static Optional<RequestTrace> current() {
        return Optional.ofNullable(Vertx.currentContext()).map(context -> context.getLocal(LOCAL));
    }

    void attach(Context context) {
        context.putLocal(LOCAL, this);
    }

    /** Calling it initialises this class, and that registers the local. */
    private static void registered() {}

    /** Found by the service loader: a context has room only for the locals registered before its Vertx was made. */
    public static final class Registration implements VertxServiceProvider {
        @Override
        public void init(VertxBootstrap bootstrap) {
            registered();
        }
    }
}
