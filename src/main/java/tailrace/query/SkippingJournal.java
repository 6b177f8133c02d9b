package tailrace.query;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import tailrace.journal.Journal;
import tailrace.model.ExecutionState;
import tailrace.model.JournalId;
import tailrace.model.JournalRecord;
import tailrace.model.LogEntry;
import tailrace.model.LogFilter;
import tailrace.model.TrigramFilter;

/**
 * A journal that remembers of every {@value #BLOCK} consecutive entries that a search has read through which trigrams they
 * hold, so that the next search passes over those that cannot have its words. Nothing is made before somebody searches:
 * ingest pays nothing, the first search of an execution reads all, and what is remembered is bounded. An execution's
 * entry of a seq never changes, so nothing remembered becomes wrong. Safe for any thread.
 */
public final class SkippingJournal implements Journal {
    /** Entries that are passed over or read together; a power of two. */
    static final int BLOCK = 32;
    /** Fewer entries are read as quickly as remembered. */
    static final int MIN_ENTRIES = 2_048;

    private static final int BLOCKS = 128;
    /** Entries of a chunk, the unit in which is forgotten. */
    private static final int CHUNK = BLOCK * BLOCKS;

    private static final long MAX_HEAP_BYTES = 64L << 20;

    private final Journal journal;
    private final Cache<ChunkKey, Chunk> chunks;

    private record ChunkKey(String executionId, long number) {}

    private static final class Chunk extends AtomicReferenceArray<TrigramFilter> {
        private static final long serialVersionUID = 1L;

        Chunk() {
            super(BLOCKS);
        }
    }

    public SkippingJournal(Journal journal) {
        this(journal, Math.min(MAX_HEAP_BYTES, Runtime.getRuntime().maxMemory() / 16));
    }

    /** @param heapBytes of what is remembered, about */
    SkippingJournal(Journal journal, long heapBytes) {
        this.journal = journal;
        chunks = Caffeine.newBuilder()
                .maximumSize(Math.max(1, heapBytes / (BLOCKS * (long) TrigramFilter.HEAP_BYTES)))
                .build();
    }

    @Override
    public List<LogEntry> entries(
            String executionId,
            long fromSeq,
            long toSeq,
            boolean ascending,
            int maxEntries,
            long maxBytes,
            Predicate<LogEntry> filter) {
        int[] trigrams = trigrams(fromSeq, toSeq, filter);
        if (trigrams.length == 0) {
            return journal.entries(executionId, fromSeq, toSeq, ascending, maxEntries, maxBytes, filter);
        }
        long last = Math.min(toSeq, lastSeq(executionId));
        var found = new ArrayList<LogEntry>();
        var reading = new Reading(executionId, filter);
        long bytes = 0;
        for (Run run = reading.run(fromSeq, last, ascending, trigrams);
                run != null && found.size() < maxEntries && bytes < maxBytes;
                run = ascending
                        ? reading.run(run.toSeq + 1, last, true, trigrams)
                        : reading.run(fromSeq, run.fromSeq - 1, false, trigrams)) {
            for (LogEntry entry : journal.entries(
                    executionId,
                    run.fromSeq,
                    run.toSeq,
                    ascending,
                    maxEntries - found.size(),
                    maxBytes - bytes,
                    reading)) {
                found.add(entry);
                bytes += entry.encoded().length;
            }
        }
        return found;
    }

    @Override
    public long count(String executionId, long fromSeq, long toSeq, Predicate<LogEntry> filter) {
        int[] trigrams = trigrams(fromSeq, toSeq, filter);
        if (trigrams.length == 0) {
            return journal.count(executionId, fromSeq, toSeq, filter);
        }
        long last = Math.min(toSeq, lastSeq(executionId));
        var reading = new Reading(executionId, filter);
        long count = 0;
        for (Run run = reading.run(fromSeq, last, true, trigrams);
                run != null;
                run = reading.run(run.toSeq + 1, last, true, trigrams)) {
            count += journal.count(executionId, run.fromSeq, run.toSeq, reading);
        }
        return count;
    }

    /** What every entry found must hold; none if that is not known or if it is no use to know. */
    private static int[] trigrams(long fromSeq, long toSeq, Predicate<LogEntry> filter) {
        return filter instanceof LogFilter asked && asked.text() != null && toSeq - fromSeq >= MIN_ENTRIES
                ? asked.text().trigrams()
                : new int[0];
    }

    private long lastSeq(String executionId) {
        return journal.execution(executionId).map(ExecutionState::lastSeq).orElse(0L);
    }

    /** Entries that are read at one go. */
    private record Run(long fromSeq, long toSeq) {}

    /** One way through an execution's entries; what it reads it remembers. */
    private final class Reading implements Predicate<LogEntry> {
        private final String executionId;
        private final Predicate<LogEntry> filter;
        private long block = -1;
        private @Nullable TrigramFilter making;
        private int made;

        Reading(String executionId, Predicate<LogEntry> filter) {
            this.executionId = executionId;
            this.filter = filter;
        }

        /** The first entries of a range that may be what is looked for, as many as stand together; null if there are none. */
        @Nullable
        Run run(long fromSeq, long toSeq, boolean ascending, int[] trigrams) {
            int step = ascending ? 1 : -1;
            long first = (ascending ? fromSeq : toSeq) / BLOCK;
            long last = (ascending ? toSeq : fromSeq) / BLOCK;
            long blocks = fromSeq > toSeq ? 0 : Math.abs(last - first) + 1;
            long at = first;
            while (blocks > 0 && !mayHold(at, trigrams)) {
                at += step;
                blocks--;
            }
            if (blocks == 0) {
                return null;
            }
            long begin = at;
            while (--blocks > 0 && mayHold(at + step, trigrams)) {
                at += step;
            }
            long low = Math.min(begin, at);
            long high = Math.max(begin, at);
            return new Run(Math.max(fromSeq, low * BLOCK), Math.min(toSeq, high * BLOCK + BLOCK - 1));
        }

        private boolean mayHold(long number, int[] trigrams) {
            TrigramFilter known = known(number);
            return known == null || known.mayHold(trigrams);
        }

        private @Nullable TrigramFilter known(long number) {
            Chunk chunk = chunks.getIfPresent(new ChunkKey(executionId, number / BLOCKS));
            return chunk == null ? null : chunk.get((int) (number % BLOCKS));
        }

        /** Of each entry once, in order: a block of which all have come is remembered. */
        @Override
        public boolean test(LogEntry entry) {
            long now = entry.seq() / BLOCK;
            if (now != block) {
                block = now;
                made = 0;
                making = known(now) == null ? new TrigramFilter() : null;
            }
            if (making != null) {
                making.add(entry);
                if (++made == BLOCK) {
                    chunks.get(new ChunkKey(executionId, now / BLOCKS), key -> new Chunk())
                            .set((int) (now % BLOCKS), making);
                    making = null;
                }
            }
            return filter.test(entry);
        }
    }

    @Override
    public JournalId id() {
        return journal.id();
    }

    @Override
    public long lastPosition() {
        return journal.lastPosition();
    }

    @Override
    public long firstPosition() {
        return journal.firstPosition();
    }

    @Override
    public List<JournalRecord> records(long afterPosition, int maxRecords, int maxEntries) {
        return journal.records(afterPosition, maxRecords, maxEntries);
    }

    @Override
    public Optional<ExecutionState> execution(String executionId) {
        return journal.execution(executionId);
    }
}
