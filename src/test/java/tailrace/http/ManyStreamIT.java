package tailrace.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tailrace.config.TailraceConfig;
import tailrace.http.SseClient.Event;
import tailrace.model.EntryFields;
import tailrace.model.ExecutionStatus;
import tailrace.model.Level;

/** Many named executions over one connection. */
class ManyStreamIT {
    static final TailraceConfig.Live QUICK = new TailraceConfig.Live(
            Duration.ofSeconds(15),
            Duration.ofMillis(5),
            Duration.ofSeconds(60),
            Duration.ofMillis(300),
            Duration.ofSeconds(2),
            100);

    private final ReadingServer server = ReadingServer.start(QUICK);

    @AfterEach
    void close() {
        server.close();
    }

    private SseClient open(String query, String... headers) {
        return SseClient.open(server.port(), "/v2/logs/stream?" + query, headers);
    }

    static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    static String query(List<String> ids) {
        return String.join(
                "&", ids.stream().map(id -> "execution_id=" + encode(id)).toList());
    }

    /** Takes events until something is seen. */
    static void read(SseClient client, ManySeen seen, BooleanSupplier enough) {
        long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (!enough.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("not seen within a minute; " + seen);
            }
            Event event = client.next(Duration.ofSeconds(20));
            if (event.end()) {
                throw new AssertionError("the stream ended");
            }
            seen.take(event);
        }
    }

    static void readToEnd(SseClient client, ManySeen seen) {
        client.untilEnd().forEach(seen::take);
    }

    @Test
    void eachEventNamesItsExecutionAndOneIdResumesAll() {
        server.appendMany("a", 2);
        server.appendMany("b:,1 ü", 1);
        ManySeen seen = new ManySeen();
        String query = query(List.of("a", "b:,1 ü"));
        try (SseClient client = open(query)) {
            assertThat(client.header("Content-Type")).isEqualTo("text/event-stream; charset=utf-8");
            read(client, seen, () -> seen.total() == 3);
            assertThat(seen.lastId).isEqualTo("a:2,b%3A%2C1%20%C3%BC:1");
            server.appendMany("b:,1 ü", 2);
            read(client, seen, () -> seen.total() == 5);
            assertThat(seen.lastId).isEqualTo("a:2,b%3A%2C1%20%C3%BC:3");
        }
        server.appendMany("a", 1);
        server.appendMany("b:,1 ü", 1);
        try (SseClient header = open(query, "Last-Event-ID: " + seen.lastId)) {
            read(header, seen, () -> seen.total() == 7);
        }
        seen.assertAll("a", 3);
        seen.assertAll("b:,1 ü", 4);
        ManySeen fromQuery = new ManySeen();
        try (SseClient client = open(query + "&follow=false&last_event_id=" + encode("a:2"))) {
            readToEnd(client, fromQuery);
        }
        assertThat(fromQuery.seqs.get("a")).containsExactly(3L);
        assertThat(fromQuery.seqs.get("b:,1 ü")).containsExactly(1L, 2L, 3L, 4L);
        Await.until(() -> server.streams.open() == 0);
    }

    @Test
    void eachIsCompletedAndTheLastOneEndsIt() {
        server.appendMany("a", 1);
        server.appendMany("b", 1);
        ManySeen seen = new ManySeen();
        try (SseClient client = open(query(List.of("a", "b")))) {
            server.register("a", ExecutionStatus.SUCCEEDED, "alice");
            read(client, seen, () -> !seen.completes.isEmpty());
            assertThat(seen.lastId).isEqualTo("a:1*,b:1");
            server.appendMany("a", 1); // late: it is shown, and so is its end again
            read(client, seen, () -> seen.completed("a") == 2);
            assertThat(seen.completes.get("a")).containsExactly(1L, 2L);
        }
        server.register("b", ExecutionStatus.FAILED, "alice");
        try (SseClient client = open(query(List.of("a", "b")), "Last-Event-ID: " + seen.lastId)) {
            readToEnd(client, seen);
        }
        assertThat(seen.completes.get("a")).as("told once each").hasSize(2);
        assertThat(seen.completes.get("b")).containsExactly(1L);
        assertThat(seen.lastId).isEqualTo("a:2*,b:1*");
        seen.assertAll("a", 2);
        seen.assertAll("b", 1);
        try (SseClient again = open(query(List.of("a", "b")), "Last-Event-ID: " + seen.lastId)) {
            assertThat(again.status()).isEqualTo(204);
        }
        assertThat(server.streams.open()).isZero();
    }

    @Test
    void whatIsUnknownOrForeignIsSaidAndTheOthersGoOn() {
        server.register("mine", ExecutionStatus.RUNNING, "alice");
        server.register("theirs", ExecutionStatus.RUNNING, "bob");
        server.appendMany("mine", 1);
        String alice = "Authorization: Bearer alice";
        ManySeen seen = new ManySeen();
        try (SseClient client = open(query(List.of("mine", "theirs", "unknown")), alice)) {
            read(client, seen, () -> seen.total() == 1 && seen.others.size() == 2);
            assertThat(seen.others).allSatisfy(error -> {
                assertThat(error.getString("event_type")).isEqualTo("ERROR");
                assertThat(error.getBoolean("is_final")).isTrue();
                assertThat(error.getJsonObject("data").getString("error_type")).isEqualTo("execution_not_found");
            });
            assertThat(seen.others.stream().map(error -> error.getString("session_id")))
                    .containsExactlyInAnyOrder("theirs", "unknown");
            server.appendMany("mine", 1);
            read(client, seen, () -> seen.total() == 2);
        }
        try (SseClient client = open(query(List.of("theirs", "unknown")), alice)) {
            assertThat(client.status()).isEqualTo(404);
        }
    }

    @Test
    void waitsForThoseThatHaveNotBegun() {
        server.appendMany("there", 1);
        server.register("theirs", ExecutionStatus.RUNNING, "bob");
        ManySeen seen = new ManySeen();
        String query = query(List.of("there", "later", "never", "theirs")) + "&wait=2";
        try (SseClient client = open(query)) {
            read(client, seen, () -> seen.total() == 1);
            server.appendMany("later", 2);
            read(client, seen, () -> seen.count("later") == 2);
            read(client, seen, () -> seen.others.size() == 1);
            assertThat(seen.others.get(0).getString("session_id")).isEqualTo("never");
            server.appendMany("later", 1);
            read(client, seen, () -> seen.count("later") == 3);
        }
    }

    @Test
    void filtersTailAndTheEndOfHistory() {
        for (String id : List.of("a", "b")) {
            EntryFields error = server.entry("bad");
            error.level = Level.ERROR;
            server.append(id, server.entry("x"), error, server.entry("y"), error, server.entry("z"));
        }
        ManySeen errors = new ManySeen();
        try (SseClient client = open(query(List.of("a", "b")) + "&min_level=error&tail=1&follow=false")) {
            readToEnd(client, errors);
        }
        assertThat(errors.seqs.get("a")).containsExactly(4L);
        assertThat(errors.seqs.get("b")).containsExactly(4L);
        ManySeen rest = new ManySeen();
        try (SseClient client = open(query(List.of("a", "b")) + "&follow=false&after_seq=3&last_event_id=b:4")) {
            readToEnd(client, rest);
        }
        assertThat(rest.seqs.get("a")).containsExactly(4L, 5L);
        assertThat(rest.seqs.get("b")).containsExactly(5L);
    }

    @Test
    void theIdOfAHundredLongNamesStaysShortAndResumes() {
        List<String> ids = IntStream.range(0, 100)
                .mapToObj(i -> "x".repeat(250) + String.format("-%04d", i))
                .toList();
        ids.forEach(id -> server.appendMany(id, 3));
        ManySeen seen = new ManySeen();
        try (SseClient client = open(query(ids))) {
            read(client, seen, () -> seen.total() == 150);
        }
        ids.forEach(id -> server.appendMany(id, 2));
        try (SseClient client = open(query(ids), "Last-Event-ID: " + seen.lastId)) {
            read(client, seen, () -> seen.total() == 500);
        }
        ids.forEach(id -> seen.assertAll(id, 5));
        assertThat(seen.longestId).isLessThan(4_096);
        try (SseClient other = open(query(ids.subList(1, 100)), "Last-Event-ID: " + seen.lastId)) {
            assertThat(other.status()).as("an id of other executions").isEqualTo(400);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "execution_id=",
                "execution_id=a&workflow_id=w",
                "workflow_id=",
                "workflow_id=w&workflow_id=v",
                "workflow_id=w&wait=5",
                "workflow_id=w&last_event_id=a:1",
                "workflow_id=w&last_event_id=w.AAAA",
                "workflow_id=w&last_event_id=w.%2F",
                "execution_id=a&last_event_id=1",
                "execution_id=a&last_event_id=a:x",
                "execution_id=a&last_event_id=a:1,a:2",
                "execution_id=a&last_event_id=c.AAAA",
                "execution_id=a&last_event_id=",
                "execution_id=a&q=",
                "execution_id=a&nonsense=1"
            })
    void aBadParameterIsRefused(String query) {
        server.appendMany("a", 1);
        try (SseClient client = SseClient.paused(server.port(), "/v2/logs/stream?" + query, 0)) {
            assertThat(client.status()).isEqualTo(400);
        }
        assertThat(server.streams.open()).isZero();
    }

    @Test
    void moreThanAHundredAreRefused() {
        List<String> ids = IntStream.range(0, 101).mapToObj(i -> "e" + i).toList();
        try (SseClient client = SseClient.paused(server.port(), "/v2/logs/stream?" + query(ids), 0)) {
            assertThat(client.status()).isEqualTo(400);
        }
    }

    @Test
    void aTalkativeExecutionKeepsNoOtherWaiting() {
        EntryFields[] batch = new EntryFields[1_000];
        for (int i = 0; i < batch.length; i++) {
            batch[i] = server.entry("x".repeat(1_000));
        }
        for (int i = 0; i < 20; i++) {
            server.append("a-talkative", batch);
        }
        List<String> ids = new ArrayList<>(List.of("a-talkative"));
        for (int i = 0; i < 20; i++) {
            ids.add("quiet-" + i);
            server.appendMany("quiet-" + i, 600);
        }
        ManySeen seen = new ManySeen();
        try (SseClient client = open(query(ids))) {
            read(client, seen, () -> ids.stream().skip(1).allMatch(id -> seen.count(id) == 600));
            assertThat(seen.count("a-talkative"))
                    .as("shown while 20 others were shown 600 each, a page in turn")
                    .isLessThan(2_000);
            read(client, seen, () -> seen.count("a-talkative") == 20_000);
        }
        ids.forEach(id -> seen.assertAll(id, id.startsWith("quiet") ? 600 : 20_000));
    }

    @Test
    void aReaderWhoStopsReadingHoldsLittleAndIsCaughtUp() {
        List<String> ids = IntStream.range(0, 20).mapToObj(i -> "e" + i).toList();
        ids.forEach(id -> server.register(id, ExecutionStatus.RUNNING, "alice"));
        ManySeen seen = new ManySeen();
        ManySeen late = new ManySeen();
        String path = "/v2/logs/stream?" + query(ids);
        try (SseClient stuck = SseClient.paused(server.port(), path, 4096);
                SseClient reader = SseClient.open(server.port(), path)) {
            long before = usedDirectBytes();
            EntryFields[] batch = new EntryFields[10];
            for (int round = 0; round < 20; round++) {
                for (String id : ids) {
                    for (int i = 0; i < batch.length; i++) {
                        batch[i] = server.entry("x".repeat(9_000));
                    }
                    server.append(id, batch);
                }
                long now = (round + 1L) * ids.size() * batch.length;
                read(reader, seen, () -> seen.total() == now); // 36 MB go by
            }
            assertThat(usedDirectBytes() - before).isLessThan(16L * 1024 * 1024);
            stuck.read();
            read(stuck, late, () -> late.total() == seen.total());
        }
        for (String id : ids) {
            seen.assertAll(id, 200);
            late.assertAll(id, 200);
        }
    }

    private static long usedDirectBytes() {
        return io.netty.buffer.PooledByteBufAllocator.DEFAULT.metric().usedDirectMemory();
    }

    @Test
    void whoeverReconnectsAtRandomSeesEachEntryOnce() throws Exception {
        List<String> ids = IntStream.range(0, 12).mapToObj(i -> "run " + i).toList();
        ids.forEach(id -> server.appendMany(id, 1));
        var stop = new AtomicBoolean();
        Thread writer = new Thread(() -> {
            var random = new Random(11);
            while (!stop.get()) {
                server.dropMessages = random.nextInt(10) == 0;
                server.appendMany(ids.get(random.nextInt(random.nextInt(ids.size()) + 1)), 1 + random.nextInt(8));
                LockSupport.parkNanos(random.nextInt(2_000_000));
            }
        });
        writer.start();
        ManySeen seen = new ManySeen();
        var random = new Random(42);
        for (int connection = 0; connection < 150; connection++) {
            try (SseClient client = open(query(ids), id(seen))) {
                long until = seen.total() + random.nextInt(60);
                read(client, seen, () -> seen.total() >= until);
            }
        }
        stop.set(true);
        writer.join();
        server.dropMessages = false;
        ids.forEach(id -> server.register(id, ExecutionStatus.SUCCEEDED, "alice"));
        try (SseClient client = open(query(ids), id(seen))) {
            readToEnd(client, seen);
        }
        for (String id : ids) {
            long last = server.journal.state(id).lastSeq();
            seen.assertAll(id, last);
            assertThat(seen.completes.get(id)).containsExactly(last);
        }
        assertThat(seen.others).isEmpty();
        Await.until(() -> server.streams.open() == 0);
    }

    static String id(ManySeen seen) {
        return seen.lastId == null ? "X-None: 1" : "Last-Event-ID: " + seen.lastId;
    }

    @Test
    void endsWithTheTokenAndWithTheServer() {
        server.register("a", ExecutionStatus.RUNNING, "alice");
        server.appendMany("b", 1);
        long exp = System.currentTimeMillis() / 1000 + 2;
        ManySeen seen = new ManySeen();
        try (SseClient client = open("execution_id=a&access_token=alice@" + exp);
                SseClient other = open("execution_id=b")) {
            readToEnd(client, seen);
            assertThat(seen.others).hasSize(1);
            assertThat(seen.others.get(0).getValue("session_id")).isNull();
            assertThat(seen.others.get(0).getJsonObject("data").getString("error_type"))
                    .isEqualTo("token_expired");
            other.next();
            ReadingServer.await(server.vertx.undeploy(
                    server.vertx.deploymentIDs().iterator().next()));
            Event retry = Objects.requireNonNull(other.poll(Duration.ofSeconds(5)));
            assertThat(Long.parseLong(String.valueOf(retry.retry()))).isBetween(2_000L, 10_000L);
            assertThat(other.next().end()).isTrue();
        }
        assertThat(server.streams.open()).isZero();
    }
}
