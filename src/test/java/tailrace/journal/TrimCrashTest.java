package tailrace.journal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tailrace.model.ExecutionState;

/** A crash after any step of trimming: the files as they are then open again, without a hole, and are trimmed on. */
class TrimCrashTest {
    private static final int EXECUTIONS = 150;
    private static final long LAST = 24;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path temp;

    private int copies;

    @Test
    void noStepLeavesAHole() throws IOException {
        Path directory = temp.resolve("journal");
        try (var open = new OpenJournal(directory, OpenJournal.CONFIG, 16L << 20, commit -> {})) {
            Random random = new Random(3);
            for (int round = 0; round < 3; round++) {
                for (int i = 0; i < EXECUTIONS; i++) {
                    open.append(TrimmerTest.large(random, "e" + i, (int) LAST / 3));
                }
                open.after(Duration.ofMinutes(2));
            }
            var removal = new Removal(open.journal, open.loop);
            List<Removal.Loss> losses = new ArrayList<>();
            for (int i = 0; i < EXECUTIONS; i++) {
                losses.add(new Removal.Loss("e" + i, 1 + i % (LAST + 2), Removal.Loss.ANYHOW, false));
            }
            for (int from = 0; from < EXECUTIONS; from += Removal.GROUP) {
                removal.entries(losses.subList(from, Math.min(from + Removal.GROUP, EXECUTIONS)));
                check(directory);
            }
            open.journal.space().reclaim(removal.ranges());
            check(directory);
            long last = open.journal.lastPosition();
            var dead = new RecordSweep(open.journal, last, 0).between(0, last);
            assertThat(dead).isNotEmpty();
            new Removal(open.journal, open.loop).records(dead);
            check(directory);
            open.journal.space().reclaimRecords(1, last);
            check(directory);
        }
    }

    private void check(Path live) throws IOException {
        Path copy = temp.resolve("copy" + ++copies);
        Files.createDirectories(copy);
        try (var files = Files.list(live)) {
            for (Path file : files.toList()) {
                copy(file, copy.resolve(file.getFileName()));
            }
        }
        try (var crashed = new OpenJournal(copy)) {
            requireNoHole(crashed);
            crashed.trimmer(new AtomicLong(crashed.journal.lastPosition() / 2), 10)
                    .makeRoom();
            requireNoHole(crashed);
        }
    }

    private static void copy(Path file, Path to) throws IOException {
        try {
            Files.copy(file, to);
        } catch (NoSuchFileException e) {
            assertThat(to.toString())
                    .as("RocksDB may remove what it needs no more")
                    .doesNotContain("MANIFEST");
        }
    }

    private static void requireNoHole(OpenJournal open) {
        for (int i = 0; i < EXECUTIONS; i++) {
            ExecutionState state = open.journal.execution("e" + i).orElseThrow();
            assertThat(state.lastSeq()).isEqualTo(LAST);
            assertThat(open.journal.entries("e" + i, 1, LAST, true, 1_000, Long.MAX_VALUE, any -> true))
                    .as("e%d from %d", i, state.hotFromSeq())
                    .hasSize((int) (LAST + 1 - state.hotFromSeq()));
        }
    }
}
