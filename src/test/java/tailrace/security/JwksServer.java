package tailrace.security;

import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.net.URI;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Where an issuer publishes its keys, on loopback; it answers as the test says and counts how often it is asked. */
public final class JwksServer implements AutoCloseable {
    private final Vertx vertx = Vertx.vertx();
    private final AtomicInteger fetches = new AtomicInteger();
    private final HttpServer server;
    private volatile Handler<HttpServerRequest> answer =
            request -> request.response().setStatusCode(503).end();

    public JwksServer() throws Exception {
        server = vertx.createHttpServer()
                .requestHandler(request -> {
                    fetches.incrementAndGet();
                    answer.handle(request);
                })
                .listen(0, "127.0.0.1")
                .await(10, TimeUnit.SECONDS);
    }

    public URI url() {
        return URI.create("http://127.0.0.1:" + server.actualPort() + "/.well-known/jwks.json");
    }

    public int fetches() {
        return fetches.get();
    }

    public static JsonObject document(TestIssuer... keys) {
        JsonArray array = new JsonArray();
        for (TestIssuer key : keys) {
            array.add(key.jwk());
        }
        return new JsonObject().put("keys", array);
    }

    public JwksServer publish(TestIssuer... keys) {
        String document = document(keys).encode();
        return answer(request -> request.response().end(document));
    }

    public JwksServer answer(Handler<HttpServerRequest> handler) {
        answer = handler;
        return this;
    }

    @Override
    public void close() throws Exception {
        vertx.close().await(10, TimeUnit.SECONDS);
    }
}
