package tailrace.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the client makes of a server's answers. */
class IngestClientTest {
    private static final String TAKEN = "{\"accepted\":2,\"rejected\":[],\"dropped\":0,\"executions\":[]}";

    private HttpServer server;
    private final Deque<Answer> answers = new ArrayDeque<>();
    private final List<String> keys = new ArrayList<>();
    private final List<String> bodies = new ArrayList<>();
    private final List<String> said = new ArrayList<>();

    /** Status 0 closes the connection without an answer. */
    private record Answer(int status, String retryAfter, String body) {}

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::handle);
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    private synchronized void handle(HttpExchange exchange) throws IOException {
        keys.add(exchange.getRequestHeaders().getFirst("Idempotency-Key"));
        bodies.add(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
        Answer answer = answers.remove();
        if (answer.status() == 0) {
            throw new IOException("the test breaks the connection");
        }
        if (!answer.retryAfter().isEmpty()) {
            exchange.getResponseHeaders().add("Retry-After", answer.retryAfter());
        }
        byte[] body = answer.body().getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(answer.status(), body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }

    private IngestClient client(Duration patience) {
        URI target = URI.create("http://127.0.0.1:" + server.getAddress().getPort() + ServerOption.logsPath("a b/ü"));
        return new IngestClient(target, Trust.context(Optional.empty()), "token", patience, said::add);
    }

    private static List<EntryBuffer.Entry> batch() {
        return List.of(
                new EntryBuffer.Entry("line 7", "{\"message\":\"a\"}".getBytes(StandardCharsets.UTF_8), 0),
                new EntryBuffer.Entry("line 9", "{\"message\":\"b\"}".getBytes(StandardCharsets.UTF_8), 0));
    }

    @Test
    void anOverloadedOrAbsentServerIsAskedAgainWithTheSameKey() throws Exception {
        answers.add(new Answer(503, "1", "{\"detail\":\"not now\"}"));
        answers.add(new Answer(429, "", "{}"));
        answers.add(new Answer(0, "", ""));
        answers.add(new Answer(502, "", "<html>"));
        answers.add(new Answer(202, "", TAKEN));
        answers.add(new Answer(202, "", TAKEN));
        IngestClient client = client(Duration.ofSeconds(60));
        long start = System.nanoTime();

        client.send(batch());
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThanOrEqualTo(Duration.ofSeconds(1));
        client.send(batch());

        assertThat(client.accepted()).isEqualTo(4);
        assertThat(keys.subList(0, 5)).containsOnly(keys.get(0));
        assertThat(keys.get(5)).isNotEqualTo(keys.get(0));
        assertThat(bodies).hasSize(6).containsOnly("{\"message\":\"a\"}\n{\"message\":\"b\"}\n");
        assertThat(said).singleElement().asString().contains("503: not now; trying again");
    }

    @Test
    void whatIsRejectedIsNamedByItsLine() throws Exception {
        answers.add(new Answer(
                202,
                "",
                "{\"accepted\":1,\"duplicates\":3,\"dropped\":4,\"rejected\":[{\"index\":1,\"field\":\"level\","
                        + "\"code\":\"x\",\"message\":\"level is\\u001b[2J bad\"}]}"));
        answers.add(new Answer(
                400,
                "",
                "{\"accepted\":0,\"rejected\":[{\"index\":0,\"message\":\"a\"},{\"index\":1,\"message\":\"b\"}]}"));
        IngestClient client = client(Duration.ofSeconds(60));

        client.send(batch());
        client.send(batch());

        assertThat(client.accepted()).isEqualTo(1);
        assertThat(client.duplicates()).isEqualTo(3);
        assertThat(client.dropped()).isEqualTo(4);
        assertThat(client.rejected()).isEqualTo(3);
        assertThat(said)
                .containsExactly("rejected: line 9: level is␛[2J bad", "rejected: line 7: a", "rejected: line 9: b");
    }

    @Test
    void aRefusalEndsIt() {
        answers.add(new Answer(401, "", "{\"detail\":\"expired\"}"));
        assertThatThrownBy(() -> client(Duration.ofSeconds(60)).send(batch()))
                .isInstanceOf(CommandFailedException.class)
                .hasMessage("the server refuses the batch with 401: expired");
        answers.add(new Answer(400, "", "{\"detail\":\"no\"}"));
        assertThatThrownBy(() -> client(Duration.ofSeconds(60)).send(batch())).hasMessageEndingWith("400: no");
        assertThat(keys).hasSize(2);
    }

    @Test
    void patienceEnds() {
        answers.add(new Answer(503, "30", "{\"detail\":\"starting\"}"));
        assertThatThrownBy(() -> client(Duration.ofSeconds(5)).send(batch()))
                .isInstanceOf(CommandFailedException.class)
                .hasMessageContaining("503: starting; gave up after 5 s. Everything before line 7 was taken");
    }
}
