package tailrace.http;

import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;

/** The whole API on one page (SPEC 5). */
public final class Routes {
    private Routes() {}

    /** What answers; one set for each event loop. */
    public record Handlers(
            Handler<RoutingContext> auth,
            IngestHandler ingest,
            HealthHandler health,
            Handler<RoutingContext> metrics) {}

    public static Router create(Vertx vertx, Handlers handlers) {
        Router router = Router.router(vertx);
        ProblemHandler.install(router);
        router.route().handler(new RequestIdHandler());

        HealthHandler health = handlers.health();
        router.get("/health").handler(health.report());
        router.get("/api/v1/public/health").handler(health.report());
        router.get("/health/live").handler(health.live());
        router.get("/health/ready").handler(health.ready());
        router.get("/metrics").handler(handlers.metrics());

        Handler<RoutingContext> service = AuthHandler.requireService();
        router.post("/v2/logs/batch").handler(handlers.auth()).handler(service).handler(handlers.ingest());
        router.post("/v2/executions/:id/logs")
                .handler(handlers.auth())
                .handler(service)
                .handler(handlers.ingest());
        return router;
    }
}
