package verticles;

import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.eventbus.MessageConsumer;
import io.vertx.core.http.HttpServer;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import tailrace.bus.Address;
import tailrace.bus.BusMessage;
import tailrace.http.ConnectionGuard;
import tailrace.http.ProblemHandler;
import tailrace.http.Services;
import tailrace.live.LiveHub;
import tailrace.query.Tiers;

/** One event loop's share of the HTTP server: its handlers and its live streams. All instances listen on one port. */
public final class HttpVerticle extends VerticleBase {
    private final Services services;
    private final int port;
    private @Nullable HttpServer server;
    private @Nullable LiveHub hub;
    private @Nullable ConnectionGuard guard;
    private @Nullable MessageConsumer<BusMessage.Appended> appended;

    /** @param port negative for any free one, the same for all instances with that number */
    public HttpVerticle(Services services, int port) {
        this.services = services;
        this.port = port;
    }

    @Override
    public Future<?> start() {
        Tiers tiers = services.tiers(vertx);
        LiveHub ours = services.hub(vertx, tiers);
        hub = ours;
        appended = vertx.eventBus().localConsumer(Address.APPENDED, message -> ours.onAppended(message.body()));
        ConnectionGuard watching = services.guard(vertx);
        guard = watching;
        HttpServer listening = vertx.createHttpServer(services.serverOptions(port));
        server = listening;
        return listening
                .connectionHandler(watching::connected)
                .invalidRequestHandler(ProblemHandler::invalidRequest)
                .requestHandler(watching.around(services.router(vertx, tiers, ours)))
                .listen();
    }

    /** What listens, once started. */
    Optional<HttpServer> server() {
        return Optional.ofNullable(server);
    }

    /** The port it listens on. */
    public int actualPort() {
        HttpServer listening = server;
        return listening == null ? 0 : listening.actualPort();
    }

    @Override
    public Future<?> stop() {
        LiveHub ours = hub;
        MessageConsumer<BusMessage.Appended> consumer = appended;
        Future<Void> ended = ours == null ? Future.succeededFuture() : ours.close();
        return ended.eventually(() -> consumer == null ? Future.succeededFuture() : consumer.unregister())
                .eventually(this::closeServer);
    }

    private Future<Void> closeServer() {
        HttpServer listening = server;
        ConnectionGuard watching = guard;
        if (watching != null) {
            watching.close();
        }
        return listening == null ? Future.succeededFuture() : listening.shutdown(1, TimeUnit.SECONDS);
    }
}
