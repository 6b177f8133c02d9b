package tailrace.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Future;
import io.vertx.core.net.NetClient;
import io.vertx.core.net.NetSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import tailrace.config.TailraceConfig;
import tailrace.model.ExecutionStatus;

/** What the live side holds for executions goes when they fall silent, are over, or are left (promise 6). */
class StreamIdleIT {
    private static final int EXECUTIONS = 1_000;
    private static final int ENTRIES = 30;
    private static final TailraceConfig.Live LIVE = new TailraceConfig.Live(
            Duration.ofSeconds(15),
            Duration.ofMillis(5),
            Duration.ofSeconds(60),
            Duration.ofMillis(200),
            Duration.ofSeconds(2),
            5_000);

    private final ReadingServer server = new ReadingServer(LIVE, store -> store, 2);
    private final NetClient client = server.vertx.createNetClient();
    private final AtomicInteger lastEntries = new AtomicInteger();
    private final AtomicInteger ends = new AtomicInteger();

    @AfterEach
    void close() {
        server.close();
    }

    private double gauge(String name) {
        return server.registry.get(name).gauge().value();
    }

    private void open(IntFunction<String> path) {
        List<Future<Void>> connected = new ArrayList<>();
        for (int i = 0; i < EXECUTIONS; i++) {
            String request = "GET " + path.apply(i) + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
            connected.add(client.connect(server.port(), "127.0.0.1").map(socket -> {
                read(socket);
                socket.write(request);
                return null;
            }));
        }
        ReadingServer.await(Future.all(connected));
    }

    private void read(NetSocket socket) {
        StringBuilder text = new StringBuilder();
        socket.handler(bytes -> {
            text.append(bytes);
            if (text.indexOf("id: " + ENTRIES + "\n") >= 0) {
                text.setLength(0);
                lastEntries.incrementAndGet();
            }
        });
        socket.endHandler(end -> ends.incrementAndGet());
    }

    private void assertNothingIsHeld() throws Exception {
        Await.until(() -> gauge("tailrace.live.streams") == 0);
        assertThat(gauge("tailrace.live.channels")).isZero();
        assertThat(gauge("tailrace.live.window.bytes")).isZero();
    }

    @Test
    void whatIsSilentHoldsNoEntriesAndWhatIsOverOrLeftNothingAtAll() throws Exception {
        for (int i = 0; i < EXECUTIONS; i++) {
            server.register("e" + i, ExecutionStatus.RUNNING, "owner");
        }
        open(i -> "/v2/executions/e" + i + "/logs/stream");
        Await.until(() -> server.streams.open() == EXECUTIONS);
        assertThat(gauge("tailrace.live.channels")).isEqualTo(EXECUTIONS);

        // When all have been active, and everybody has seen it
        for (int i = 0; i < EXECUTIONS; i++) {
            server.appendMany("e" + i, ENTRIES / 2);
            server.appendMany("e" + i, ENTRIES - ENTRIES / 2);
        }
        Await.until(() -> lastEntries.get() == EXECUTIONS);

        // Then no entry is kept for them
        Await.until(() -> gauge("tailrace.live.window.bytes") == 0);
        assertThat(gauge("tailrace.live.streams")).isEqualTo(EXECUTIONS);

        // When one half is over, and the others are left by their readers
        for (int i = 0; i < EXECUTIONS; i += 2) {
            server.register("e" + i, ExecutionStatus.SUCCEEDED, "owner");
        }
        Await.until(() -> server.streams.open() == EXECUTIONS / 2);
        assertThat(gauge("tailrace.live.channels")).isEqualTo(EXECUTIONS / 2.0);
        ReadingServer.await(client.close());

        // Then nothing is left of either, though entries go on coming
        for (int i = 1; i < EXECUTIONS; i += 2) {
            server.appendMany("e" + i, 2);
        }
        assertNothingIsHeld();
    }

    @Test
    void whatNeverBeginsOrWasReadToItsEndLeavesNothing() throws Exception {
        // Given streams that wait for executions which do not come, and streams of history alone
        for (int i = 0; i < EXECUTIONS; i += 2) {
            server.appendMany("h" + i, ENTRIES);
        }
        open(i -> i % 2 == 0
                ? "/v2/executions/h" + i + "/logs/stream?follow=false"
                : "/v2/executions/never" + i + "/logs/stream?wait=1");

        // Then all end by themselves
        Await.until(() -> lastEntries.get() == EXECUTIONS / 2);
        assertNothingIsHeld();
        assertThat(server.streams.open()).isZero();
    }
}
