package tailrace.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientAgent;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.http.WebSocket;
import io.vertx.core.http.WebSocketClient;
import io.vertx.core.net.PemKeyCertOptions;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import tailrace.live.HardClose;
import tailrace.metrics.Metrics;
import tailrace.process.AwaitCondition;
import tailrace.process.TestCertificate;

/** Clients that hold on to what they do not use, each by the name of its attack. Real sockets, short patience. */
@Timeout(60)
class ConnectionGuardIT {
    private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(1);
    private static final Duration UNREAD_TIMEOUT = Duration.ofSeconds(2);
    private static final int MAX_CONNECTIONS = 50;
    private static final int BIG_BYTES = 32 << 20;

    private final Vertx vertx = Vertx.vertx();
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final Metrics metrics = new Metrics(registry);
    private final Connections connections = new Connections(MAX_CONNECTIONS, metrics);
    private final Server server = new Server(Optional.empty());

    /** One event loop with its guard, as {@code HttpVerticle} has it. */
    private final class Server extends VerticleBase {
        private final Optional<TestCertificate> tls;
        private @Nullable HttpServer listening;

        Server(Optional<TestCertificate> tls) {
            this.tls = tls;
        }

        @Override
        public Future<?> start() {
            var guard = new ConnectionGuard(vertx, connections, REQUEST_TIMEOUT, UNREAD_TIMEOUT);
            HttpServer made =
                    vertx.createHttpServer(ServerOptions.of("127.0.0.1", 0, tls.map(each -> new PemKeyCertOptions()
                            .setCertValue(Buffer.buffer(each.certPem()))
                            .setKeyValue(Buffer.buffer(each.keyPem())))));
            listening = made;
            return made.connectionHandler(guard::connected)
                    .invalidRequestHandler(ProblemHandler::invalidRequest)
                    .webSocketHandler(socket -> socket.textMessageHandler(socket::writeTextMessage))
                    .requestHandler(guard.around(this::answer))
                    .listen();
        }

        private void answer(HttpServerRequest request) {
            switch (request.path()) {
                case "/big" -> request.response().end(Buffer.buffer(new byte[BIG_BYTES]));
                case "/closed-hard" -> {
                    request.response().end(Buffer.buffer(new byte[BIG_BYTES]));
                    vertx.setTimer(100, id -> HardClose.close(request));
                }
                case "/slow" ->
                    vertx.setTimer(3 * REQUEST_TIMEOUT.toMillis(), id -> request.response()
                            .end("late"));
                case "/body" ->
                    request.body().onSuccess(body -> request.response().end("got " + body.length()));
                default -> request.response().end("x".repeat(1_000));
            }
        }

        int port() {
            return Objects.requireNonNull(listening).actualPort();
        }
    }

    @BeforeEach
    void start() throws Exception {
        vertx.deployVerticle(server).await(10, TimeUnit.SECONDS);
    }

    @AfterEach
    void stop() throws Exception {
        vertx.close().await(10, TimeUnit.SECONDS);
    }

    private Socket connect() throws IOException {
        Socket socket = new Socket("127.0.0.1", server.port());
        socket.setSoTimeout(50);
        return socket;
    }

    private static void send(Socket socket, String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
    }

    /** Whether the server has closed it, as the client sees it; reads what is there. */
    private static boolean closed(Socket socket) {
        try {
            InputStream in = socket.getInputStream();
            while (in.read() >= 0) {
                // something was answered
            }
            return true;
        } catch (SocketTimeoutException e) {
            return false;
        } catch (IOException e) {
            return true;
        }
    }

    private void awaitClosedWhileSending(Socket socket, String piece) {
        AwaitCondition.until("the server closes it", () -> {
            try {
                send(socket, piece);
            } catch (IOException e) {
                return true;
            }
            return closed(socket);
        });
    }

    private double count(String name) {
        return registry.get(name).counter().count();
    }

    @Test
    void aHeadThatTricklesInIsNotWaitedFor() throws Exception {
        try (Socket slowloris = connect()) {
            send(slowloris, "GET / HTTP/1.1\r\nHost: x\r\n");
            awaitClosedWhileSending(slowloris, "X-A: b\r\n");
        }
        assertThat(count("tailrace.http.requests.timeout")).isEqualTo(1);
    }

    @Test
    void aHeadThatTricklesInBehindAnotherRequestIsNotWaitedFor() throws Exception {
        try (Socket slowloris = connect()) {
            send(slowloris, "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\n");
            awaitClosedWhileSending(slowloris, "X-A: b\r\n");
        }
        assertThat(count("tailrace.http.requests.timeout")).isEqualTo(1);
    }

