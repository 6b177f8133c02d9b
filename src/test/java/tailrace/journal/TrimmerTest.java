package tailrace.journal;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rocksdb.RocksIterator;
import tailrace.model.ExecutionState;
import tailrace.model.ExecutionStatus;
import tailrace.model.ExecutionUpdate;
import tailrace.model.IngestBatch;
import tailrace.model.JournalRecord;
import tailrace.model.LogEntry;
import tailrace.model.SeqRange;

/** What goes from the journal, when, and what never does. */
class TrimmerTest {
    private static final Duration HOT = Duration.ofDays(1).plusSeconds(1);
    private static final Duration SUMMARY = Duration.ofDays(30).plusSeconds(1);
    private static final long MAX_BYTES = 32L << 20;
    /** So little that everything goes that may. */
    private static final long NOTHING = 10;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path temp;

    @SuppressWarnings("NullAway.Init")
    private OpenJournal open;

    private final AtomicLong passed = new AtomicLong();

    @BeforeEach
    void open() {
        open = new OpenJournal(temp.resolve("journal"), OpenJournal.CONFIG, MAX_BYTES, commit -> {});
    }

    @AfterEach
    void close() {
        open.close();
    }

    private void reopen() {
        open.close();
        open();
    }

    private Trimmer.Trimmed expire() {
        return open.trimmer(passed, MAX_BYTES).expire();
    }

    private void passAll() {
        passed.set(open.journal.lastPosition());
    }

    private ExecutionState state(String executionId) {
        return open.journal.execution(executionId).orElseThrow();
    }

    private List<Long> positions() {
        return open.journal.records(0, 1_000_000, Integer.MAX_VALUE).stream()
                .map(JournalRecord::position)
                .toList();
    }

    /** Entries of a size that no compression makes small. */
    static IngestBatch large(Random random, String executionId, int entries) {
        Batches batch = Batches.batch();
        for (int i = 0; i < entries; i++) {
            String text = random.ints(8_000, ' ' + 1, 0x7f)
                    .filter(c -> c != '"' && c != '\\')
                    .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                    .toString();
            batch.entry(executionId, text);
        }
        return batch.build();
    }

    @Test
    void whatIsOlderThanTheHotTierKeepsGoesAndTheRestStays() {
        open.append(Batches.of("old", "1", "2", "3"));
        open.append(Batches.of("old, still running", "1"));
        open.after(HOT);
        open.append(Batches.of("young", "1"));
        open.append(Batches.of("old, still running", "2"));
        passAll();

        Trimmer.Trimmed trimmed = expire();

        assertThat(trimmed.entries()).isEqualTo(3);
        assertThat(state("old").hotFromSeq()).isEqualTo(4);
        assertThat(state("old").lastSeq()).isEqualTo(3);
        assertThat(state("old").totalLogs()).isEqualTo(3);
        assertThat(Batches.told(open.journal, "old")).isEmpty();
        assertThat(Batches.told(open.journal, "young")).containsExactly("1:1");
        assertThat(Batches.told(open.journal, "old, still running")).containsExactly("1:1", "2:2");
        assertThat(positions()).containsExactly(2L, 3L, 4L);
        assertThat(open.journal.firstPosition()).isEqualTo(2);
        assertThat(open.meters
                        .get("tailrace.journal.trimmed.entries")
                        .tag("reason", "ttl")
                        .counter()
                        .count())
                .isEqualTo(3);
        assertThat(expire().entries()).as("the second time").isZero();
    }

    @Test
    void anExecutionThatWasOnlyMovedIsAsYoungAsItsMove() {
        open.append(Batches.of("moved", "1"));
        open.append(Batches.of("idle", "1"));
        open.after(Duration.ofHours(23));
        open.update(new ExecutionUpdate("moved", ExecutionStatus.PAUSED, null, null, open.nowMicros()));
        open.after(Duration.ofHours(2));
        passAll();

        expire();

        assertThat(Batches.told(open.journal, "moved")).containsExactly("1:1");
        assertThat(Batches.told(open.journal, "idle")).isEmpty();
    }

    @Test
    void anExecutionGoesOnWhereItWasAfterItsEntriesExpired() {
        open.append(Batches.of("e", "1", "2"));
        open.after(HOT);
        passAll();
        expire();

        assertThat(open.append(Batches.of("e", "3", "4")).executions()).containsExactly(new SeqRange("e", 3, 4));
        assertThat(Batches.told(open.journal, "e")).containsExactly("3:3", "4:4");
        assertThat(state("e").hotFromSeq()).isEqualTo(3);
        reopen();
        assertThat(Batches.told(open.journal, "e")).containsExactly("3:3", "4:4");
        assertThat(state("e").totalLogs()).isEqualTo(4);
    }

