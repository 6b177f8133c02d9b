package verticles;

import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.eventbus.MessageConsumer;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import tailrace.bus.Address;
import tailrace.bus.BusMessage;
import tailrace.http.ProblemHandler;
import tailrace.http.Services;
import tailrace.live.LiveHub;
import tailrace.query.Tiers;

/** One event loop's share of the HTTP server: its handlers and its live streams. All instances listen on one port. */
public final class HttpVerticle extends VerticleBase {
    /** An idle keep-alive connection is closed after this; live streams are kept open by their heartbeat. */
    private static final int IDLE_SECONDS = 90;

    private static final int MAX_HEADER_BYTES = 16 << 10;
    /** A stream may name 100 executions in its query, and an id that resumes all of them. */
    private static final int MAX_REQUEST_LINE_BYTES = 32 << 10;
    /** What a WebSocket's client sends: nothing but control frames is expected. */
    private static final int MAX_SOCKET_FRAME_BYTES = 4 << 10;

    private final Services services;
    private final int port;
    private @Nullable HttpServer server;
    private @Nullable LiveHub hub;
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
        HttpServer listening = vertx.createHttpServer(new HttpServerOptions()
                .setHost(services.config().http().host())
                .setPort(port)
                .setTcpNoDelay(true)
                .setReuseAddress(true)
                .setMaxHeaderSize(MAX_HEADER_BYTES)
                .setMaxInitialLineLength(MAX_REQUEST_LINE_BYTES)
                .setMaxWebSocketFrameSize(MAX_SOCKET_FRAME_BYTES)
                .setMaxWebSocketMessageSize(MAX_SOCKET_FRAME_BYTES)
                // Compression would cost memory for each connection, and bytes that are shared no more.
                .setPerMessageWebSocketCompressionSupported(false)
                .setPerFrameWebSocketCompressionSupported(false)
                .setIdleTimeout(IDLE_SECONDS)
                .setIdleTimeoutUnit(TimeUnit.SECONDS)
                // An idle connection costs less than half of the heap with it.
                .setStrictThreadMode(true));
        server = listening;
        return listening
                .invalidRequestHandler(ProblemHandler::invalidRequest)
                .requestHandler(services.router(vertx, tiers, ours))
                .listen();
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
        return listening == null ? Future.succeededFuture() : listening.shutdown(1, TimeUnit.SECONDS);
    }
}
