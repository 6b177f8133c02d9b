package tailrace.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClientAgent;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.http.StreamResetException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.cert.Certificate;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tailrace.postgres.TestDatabase;

/** The API over TLS: HTTP/2, certificates that are exchanged while it runs, and clients that stop reading. */
@Timeout(60)
class TlsIT {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @TempDir
    private static Path directory;

    private static TestDatabase database;
    private static ServerProcess server;
    private static TestCertificate first;
    private static TestCertificate second;
    private static Path volume;
    private static int metricsPort;
    private static HttpClient client;

    @BeforeAll
    static void start() throws Exception {
        first = TestCertificate.make("EC");
        second = TestCertificate.make("RSA");
        // As Kubernetes mounts a secret: files are links into a directory that is a link, and that is exchanged.
        volume = Files.createDirectory(directory.resolve("tls"));
        mount("v1", first.certPem(), first.keyPem());
        Files.createSymbolicLink(volume.resolve("tls.crt"), Path.of("..data", "tls.crt"));
        Files.createSymbolicLink(volume.resolve("tls.key"), Path.of("..data", "tls.key"));
        database = TestDatabase.empty();
        try (ServerSocket free = new ServerSocket(0)) {
            metricsPort = free.getLocalPort();
        }
        server = ServerProcess.in(directory.resolve("data"))
                .env("DATABASE_URL", database.urlText())
                .env("TLS_CERT", volume.resolve("tls.crt").toString())
                .env("TLS_KEY", volume.resolve("tls.key").toString())
                .env("TLS_RELOAD_INTERVAL", "100ms")
                .env("METRICS_PORT", Integer.toString(metricsPort))
                .env("STREAM_STUCK_TIMEOUT", "1s")
                .start();
        client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_2)
                .sslContext(TestCertificate.trusting(first, second))
                .build();
    }

    @AfterAll
    static void stop() throws Exception {
        server.close();
        database.close();
    }

    private static void mount(String version, String cert, String key) throws IOException {
        Path at = Files.createDirectory(volume.resolve(version));
        Files.writeString(at.resolve("tls.crt"), cert);
        Files.writeString(at.resolve("tls.key"), key);
        Path link = volume.resolve("..data_tmp");
        Files.createSymbolicLink(link, Path.of(version));
        Files.move(link, volume.resolve("..data"), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    private static HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(server.base().resolve(path))
                .header("Authorization", "Bearer " + ServerProcess.serviceToken())
                .timeout(PATIENCE);
    }

    private static HttpResponse<String> post(String path, String json) throws Exception {
        return client.send(
                request(path)
                        .header("Content-Type", "application/json")
                        .POST(BodyPublishers.ofString(json))
                        .build(),
                BodyHandlers.ofString());
    }

    private static Certificate shown() throws Exception {
        try (SSLSocket socket = (SSLSocket) TestCertificate.trusting(first, second)
                .getSocketFactory()
                .createSocket("127.0.0.1", server.base().getPort())) {
            return socket.getSession().getPeerCertificates()[0];
        }
    }

    private static double metric(String name) throws Exception {
        HttpRequest plain = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + metricsPort + "/metrics"))
                .timeout(PATIENCE)
                .build();
        return client.send(plain, BodyHandlers.ofString())
                .body()
                .lines()
                .filter(line -> line.startsWith(name + " ") || line.startsWith(name + "{"))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .sum();
    }

    @Test
    void theApiIsServedOverHttp2AndOverHttp11() throws Exception {
        assertThat(server.base().getScheme()).isEqualTo("https");
        HttpResponse<String> posted = post("/v2/executions/h2/logs", "[{\"message\":\"one\"}]");
        assertThat(posted.statusCode()).isEqualTo(202);
        assertThat(posted.version()).isEqualTo(HttpClient.Version.HTTP_2);
        assertThat(posted.headers().firstValue("Strict-Transport-Security")).contains("max-age=31536000");
        assertThat(posted.headers().firstValue("Connection")).isEmpty();

        HttpResponse<String> stream = client.send(
                request("/v2/executions/h2/logs/stream?follow=false").build(), BodyHandlers.ofString());
        assertThat(stream.version()).isEqualTo(HttpClient.Version.HTTP_2);
        assertThat(stream.body()).contains("id: 1\n", "\"message\":\"one\"");
        assertThat(stream.headers().firstValue("Connection")).isEmpty();
        HttpResponse<String> tooLarge = post("/v2/session", "x".repeat(100_000));
        assertThat(tooLarge.statusCode()).isEqualTo(200);
        HttpResponse<String> session = client.send(
                HttpRequest.newBuilder(server.base().resolve("/v2/session"))
                        .POST(BodyPublishers.ofString("x".repeat(100_000)))
                        .build(),
                BodyHandlers.ofString());
        assertThat(session.statusCode())
                .as("an error that closes an HTTP/1.1 connection has no such header here")
                .isEqualTo(413);

        HttpClient older = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .sslContext(TestCertificate.trusting(first, second))
                .build();
        HttpResponse<String> answer = older.send(request("/").build(), BodyHandlers.ofString());
        assertThat(answer.version()).isEqualTo(HttpClient.Version.HTTP_1_1);
        assertThat(answer.body()).contains("<title>Tailrace</title>");
    }

    @Test
    void aSessionsCookieGoesOverTlsOnly() throws Exception {
        HttpResponse<String> session = post("/v2/session", "");
        assertThat(session.headers().firstValue("Set-Cookie"))
                .hasValueSatisfying(cookie -> assertThat(cookie).contains("; Secure", "SameSite=Strict"));
    }

    @Test
    void aNewCertificateIsShownFromThenOnAndOpenStreamsGoOn() throws Exception {
        post("/v2/executions/rotated/logs", "[{\"message\":\"before\"}]");
        List<String> lines = new CopyOnWriteArrayList<>();
        var open = client.sendAsync(
                request("/v2/executions/rotated/logs/stream")
                        .timeout(Duration.ofMinutes(1))
                        .build(),
                BodyHandlers.fromLineSubscriber(new Lines(lines)));
        AwaitCondition.until("the stream is open", () -> lines.contains("id: 1"));
        double loads = metric("tailrace_tls_certificate_loads_total");
        double failures = metric("tailrace_tls_certificate_failures_total");
        Certificate before = shown();
        boolean toSecond = before.equals(first.certificate());
        TestCertificate next = toSecond ? second : first;

        // A certificate without its key, as where the two files are not exchanged at once, is not taken.
        mount("mixed", next.certPem(), toSecond ? first.keyPem() : second.keyPem());
        AwaitCondition.until("it is said", () -> metric("tailrace_tls_certificate_failures_total") == failures + 1);
        assertThat(shown()).isEqualTo(before);
        mount("broken", "no certificate", next.keyPem());
        AwaitCondition.until("that, too", () -> metric("tailrace_tls_certificate_failures_total") == failures + 2);
        assertThat(shown()).isEqualTo(before);
        assertThat(server.output())
                .contains("is not the key of the certificate", "holds no certificate in PEM form")
                .doesNotContain(next.keyPem().lines().toList().get(1));

        mount("v2", next.certPem(), next.keyPem());
        AwaitCondition.until("the new one is shown", () -> shown().equals(next.certificate()));
        assertThat(metric("tailrace_tls_certificate_loads_total")).isEqualTo(loads + 1);
        assertThat(metric("tailrace_tls_certificate_expires"))
                .isEqualTo(next.certificate().getNotAfter().toInstant().getEpochSecond());

        post("/v2/executions/rotated/logs", "[{\"message\":\"after\"}]");
        AwaitCondition.until("the stream from before goes on", () -> lines.contains("id: 2"));
        assertThat(open).isNotDone();
        open.cancel(true);
    }

    /** Collects lines as they come. */
    private record Lines(List<String> lines) implements java.util.concurrent.Flow.Subscriber<String> {
        @Override
        public void onSubscribe(java.util.concurrent.Flow.Subscription subscription) {
            subscription.request(Long.MAX_VALUE);
        }

        @Override
        public void onNext(String line) {
            lines.add(line);
        }

        @Override
        public void onError(Throwable failure) {
            lines.add("failed: " + failure);
        }

        @Override
        public void onComplete() {
            lines.add("complete");
        }
    }

    @Test
    void aStreamThatIsNotReadIsResetAndTheOthersOfItsConnectionGoOn() throws Exception {
        post("/v2/executions/stuck/logs", "[{\"message\":\"one\"}]");
        Vertx vertx = Vertx.vertx();
        try {
            HttpClientAgent http2 = vertx.createHttpClient(new HttpClientOptions()
                    .setProtocolVersion(HttpVersion.HTTP_2)
                    .setSsl(true)
                    .setUseAlpn(true)
                    .setTrustAll(true)
                    .setVerifyHost(false)
                    .setHttp2ConnectionWindowSize(8 << 20));
            HttpClientResponse reading = stream(http2);
            AtomicLong bytes = new AtomicLong();
            reading.handler(buffer -> bytes.addAndGet(buffer.length()));
            reading.resume();
            List<Throwable> failures = new CopyOnWriteArrayList<>();
            HttpClientResponse stuck = stream(http2);
            stuck.exceptionHandler(failures::add);
            assertThat(stuck.request().connection()).isSameAs(reading.request().connection());

            String batch =
                    "[" + ("{\"message\":\"" + "x".repeat(8_000) + "\"},").repeat(99) + "{\"message\":\"last\"}]";
            int batches = 0;
            while (failures.isEmpty() && batches < 60) {
                assertThat(post("/v2/executions/stuck/logs", batch).statusCode())
                        .isEqualTo(202);
                batches++;
            }
            AwaitCondition.until("it is reset", () -> !failures.isEmpty());
            assertThat(failures.get(0)).isInstanceOf(StreamResetException.class);
            long sent = (long) batches * 99 * 8_000;
            AwaitCondition.until("the other gets everything", () -> bytes.get() > sent);
            assertThat(metric("tailrace_live_readers_closed_stuck_total")).isEqualTo(1);
        } finally {
            vertx.close().await(10, TimeUnit.SECONDS);
        }
    }

    private static HttpClientResponse stream(HttpClientAgent http2) throws Exception {
        return http2.request(new RequestOptions()
                        .setMethod(HttpMethod.GET)
                        .setHost("127.0.0.1")
                        .setPort(server.base().getPort())
                        .setURI("/v2/executions/stuck/logs/stream")
                        .putHeader("Authorization", "Bearer " + ServerProcess.serviceToken()))
                .compose(HttpClientRequest::send)
                .map(response -> response.pause())
                .await(10, TimeUnit.SECONDS);
    }

    @Test
    void theCommandsSpeakTlsAndTrustWhomTheyAreTold() throws Exception {
        Path ca = Files.writeString(directory.resolve("ca.pem"), first.certPem() + second.certPem());
        Map<String, String> environment =
                Map.of("TAILRACE_URL", server.base().toString(), "TAILRACE_TOKEN", ServerProcess.serviceToken());
        Process trusting = Cli.start(directory, environment, List.of("ingest", "by-command", "--ca", ca.toString()));
        try (OutputStream in = trusting.getOutputStream()) {
            in.write("{\"message\":\"over TLS\"}\n".getBytes(StandardCharsets.UTF_8));
        }
        Cli.Result result = Cli.end(directory, trusting);
        assertThat(result.code()).as(result.err()).isZero();
        assertThat(client.send(request("/v2/executions/by-command").build(), BodyHandlers.ofString())
                        .body())
                .contains("\"last_seq\":1");

        Process doubting = Cli.start(directory, environment, List.of("ingest", "by-command", "--patience", "1s"));
        try (OutputStream in = doubting.getOutputStream()) {
            in.write("{\"message\":\"to nobody known\"}\n".getBytes(StandardCharsets.UTF_8));
        }
        assertThat(Cli.end(directory, doubting).code()).isEqualTo(1);
    }

    @Test
    void filesThatCannotBeUsedStopTheStart() throws Exception {
        Path cert = Files.writeString(directory.resolve("c.pem"), first.certPem());
        Path key = Files.writeString(directory.resolve("k.pem"), second.keyPem());
        ServerProcess refused = ServerProcess.in(directory.resolve("refused"))
                .env("DATABASE_URL", database.urlText())
                .env("TLS_CERT", cert.toString())
                .env("TLS_KEY", key.toString());
        assertThat(refused.startExpectingEnd()).isEqualTo(1);
        assertThat(refused.output())
                .contains(
                        "tailrace: TLS_KEY (" + key + ") is not the key of the certificate in TLS_CERT (" + cert + ")")
                .doesNotContain("Exception");
        ServerProcess missing = ServerProcess.in(directory.resolve("missing"))
                .env("DATABASE_URL", database.urlText())
                .env("TLS_CERT", directory.resolve("none.pem").toString())
                .env("TLS_KEY", key.toString());
        assertThat(missing.startExpectingEnd()).isEqualTo(1);
        assertThat(missing.output()).contains("TLS_CERT (" + directory.resolve("none.pem") + ") cannot be read");
    }
}
