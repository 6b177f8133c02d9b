package tailrace.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tailrace.bus.BusMessage;
import tailrace.config.TailraceConfig;

/** What the journal thread does when it cannot do what it should. */
class CommitLoopTest {
    @Test
    void nobodyInAGroupThatFailedIsAnsweredAndTheDiskHasTheLastWord(@TempDir Path temp) throws Exception {
        // Given a group that waits while the files are closed under it
        var held = new CountDownLatch(1);
        var go = new CountDownLatch(1);
        var closeFiles = new AtomicBoolean(true);
        try (var open = new OpenJournal(temp.resolve("journal"), OpenJournal.CONFIG, commit -> {
            held.countDown();
            FsyncTest.awaitQuietly(go);
        })) {
            CompletableFuture<BusMessage.Answer> first = open.loop.append(Batches.of("e", "first"));
            held.await();
            List<CompletableFuture<BusMessage.Answer>> group = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                group.add(open.loop.append(Batches.batch()
                        .entry("e", "lost " + i)
                        .key("k" + i, "f")
                        .build()));
            }
            assertThat(closeFiles.getAndSet(false)).isTrue();
            open.journal.close();

            // When it is to be written
            go.countDown();

            // Then what was durable before is answered, and nothing of the group
            assertThat(OpenJournal.get(first).answer().accepted()).isEqualTo(1);
            for (CompletableFuture<BusMessage.Answer> answer : group) {
                assertThatThrownBy(() -> OpenJournal.get(answer)).isInstanceOf(JournalUnavailableException.class);
            }
            // And the journal opens again by itself, goes on without a hole, and remembers no key of the group
            awaitAvailable(open);
            var again = open.append(
                    Batches.batch().entry("e", "again").key("k0", "other").build());
            assertThat(again.executions().get(0).firstSeq()).isEqualTo(2);
            assertThat(Batches.told(open.journal, "e")).containsExactly("1:first", "2:again");
            assertThat(open.journal.execution("e").orElseThrow().lastSeq()).isEqualTo(2);
            assertThat(open.meters.get("tailrace.journal.failures").counter().count())
                    .isEqualTo(1);
        }
    }

    private static void awaitAvailable(OpenJournal open) {
        long deadline = System.nanoTime() + 30_000_000_000L;
        while (!open.loop.unavailable().isEmpty()) {
            assertThat(System.nanoTime()).as(open.loop.unavailable()).isLessThan(deadline);
            Thread.onSpinWait();
        }
    }

    @Test
    void aQueueThatIsFullRefusesAndForgetsNothingOfWhatItHolds(@TempDir Path temp) throws Exception {
        var held = new CountDownLatch(1);
        var go = new CountDownLatch(1);
        var small = new TailraceConfig.Journal(10L << 30, true, 1_000, 16L << 20, 1L << 20);
        try (var open = new OpenJournal(temp.resolve("journal"), small, commit -> {
            held.countDown();
            FsyncTest.awaitQuietly(go);
        })) {
            CompletableFuture<BusMessage.Answer> first = open.loop.append(Batches.of("e", "first"));
            held.await();
            var queued = new ArrayList<CompletableFuture<BusMessage.Answer>>();
            CompletableFuture<BusMessage.Answer> last;
            do {
                last = open.loop.append(Batches.of("e", "queued"));
                queued.add(last);
            } while (!last.isCompletedExceptionally() && queued.size() < 100);
            CompletableFuture<BusMessage.Answer> refused = queued.remove(queued.size() - 1);
            assertThatThrownBy(() -> OpenJournal.get(refused)).isInstanceOf(JournalFullException.class);

            go.countDown();

            OpenJournal.get(first);
            queued.forEach(OpenJournal::get);
            assertThat(Batches.told(open.journal, "e")).hasSize(1 + queued.size());
            assertThat(open.loop.queuedBytes()).isZero();
        }
    }

    @Test
    void oneBatchLargerThanTheQueueIsTakenWhileItIsEmpty(@TempDir Path temp) {
        var small = new TailraceConfig.Journal(10L << 30, true, 10, 16L << 20, 1L << 20);
        try (var open = new OpenJournal(temp.resolve("journal"), small, commit -> {})) {
            assertThat(open.append(Batches.of("e", "larger than ten bytes")).accepted())
                    .isEqualTo(1);
        }
    }

    @Test
    void whatWasTakenBeforeTheEndIsCommittedAndWhatComesLaterRefused(@TempDir Path temp) {
        Path directory = temp.resolve("journal");
        List<CompletableFuture<BusMessage.Answer>> answers = new ArrayList<>();
        var open = new OpenJournal(directory);
        for (int i = 1; i <= 200; i++) {
            answers.add(open.loop.append(Batches.of("e", "message " + i)));
        }
        open.loop.close();
        assertThatThrownBy(() -> open.append(Batches.of("e", "late"))).isInstanceOf(JournalUnavailableException.class);
        open.journal.close();

        answers.forEach(OpenJournal::get);
        try (RocksJournal journal = RocksJournal.open(directory, true)) {
            assertThat(Batches.told(journal, "e")).hasSize(200);
        }
    }
}
