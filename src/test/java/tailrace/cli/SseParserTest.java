package tailrace.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SseParserTest {
    private static final String EVENTS = """
            : hello

            retry: 2000

            id: 1
            event: message
            data: {"event_type":"LOG","data":{"message":"a \\"t\\": b","data":{"t":1700000000000001,"n":5}}}

            id:2
            data:{"event_type":"LOG","data":{"data":{"t": "1700000000000002"}}}

            id: 9
            data: {"event_type":"GAP","data":{"from_seq":3,"to_seq":9}}

            : heartbeat

            data: {"event_type":"COMPLETE","is_final":true}

            """;
    private static final List<String> EXPECTED =
            List.of("opened 200", "1 at 1700000000000001", "2 at 1700000000000002", "control 9 G", "control -1 C");

    private final List<String> seen = new ArrayList<>();
    private final SseParser parser = new SseParser(new SseParser.Listener() {
        @Override
        public void opened(int status) {
            seen.add("opened " + status);
        }

        @Override
        public void entry(long id, long time, long nowMicros) {
            seen.add(id + " at " + time);
        }

        @Override
        public void control(long id, char type) {
            seen.add("control " + id + ' ' + type);
        }
    });

    private static String chunked(String body, int size) {
        StringBuilder answer = new StringBuilder(
                "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n");
        for (int at = 0; at < body.length(); at += size) {
            String chunk = body.substring(at, Math.min(at + size, body.length()));
            answer.append(Integer.toHexString(chunk.length()).toUpperCase(java.util.Locale.ROOT))
                    .append(at % 2 == 0 ? "" : ";x=y")
                    .append("\r\n")
                    .append(chunk)
                    .append("\r\n");
        }
        return answer.append("0\r\n\r\n").toString();
    }

    private void feed(String answer, int readSize) {
        byte[] bytes = answer.getBytes(StandardCharsets.US_ASCII);
        for (int at = 0; at < bytes.length; at += readSize) {
            parser.feed(bytes, at, Math.min(at + readSize, bytes.length), 0);
        }
    }

    @Test
    void readsEveryEventHoweverItIsCutIntoChunksAndReads() {
        for (int chunk : new int[] {1, 2, 3, 7, 64, 10_000}) {
            for (int read : new int[] {1, 2, 5, 61, 10_000}) {
                SseParserTest each = new SseParserTest();
                each.feed(chunked(EVENTS, chunk), read);
                assertThat(each.seen)
                        .as("chunks of %d, reads of %d", chunk, read)
                        .isEqualTo(EXPECTED);
                assertThat(each.parser.ended()).isTrue();
            }
        }
    }

    @Test
    void linesMayEndWithCarriageReturnAndBodiesNeedNoChunks() {
        feed("HTTP/1.1 200 OK\r\n\r\n" + EVENTS.replace("\n", "\r\n"), 11);
        assertThat(seen).isEqualTo(EXPECTED);
        assertThat(parser.ended()).isFalse();
    }

    @Test
    void tellsARefusal() {
        feed("HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\n{}", 5);
        assertThat(seen).containsExactly("opened 404");
    }

    @Test
    void neitherAnEndlessLineNorAnotherProtocolTakesMemory() {
        assertThatThrownBy(() -> feed("HTTP/1.1 200 OK\r\n\r\ndata: " + "x".repeat(100_000), 1_000))
                .hasMessageContaining("a line of more than");
        assertThatThrownBy(() -> new SseParserTest().feed("SSH-2.0-x\r\n\r\n", 100))
                .hasMessageContaining("not an HTTP answer");
    }
}