    @Test
    void nothingGoesThatACursorHasNotPassed() {
        open.append(Batches.of("a", "1"));
        open.append(Batches.of("b", "1"));
        open.append(Batches.of("a", "2"));
        open.after(SUMMARY);
        passed.set(2);

        expire();

        assertThat(Batches.told(open.journal, "a")).containsExactly("1:1", "2:2");
        assertThat(open.journal.execution("b")).isEmpty();
        assertThat(positions()).containsExactly(1L, 3L);

        open.trimmer(passed, NOTHING).makeRoom();

        assertThat(Batches.told(open.journal, "a"))
                .as("by size, up to the cursor")
                .containsExactly("2:2");
        assertThat(positions()).containsExactly(3L);
        passed.set(0);
        assertThat(open.trimmer(passed, NOTHING).makeRoom().entries()).isZero();
    }

    @Test
    void theLastRecordStaysSoThatPositionsAndBytesGoOn() {
        open.append(Batches.of("e", "1"));
        open.append(Batches.of("f", "1"));
        long total = open.journal.totalBytes();
        open.after(SUMMARY);
        passAll();
        expire();
        reopen();

        assertThat(open.journal.lastPosition()).isEqualTo(2);
        assertThat(open.journal.totalBytes()).isEqualTo(total).isPositive();
        open.append(Batches.of("g", "1"));
        assertThat(positions()).containsExactly(2L, 3L);
    }

    @Test
    void aSeqIsNotGivenTwiceEvenToAnExecutionThatIsForgotten() {
        open.append(Batches.batch().entry("e", f -> f.userId = "anna").build());
        open.append(Batches.of("e", "2", "3"));
        open.append(Batches.of("other", "1"));
        open.after(SUMMARY);
        passAll();

        assertThat(expire().executions()).isEqualTo(2);

        assertThat(open.journal.execution("e")).isEmpty();
        assertThat(Batches.told(open.journal, "e")).isEmpty();
        assertThat(open.journal.executions("", 10)).isEmpty();
        assertThat(expire()).isEqualTo(new Trimmer.Trimmed(0, 0));
        reopen();
        assertThat(open.journal.execution("e")).isEmpty();

        // And when the id comes again, it is a new execution above the old seqs
        assertThat(open.append(Batches.of("e", "again")).executions()).containsExactly(new SeqRange("e", 4, 4));
        assertThat(Batches.told(open.journal, "e")).containsExactly("4:again");
        assertThat(state("e").hotFromSeq()).isEqualTo(4);
        assertThat(state("e").totalLogs()).isEqualTo(1);
        assertThat(state("e").userId()).isNull();
    }

    @Test
    void anExecutionAdoptedFromPostgresKeepsItsJumpWhenItIsRetired() {
        open.append(Batches.of("e", "1"));
        open.journal.adopt(3, List.of(state("e")));
        open.after(SUMMARY);
        passAll();

        expire();

        assertThat(open.journal.execution("e")).isEmpty();
        assertThat(open.append(Batches.of("e", "again")).executions())
                .containsExactly(new SeqRange("e", 2 * Sequencer.JUMP, 2 * Sequencer.JUMP));
    }

    @Test
    void idsAreForgottenAlsoWhenNobodySendsAny() {
        open.append(Batches.batch().entry("e", "1").key("k", "f").build());
        open.after(Duration.ofDays(1));
        expire();
        assertThat(idempotencyKeys()).isTrue();
        open.after(Duration.ofDays(1));

        expire();

        assertThat(idempotencyKeys()).isFalse();
    }

    private boolean idempotencyKeys() {
        return open.journal.reading(files -> {
            try (RocksIterator at = files.db.newIterator(files.idempotency)) {
                at.seekToFirst();
                return at.isValid();
            }
        });
    }