    @Test
    void aBodyThatTricklesInIsNotWaitedFor() throws Exception {
        try (Socket slow = connect();
                Socket chunked = connect()) {
            send(slow, "POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n");
            awaitClosedWhileSending(slow, "x");
            send(chunked, "POST /body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
            awaitClosedWhileSending(chunked, "1\r\nx\r\n");
        }
        assertThat(count("tailrace.http.requests.timeout")).isEqualTo(2);
    }

    @Test
    void aConnectionThatNeverSaysAnythingIsClosed() throws Exception {
        try (Socket silent = connect()) {
            AwaitCondition.until("it is closed", () -> closed(silent));
        }
        AwaitCondition.until("nothing is left of it", () -> connections.open() == 0);
    }

    @Test
    void whoIsOnlyIdleOrWaitsForALateAnswerIsLeftAlone() throws Exception {
        try (Socket idle = connect()) {
            send(idle, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
            StringBuilder answer = new StringBuilder();
            AwaitCondition.until("the late answer", () -> {
                answer.append((char) idle.getInputStream().read());
                return answer.toString().endsWith("late");
            });
            AwaitCondition.elapse(REQUEST_TIMEOUT.multipliedBy(2));
            send(idle, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            assertThat(closed(idle)).isFalse();
        }
        assertThat(count("tailrace.http.requests.timeout")).isZero();
    }

    @Test
    void aWebSocketIsNoRequestThatNeverEnds() throws Exception {
        WebSocketClient client = vertx.createWebSocketClient();
        List<WebSocket> opened = new ArrayList<>();
        // On a busy machine the first takes longer to say something than a silent connection is given here.
        AwaitCondition.until(
                "it is open",
                () -> opened.add(client.connect(server.port(), "127.0.0.1", "/").await(10, TimeUnit.SECONDS)));
        WebSocket socket = opened.get(0);
        List<String> echoes = new CopyOnWriteArrayList<>();
        socket.textMessageHandler(echoes::add);
        for (int i = 1; i <= 2; i++) {
            int expected = i;
            socket.writeTextMessage("still here").await(10, TimeUnit.SECONDS);
            AwaitCondition.until("its echo", () -> echoes.size() == expected);
            AwaitCondition.elapse(REQUEST_TIMEOUT.multipliedBy(2));
        }
        assertThat(socket.isClosed()).isFalse();
    }

    @Test
    void anAnswerThatIsNotReadIsNotKept() throws Exception {
        try (Socket stuck = connect()) {
            send(stuck, "GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
            AwaitCondition.until("it has its place", () -> connections.open() == 1);
            AwaitCondition.until("the server gives up", () -> connections.open() == 0);
        }
        assertThat(count("tailrace.http.answers.unread")).isEqualTo(1);
    }

    @Test
    void aHardCloseDoesNotWaitForTheClientToRead() throws Exception {
        try (Socket stuck = connect()) {
            send(stuck, "GET /closed-hard HTTP/1.1\r\nHost: x\r\n\r\n");
            AwaitCondition.until("it has its place", () -> connections.open() == 1);
            AwaitCondition.until("it is closed", () -> connections.open() == 0);
        }
        assertThat(count("tailrace.http.answers.unread"))
                .as("it did not take the guard")
                .isZero();
    }

    @Test
    void whoAsksOnAndOnAndReadsNothingIsCutOff() throws Exception {
        try (Socket flood = connect()) {
            OutputStream out = flood.getOutputStream();
            byte[] many = "GET / HTTP/1.1\r\nHost: x\r\n\r\n".repeat(1_000).getBytes(StandardCharsets.US_ASCII);
            AwaitCondition.until("the server gives up", () -> {
                try {
                    out.write(many);
                } catch (IOException e) {
                    return true;
                }
                return false;
            });
        }
        assertThat(count("tailrace.http.answers.unread")).isEqualTo(1);
    }

    @Test
    void beyondTheLimitConnectionsAreClosedAndThoseWithinGoOn() throws Exception {
        List<Socket> held = new ArrayList<>();
        try {
            for (int i = 0; i < MAX_CONNECTIONS; i++) {
                Socket socket = connect();
                send(socket, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
                held.add(socket);
            }
            AwaitCondition.until("all places are taken", () -> connections.open() == MAX_CONNECTIONS);
            try (Socket tooMany = connect()) {
                AwaitCondition.until("one more is closed", () -> closed(tooMany));
            }
            assertThat(count("tailrace.http.connections.refused")).isEqualTo(1);
            send(held.get(0), "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            assertThat(held.get(0).getInputStream().read()).isEqualTo('H');
        } finally {
            for (Socket socket : held) {
                socket.close();
            }
        }
        AwaitCondition.until("their places are free again", () -> connections.open() == 0);
    }

    @Test
    void overHttp2ASlowBodyIsResetAndAnUnreadAnswerEndsTheConnection() throws Exception {
        TestCertificate certificate = TestCertificate.make("EC");
        Server secure = new Server(Optional.of(certificate));
        vertx.deployVerticle(secure).await(10, TimeUnit.SECONDS);
        HttpClientAgent client = vertx.createHttpClient(new HttpClientOptions()
                .setProtocolVersion(HttpVersion.HTTP_2)
                .setSsl(true)
                .setUseAlpn(true)
                .setTrustAll(true)
                .setVerifyHost(false)
                .setHttp2ConnectionWindowSize(1 << 20));

        HttpClientRequest slow = client.request(HttpMethod.POST, secure.port(), "127.0.0.1", "/body")
                .await(10, TimeUnit.SECONDS);
        assertThat(slow.version()).isEqualTo(HttpVersion.HTTP_2);
        List<Throwable> reset = new CopyOnWriteArrayList<>();
        slow.exceptionHandler(reset::add).setChunked(true).write("x");
        AwaitCondition.until("it is reset", () -> !reset.isEmpty());
        assertThat(count("tailrace.http.requests.timeout")).isEqualTo(1);
        HttpClientResponse other = get(client, secure, "/");
        Future<Buffer> body = other.body();
        other.resume();
        assertThat(body.await(10, TimeUnit.SECONDS).length())
                .as("others on the same connection go on")
                .isEqualTo(1_000);

        get(client, secure, "/big").pause();
        AwaitCondition.until("the server gives up", () -> connections.open() == 0);
        assertThat(count("tailrace.http.answers.unread")).isEqualTo(1);
    }

    private static HttpClientResponse get(HttpClientAgent client, Server secure, String path) throws Exception {
        return client.request(HttpMethod.GET, secure.port(), "127.0.0.1", path)
                .compose(HttpClientRequest::send)
                .map(response -> response.pause())
                .await(10, TimeUnit.SECONDS);
    }
}
