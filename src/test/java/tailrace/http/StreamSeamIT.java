package tailrace.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import tailrace.config.TailraceConfig;
import tailrace.model.EntryFields;
import tailrace.model.ExecutionStatus;
import tailrace.query.PausableStore;

/** Nothing missing and nothing twice: at the seam from history to live, without any message, across reconnects. */
class StreamSeamIT {
    private PausableStore store = new PausableStore(new NoStore());
    final ReadingServer server = new ReadingServer(
            ReadingServer.LIVE,
            tiers -> {
                store = new PausableStore(tiers);
                return store;
            },
            1);

    @AfterEach
    void close() {
        server.close();
    }

    private SseClient open(String query, String... headers) {
        return open(server, "e1", query, headers);
    }

    SseClient open(ReadingServer from, String id, String query, String... headers) {
        return SseClient.open(from.port(), "/v2/executions/" + id + "/logs/stream" + query, headers);
    }

    /** With a small window, and nothing read. */
    SseClient paused(ReadingServer from, String id) {
        SseClient client = SseClient.paused(from.port(), "/v2/executions/" + id + "/logs/stream", 4096);
        assertThat(client.status()).isEqualTo(200);
        return client;
    }

    /** Nothing but what comes before all events. */
    void showsNothing(SseClient client) {
        assertThat(Objects.requireNonNull(client.poll(Duration.ofMillis(200))).retry())
                .isEqualTo("2000");
        assertThat(client.poll(Duration.ofMillis(100))).isNull();
    }

    private static void takesExactly(SseClient client, long from, long to) {
        List<Long> seqs = new ArrayList<>();
        while (seqs.size() < to - from + 1) {
            seqs.add(client.next(Duration.ofSeconds(20)).seq());
        }
        assertThat(seqs).isEqualTo(LongStream.rangeClosed(from, to).boxed().toList());
    }

    @Test
    void entriesBetweenRegistrationAndSnapshotAreNeitherLostNorRepeated() throws Exception {
        server.appendMany("e1", 3);
        PausableStore.Hold hold = store.holdState();
        Thread arrival = new Thread(() -> {
            hold.reached(); // registered, and the snapshot says 3
            server.appendMany("e1", 2);
            server.appendMany("e1", 2);
            hold.release();
        });
        arrival.start();
        try (SseClient client = open("")) {
            takesExactly(client, 1, 7);
            server.appendMany("e1", 1);
            takesExactly(client, 8, 8);
        }
        arrival.join();
    }

    @Test
    void entriesBetweenAPageAndGoingLiveAreNeitherLostNorRepeated() {
        server.appendMany("e1", 3);
        PausableStore.Hold hold = store.holdPage();
        try (SseClient client = open("")) {
            hold.reached(); // the page 1–3 is read, and not yet with its reader
            for (int i = 0; i < 20; i++) {
                server.appendMany("e1", 2);
            }
            showsNothing(client);
            hold.release();
            takesExactly(client, 1, 43);
            server.appendMany("e1", 1);
            takesExactly(client, 44, 44);
        }
    }

    @Test
    void aMessageThatComesWhileItsEntriesAreBeingReadIsNotDeliveredToo() {
        server.appendMany("e1", 3);
        try (SseClient client = open("")) {
            takesExactly(client, 1, 3);
            PausableStore.Hold hold = store.holdPage();
            var late = server.journal.append("e1", List.of(server.entry("a"), server.entry("b")));
            hold.reached(); // the poll found them, and 4–5 are read, and not yet with their reader
            server.publish(late);
            assertThat(client.poll(Duration.ofMillis(100))).isNull();
            server.appendMany("e1", 1);
            hold.release();
            takesExactly(client, 4, 6);
            server.appendMany("e1", 1);
            takesExactly(client, 7, 7);
        }
    }

    @Test
    void readersWhoGoAwayWhileTheStoreIsAskedLeaveNothingBehind() {
        server.appendMany("e1", 3);
        PausableStore.Hold page = store.holdPage();
        SseClient first = open("");
        page.reached();
        first.close();
        Await.until(() -> server.streams.open() == 0);
        page.release();
        server.appendMany("e1", 1);
        try (SseClient second = open("")) {
            takesExactly(second, 1, 4);
        }
    }

    @Test
    void everythingArrivesWithoutAnyMessage() {
        server.appendMany("e1", 1);
        try (SseClient client = open("");
                SseClient waiting = open(server, "late", "?wait=20")) {
            takesExactly(client, 1, 1);
            server.dropMessages = true;
            server.appendMany("e1", 300);
            takesExactly(client, 2, 301);
            server.appendMany("e1", 5);
            takesExactly(client, 302, 306);
            server.dropMessages = false;
            server.appendMany("e1", 5);
            server.dropMessages = true;
            server.appendMany("e1", 5);
            server.dropMessages = false;
            server.appendMany("e1", 5); // a jump in what the bus tells
            takesExactly(client, 307, 321);
            server.dropMessages = true;
            server.appendMany("late", 2);
            takesExactly(waiting, 1, 2);
            server.register("e1", ExecutionStatus.STOPPED, "alice");
            assertThat(client.next().type()).isEqualTo("COMPLETE");
        }
    }

