package tailrace.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.LongPredicate;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tailrace.postgres.TestDatabase;

/** Whoever comes back with their last id sees each entry once, whenever they were cut off (SPEC 7). */
class ReconnectIT {
    private static final String EXECUTION = "poured";
    private static final int RECONNECTS = 200;

    @TempDir
    private Path directory;

    /** What a reader asks for, and which seqs that is. */
    private record Reader(String query, LongPredicate shown) {}

    private static final List<Reader> READERS = List.of(
            new Reader("", seq -> true),
            new Reader("", seq -> true),
            new Reader("", seq -> true),
            new Reader("?min_level=warning", EntryFeed::warning),
            new Reader("?min_priority=7", EntryFeed::friendly));

    @Test
    void readersWhoReconnectAtRandomSeeEachEntryOnce() throws Exception {
        try (TestDatabase database = TestDatabase.empty();
                ServerProcess server = ServerProcess.in(directory.resolve("data"))
                        .env("DATABASE_URL", database.urlText())
                        .start()) {
            // Given an execution into which entries pour
            Api service = new Api(server.base(), ServerProcess.serviceToken());
            ExecutorService threads = Executors.newFixedThreadPool(READERS.size());
            try (EntryFeed feed = new EntryFeed(service, List.of(EXECUTION), 5, 5, 50).start()) {
                AwaitCondition.until(
                        "the execution is there",
                        () -> service.get("/v2/executions/" + EXECUTION).status() == 200);

                // When readers come and go, then stay to the end
                List<Future<List<Long>>> readings = new ArrayList<>();
                for (int i = 0; i < READERS.size(); i++) {
                    Reader reader = READERS.get(i);
                    Random random = new Random(i);
                    readings.add(threads.submit(() -> comeAndGo(service, reader, random, feed)));
                }
                List<List<Long>> seen = new ArrayList<>();
                AwaitCondition.until(
                        "all have come back often enough",
                        Soak.seconds(60, 600),
                        () -> comings.get() >= (long) READERS.size() * Soak.times(RECONNECTS, 2_000));
                feed.finish().assertAllTaken();
                service.put("/v2/executions/" + EXECUTION, "{\"status\":\"SUCCEEDED\"}");
                for (Future<List<Long>> reading : readings) {
                    seen.add(reading.get());
                }

                // Then each saw each entry meant for it, once and in order
                long lastSeq = feed.lastSeq(EXECUTION);
                assertThat(lastSeq).isGreaterThan(RECONNECTS);
                for (int i = 0; i < READERS.size(); i++) {
                    assertThat(seen.get(i))
                            .as("reader " + i)
                            .isEqualTo(LongStream.rangeClosed(1, lastSeq)
                                    .filter(READERS.get(i).shown())
                                    .boxed()
                                    .toList());
                }
            } finally {
                threads.shutdownNow();
            }
        }
    }

    private final java.util.concurrent.atomic.AtomicLong comings = new java.util.concurrent.atomic.AtomicLong();

    private List<Long> comeAndGo(Api api, Reader reader, Random random, EntryFeed feed) throws Exception {
        List<Long> seen = new ArrayList<>();
        long last = 0;
        for (int coming = 1; coming <= Soak.times(RECONNECTS, 2_000); coming++) {
            try (Api.Stream stream = open(api, reader, last)) {
                for (int left = random.nextInt(25); left > 0; left--) {
                    Api.Event event = stream.next();
                    assertThat(event).as("the execution goes on").isNotNull();
                    assertThat(event.type()).isEqualTo("LOG");
                    last = event.seq();
                    seen.add(last);
                }
            }
            comings.incrementAndGet();
        }
        try (Api.Stream stream = open(api, reader, last)) {
            List<Api.Event> rest = stream.until(event -> event.type().equals("COMPLETE"));
            assertThat(rest.get(rest.size() - 1).seq()).isEqualTo(feed.lastSeq(EXECUTION));
            rest.subList(0, rest.size() - 1).forEach(event -> seen.add(event.seq()));
            assertThat(stream.next()).as("nothing after COMPLETE").isNull();
        }
        return seen;
    }

    private static Api.Stream open(Api api, Reader reader, long last) throws Exception {
        Api.Stream stream = last == 0
                ? api.stream(EXECUTION, reader.query())
                : api.stream(
                        EXECUTION, reader.query() + (reader.query().isEmpty() ? "?" : "&") + "last_event_id=" + last);
        assertThat(stream.status).isEqualTo(200);
        return stream;
    }
}
