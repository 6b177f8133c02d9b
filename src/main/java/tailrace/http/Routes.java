package tailrace.http;

import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.BodyHandler;
import io.vertx.ext.web.handler.StaticHandler;
import tailrace.config.TailraceConfig;

/** The whole API on one page (SPEC 5). */
public final class Routes {
    /** Bytes of a body that is not a batch. */
    private static final long SMALL_BODY_BYTES = 64 << 10;

    private Routes() {}

    /** What answers; one set for each event loop. */
    public record Handlers(
            AuthHandler auth,
            SessionHandler session,
            Handler<RoutingContext> taking,
            IngestHandler ingest,
            ExecutionHandler execution,
            ExecutionListHandler executions,
            SummaryHandler summary,
            RecentLogsHandler recentLogs,
            HistoryHandler history,
            ExportHandler export,
            DiffHandler diff,
            RunLogsHandler runLogs,
            SearchHandler search,
            StreamHandler stream,
            StreamHandler socket,
            ManyStreamHandler manyStream,
            WorkflowHandler workflow,
            WorkflowStatsHandler workflowStats,
            RetentionHandler retention,
            StatsHandler stats,
            HealthHandler health,
            MetricsHandler metrics) {}

    /**
     * @param config says whether {@code /metrics} is on this port, the empty endpoint is there, and who else's pages may come
     */
    public static Router create(Vertx vertx, Handlers handlers, TailraceConfig.Http config) {
        Router router = Router.router(vertx);
        ProblemHandler.install(router);
        router.route().handler(new SecurityHeaders());
        router.route().handler(new RequestIdHandler());
        if (!config.corsOrigins().isEmpty()) {
            router.route().handler(new Cors(config.corsOrigins()));
        }
        Methods.install(router);

        HealthHandler health = handlers.health();
        router.get("/health").handler(health.report());
        router.get("/api/v1/public/health").handler(health.report());
        router.get("/health/live").handler(health.live());
        router.get("/health/ready").handler(health.ready());
        if (config.metricsPort().isEmpty()) {
            router.get("/metrics").handler(handlers.metrics());
        }

        AuthHandler auth = handlers.auth();
        Handler<RoutingContext> service = AuthHandler.requireService();
        Handler<RoutingContext> taking = handlers.taking();
        // As a plain function: the router would insist on a body handler before all others, and so before the token.
        Handler<RoutingContext> body = BodyHandler.create(false).setBodyLimit(SMALL_BODY_BYTES)::handle;
        router.post("/v2/logs/batch")
                .handler(auth)
                .handler(service)
                .handler(taking)
                .handler(handlers.ingest());
        router.post("/v2/executions/:id/logs")
                .handler(auth)
                .handler(service)
                .handler(taking)
                .handler(handlers.ingest());
        router.put("/v2/executions/:id")
                .handler(auth)
                .handler(service)
                .handler(taking)
                .handler(body)
                .handler(handlers.execution()::put);
        router.get("/v2/executions/:id").handler(auth).handler(handlers.execution()::get);
        router.get("/v2/executions").handler(auth).handler(handlers.executions());
        for (String path : new String[] {"/api/v1/app/executions/:id/logs", "/v2/workflows/executions/:id/logs"}) {
            router.get(path).handler(auth).handler(handlers.history());
        }
        for (String path : new String[] {"/api/v1/app/executions/:id/logs/export", "/v2/executions/:id/logs/export"}) {
            router.get(path).handler(auth).handler(handlers.export());
        }
        for (String path : new String[] {"/api/v1/app/executions/:id/logs/diff", "/v2/executions/:id/logs/diff"}) {
            router.get(path).handler(auth).handler(handlers.diff());
        }
        router.get("/admin/runs/:id/logs").handler(auth).handler(service).handler(handlers.runLogs());
        for (String path : new String[] {"/api/v1/app/executions/:id/logs/stream", "/v2/executions/:id/logs/stream"}) {
            router.get(path).handler(auth.streams()).handler(handlers.stream());
        }
        for (String path :
                new String[] {"/api/v1/app/executions/:id/logs/summary", "/v2/executions/:id/logs/summary"}) {
            router.get(path).handler(auth).handler(handlers.summary());
        }
        for (String path :
                new String[] {"/api/v1/app/executions/recent_logs", "/v2/workflows/executions/recent_logs"}) {
            router.get(path).handler(auth).handler(handlers.recentLogs());
        }
        router.get("/v2/workflows/:id/logs").handler(auth).handler(handlers.search()::ofWorkflow);
        router.get("/v2/workflows/:id/stats").handler(auth).handler(handlers.workflowStats());
        router.get("/v2/logs/search").handler(auth).handler(handlers.search()::ofAll);
        for (String path : new String[] {"/api/v1/app/executions/:id/logs/ws", "/v2/executions/:id/logs/ws"}) {
            router.get(path).handler(auth.sockets()).handler(handlers.socket());
        }
        router.get("/v2/logs/stream").handler(auth.streams()).handler(handlers.manyStream());
        router.post("/v2/session").handler(handlers.session()::open);
        router.delete("/v2/session").handler(auth).handler(handlers.session()::end);
        router.post("/v2/stream-tickets").handler(auth).handler(handlers.session()::ticket);
        router.put("/v2/workflows/:id")
                .handler(auth)
                .handler(service)
                .handler(body)
                .handler(handlers.workflow()::put);
        router.get("/v2/workflows/:id").handler(auth).handler(handlers.workflow()::get);
        router.get("/v2/retention/policies").handler(auth).handler(service).handler(handlers.retention()::list);
        router.put("/v2/retention/policies/:id")
                .handler(auth)
                .handler(service)
                .handler(body)
                .handler(handlers.retention()::put);
        router.delete("/v2/retention/policies/:id")
                .handler(auth)
                .handler(service)
                .handler(handlers.retention()::delete);
        router.get("/v2/logs/stats").handler(auth).handler(service).handler(handlers.stats());
        if (config.benchEndpoint()) {
            router.post("/v2/bench/empty").handler(auth).handler(service).handler(Routes::empty);
        }

        DocsHandler docs = new DocsHandler();
        router.get("/openapi.json").handler(docs.json());
        router.get("/openapi.yaml").handler(docs.yaml());
        router.get("/docs/*").handler(docs::page);
        router.get("/*")
                .method(HttpMethod.HEAD)
                .handler(SecurityHeaders::page)
                .handler(StaticHandler.create("webroot").setCachingEnabled(false));
        return router;
    }

    /** Reads the body as ingest does, and answers as ingest does: what is left of its time is ours. */
    private static void empty(RoutingContext ctx) {
        BodyReader.read(ctx.request(), Integer.MAX_VALUE - 8)
                .onSuccess(body -> ctx.response().setStatusCode(202).end("{}"))
                .onFailure(ctx::fail);
    }
}