    @Test
    void theOldestGoFirstUntilTheFilesFitAndTheirBytesComeBack() {
        Random random = new Random(1);
        for (int i = 0; i < 320; i++) {
            open.append(large(random, "e" + i / 20, 16));
            open.after(Duration.ofSeconds(10));
        }
        passAll();
        JournalSpace space = open.journal.space();
        long limit = Trimmer.limitBytes(MAX_BYTES);
        assertThat(space.liveBytes()).isGreaterThan(limit);

        Trimmer.Trimmed trimmed = open.trimmer(passed, MAX_BYTES).makeRoom();

        assertThat(trimmed.entries()).isPositive();
        assertThat(space.liveBytes()).isLessThan(limit);
        awaitSmallFiles();
        // No more than had to: what is left of the entries is most of what there is room for
        long held = 0;
        boolean gone = true;
        for (int i = 0; i < 16; i++) {
            ExecutionState state = state("e" + i);
            List<LogEntry> entries = open.journal.entries(
                    "e" + i, 1, Long.MAX_VALUE, true, Integer.MAX_VALUE, Long.MAX_VALUE, any -> true);
            assertThat(entries).hasSize((int) (state.lastSeq() - state.hotFromSeq() + 1));
            held += entries.stream().mapToLong(entry -> entry.encoded().length).sum();
            gone &= entries.isEmpty();
            assertThat(gone || !entries.isEmpty()).as("the oldest went first").isTrue();
        }
        assertThat(held).isGreaterThan(limit / 4);
        // And all of them are still listed, since none has expired
        assertThat(open.journal.executions("", 100)).hasSize(16);
        assertThat(open.trimmer(passed, MAX_BYTES).makeRoom().entries()).isZero();
    }

    /** RocksDB removes files that it needs no more a little later. */
    private void awaitSmallFiles() {
        long deadline = System.nanoTime() + 30_000_000_000L;
        while (open.journal.sizeBytes() >= MAX_BYTES) {
            assertThat(System.nanoTime()).as("bytes of files").isLessThan(deadline);
            Thread.onSpinWait();
        }
    }

    @Test
    void bytesOfWhatExpiredComeBack() {
        Random random = new Random(2);
        for (int i = 0; i < 200; i++) {
            open.append(large(random, "e" + i % 10, 16));
        }
        open.after(HOT);
        open.append(Batches.of("young", "1"));
        passAll();
        long before = open.journal.space().liveBytes();

        assertThat(expire().entries()).isEqualTo(200 * 16);

        assertThat(open.journal.space().liveBytes()).isLessThan(before / 2);
        assertThat(Batches.told(open.journal, "young")).containsExactly("1:1");
    }

    @Test
    void bytesComeBackFromFilesThatHoldSomethingElseToo() {
        Random random = new Random(6);
        int executions = 60;
        for (int i = 0; i < 4 * executions; i++) {
            open.append(large(random, "e" + i % executions, 12));
        }
        passed.set(3 * executions);
        long before = open.journal.space().liveBytes();

        open.trimmer(passed, NOTHING).makeRoom();

        for (int i = 0; i < executions; i++) {
            assertThat(open.journal.count("e" + i, 1, Long.MAX_VALUE, any -> true))
                    .isEqualTo(12);
        }
        assertThat(open.journal.space().liveBytes()).isLessThan(before * 2 / 3);
    }

    @Test
    void ingestGoesOnWhileTheJournalIsTrimmed() throws Exception {
        AtomicBoolean done = new AtomicBoolean();
        CompletableFuture<Integer> trimming = CompletableFuture.supplyAsync(() -> {
            int runs = 0;
            Trimmer trimmer = open.trimmer(passed, NOTHING);
            while (!done.get()) {
                passed.set(Math.max(0, open.journal.lastPosition() - 20));
                trimmer.makeRoom();
                runs++;
            }
            return runs;
        });
        long[] last = new long[5];
        for (int i = 0; i < 400; i++) {
            int one = i % last.length;
            var answer = open.append(Batches.of("e" + one, "a", "b", "c"));
            assertThat(answer.executions()).containsExactly(new SeqRange("e" + one, last[one] + 1, last[one] + 3));
            last[one] += 3;
        }
        done.set(true);

        assertThat(OpenJournal.get(trimming)).isPositive();
        for (int i = 0; i < last.length; i++) {
            ExecutionState state = state("e" + i);
            assertThat(state.lastSeq()).isEqualTo(last[i]);
            assertThat(state.hotFromSeq()).isGreaterThan(1);
            List<Long> held = new ArrayList<>();
            open.journal
                    .entries("e" + i, 0, Long.MAX_VALUE, true, Integer.MAX_VALUE, Long.MAX_VALUE, any -> true)
                    .forEach(entry -> held.add(entry.seq()));
            assertThat(held).hasSize((int) (last[i] - state.hotFromSeq() + 1)).contains(last[i]);
        }
    }
}
