package tailrace.http;

import static org.assertj.core.api.Assertions.assertThat;
import static tailrace.http.ManyStreamIT.id;
import static tailrace.http.ManyStreamIT.read;
import static tailrace.http.ManyStreamIT.readToEnd;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import tailrace.model.ExecutionStatus;

/** A whole workflow over one connection: executions join, end and leave by themselves. */
class WorkflowStreamIT {
    /** Beyond what members linger. */
    private static final long LONG_MILLIS = 20_000;

    private static final long SEED = Long.getLong("tailrace.seed", 5);

    private final ReadingServer server = ReadingServer.start(ManyStreamIT.QUICK);

    @AfterEach
    void close() {
        server.close();
    }

    private SseClient open(String query, String... headers) {
        return SseClient.open(server.port(), "/v2/logs/stream?workflow_id=w" + query, headers);
    }

    private void begin(String id, String owner, int entries) {
        server.claim(id, "w", owner);
        server.appendMany(id, entries);
    }

    @Test
    void executionsJoinByThemselvesAndAreCompleted() {
        begin("first", "alice", 2);
        ManySeen seen = new ManySeen();
        try (SseClient client = open("", "Authorization: Bearer alice")) {
            read(client, seen, () -> seen.count("first") == 2);
            begin("second", "alice", 3);
            begin("theirs", "bob", 3);
            server.claim("elsewhere", "other", "alice");
            server.appendMany("elsewhere", 1);
            read(client, seen, () -> seen.count("second") == 3);
            server.register("first", ExecutionStatus.SUCCEEDED, "alice");
            read(client, seen, () -> seen.completes.containsKey("first"));
            server.appendMany("first", 1);
            read(client, seen, () -> seen.count("first") == 3);
        }
        assertThat(seen.seqs).containsOnlyKeys("first", "second");
        begin("third", "alice", 1);
        server.appendMany("second", 1);
        try (SseClient client = open("", "Authorization: Bearer alice", id(seen))) {
            read(client, seen, () -> seen.count("third") == 1 && seen.count("second") == 4);
        }
        seen.assertAll("first", 3);
        seen.assertAll("second", 4);
        Await.until(() -> server.streams.open() == 0);
    }

    @Test
    void whatIsClaimedOrReadableLaterIsShownFromItsFirstEntry() {
        server.claim("unclaimed", null, "alice");
        server.appendMany("unclaimed", 3);
        server.claim("unowned", "w", "");
        server.appendMany("unowned", 3);
        server.claim("away", null, "alice");
        server.appendMany("away", 3);
        begin("known", "alice", 1);
        ManySeen seen = new ManySeen();
        try (SseClient client = open("", "Authorization: Bearer alice")) {
            read(client, seen, () -> seen.count("known") == 1);
            server.claim("unclaimed", "w", "alice");
            read(client, seen, () -> seen.count("unclaimed") == 3);
            server.register("unowned", ExecutionStatus.RUNNING, "alice"); // and nothing more happens in it
            read(client, seen, () -> seen.count("unowned") == 3);
        }
        server.clockAheadMillis.addAndGet(LONG_MILLIS);
        server.claim("away", "w", "alice");
        server.appendMany("away", 1);
        server.appendMany("known", 1);
        try (SseClient client = open("", "Authorization: Bearer alice", id(seen))) {
            read(client, seen, () -> seen.count("away") == 4 && seen.count("known") == 2);
        }
        seen.assertAll("unclaimed", 3);
        seen.assertAll("unowned", 3);
        seen.assertAll("away", 4);
        seen.assertAll("known", 2);
    }

    @Test
    void whatHadEndedIsNotShownButWhatComesToItIs() {
        begin("old", "alice", 3);
        server.register("old", ExecutionStatus.SUCCEEDED, "alice");
        server.clockAheadMillis.addAndGet(LONG_MILLIS);
        begin("now", "alice", 1);
        ManySeen seen = new ManySeen();
        try (SseClient client = open("")) {
            read(client, seen, () -> seen.count("now") == 1);
            server.appendMany("old", 2);
            read(client, seen, () -> seen.count("old") == 2);
        }
        assertThat(seen.seqs.get("old")).containsExactly(4L, 5L);
    }

    @Test
    void whatHasLeftGoesOnWhereItWas() {
        begin("a", "alice", 3);
        begin("b", "alice", 1);
        ManySeen seen = new ManySeen();
        try (SseClient client = open("")) {
            read(client, seen, () -> seen.total() == 4);
            server.register("a", ExecutionStatus.FAILED, "alice");
            read(client, seen, () -> seen.completes.containsKey("a"));
            int with = String.valueOf(seen.lastId).length();
            server.clockAheadMillis.addAndGet(LONG_MILLIS);
            LockSupport.parkNanos(400_000_000L); // a tick lets it go
            server.appendMany("b", 1);
            read(client, seen, () -> seen.count("b") == 2);
            assertThat(String.valueOf(seen.lastId).length()).as("it has left").isLessThan(with);
            server.appendMany("a", 1);
            read(client, seen, () -> seen.count("a") == 4);
            read(client, seen, () -> seen.completed("a") == 2);
            server.clockAheadMillis.addAndGet(LONG_MILLIS);
            LockSupport.parkNanos(400_000_000L);
            server.appendMany("b", 1);
            read(client, seen, () -> seen.count("b") == 3);
        }
        server.clockAheadMillis.addAndGet(LONG_MILLIS);
        server.appendMany("a", 1);
        server.appendMany("b", 1);
        try (SseClient client = open("", id(seen))) {
            read(client, seen, () -> seen.count("a") == 5 && seen.count("b") == 4);
        }
        seen.assertAll("a", 5);
        seen.assertAll("b", 4);
        assertThat(seen.completes.get("a")).startsWith(3L);
    }

