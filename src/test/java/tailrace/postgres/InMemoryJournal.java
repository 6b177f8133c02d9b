package tailrace.postgres;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Predicate;
import tailrace.journal.Journal;
import tailrace.model.EntryCodec;
import tailrace.model.EntryFields;
import tailrace.model.EventType;
import tailrace.model.ExecutionState;
import tailrace.model.ExecutionState.Counts;
import tailrace.model.ExecutionStatus;
import tailrace.model.JournalId;
import tailrace.model.JournalRecord;
import tailrace.model.Level;
import tailrace.model.LogEntry;

/** A journal without files, for the writer's tests. */
final class InMemoryJournal implements Journal {
    private final JournalId id;
    private final List<JournalRecord> records = new ArrayList<>();
    private final Map<String, NavigableMap<Long, LogEntry>> entries = new LinkedHashMap<>();
    private final Map<String, ExecutionState> states = new LinkedHashMap<>();
    private final EntryCodec codec = new EntryCodec();

    InMemoryJournal() {
        this(new JournalId(UUID.randomUUID()));
    }

    InMemoryJournal(JournalId id) {
        this.id = id;
    }

    /** Appends entries as one record; they need message, id and times. Returns its position. */
    synchronized long append(String execution, List<EntryFields> fields) {
        NavigableMap<Long, LogEntry> of = entries.computeIfAbsent(execution, none -> new TreeMap<>());
        long first = of.isEmpty() ? 1 : of.lastKey() + 1;
        int friendly = 0;
        boolean urgent = false;
        ExecutionState before = states.get(execution);
        long[] levels = before == null
                ? new long[Level.values().length]
                : before.levelCounts().toArray();
        long[] events = before == null
                ? new long[EventType.values().length]
                : before.eventCounts().toArray();
        ExecutionStatus status = before == null ? ExecutionStatus.NEW : before.status();
        for (EntryFields each : fields) {
            LogEntry entry = new LogEntry(first + of.tailMap(first).size(), codec.encode(each));
            of.put(entry.seq(), entry);
            friendly += entry.userFriendly() ? 1 : 0;
            urgent |= entry.level().compareTo(Level.ERROR) >= 0;
            levels[entry.level().ordinal()]++;
            events[entry.eventType().ordinal()]++;
            status = each.statusEffect == null ? status : each.statusEffect;
        }
        long position = records.size() + 1L;
        records.add(new JournalRecord(position, execution, first, fields.size(), friendly, urgent));
        long last = of.isEmpty() ? 0 : of.lastKey();
        states.put(execution, state(execution, status, last, new Counts(levels), new Counts(events), position));
        return position;
    }

    /** A record that changes the execution's status alone. */
    synchronized long move(String execution, ExecutionStatus status) {
        ExecutionState before = states.get(execution);
        long last = before == null ? 0 : before.lastSeq();
        long position = records.size() + 1L;
        records.add(new JournalRecord(position, execution, last + 1, 0, 0, false));
        Counts levels = before == null ? Counts.zero(Level.values().length) : before.levelCounts();
        Counts events = before == null ? Counts.zero(EventType.values().length) : before.eventCounts();
        states.put(execution, state(execution, status, last, levels, events, position));
        return position;
    }

    private static ExecutionState state(
            String execution, ExecutionStatus status, long lastSeq, Counts levels, Counts events, long position) {
        long now = TestEntries.NOW;
        return new ExecutionState(
                execution, "wf", "owner", status, 1, lastSeq, lastSeq, levels, events, 0, 4250, now, now, 0, now, now,
                now, position);
    }

    @Override
    public JournalId id() {
        return id;
    }

    @Override
    public synchronized long lastPosition() {
        return records.size();
    }

    @Override
    public synchronized long firstPosition() {
        return 1;
    }

    @Override
    public synchronized List<JournalRecord> records(long afterPosition, int maxRecords, int maxEntries) {
        List<JournalRecord> found = new ArrayList<>();
        int counted = 0;
        for (int i = (int) afterPosition;
                i < records.size() && found.size() < maxRecords && counted < maxEntries;
                i++) {
            found.add(records.get(i));
            counted += records.get(i).count();
        }
        return found;
    }

    @Override
    public synchronized Optional<ExecutionState> execution(String executionId) {
        return Optional.ofNullable(states.get(executionId));
    }

    @Override
    public synchronized List<LogEntry> entries(
            String executionId,
            long fromSeq,
            long toSeq,
            boolean ascending,
            int maxEntries,
            long maxBytes,
            Predicate<LogEntry> filter) {
        NavigableMap<Long, LogEntry> of = entries.getOrDefault(executionId, new TreeMap<>());
        if (fromSeq > toSeq) {
            return List.of();
        }
        NavigableMap<Long, LogEntry> range = of.subMap(fromSeq, true, toSeq, true);
        List<LogEntry> found = new ArrayList<>();
        long bytes = 0;
        for (LogEntry entry : (ascending ? range : range.descendingMap()).values()) {
            if (found.size() >= maxEntries || bytes >= maxBytes) {
                break;
            }
            if (filter.test(entry)) {
                found.add(entry);
                bytes += entry.encoded().length;
            }
        }
        return found;
    }

    @Override
    public long count(String executionId, long fromSeq, long toSeq, Predicate<LogEntry> filter) {
        return entries(executionId, fromSeq, toSeq, true, Integer.MAX_VALUE, Long.MAX_VALUE, filter)
                .size();
    }
}
