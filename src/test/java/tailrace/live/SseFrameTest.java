package tailrace.live;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.vertx.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import tailrace.model.EntryCodec;
import tailrace.model.EntryFields;
import tailrace.model.LogEntry;
import tailrace.query.Coverage.Gap;
import tailrace.query.Coverage.Reason;

class SseFrameTest {
    private final SseFrame frame = new SseFrame();

    private static LogEntry entry(long seq, String message, String data) {
        var fields = new EntryFields();
        fields.id = new UUID(1, seq);
        fields.message = message;
        fields.data = data;
        fields.timestampMicros = 1_767_225_600_123_456L;
        fields.receivedAtMicros = fields.timestampMicros;
        return new LogEntry(seq, new EntryCodec().encode(fields));
    }

    private String text(LogEntry entry, String executionId, boolean live) {
        byte[] session = SseFrame.session(executionId);
        ByteBuf to = Unpooled.buffer(SseFrame.bound(entry, session));
        int room = to.capacity();
        frame.entry(to, session, entry, live);
        assertThat(to.capacity()).as("the bound holds").isEqualTo(room);
        return to.toString(StandardCharsets.UTF_8);
    }

    @Test
    void anEntryIsOneLineOfData() {
        String text = text(entry(7, "hello", "{\"a\":1}"), "e1", true);
        assertThat(text)
                .isEqualTo("id: 7\nevent: message\ndata: {\"event_type\":\"LOG\",\"session_id\":\"e1\","
                        + "\"is_final\":false,\"timestamp\":\"2026-01-01T00:00:00.123456Z\",\"data\":{\"seq\":7,"
                        + "\"is_realtime\":true,\"id\":\"00000000-0000-0001-0000-000000000007\","
                        + "\"timestamp\":\"2026-01-01T00:00:00.123456Z\",\"received_at\":\"2026-01-01T00:00:00.123456Z\","
                        + "\"level\":\"info\",\"event_type\":\"log\",\"log_category\":\"technical\","
                        + "\"message\":\"hello\",\"node_name\":null,\"data\":{\"a\":1}}}\n\n");
        assertThat(text(entry(7, "hello", "{}"), "e1", false)).doesNotContain("is_realtime");
    }

    @Test
    void noByteOfALogBreaksTheLine() {
        String hostile = "\n\r\r\n\u2028\u0085\ndata: x\nid: 9";
        String text = text(entry(Long.MAX_VALUE, hostile, "{\r\n\"a\"\n:\r1}"), "s\n\r\"" + "ü".repeat(250), true);
        assertThat(text.lines()).hasSize(4);
        assertThat(text).doesNotContain("\r");
        String data = text.lines().toList().get(2).substring("data: ".length());
        assertThat(new JsonObject(data).getJsonObject("data").getString("message"))
                .isEqualTo(hostile);
        assertThat(new JsonObject(data).getJsonObject("data").getJsonObject("data"))
                .isEqualTo(new JsonObject().put("a", 1));
    }

    @Test
    void aGapCarriesTheIdBehindIt() {
        byte[] session = SseFrame.session("e1");
        byte[] gap = frame.gap(session, new Gap(4, 5, Reason.LOST), 0);
        assertThat(new String(gap, StandardCharsets.UTF_8))
                .isEqualTo("id: 5\nevent: message\ndata: {\"event_type\":\"GAP\",\"session_id\":\"e1\","
                        + "\"is_final\":false,\"timestamp\":\"1970-01-01T00:00:00.000000Z\","
                        + "\"data\":{\"from_seq\":4,\"to_seq\":5,\"reason\":\"lost\"}}\n\n");
    }
}
