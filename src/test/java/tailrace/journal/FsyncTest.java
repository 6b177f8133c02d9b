package tailrace.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tailrace.bus.BusMessage;
import tailrace.config.TailraceConfig;

/**
 * No answer without its fsync, by RocksDB's own count. Killing a process proves nothing of the kind: the page cache
 * survives it. The check is seen to fail where syncing is off.
 */
class FsyncTest {
    private static final int BATCHES = 50;
    private static final TailraceConfig.Journal UNSAFE =
            new TailraceConfig.Journal(10L << 30, false, 64L << 20, 16L << 20, 1L << 20);

    /** Each answer came after an fsync that was made since its request. */
    private static void requireAnFsyncForEachAnswer(OpenJournal open) {
        for (int i = 0; i < BATCHES; i++) {
            long before = open.journal.walSyncs();
            open.append(Batches.of("e", "message"));
            assertThat(open.journal.walSyncs()).as("fsyncs after answer %d", i).isGreaterThan(before);
        }
    }

    @Test
    void everyAnswerOfASingleClientHasItsOwnFsync(@TempDir Path temp) {
        try (var open = new OpenJournal(temp.resolve("journal"))) {
            requireAnFsyncForEachAnswer(open);
        }
    }

    @Test
    void theCheckFailsWithoutSync(@TempDir Path temp) {
        try (var open = new OpenJournal(temp.resolve("journal"), UNSAFE, commit -> {})) {
            assertThatThrownBy(() -> requireAnFsyncForEachAnswer(open)).isInstanceOf(AssertionError.class);
        }
    }

    @Test
    void aChangeOfAnExecutionHasItsFsyncToo(@TempDir Path temp) {
        try (var open = new OpenJournal(temp.resolve("journal"))) {
            long before = open.journal.walSyncs();

            open.update(new tailrace.model.ExecutionUpdate("e", null, "w", "u", Batches.NOW));

            assertThat(open.journal.walSyncs()).isGreaterThan(before);
        }
    }

    @Test
    void batchesThatWaitTogetherShareOneFsync(@TempDir Path temp) throws Exception {
        // Given the journal thread held up after its first commit
        var held = new CountDownLatch(1);
        var go = new CountDownLatch(1);
        try (var open = new OpenJournal(temp.resolve("journal"), OpenJournal.CONFIG, commit -> {
            held.countDown();
            awaitQuietly(go);
        })) {
            CompletableFuture<BusMessage.Answer> first = open.loop.append(Batches.of("e", "first"));
            held.await();
            long before = open.journal.walSyncs();

            // When many batches gather meanwhile
            List<CompletableFuture<BusMessage.Answer>> rest = new ArrayList<>();
            for (int i = 0; i < BATCHES; i++) {
                rest.add(open.loop.append(Batches.of("e", "message " + i)));
            }
            go.countDown();

            // Then one fsync answers all of them, each with its own seq
            OpenJournal.get(first);
            long seq = 2;
            for (CompletableFuture<BusMessage.Answer> answer : rest) {
                var range = OpenJournal.get(answer).answer().executions().get(0);
                assertThat(range.firstSeq()).isEqualTo(seq++);
            }
            assertThat(open.journal.walSyncs()).isEqualTo(before + 1);
        }
    }

    static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