    @Test
    void moreThanFitAreShownTooAndTheIdStaysShort() {
        int executions = 260;
        for (int i = 0; i < executions; i++) {
            begin("e" + i, "alice", 1);
        }
        server.clockAheadMillis.addAndGet(LONG_MILLIS);
        ManySeen seen = new ManySeen();
        try (SseClient client = open("")) {
            read(client, seen, () -> seen.total() == 250); // the newest
            assertThat(seen.seqs).doesNotContainKeys("e0", "e9").containsKeys("e10", "e259");
            for (int i = 260; i < 300; i++) {
                begin("e" + i, "alice", 2); // the quietest make room
            }
            read(client, seen, () -> seen.total() == 250 + 80);
            server.appendMany("e10", 1); // one of those
            read(client, seen, () -> seen.count("e10") == 2);
        }
        server.appendMany("e10", 1);
        server.appendMany("e11", 1);
        server.appendMany("e299", 1);
        begin("e300", "alice", 1);
        try (SseClient client = open("", id(seen))) {
            read(
                    client,
                    seen,
                    () -> seen.count("e10") == 3
                            && seen.count("e11") == 2
                            && seen.count("e299") == 3
                            && seen.count("e300") == 1);
        }
        for (int i = 10; i <= 300; i++) {
            seen.assertAll("e" + i, server.journal.state("e" + i).lastSeq());
        }
        assertThat(seen.longestId).isLessThan(4_096);
    }

    @Test
    void everythingArrivesWithoutAnyMessage() {
        begin("a", "alice", 1);
        ManySeen seen = new ManySeen();
        try (SseClient client = open("")) {
            read(client, seen, () -> seen.total() == 1);
            server.dropMessages = true;
            begin("b", "alice", 3);
            read(client, seen, () -> seen.count("b") == 3);
            server.dropMessages = false;
            server.appendMany("a", 1);
            server.dropMessages = true;
            begin("c", "alice", 2);
            server.dropMessages = false;
            server.appendMany("a", 1); // a jump in what the bus tells
            read(client, seen, () -> seen.count("c") == 2 && seen.count("a") == 3);
        }
        seen.assertAll("a", 3);
        seen.assertAll("b", 3);
        seen.assertAll("c", 2);
    }

    @Test
    void withoutFollowItShowsWhatIsThereAndEnds() {
        ManySeen nothing = new ManySeen();
        try (SseClient client = open("&follow=false")) {
            readToEnd(client, nothing);
        }
        assertThat(nothing.total()).isZero();
        begin("a", "alice", 5);
        begin("b", "alice", 5);
        ManySeen seen = new ManySeen();
        try (SseClient client = open("&follow=false&tail=2")) {
            readToEnd(client, seen);
        }
        assertThat(seen.seqs.get("a")).containsExactly(4L, 5L);
        assertThat(seen.seqs.get("b")).containsExactly(4L, 5L);
        assertThat(server.streams.open()).isZero();
    }

    /** Executions begin, are claimed, end and get late entries while the reader comes and goes and time jumps. */
    @Test
    void whoeverReconnectsAtRandomSeesEachEntryOnce() throws Exception {
        var stop = new AtomicBoolean();
        List<String> all = new CopyOnWriteArrayList<>();
        begin("e", "alice", 1);
        all.add("e");
        Thread writer = new Thread(() -> {
            var random = new Random(SEED);
            int jumps = 0;
            while (!stop.get()) {
                server.dropMessages = random.nextInt(20) == 0;
                int what = random.nextInt(100);
                String some = all.get(random.nextInt(all.size()));
                if (what < 4) {
                    String id = "e" + all.size();
                    server.claim(id, random.nextBoolean() ? "w" : null, "alice");
                    all.add(id);
                } else if (what < 6) {
                    server.claim(some, "w", "alice");
                } else if (what < 8) {
                    // What the workflow claims only after its end is not part of what is live in it.
                    if (server.journal.state(some).workflowId() != null) {
                        server.register(some, ExecutionStatus.SUCCEEDED, "alice");
                    }
                } else if (jumps < 4 && random.nextInt(300) == 0) {
                    jumps++;
                    LockSupport.parkNanos(800_000_000L); // whatever was not announced is found
                    server.clockAheadMillis.addAndGet(LONG_MILLIS);
                } else {
                    server.appendMany(some, 1 + random.nextInt(6));
                }
                LockSupport.parkNanos(random.nextInt(3_000_000));
            }
        });
        writer.start();
        ManySeen seen = new ManySeen();
        var random = new Random(SEED + 1);
        for (int connection = 0; connection < 120; connection++) {
            try (SseClient client = open("", "Authorization: Bearer alice", id(seen))) {
                long until = seen.total() + random.nextInt(40);
                read(client, seen, () -> seen.total() >= until);
            }
        }
        stop.set(true);
        writer.join();
        server.dropMessages = false;
        List<String> ids = new ArrayList<>(all);
        for (String id : ids) {
            server.claim(id, "w", "alice");
            server.appendMany(id, 1);
        }
        try (SseClient client = open("", "Authorization: Bearer alice", id(seen))) {
            long entries = ids.stream()
                    .mapToLong(id -> server.journal.state(id).lastSeq())
                    .sum();
            read(client, seen, () -> seen.total() >= entries);
        }
        for (String id : ids) {
            seen.assertAll(id, server.journal.state(id).lastSeq());
        }
        assertThat(seen.longestId).isLessThan(4_096);
    }
}
