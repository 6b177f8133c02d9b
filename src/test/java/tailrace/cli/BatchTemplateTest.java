package tailrace.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tailrace.model.EventType;
import tailrace.model.Level;

class BatchTemplateTest {
    private static final BenchTarget.Server SERVER =
            new BenchTarget.Server(new InetSocketAddress("127.0.0.1", 1), "127.0.0.1:1", "", "secret");
    private static final byte[] ID = "exec-000001".getBytes(StandardCharsets.US_ASCII);

    @ParameterizedTest
    @CsvSource({"1, 0.2", "7, 0.2", "100, 0.2", "100, 1", "100, 0", "10, 0.5"})
    void everyRequestIsValidAndSaysWhatTheTemplateSays(int batch, double friendly) {
        BatchTemplate template = new BatchTemplate(SERVER, "/v2/logs/batch", batch, 450, friendly, ID.length);
        BatchTemplate.Buffer buffer = template.new Buffer();
        int kept = 0;
        for (long number = 0; number < 40; number++) {
            String request = buffer.text(buffer.fill(number, ID, 1_700_000_000_123_456L + number));
            String head = request.substring(0, request.indexOf("\r\n\r\n"));
            String body = request.substring(request.indexOf("\r\n\r\n") + 4);
            assertThat(head)
                    .startsWith("POST /v2/logs/batch HTTP/1.1\r\n")
                    .contains("Content-Length: " + body.length(), "Authorization: Bearer secret");
            JsonArray entries = new JsonObject(body).getJsonArray("entries");
            assertThat(entries).hasSize(batch);
            for (int i = 0; i < batch; i++) {
                JsonObject entry = entries.getJsonObject(i);
                long n = number * batch + i;
                assertThat(entry.getString("execution_id")).isEqualTo("exec-000001");
                assertThat(entry.getJsonObject("data").getLong("t")).isEqualTo(1_700_000_000_123_456L + number);
                assertThat(entry.getJsonObject("data").getLong("n")).isEqualTo(BatchTemplate.NUMBER_BASE + n);
                assertThat(entry.encode().length()).isCloseTo(450, within(2));
                assertThat(userFriendly(entry)).isEqualTo(template.friendly(n));
                kept += template.friendly(n) ? 1 : 0;
            }
        }
        assertThat((double) kept / (40 * batch)).isCloseTo(friendly, within(0.001));
    }

    /** The rule of SPEC 4. */
    private static boolean userFriendly(JsonObject entry) {
        return entry.containsKey("user_friendly_message")
                || EventType.valueOf(entry.getString("event_type").toUpperCase(java.util.Locale.ROOT))
                        .userFriendly()
                || Level.valueOf(entry.getString("level")).compareTo(Level.ERROR) >= 0;
    }
}
