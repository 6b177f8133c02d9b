package tailrace.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import tailrace.config.TailraceConfig;
import tailrace.http.SseClient.Event;
import tailrace.model.EntryFields;
import tailrace.model.ExecutionStatus;
import tailrace.model.Level;

/** What a WebSocket says and when: what SSE does, and what is its own: handshake, pings, close codes. */
class WebSocketIT {
    private static final TailraceConfig.Live QUICK = new TailraceConfig.Live(
            Duration.ofMillis(100),
            Duration.ofMillis(5),
            Duration.ofSeconds(60),
            Duration.ofMillis(300),
            Duration.ofSeconds(2),
            100);

    private ReadingServer server = ReadingServer.start(QUICK);

    @AfterEach
    void close() {
        server.close();
    }

    private WsClient open(String id, String query, String... headers) {
        return WsClient.open(server.port(), "/v2/executions/" + id + "/logs/ws" + query, headers);
    }

    private static Event nextEvent(SseClient client) {
        Event event = client.next();
        while (event.comment()) {
            event = client.next();
        }
        return event;
    }

    @Test
    void aMessageIsTheDataOfSseWithItsIdAsFirstMember() {
        EntryFields error = server.entry("bad ü\u2028 </script>" + "x".repeat(70_000));
        error.level = Level.ERROR;
        server.append("e1", server.entry("short"), error, server.entry("y".repeat(200)));
        try (WsClient socket = open("e1", "");
                SseClient sse = SseClient.open(server.port(), "/v2/executions/e1/logs/stream")) {
            assertThat(socket.status()).isEqualTo(101);
            assertThat(socket.header("Sec-WebSocket-Accept")).isEqualTo("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
            assertThat(socket.header("Sec-WebSocket-Extensions"))
                    .as("no compression")
                    .isNull();
            for (int seq = 1; seq <= 3; seq++) {
                Event event = nextEvent(socket);
                assertThat(event.data()).startsWith("{\"id\":" + seq + ",\"event_type\":\"LOG\",");
                JsonObject data = event.json();
                data.remove("id");
                assertThat(data).isEqualTo(nextEvent(sse).json());
            }
            server.appendMany("e1", 1);
            assertThat(nextEvent(socket).json().getJsonObject("data").getBoolean("is_realtime"))
                    .isTrue();
        }
        Await.until(() -> server.streams.open() == 0);
    }

    @Test
    void resumesFiltersAndTails() {
        EntryFields error = server.entry("bad");
        error.level = Level.ERROR;
        server.append("e1", server.entry("a"), error, server.entry("b"), error, server.entry("c"));
        try (WsClient client = open("e1", "?last_event_id=2&min_level=error&follow=false")) {
            List<Event> events = client.untilEnd();
            assertThat(events).extracting(Event::seq).containsExactly(4L);
            assertThat(client.closeCode).isEqualTo(1000);
        }
        try (WsClient client = open("e1", "?last_event_id=1&follow=false", "Last-Event-ID: 3")) {
            assertThat(client.untilEnd()).extracting(Event::seq).containsExactly(4L, 5L);
        }
        try (WsClient client = open("e1", "?tail=1&follow=false")) {
            assertThat(client.untilEnd()).extracting(Event::seq).containsExactly(5L);
        }
    }

    @Test
    void completeIsTheLastMessageAndTheCodeIs1000AlsoForOneWhoComesBack() {
        server.appendMany("e1", 1);
        server.register("e1", ExecutionStatus.SUCCEEDED, "alice");
        for (String query : List.of("", "?last_event_id=1")) {
            try (WsClient client = open("e1", query)) {
                Event event = nextEvent(client);
                if (query.isEmpty()) {
                    assertThat(event.type()).isEqualTo("LOG");
                    event = nextEvent(client);
                }
                assertThat(event.type()).isEqualTo("COMPLETE");
                assertThat(event.seq()).isEqualTo(1);
                assertThat(client.closedWith()).isEqualTo(1000);
            }
        }
        Await.until(() -> server.streams.open() == 0);
    }

    @Test
    void whatCannotBeAStreamIsAnsweredBeforeTheUpgrade() {
        server.register("theirs", ExecutionStatus.RUNNING, "bob");
        server.register("mine", ExecutionStatus.RUNNING, "alice");
        String alice = "Authorization: Bearer alice";
        try (WsClient unknown = open("unknown", "", alice);
                WsClient foreign = open("theirs", "", alice);
                WsClient parameter = open("mine", "?tail=x", alice);
                WsClient many = open("mine", "?workflow_id=w", alice);
                SseClient plain = SseClient.paused(server.port(), "/v2/executions/mine/logs/ws", 0, alice);
                SseClient old = SseClient.paused(
                        server.port(),
                        "/v2/executions/mine/logs/ws",
                        0,
                        alice,
                        "Upgrade: websocket",
                        "Connection: Upgrade",
                        "Sec-WebSocket-Version: 8",
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")) {
            assertThat(unknown.status()).isEqualTo(404);
            assertThat(foreign.status()).isEqualTo(404);
            assertThat(parameter.status()).isEqualTo(400);
            assertThat(many.status()).isEqualTo(400);
            assertThat(plain.status()).isEqualTo(426);
            assertThat(plain.header("Upgrade")).isEqualTo("websocket");
            assertThat(old.status()).isEqualTo(426);
            assertThat(old.header("Sec-WebSocket-Version")).isEqualTo("13");
            for (SseClient refused : List.of(unknown, foreign, parameter, plain, old)) {
                assertThat(refused.header("Content-Type")).isEqualTo("application/problem+json");
            }
        }
        assertThat(server.streams.open()).isZero();
    }

    @Test
    void waitsForARunAndSaysWhenItDidNotCome() {
        try (WsClient client = open("later", "?wait=20", "Authorization: Bearer alice")) {
            server.register("later", ExecutionStatus.RUNNING, "alice");
            server.appendMany("later", 2);
            assertThat(nextEvent(client).seq()).isEqualTo(1);
        }
        try (WsClient client = open("never", "?wait=1")) {
            Event error = nextEvent(client);
            assertThat(error.json().getJsonObject("data").getString("error_type"))
                    .isEqualTo("execution_not_found");
            assertThat(error.json().containsKey("id")).isFalse();
            assertThat(client.closedWith()).isEqualTo(4404);
        }
    }

    @Test
    void endsWithTheToken() {
        server.register("e1", ExecutionStatus.RUNNING, "alice");
        long exp = System.currentTimeMillis() / 1000 + 2;
        try (WsClient client = open("e1", "?access_token=alice@" + exp)) {
            Event error = nextEvent(client);
            assertThat(error.json().getJsonObject("data").getString("error_type"))
                    .isEqualTo("token_expired");
            assertThat(client.closedWith()).isEqualTo(4401);
        }
    }

    @Test
    void shutdownClosesWith1012AndSpreadsTheReturn() {
        server.appendMany("e1", 1);
        try (WsClient one = open("e1", "");
                WsClient two = open("e1", "")) {
            nextEvent(one);
            nextEvent(two);
            ReadingServer.await(server.vertx.undeploy(
                    server.vertx.deploymentIDs().iterator().next()));
            for (WsClient client : List.of(one, two)) {
                assertThat(client.closedWith()).isEqualTo(1012);
                assertThat(client.closeReason).startsWith("retry: ");
                assertThat(Long.parseLong(client.closeReason.substring(7))).isBetween(2_000L, 10_000L);
            }
        }
        assertThat(server.streams.open()).isZero();
    }

    @Test
    void pingsComeAndWhoeverAnswersNoneIsCutOff() {
        server.close();
        server = ReadingServer.start(new TailraceConfig.Live(
                Duration.ofMillis(50),
                Duration.ofMillis(5),
                Duration.ofMillis(1_500),
                Duration.ofMillis(300),
                Duration.ofSeconds(2),
                10));
        server.appendMany("e1", 1);
        try (WsClient alive = open("e1", "");
                WsClient dead = open("e1", "")) {
            dead.answersPings = false;
            Await.until(() -> server.streams.open() == 1);
            assertThat(dead.closedWith())
                    .as("no close frame to one who is not there")
                    .isEqualTo(-1);
            server.appendMany("e1", 1);
            assertThat(nextEvent(alive).seq()).isEqualTo(1);
            assertThat(nextEvent(alive).seq()).isEqualTo(2);
        }
    }

    @Test
    void messagesArePassedOverPingsAnsweredAndACloseIsAnswered() throws Exception {
        server.appendMany("e1", 1);
        try (WsClient client = open("e1", "")) {
            client.send(1, "{\"type\":\"ack\"}".getBytes(StandardCharsets.UTF_8));
            client.send(2, new byte[4_000]);
            client.send(9, "are you there".getBytes(StandardCharsets.UTF_8));
            Await.until(() -> client.pongs == 1);
            server.appendMany("e1", 1);
            assertThat(nextEvent(client).seq()).isEqualTo(1);
            assertThat(nextEvent(client).seq()).isEqualTo(2);
            client.send(8, new byte[] {3, (byte) 0xe8});
            assertThat(client.closedWith()).isEqualTo(1000);
        }
        Await.until(() -> server.streams.open() == 0);
    }

    @Test
    void aFrameThatIsTooLargeOrBrokenEndsIt() throws Exception {
        server.appendMany("e1", 1);
        try (WsClient large = open("e1", "");
                WsClient unmasked = open("e1", "")) {
            nextEvent(large);
            large.send(1, new byte[5_000]);
            assertThat(large.closedWith()).isEqualTo(1009);
            nextEvent(unmasked);
            unmasked.sendRaw(new byte[] {(byte) 0x81, 1, 'a'});
            assertThat(unmasked.closedWith()).isEqualTo(1002);
        }
        Await.until(() -> server.streams.open() == 0);
    }

    @Test
    void pingsOfOneWhoReadsNothingFillNoMemory() throws Exception {
        server.register("e1", ExecutionStatus.RUNNING, "alice");
        try (WsClient client = WsClient.paused(server.port(), "/v2/executions/e1/logs/ws", 4096)) {
            assertThat(client.status()).isEqualTo(101);
            EntryFields[] batch = new EntryFields[500];
            for (int i = 0; i < batch.length; i++) {
                batch[i] = server.entry("x".repeat(9_000));
            }
            server.append("e1", batch); // the socket is full
            for (int i = 0; i < 150_000; i++) {
                client.send(9, new byte[100]); // blocks if the server did not take them
            }
            client.read();
            for (int seq = 1; seq <= batch.length; seq++) {
                assertThat(nextEvent(client).seq()).isEqualTo(seq);
            }
            assertThat(client.pongs)
                    .as("answered: what fits into the socket, with 100 bytes each")
                    .isLessThan(75_000);
        }
    }
}
