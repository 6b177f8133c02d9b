package tailrace.http;

import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.ext.web.Router;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/** A router behind a real socket, asked by the JDK's client: headers and statuses are what clients really get. */
final class HttpTestServer implements AutoCloseable {
    private final Vertx vertx;
    private final HttpServer server;
    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    HttpTestServer(Consumer<Router> routes) throws Exception {
        vertx = Vertx.vertx();
        Router router = Router.router(vertx);
        ProblemHandler.install(router);
        router.route().handler(new RequestIdHandler());
        routes.accept(router);
        server = vertx.createHttpServer(new HttpServerOptions().setMaxHeaderSize(16 << 10)) // as the real one
                .requestHandler(router)
                .invalidRequestHandler(ProblemHandler::invalidRequest)
                .listen(0, "127.0.0.1")
                .await(10, TimeUnit.SECONDS);
    }

    Vertx vertx() {
        return vertx;
    }

    int port() {
        return server.actualPort();
    }

    HttpResponse<String> get(String path, String... headers) throws IOException, InterruptedException {
        return send("GET", path, headers);
    }

    HttpResponse<String> send(String method, String path, String... headers) throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port() + path))
                .method(method, HttpRequest.BodyPublishers.noBody());
        if (headers.length > 0) {
            request.headers(headers);
        }
        return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    @Override
    public void close() throws TimeoutException {
        vertx.close().await(10, TimeUnit.SECONDS);
    }
}
