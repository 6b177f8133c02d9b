package tailrace.journal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tailrace.bus.BusMessage;
import tailrace.journal.StatsStore.Kept;
import tailrace.metrics.Metrics;
import tailrace.model.EntryFields;
import tailrace.model.EventType;
import tailrace.model.ExecutionStatus;
import tailrace.model.ExecutionUpdate;
import tailrace.model.Level;
import tailrace.process.AwaitCondition;
import tailrace.stats.Cell;
import tailrace.stats.CellCodec;
import tailrace.stats.CellKey;
import tailrace.stats.Resolution;
import tailrace.stats.Rollups;
import tailrace.summary.Summarizer;

/** What the cursor behind the summaries counts of workflows, over a journal on real files. */
class StatsCountTest {
    private final ConcurrentLinkedQueue<BusMessage.Appended> commits = new ConcurrentLinkedQueue<>();
    private Path directory;
    private OpenJournal open;
    private Summarizer summarizer;

    @BeforeEach
    void open(@TempDir Path temp) {
        directory = temp.resolve("journal");
        open = new OpenJournal(directory, OpenJournal.CONFIG, commits::add);
        summarizer = new Summarizer(open.journal, open.clock, new Metrics(open.meters)).start();
    }

    @AfterEach
    void close() {
        summarizer.stop();
        open.close();
    }

    /** The files go away under it: what was not kept is lost. */
    private void crash() {
        long passed = open.nowMicros() - Batches.NOW;
        open.close();
        summarizer.stop();
        restart(passed);
    }

    private void restart(long passedMicros) {
        commits.clear();
        open = new OpenJournal(directory, OpenJournal.CONFIG, commits::add);
        open.after(Duration.ofNanos(passedMicros * 1_000));
        summarizer = new Summarizer(open.journal, open.clock, new Metrics(open.meters)).start();
    }

    private void awaitKept() {
        AwaitCondition.until("all is folded and kept", () -> summarizer.position() == open.journal.lastPosition());
    }

    private void offer() {
        for (BusMessage.Appended commit; (commit = commits.poll()) != null; ) {
            summarizer.offer(commit);
        }
    }

    /** All that waits for PostgreSQL, by "resolution start workflow owner". */
    private Map<String, Cell> cells() {
        awaitKept();
        var sums = new TreeMap<String, Cell>();
        byte[] after = {};
        while (true) {
            var page = open.journal.stats().waiting(after, 7, 10_000);
            for (Kept each : page) {
                CellKey key = CellKey.decode(each.key());
                add(sums.computeIfAbsent(name(key), name -> new Cell(1_000)), each);
                after = each.key();
            }
            if (page.isEmpty()) {
                return sums;
            }
        }
    }

    private static String name(CellKey key) {
        return name(key.resolution(), key.startMicros(), key.workflowId(), key.owner());
    }

    private static String name(Resolution resolution, long at, String workflow, String owner) {
        return resolution + " " + resolution.start(at) + " " + workflow + " " + owner;
    }

