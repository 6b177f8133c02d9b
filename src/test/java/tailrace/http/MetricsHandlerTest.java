package tailrace.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.http.HttpServer;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import tailrace.bus.BusMessage.WriterState;
import tailrace.degradation.Standing;
import tailrace.metrics.Metrics;
import tailrace.metrics.Prometheus;

class MetricsHandlerTest {
    private final Prometheus prometheus = new Prometheus();
    private final Vertx vertx = Vertx.builder()
            .with(new VertxOptions().setMetricsOptions(prometheus.options()))
            .withMetrics(prometheus.factory())
            .build();
    private final HttpClient client = HttpClient.newHttpClient();

    @AfterEach
    void close() throws Exception {
        vertx.close().await(10, TimeUnit.SECONDS);
        prometheus.close();
    }

    private HttpResponse<String> send(HttpServer server, String method, String path) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.actualPort() + path))
                .method(method, HttpRequest.BodyPublishers.noBody())
                .build();
        return client.send(request, HttpResponse.BodyHandlers.ofString());
    }

    @Test
    void aServerOfItsOwnShowsOursTheJvmsAndHttpsWithoutAnyLabelAClientCanChoose() throws Exception {
        Metrics metrics = new Metrics(prometheus.registry());
        metrics.accepted(7);
        var guard = new ConnectionGuard(
                vertx, new Connections(10, metrics), Duration.ofSeconds(30), Duration.ofSeconds(70));
        HealthHandler health = new HealthHandler(
                () -> new WriterState(true, true, ""),
                Optional::empty,
                () -> Standing.UNKNOWN,
                Optional::empty,
                "1.2.3");
        HttpServer server = new MetricsHandler(prometheus.registry())
                .listen(vertx, "127.0.0.1", 0, health, guard)
                .await(10, TimeUnit.SECONDS);

        assertThat(send(server, "GET", "/health/ready").statusCode()).isEqualTo(200);
        for (int i = 0; i < 5; i++) {
            send(server, "GET", "/secret-path-" + i + "?access_token=x");
            send(server, "INVENTED" + i, "/metrics");
        }
        HttpResponse<String> answer = send(server, "GET", "/metrics");

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.headers().firstValue("Content-Type"))
                .hasValueSatisfying(type -> assertThat(type).startsWith("text/plain"));
        assertThat(answer.body())
                .contains("tailrace_entries_accepted_total 7.0")
                .contains("jvm_memory_used_bytes")
                .contains("process_uptime_seconds")
                .contains("vertx_http_server_requests_total{code=\"200\",method=\"GET\",route=\"/health/ready\"} 1.0")
                .containsPattern(
                        "vertx_http_server_requests_total\\{code=\"405\",method=\"other\",route=\"[^\"]*\"} 5.0")
                .doesNotContain("secret-path")
                .doesNotContain("INVENTED")
                .doesNotContain("eventbus");
    }
}
