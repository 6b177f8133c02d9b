package tailrace.journal;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongConsumer;
import java.util.function.Predicate;
import tailrace.model.ExecutionState;
import tailrace.model.JournalRecord;
import tailrace.model.LogEntry;

/**
 * What a journal holds, and what of it each of its readers is not done with. Taken in one pass over the records and one
 * over the executions, in pages; what it remembers is bounded by {@link #MAX_EXECUTIONS}.
 *
 * @param firstPosition of the oldest record held; {@code lastPosition + 1} where none is
 * @param entriesHeld that can be read by execution
 * @param executions known, also those whose entries are gone
 * @param executionsHeld of which entries are held
 * @param readers what is beyond each reader's cursor, in the order in which they were asked for
 * @param beyond what is beyond at least one of them; of nobody's where there is no reader
 */
public record JournalSurvey(
        long firstPosition,
        long lastPosition,
        long entriesHeld,
        long executions,
        long executionsHeld,
        List<Beyond> readers,
        Beyond beyond) {
    /** Executions told apart for each reader; 20 MB. Entries of more are counted, but not whose they are. */
    static final int MAX_EXECUTIONS = 100_000;

    private static final int PAGE_RECORDS = 1_000;
    private static final int PAGE_EXECUTIONS = 1_000;
    private static final int TOP_EXECUTIONS = 5;

    public JournalSurvey {
        readers = List.copyOf(readers);
    }

    /**
     * Somebody who reads the journal by position.
     *
     * @param name for people
     * @param position of the last record it is done with
     * @param concerns whether a record is one of those it reads
     */
    public record Reader(String name, long position, Predicate<JournalRecord> concerns) {}

    /**
     * What is beyond a reader's cursor.
     *
     * @param records of the journal, also such as change an execution's state alone
     * @param friendlyEntries how many of the entries are user-friendly
     * @param oldestReceivedMicros receipt of the oldest entry, 0 where there is none
     * @param executions concerned; {@code MAX_EXECUTIONS} stands for that many or more
     * @param top executions with most entries, most first
     */
    public record Beyond(
            String name,
            long position,
            long records,
            long entries,
            long friendlyEntries,
            long oldestReceivedMicros,
            int executions,
            List<Share> top) {
        public Beyond {
            top = List.copyOf(top);
        }

        /** Whether {@code executions} is the least there can be. */
        public boolean moreExecutions() {
            return executions == MAX_EXECUTIONS;
        }
    }

    /** One execution's part of it. */
    public record Share(String executionId, long entries, long friendlyEntries) {}

    /**
     * Blocks while it reads; nobody may append meanwhile.
     *
     * @param progress told the position it has come to
     */
    public static JournalSurvey take(RocksJournal journal, List<Reader> readers, LongConsumer progress) {
        List<Tally> tallies = readers.stream().map(Tally::new).toList();
        var any = new Tally(new Reader("any", 0, record -> true));
        long first = journal.firstPosition();
        long from = Math.max(
                first - 1, readers.stream().mapToLong(Reader::position).min().orElse(Long.MAX_VALUE - 1));
        while (true) {
            List<JournalRecord> page = journal.records(from, PAGE_RECORDS, Integer.MAX_VALUE);
            for (JournalRecord record : page) {
                boolean beyond = false;
                for (Tally tally : tallies) {
                    beyond |= tally.take(journal, record);
                }
                if (beyond) {
                    any.take(journal, record);
                }
                from = record.position();
            }
            progress.accept(from);
            if (page.size() < PAGE_RECORDS) {
                break;
            }
        }
        return held(journal, first, tallies.stream().map(Tally::beyond).toList(), any.beyond());
    }

    private static JournalSurvey held(RocksJournal journal, long first, List<Beyond> readers, Beyond beyond) {
        long executions = 0;
        long executionsHeld = 0;
        long entries = 0;
        String from = "";
        while (true) {
            List<ExecutionState> page = journal.executions(from, PAGE_EXECUTIONS);
            for (ExecutionState state : page) {
                long held = Math.max(0, state.lastSeq() - state.hotFromSeq() + 1);
                executions++;
                executionsHeld += held > 0 ? 1 : 0;
                entries += held;
                from = state.executionId() + '\0';
            }
            if (page.size() < PAGE_EXECUTIONS) {
                break;
            }
        }
        return new JournalSurvey(first, journal.lastPosition(), entries, executions, executionsHeld, readers, beyond);
    }

    private static final class Tally {
        private final Reader reader;
        private final Map<String, long[]> shares = new HashMap<>();
        private long records;
        private long entries;
        private long friendly;
        private long oldestMicros;

        Tally(Reader reader) {
            this.reader = reader;
        }

        boolean take(RocksJournal journal, JournalRecord record) {
            if (record.position() <= reader.position() || !reader.concerns().test(record)) {
                return false;
            }
            records++;
            entries += record.count();
            friendly += record.friendlyCount();
            if (oldestMicros == 0 && record.count() > 0) {
                oldestMicros = receivedAt(journal, record);
            }
            long[] share = shares.size() < MAX_EXECUTIONS
                    ? shares.computeIfAbsent(record.executionId(), id -> new long[2])
                    : shares.get(record.executionId());
            if (share != null) {
                share[0] += record.count();
                share[1] += record.friendlyCount();
            }
            return true;
        }

        private static long receivedAt(RocksJournal journal, JournalRecord record) {
            List<LogEntry> first = journal.entries(
                    record.executionId(), record.firstSeq(), record.lastSeq(), true, 1, Long.MAX_VALUE, any -> true);
            return first.isEmpty() ? 0 : first.get(0).receivedAtMicros();
        }

        Beyond beyond() {
            List<Share> top = new ArrayList<>();
            shares.forEach((id, share) -> top.add(new Share(id, share[0], share[1])));
            top.sort(Comparator.comparingLong(Share::entries).reversed().thenComparing(Share::executionId));
            return new Beyond(
                    reader.name(),
                    reader.position(),
                    records,
                    entries,
                    friendly,
                    oldestMicros,
                    shares.size(),
                    top.subList(0, Math.min(TOP_EXECUTIONS, top.size())));
        }
    }
}