    private static void add(Cell to, Kept kept) {
        try {
            CellCodec.addTo(to, kept.bytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Cell today(String workflow) {
        return cells().getOrDefault(name(Resolution.DAY, open.nowMicros(), workflow, ""), new Cell(1));
    }

    /** Counted from the fields, by hand. */
    private static final class Plain {
        long entries;
        long errors;
        long started;
        long runs;
        long failed;
        long durations;
        final Map<String, Long> templates = new TreeMap<>();
    }

    @Test
    void everythingIsCountedOnceWhateverIsMissedOrCrashes() {
        var random = new Random(11);
        Map<String, Plain> plain = new TreeMap<>();
        boolean[] live = new boolean[40];
        for (int i = 0; i < 200; i++) {
            open.after(Duration.ofSeconds(random.nextInt(40)));
            var batch = Batches.batch();
            for (int n = 1 + random.nextInt(25); n > 0; n--) {
                int e = random.nextInt(live.length);
                var fields = new EntryFields();
                String workflow = e % 4 == 3 ? null : "w" + e % 4;
                String owner = e % 5 == 0 ? "ann" : null;
                fields.receivedAtMicros = open.nowMicros();
                fields.timestampMicros = open.nowMicros() - 3_600_000_000L; // the sender's clock is an hour off
                fields.level = Level.values()[random.nextInt(5)];
                fields.message = "no route to 10.0.0." + random.nextInt(9) + " of kind " + (char) ('a' + e % 3);
                boolean begins = !live[e];
                boolean ends = live[e] && random.nextInt(4) == 0;
                if (begins) {
                    live[e] = true;
                    fields.eventType = EventType.WORKFLOW_STARTED;
                    fields.statusEffect = ExecutionStatus.RUNNING;
                } else if (ends) {
                    live[e] = false;
                    fields.eventType = EventType.WORKFLOW_COMPLETED;
                    fields.statusEffect = ExecutionStatus.FAILED;
                }
                batch.entry("e" + e, into -> {
                    var id = into.id;
                    into.copyFrom(fields);
                    into.id = id;
                    into.workflowId = workflow;
                    into.userId = owner;
                });
                if (workflow == null) {
                    continue;
                }
                for (Resolution resolution : Resolution.values()) {
                    Plain of = plain.computeIfAbsent(
                            name(resolution, open.nowMicros(), workflow, owner == null ? "" : owner),
                            name -> new Plain());
                    of.entries++;
                    of.runs += begins ? 1 : 0;
                    of.started += begins ? 1 : 0;
                    of.failed += ends ? 1 : 0;
                    of.durations += ends ? 1 : 0;
                    if (fields.level.compareTo(Level.ERROR) >= 0) {
                        of.errors++;
                        of.templates.merge(fields.message.replaceAll("[0-9.]+ of", "<*> of"), 1L, Long::sum);
                    }
                }
            }
            open.append(batch.build());
            for (BusMessage.Appended commit; (commit = commits.poll()) != null; ) {
                if (random.nextInt(4) > 0) {
                    summarizer.offer(commit);
                }
            }
            switch (random.nextInt(25)) {
                case 0 -> crash();
                case 1 -> awaitKept();
                default -> {}
            }
        }

        Map<String, Cell> counted = cells();

        assertThat(counted.keySet()).isEqualTo(plain.keySet());
        plain.forEach((name, of) -> {
            Cell cell = Objects.requireNonNull(counted.get(name));
            assertThat(cell.entries()).as(name).isEqualTo(of.entries);
            assertThat(cell.count(Level.ERROR) + cell.count(Level.CRITICAL))
                    .as(name)
                    .isEqualTo(of.errors);
            assertThat(cell.count(EventType.WORKFLOW_STARTED)).as(name).isEqualTo(of.started);
            assertThat(cell.runs()).as(name).isEqualTo(of.runs);
            assertThat(cell.ended(ExecutionStatus.FAILED)).as(name).isEqualTo(of.failed);
            assertThat(cell.durations()).as(name).isEqualTo(of.durations);
            assertThat(cell.errors().count()).as(name).isEqualTo(of.errors);
            Map<String, Long> told = new TreeMap<>();
            cell.errors().top(100).forEach(top -> told.put(top.kind().template(), top.count()));
            assertThat(told).as(name).isEqualTo(of.templates);
        });
    }

    private void put(String id, ExecutionStatus status) {
        open.update(new ExecutionUpdate(id, status, "w", null, open.nowMicros()));
        offer();
    }

    private void entry(String id, EventType type, @Nullable ExecutionStatus effect) {
        open.append(Batches.batch()
                .entry(id, f -> {
                    f.eventType = type;
                    f.statusEffect = effect;
                    f.workflowId = "w";
                    f.receivedAtMicros = open.nowMicros();
                    f.timestampMicros = open.nowMicros();
                })
                .build());
        offer();
    }

    @Test
    void whatAServiceSetsIsARunToo() {
        put("a", ExecutionStatus.NEW);
        assertThat(today("w").runs()).isZero();
        open.after(Duration.ofSeconds(10));
        put("a", ExecutionStatus.RUNNING);
        awaitKept();
        open.after(Duration.ofSeconds(5));
        put("a", ExecutionStatus.STOPPED);
        awaitKept();
        crash();
        put("a", ExecutionStatus.FAILED); // it had ended
        assertThat(today("w").runs()).isEqualTo(1);
        assertThat(today("w").ended(ExecutionStatus.STOPPED)).isEqualTo(1);
        assertThat(today("w").ended(ExecutionStatus.FAILED)).isZero();
        assertThat(today("w").maxMillis()).isBetween(4_950L, 5_000L);

        open.after(Duration.ofSeconds(1));
        put("a", ExecutionStatus.RUNNING); // and begins again
        assertThat(today("w").runs()).isEqualTo(2);
        assertThat(today("w").entries()).isZero();
    }

    @Test
    void aRunBeginsOnceHoweverItIsToldAndEndsOnce() {
        entry("a", EventType.LOG, null);
        entry("a", EventType.WORKFLOW_STARTED, ExecutionStatus.RUNNING);
        open.after(Duration.ofSeconds(2));
        entry("a", EventType.WORKFLOW_COMPLETED, ExecutionStatus.SUCCEEDED);
        open.after(Duration.ofSeconds(2));
        put("a", ExecutionStatus.SUCCEEDED);
        entry("a", EventType.LOG, null); // late
        entry("a", EventType.WORKFLOW_COMPLETED, ExecutionStatus.FAILED);
        Cell cell = today("w");
        assertThat(cell.runs()).isEqualTo(1);
        assertThat(cell.ended(ExecutionStatus.SUCCEEDED)).isEqualTo(1);
        assertThat(cell.ended(ExecutionStatus.FAILED)).isZero();
        assertThat(cell.durations()).isEqualTo(1);
        assertThat(cell.maxMillis()).isEqualTo(2_000);

        entry("a", EventType.WORKFLOW_STARTED, ExecutionStatus.RUNNING);
        open.append(Batches.batch()
                .entry("a", f -> {
                    f.eventType = EventType.WORKFLOW_COMPLETED;
                    f.statusEffect = ExecutionStatus.FAILED;
                    f.durationSeconds = 7.25;
                    f.receivedAtMicros = open.nowMicros();
                })
                .build());
        assertThat(today("w").runs()).isEqualTo(2);
        assertThat(today("w").ended(ExecutionStatus.FAILED)).isEqualTo(1);
        assertThat(today("w").maxMillis()).as("what the end reports").isEqualTo(7_250);
    }

    @Test
    void whatWasThereBeforeThisVersionIsNotCountedAgain() {
        entry("ended", EventType.WORKFLOW_STARTED, ExecutionStatus.RUNNING);
        entry("ended", EventType.WORKFLOW_COMPLETED, ExecutionStatus.FAILED);
        entry("running", EventType.WORKFLOW_STARTED, ExecutionStatus.RUNNING);
        awaitKept();
        summarizer.stop();
        // As an earlier version left it: summaries that say nothing of runs, and no cells
        open.journal.reading(files -> {
            for (String id : new String[] {"ended", "running"}) {
                byte[] key = Keys.of('s', id);
                String text =
                        new String(files.db.get(files.summaries(), key), java.nio.charset.StandardCharsets.ISO_8859_1);
                String earlier = text.replaceFirst(",\"run\":\\{[^}]*}", "");
                assertThat(earlier).isNotEqualTo(text);
                files.db.put(files.summaries(), key, earlier.getBytes(java.nio.charset.StandardCharsets.ISO_8859_1));
            }
            return true;
        });
        open.journal.stats().given(open.journal.stats().waiting(new byte[0], 100, 1 << 20));
        summarizer = new Summarizer(open.journal, open.clock, new Metrics(open.meters)).start();
        open.after(Duration.ofSeconds(1));
        entry("ended", EventType.LOG, null);
        entry("running", EventType.LOG, null);
        assertThat(today("w").entries()).isEqualTo(2);
        assertThat(today("w").runs()).isZero();
        assertThat(today("w").ended(ExecutionStatus.FAILED)).isZero();

        entry("running", EventType.WORKFLOW_COMPLETED, ExecutionStatus.FAILED);
        assertThat(today("w").runs()).isZero();
        assertThat(today("w").ended(ExecutionStatus.FAILED)).isEqualTo(1);
        assertThat(today("w").durations()).as("nobody knows since when").isZero();
        entry("ended", EventType.WORKFLOW_STARTED, ExecutionStatus.RUNNING);
        assertThat(today("w").runs()).isEqualTo(1);
    }

    @Test
    void whatPostgresHasIsGoneUnlessItChangedAndABucketThatIsOverBeginsAnew() {
        entry("a", EventType.LOG, null);
        awaitKept();
        var first = open.journal.stats().waiting(new byte[0], 100, 1 << 20);
        assertThat(first).hasSize(Resolution.values().length);
        entry("a", EventType.LOG, null);
        awaitKept();
        open.journal.stats().given(first);
        var second = open.journal.stats().waiting(new byte[0], 100, 1 << 20);
        assertThat(second.stream().map(kept -> CellKey.decode(kept.key())).toList())
                .isEqualTo(
                        first.stream().map(kept -> CellKey.decode(kept.key())).toList());
        assertThat(today("w").entries()).as("absolute").isEqualTo(2);
        open.journal.stats().given(second);
        assertThat(open.journal.stats().waiting(new byte[0], 100, 1 << 20)).isEmpty();

        long then = open.nowMicros();
        open.after(Duration.ofMinutes(10));
        entry("a", EventType.LOG, null);
        awaitKept();
        open.journal.stats().given(open.journal.stats().waiting(new byte[0], 100, 1 << 20));
        // One that was received ten minutes ago, and under way so long
        open.append(Batches.batch().entry("a", f -> f.receivedAtMicros = then).build());
        awaitKept();
        assertThat(open.journal.stats().waiting(new byte[0], 100, 1 << 20).stream()
                        .map(kept -> CellKey.decode(kept.key()))
                        .filter(key -> key.resolution() == Resolution.MINUTE)
                        .toList())
                .singleElement()
                .satisfies(key -> {
                    assertThat(key.startMicros()).isEqualTo(Resolution.MINUTE.start(then));
                    assertThat(key.part()).isEqualTo(open.journal.lastPosition());
                });
    }

    @Test
    void aFloodOfErrorsIsCountedAndNotLookedInto() {
        int many = 5 * Rollups.MAX_ERRORS;
        var batch = Batches.batch();
        for (int i = 0; i < many; i++) {
            batch.entry("a", f -> {
                f.level = Level.ERROR;
                f.workflowId = "w";
            });
        }
        open.append(batch.build());
        Cell cell = today("w");
        assertThat(cell.count(Level.ERROR)).isEqualTo(many);
        assertThat(cell.errors().count()).isEqualTo(many);
        assertThat(cell.errors().top(1).get(0).count()).isEqualTo(Rollups.MAX_ERRORS);
    }
}
