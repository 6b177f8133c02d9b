package tailrace.openapi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** That nothing passes the client by. */
class CheckedClientTest {
    private final CheckedClient client = CheckedClient.of(HttpClient.newHttpClient());
    private HttpServer server;
    private volatile String answer = "{\"status\":\"ok\"}";

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        server.createContext("/", exchange -> {
            exchange.getRequestBody().readAllBytes();
            byte[] body = answer.getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.getResponseHeaders().set("X-Request-ID", "r");
            exchange.sendResponseHeaders(exchange.getRequestMethod().equals("POST") ? 202 : 200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(
                URI.create("http://127.0.0.1:" + server.getAddress().getPort() + path));
    }

    @Test
    void whatIsRightPassesAndWhatIsNotFails() throws Exception {
        HttpRequest good = request("/health/live").build();
        assertThat(client.send(good, BodyHandlers.ofString()).statusCode()).isEqualTo(200);
        assertThat(client.sendAsync(good, BodyHandlers.ofByteArray()).get().statusCode())
                .isEqualTo(200);
        HttpRequest unknown = request("/health/live?surplus=1").build();
        assertThatThrownBy(() -> client.send(unknown, BodyHandlers.ofString()))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("surplus");
        assertThat(client.nonsense().send(unknown, BodyHandlers.ofString()).statusCode())
                .isEqualTo(200);
        answer = "{\"status\":\"ok\",\"surplus\":1}";
        assertThatThrownBy(() -> client.send(good, BodyHandlers.ofString()))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("surplus");
        assertThatThrownBy(() -> client.nonsense().send(unknown, BodyHandlers.ofByteArray()))
                .isInstanceOf(AssertionError.class);
        assertThatThrownBy(() -> client.sendAsync(good, BodyHandlers.ofString()).get())
                .hasCauseInstanceOf(AssertionError.class);
    }

    @Test
    void aBodyIsLookedAtAlsoIfItIsCompressed() throws Exception {
        answer = "{\"accepted\":1,\"rejected\":[],\"duplicates\":0,\"dropped\":0,\"executions\":[]}";
        HttpRequest.Builder post = request("/v2/executions/e/logs")
                .header("Content-Type", "application/json")
                .header("Content-Encoding", "gzip");
        HttpRequest good = post.copy()
                .POST(BodyPublishers.ofByteArray(gzip("[{\"message\":\"m\"}]")))
                .build();
        assertThat(client.send(good, BodyHandlers.ofString()).statusCode()).isEqualTo(202);
        HttpRequest bad = post.copy()
                .POST(BodyPublishers.ofByteArray(gzip("[{\"message\":1}]")))
                .build();
        assertThatThrownBy(() -> client.send(bad, BodyHandlers.ofString()))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("message");
    }

    private static byte[] gzip(String text) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(bytes)) {
            out.write(text.getBytes(StandardCharsets.UTF_8));
        }
        return bytes.toByteArray();
    }
}
