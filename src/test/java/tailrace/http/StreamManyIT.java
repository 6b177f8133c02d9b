package tailrace.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Future;
import io.vertx.core.net.NetClient;
import io.vertx.core.net.NetSocket;
import io.vertx.core.parsetools.RecordParser;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Many readers of one execution, over two event loops: each gets every entry, once and in order. */
class StreamManyIT {
    private static final int READERS = 1_000;
    private static final int ENTRIES = 400;

    private final AtomicLong received = new AtomicLong();
    private final AtomicInteger outOfOrder = new AtomicInteger();

    @Test
    void aThousandReadersGetEverything() {
        try (ReadingServer server = new ReadingServer(ReadingServer.LIVE, store -> store, 2)) {
            server.appendMany("e1", 20);
            NetClient client = server.vertx.createNetClient();
            List<Future<Void>> connected = new ArrayList<>();
            for (int i = 0; i < READERS; i++) {
                connected.add(client.connect(server.port(), "127.0.0.1").map(socket -> {
                    read(socket);
                    return null;
                }));
            }
            ReadingServer.await(Future.all(connected));
            for (int i = 0; i < ENTRIES - 20; i += 10) {
                server.appendMany("e1", 10); // some readers are still in history, some live
            }
            Await.until(() -> received.get() >= (long) READERS * ENTRIES);
            assertThat(received.get()).isEqualTo((long) READERS * ENTRIES);
            assertThat(outOfOrder.get()).isZero();
            assertThat(server.streams.open()).isEqualTo(READERS);
            ReadingServer.await(client.close());
            Await.until(() -> server.streams.open() == 0);
        }
    }

    private void read(NetSocket socket) {
        var last = new AtomicLong();
        RecordParser lines = RecordParser.newDelimited("\n", socket);
        lines.handler(line -> {
            String text = line.toString();
            if (text.startsWith("id: ")) {
                received.incrementAndGet();
                if (Long.parseLong(text.substring(4)) != last.incrementAndGet()) {
                    outOfOrder.incrementAndGet();
                }
            }
        });
        socket.write("GET /v2/executions/e1/logs/stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
}
