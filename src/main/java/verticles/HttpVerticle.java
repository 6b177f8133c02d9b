package verticles;

import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.ext.web.Router;
import java.util.function.Function;
import tailrace.config.TailraceConfig;

/** One event loop's share of the HTTP server; all instances listen on one port. */
public final class HttpVerticle extends VerticleBase {
    private final TailraceConfig config;
    private final Function<Vertx, Router> routes;
    private final int port;

    @SuppressWarnings("NullAway.Init") // set by start
    private HttpServer server;

    public HttpVerticle(TailraceConfig config, int port, Function<Vertx, Router> routes) {
        this.config = config;
        this.port = port;
        this.routes = routes;
    }

    @Override
    public Future<?> start() {
        server = vertx.createHttpServer(new HttpServerOptions()
                .setHost(config.http().host())
                .setPort(port)
                .setStrictThreadMode(true)
                .setCompressionSupported(false));
        return server.requestHandler(routes.apply(vertx)).listen();
    }
}