    @Test
    void messagesThatComeTwiceOrLateChangeNothing() {
        server.dropMessages = true;
        var one = server.journal.append("e1", List.of(server.entry("a")));
        var two = server.journal.append("e1", List.of(server.entry("b"), server.entry("c")));
        var three = server.journal.append("e1", List.of(server.entry("d")));
        server.dropMessages = false;
        try (SseClient client = open("?last_event_id=1")) {
            server.publish(one);
            server.publish(three);
            server.publish(two);
            server.publish(two);
            server.publish(three);
            server.appendMany("e1", 1);
            takesExactly(client, 2, 5);
        }
    }

    @Test
    void aReaderWhoReconnectsAtRandomSeesEachEntryOnce() throws Exception {
        var stop = new AtomicBoolean();
        server.appendMany("e1", 1);
        Thread writer = new Thread(() -> {
            var random = new Random(7);
            while (!stop.get()) {
                server.dropMessages = random.nextInt(10) == 0;
                server.appendMany("e1", 1 + random.nextInt(8));
                java.util.concurrent.locks.LockSupport.parkNanos(random.nextInt(2_000_000));
            }
        });
        writer.start();
        var random = new Random(42);
        var seen = new ArrayList<Long>();
        long last = 0;
        for (int connection = 0; connection < 200; connection++) {
            String header = last == 0 ? "X-None: 1" : "Last-Event-ID: " + last;
            try (SseClient client = open("", header)) {
                int entries = random.nextInt(40);
                for (int i = 0; i < entries; i++) {
                    last = client.next().seq();
                    seen.add(last);
                }
            }
        }
        stop.set(true);
        writer.join();
        server.dropMessages = false;
        server.appendMany("e1", 1);
        long end = server.journal.state("e1").lastSeq();
        try (SseClient client = open("", "Last-Event-ID: " + last)) {
            while (last < end) {
                last = client.next().seq();
                seen.add(last);
            }
        }
        assertThat(seen).isEqualTo(LongStream.rangeClosed(1, end).boxed().toList());
        Await.until(() -> server.streams.open() == 0);
    }

    @Test
    void aReaderWhoStopsReadingHurtsNobodyAndIsCaughtUpFromTheStore() {
        server.register("e1", ExecutionStatus.RUNNING, "alice");
        try (SseClient stuck = paused(server, "e1");
                SseClient reader = open("")) {
            long before = usedDirectBytes();
            EntryFields[] batch = new EntryFields[20];
            int commits = 200;
            for (int commit = 0; commit < commits; commit++) {
                for (int i = 0; i < batch.length; i++) {
                    batch[i] = server.entry("x".repeat(9_000));
                }
                server.append("e1", batch);
                takesExactly(reader, commit * 20L + 1, commit * 20L + 20); // 36 MB go by
            }
            // What the reader holds: its socket's queue, a page or a flush. The pool's own chunks are 4 MiB.
            assertThat(usedDirectBytes() - before).isLessThan(16L * 1024 * 1024);
            stuck.read();
            takesExactly(stuck, 1, commits * 20L);
            server.append("e1", server.entry("together"));
            takesExactly(stuck, commits * 20L + 1, commits * 20L + 1);
            takesExactly(reader, commits * 20L + 1, commits * 20L + 1);
        }
    }

    private static long usedDirectBytes() {
        return io.netty.buffer.PooledByteBufAllocator.DEFAULT.metric().usedDirectMemory();
    }

    @Test
    void aReaderWhoseSocketTakesNothingIsClosedAndCounted() {
        TailraceConfig.Live impatient = new TailraceConfig.Live(
                Duration.ofSeconds(15),
                Duration.ofMillis(5),
                Duration.ofMillis(300),
                Duration.ofSeconds(2),
                Duration.ofSeconds(2),
                10);
        try (ReadingServer own = ReadingServer.start(impatient)) {
            EntryFields[] batch = new EntryFields[1_000];
            for (int i = 0; i < batch.length; i++) {
                batch[i] = own.entry("x".repeat(9_000));
            }
            own.append("e1", batch);
            try (SseClient stuck = paused(own, "e1")) {
                Await.until(() -> own.streams.open() == 0);
                assertThat(own.registry
                                .get("tailrace.live.readers.closed.stuck")
                                .counter()
                                .count())
                        .isEqualTo(1);
                stuck.read();
                assertThat(stuck.untilEnd())
                        .as("what the socket had, and its end")
                        .hasSizeLessThan(batch.length);
            }
        }
    }
}
