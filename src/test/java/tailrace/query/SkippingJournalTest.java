package tailrace.query;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tailrace.model.EntryFields;
import tailrace.model.ExecutionState;
import tailrace.model.Level;
import tailrace.model.LogEntry;
import tailrace.model.LogFilter;
import tailrace.model.TextQuery;

/** What is passed over is never what was looked for. */
class SkippingJournalTest {
    private static final int ENTRIES = 4 * SkippingJournal.MIN_ENTRIES + 17;
    private static final long ALL_BYTES = Long.MAX_VALUE;
    private static final String[] WORDS = {
        "upload",
        "Timeout",
        "QUASAR",
        "quasi",
        "Überweisung",
        "日本語",
        "C:\\temp",
        "\"quoted\"",
        "ab",
        "x",
        "K\u212A",
        "tab\there"
    };
    private static final String[] QUERIES = {
        "quasar", "QUAS", "quasi quasar", "-quasar", "upload -timeout", "überweisung", "日本語", "\"c:\\\\temp\"",
                "quoted",
        "ab", "x", "k", "needle", "\"needle 3\"", "timeout quasar", "nowhere", "\"tab\there\"", "e e2"
    };

    private final Random random = new Random(5);
    private final AtomicLong looked = new AtomicLong();
    private final FakeJournal journal = new FakeJournal();

    private static EntryFields entry(Random random, int number) {
        var message = new StringBuilder();
        for (int words = random.nextInt(4); words >= 0; words--) {
            message.append(random.nextInt(8) == 0 ? WORDS[random.nextInt(WORDS.length)] : "plain")
                    .append(' ');
        }
        if (number % 1_000 == 3) {
            message.append("needle ").append(number / 1_000);
        }
        EntryFields fields = FakeJournal.entry(message.toString(), 1_000L + number);
        fields.level = random.nextInt(5) == 0 ? Level.ERROR : Level.INFO;
        fields.errorCode = random.nextInt(50) == 0 ? "E2" : null;
        return fields;
    }

    private void fill(String execution, int entries) {
        List<EntryFields> all = new ArrayList<>();
        for (int i = 0; i < entries; i++) {
            all.add(entry(random, i));
        }
        journal.append(execution, all);
    }

    private static LogFilter asking(String q, Set<Level> levels) throws TextQuery.InvalidException {
        return new LogFilter(
                levels, Set.of(), null, 1, null, Long.MIN_VALUE, Long.MAX_VALUE, Set.of(), TextQuery.parse(q));
    }

    /** With room for all that is remembered, for one chunk of it, and for nearly nothing. */
    @ParameterizedTest
    @ValueSource(longs = {64 << 20, 200_000, 1})
    void findsWhatAPlainReadFinds(long heapBytes) throws Exception {
        fill("e", ENTRIES);
        fill("other", ENTRIES);
        var skipping = new SkippingJournal(journal, heapBytes);
        for (int round = 0; round < 150; round++) {
            if (round == 100) {
                journal.purgeBelow("e", 3_000);
                fill("e", 500);
            }
            String id = random.nextInt(4) == 0 ? "other" : "e";
            Set<Level> levels = random.nextInt(4) == 0 ? Set.of(Level.ERROR) : Set.of();
            LogFilter filter = asking(QUERIES[random.nextInt(QUERIES.length)], levels);
            long from = random.nextInt(ENTRIES / 3);
            long to = random.nextInt(8) == 0 ? Long.MAX_VALUE : ENTRIES - random.nextInt(ENTRIES / 3);
            boolean ascending = random.nextBoolean();
            int max = random.nextInt(3) == 0 ? Integer.MAX_VALUE : 1 + random.nextInt(100);
            long bytes = random.nextInt(3) == 0 ? 1 + random.nextInt(20_000) : ALL_BYTES;

            assertThat(seqs(skipping.entries(id, from, to, ascending, max, bytes, filter)))
                    .as("%s %s %s–%s", filter.text(), ascending ? "up" : "down", from, to)
                    .isEqualTo(seqs(journal.entries(id, from, to, ascending, max, bytes, filter)));
            assertThat(skipping.count(id, from, to, filter)).isEqualTo(journal.count(id, from, to, filter));
        }
    }

    @Test
    void theSecondSearchReadsOnlyWhereTheWordMayBe() throws Exception {
        fill("e", ENTRIES);
        var skipping = new SkippingJournal(new CountingJournal(), 64 << 20);

        List<LogEntry> first = skipping.entries("e", 1, ENTRIES, false, 100, ALL_BYTES, asking("needle", Set.of()));
        assertThat(first).hasSize((ENTRIES + 996) / 1_000);
        assertThat(looked.getAndSet(0)).isEqualTo(ENTRIES);

        assertThat(skipping.entries("e", 1, ENTRIES, true, 100, ALL_BYTES, asking("needle", Set.of())))
                .hasSameSizeAs(first);
        assertThat(looked.getAndSet(0)).isLessThan(ENTRIES / 10);

        assertThat(skipping.count("e", 1, ENTRIES, asking("nowhere", Set.of()))).isZero();
        assertThat(looked.getAndSet(0)).isLessThan(ENTRIES / 10);
    }

    @Test
    void entriesThatCameSinceAreFound() throws Exception {
        fill("e", ENTRIES);
        var skipping = new SkippingJournal(journal, 64 << 20);
        assertThat(skipping.count("e", 1, Long.MAX_VALUE, asking("latecomer", Set.of())))
                .isZero();

        journal.append("e", List.of(FakeJournal.entry("a latecomer", 1)));

        assertThat(seqs(skipping.entries("e", 1, Long.MAX_VALUE, false, 10, ALL_BYTES, asking("latecomer", Set.of()))))
                .containsExactly(ENTRIES + 1L);
    }

    private static List<Long> seqs(List<LogEntry> entries) {
        return entries.stream().map(LogEntry::seq).toList();
    }

    /** Counts the entries that are read. */
    private final class CountingJournal extends FakeJournal {
        @Override
        public synchronized List<LogEntry> entries(
                String executionId,
                long fromSeq,
                long toSeq,
                boolean ascending,
                int maxEntries,
                long maxBytes,
                Predicate<LogEntry> filter) {
            return journal.entries(executionId, fromSeq, toSeq, ascending, maxEntries, maxBytes, entry -> {
                looked.incrementAndGet();
                return filter.test(entry);
            });
        }

        @Override
        public synchronized Optional<ExecutionState> execution(String executionId) {
            return journal.execution(executionId);
        }
    }
}
