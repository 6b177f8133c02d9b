package tailrace.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;

/** The same over WebSockets: what is missing, twice or stuck does not depend on the transport. */
class WebSocketSeamIT extends StreamSeamIT {
    @Override
    SseClient open(ReadingServer from, String id, String query, String... headers) {
        return WsClient.open(from.port(), "/v2/executions/" + id + "/logs/ws" + query, headers);
    }

    @Override
    SseClient paused(ReadingServer from, String id) {
        SseClient client = WsClient.paused(from.port(), "/v2/executions/" + id + "/logs/ws", 4096);
        assertThat(client.status()).isEqualTo(101);
        return client;
    }

    @Override
    void showsNothing(SseClient client) {
        assertThat(client.poll(Duration.ofMillis(300))).isNull();
    }
}
