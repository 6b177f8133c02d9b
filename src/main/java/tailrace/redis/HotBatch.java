package tailrace.redis;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tailrace.journal.Journal;
import tailrace.model.ExecutionState;
import tailrace.model.JournalRecord;
import tailrace.model.LogEntry;

/**
 * The next piece of the journal, by execution.
 *
 * @param runs what each execution gets
 * @param toPosition the last record that is in it as a whole
 * @param nextSeq where the record after that one goes on, 0 if it has not begun
 * @param more whether the journal had more when it was read
 * @param bytes of its entries
 */
record HotBatch(List<Run> runs, long toPosition, long nextSeq, boolean more, long bytes) {
    /** Encoded entries of one batch, unless a single one is larger; what waits in memory for Redis. */
    static final long MAX_BYTES = 1L << 20;
    /** Records of one batch: bounds the scripts on the way at once. */
    static final int MAX_RECORDS = 1_000;

    private static final int MAX_ENTRIES = 10_000;

    HotBatch {
        runs = List.copyOf(runs);
    }

    /**
     * @param entries consecutive, ascending by seq
     * @param hotFromSeq the lowest seq the journal has
     * @param lastReceivedAtMicros of the execution's newest entry; the hot tier forgets all of them a time after it
     */
    record Run(String executionId, List<LogEntry> entries, long hotFromSeq, long lastReceivedAtMicros) {}

    /**
     * Reads what follows a position. Blocks.
     *
     * @param fromSeq where the record after it goes on, 0 for its beginning
     */
    static HotBatch read(Journal journal, long afterPosition, long fromSeq) {
        long end = journal.lastPosition();
        List<JournalRecord> records = journal.records(afterPosition, MAX_RECORDS, MAX_ENTRIES);
        Map<String, List<LogEntry>> byExecution = new LinkedHashMap<>();
        long position = afterPosition;
        long nextSeq = 0;
        long bytes = 0;
        boolean full = false;
        for (JournalRecord record : records) {
            if (bytes >= MAX_BYTES) {
                full = true;
                break;
            }
            long begin =
                    record.position() == afterPosition + 1 ? Math.max(record.firstSeq(), fromSeq) : record.firstSeq();
            if (record.count() > 0 && begin <= record.lastSeq()) {
                List<LogEntry> entries = journal.entries(
                        record.executionId(),
                        begin,
                        record.lastSeq(),
                        true,
                        record.count(),
                        MAX_BYTES - bytes,
                        entry -> true);
                byExecution
                        .computeIfAbsent(record.executionId(), id -> new ArrayList<>())
                        .addAll(entries);
                bytes += entries.stream()
                        .mapToLong(entry -> entry.encoded().length)
                        .sum();
                long last = entries.isEmpty()
                        ? record.lastSeq()
                        : entries.get(entries.size() - 1).seq();
                if (last < record.lastSeq()) {
                    nextSeq = last + 1;
                    full = true;
                    break;
                }
            }
            position = record.position();
        }
        if (records.isEmpty()) {
            position = Math.max(position, end); // what stood here was removed from the journal
        }
        boolean more = full || position < end;
        return new HotBatch(runs(journal, byExecution), position, nextSeq, more, bytes);
    }

    private static List<Run> runs(Journal journal, Map<String, List<LogEntry>> byExecution) {
        List<Run> runs = new ArrayList<>();
        byExecution.forEach((id, entries) -> {
            Optional<ExecutionState> state = journal.execution(id);
            // Gone from the journal meanwhile: then it is older than what the hot tier keeps.
            state.ifPresent(known -> consecutive(entries)
                    .forEach(part -> runs.add(new Run(id, part, known.hotFromSeq(), known.lastReceivedAtMicros()))));
        });
        return runs;
    }

    /** The journal's oldest entries may have been removed while we read. */
    private static List<List<LogEntry>> consecutive(List<LogEntry> entries) {
        List<List<LogEntry>> parts = new ArrayList<>();
        int from = 0;
        for (int i = 1; i <= entries.size(); i++) {
            if (i == entries.size()
                    || entries.get(i).seq() != entries.get(i - 1).seq() + 1) {
                parts.add(entries.subList(from, i));
                from = i;
            }
        }
        return parts;
    }
}
