package tailrace.journal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import tailrace.model.ExecutionState;
import tailrace.model.JournalRecord;

/**
 * Whatever is written, removed, passed and reopened in whatever order: what a cursor has not passed is there, in order;
 * what was acknowledged is there or below {@code hotFromSeq}; no seq is given twice.
 */
class TrimmerPropertyTest {
    private static final int EXECUTIONS = 6;
    private static final int STEPS = 30;

    /** The journal, and what was acknowledged. */
    private static final class World implements AutoCloseable {
        final Random random;
        final Path directory;
        final AtomicLong passed = new AtomicLong();
        final Map<String, Long> lastSeq = new HashMap<>();
        final List<JournalRecord> records = new ArrayList<>();
        OpenJournal open;
        Duration age = Duration.ZERO;

        World(Random random, Path directory) {
            this.random = random;
            this.directory = directory;
            this.open = new OpenJournal(directory);
        }

        void step() {
            switch (random.nextInt(8)) {
                case 0, 1, 2 -> append();
                case 3 -> passed.addAndGet(random.nextInt((int) (open.journal.lastPosition() - passed.get()) + 1));
                case 4 -> after(Duration.ofHours(random.nextInt(30)));
                case 5 -> open.trimmer(passed, 10L << 30).expire();
                case 6 -> open.trimmer(passed, 10).makeRoom();
                default -> reopenOrAge();
            }
        }

        private void reopenOrAge() {
            if (random.nextInt(4) == 0) {
                after(Duration.ofDays(31));
                return;
            }
            open.close();
            open = new OpenJournal(directory);
            open.after(age);
        }

        private void after(Duration passing) {
            age = age.plus(passing);
            open.after(passing);
        }

        private void append() {
            Batches batch = Batches.batch();
            String first = "e" + random.nextInt(EXECUTIONS);
            for (int i = random.nextInt(20); i >= 0; i--) {
                batch.entry(random.nextBoolean() ? first : "e" + random.nextInt(EXECUTIONS), "entry");
            }
            open.append(batch.build()).executions().forEach(range -> {
                assertThat(range.firstSeq())
                        .as("given once: " + range)
                        .isEqualTo(lastSeq.getOrDefault(range.executionId(), 0L) + 1);
                lastSeq.put(range.executionId(), range.lastSeq());
            });
            long known = records.isEmpty() ? 0 : records.get(records.size() - 1).position();
            records.addAll(open.journal.records(known, 1_000, Integer.MAX_VALUE));
        }

        void check() {
            List<JournalRecord> needed = records.stream()
                    .filter(record -> record.position() > passed.get())
                    .toList();
            assertThat(open.journal.records(passed.get(), 10_000, Integer.MAX_VALUE))
                    .isEqualTo(needed);
            for (JournalRecord record : needed) {
                assertThat(seqs(record.executionId(), record.firstSeq(), record.lastSeq()))
                        .hasSize(record.count());
            }
            assertThat(open.journal.bytesAfter(passed.get()))
                    .isEqualTo(needed.stream().mapToLong(JournalRecord::bytes).sum());
            lastSeq.forEach((id, last) -> {
                long hotFrom = open.journal
                        .execution(id)
                        .map(ExecutionState::hotFromSeq)
                        .orElse(last + 1);
                List<Long> held = seqs(id, 1, Long.MAX_VALUE);
                assertThat(held).as("%s from %d to %d", id, hotFrom, last).hasSize((int) (last - hotFrom + 1));
                for (int i = 0; i < held.size(); i++) {
                    assertThat(held.get(i)).isEqualTo(hotFrom + i);
                }
            });
            long first = open.journal.firstPosition();
            assertThat(open.journal.records(0, 1, 1))
                    .allSatisfy(record -> assertThat(record.position()).isEqualTo(first));
        }

        private List<Long> seqs(String id, long from, long to) {
            return open.journal.entries(id, from, to, true, Integer.MAX_VALUE, Long.MAX_VALUE, any -> true).stream()
                    .map(entry -> entry.seq())
                    .toList();
        }

        @Override
        public void close() {
            open.close();
        }
    }

    @Property(tries = 8, shrinking = ShrinkingMode.OFF)
    void nothingNeededGoesAndNoHoleOpens(@ForAll long seed) throws IOException {
        Path directory = Files.createTempDirectory("trimmer");
        try (World world = new World(new Random(seed), directory.resolve("journal"))) {
            for (int i = 0; i < STEPS; i++) {
                world.step();
                world.check();
            }
        } finally {
            try (var files = Files.walk(directory)) {
                files.sorted(Comparator.reverseOrder())
                        .forEach(file -> file.toFile().delete());
            }
        }
    }
}
