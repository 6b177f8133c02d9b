package tailrace.http;

import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServer;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;

/** {@code /metrics} in Prometheus' text form. Reading gauges may take a while, so it is done on a worker. */
public final class MetricsHandler implements Handler<RoutingContext> {
    private static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

    private final PrometheusMeterRegistry registry;

    public MetricsHandler(PrometheusMeterRegistry registry) {
        this.registry = registry;
    }

    @Override
    public void handle(RoutingContext ctx) {
        ctx.vertx()
                .executeBlocking(() -> registry.scrape(CONTENT_TYPE), false)
                .onSuccess(text -> ctx.response()
                        .putHeader(HttpHeaders.CONTENT_TYPE, CONTENT_TYPE)
                        .putHeader(HttpHeaders.CACHE_CONTROL, "no-store")
                        .end(text))
                .onFailure(ctx::fail);
    }

    /**
     * A server of its own for {@code METRICS_PORT}, with metrics and health and nothing else; port 0 for any. Plain HTTP even
     * where the API has TLS: whoever scrapes it is nearby, and nothing secret is shown.
     */
    public Future<HttpServer> listen(Vertx vertx, String host, int port, HealthHandler health, ConnectionGuard guard) {
        Router router = Router.router(vertx);
        ProblemHandler.install(router);
        router.route().handler(new SecurityHeaders());
        router.route().handler(new RequestIdHandler());
        Methods.install(router);
        router.get("/metrics").handler(this);
        router.get("/health").handler(health.report());
        router.get("/health/live").handler(health.live());
        router.get("/health/ready").handler(health.ready());
        return vertx.createHttpServer(ServerOptions.plain(host, port))
                .connectionHandler(guard::connected)
                .requestHandler(router)
                .invalidRequestHandler(ProblemHandler::invalidRequest)
                .listen();
    }
}
