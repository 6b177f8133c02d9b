package tailrace.query;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import tailrace.bus.BusMessage;
import tailrace.journal.ExecutionIndex;
import tailrace.journal.Journal;
import tailrace.journal.JournalUnavailableException;
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

/** A journal in memory with the contract of the real one; what is appended is committed at once. */
public class FakeJournal implements Journal, ExecutionIndex {
    private final JournalId id;
    private final Map<String, List<LogEntry>> entries = new HashMap<>();
    private final Map<String, ExecutionState> states = new HashMap<>();
    private final List<JournalRecord> records = new ArrayList<>();
    private long position;
    private boolean unavailable;

    public FakeJournal() {
        this(new JournalId(UUID.randomUUID()));
    }

    public FakeJournal(JournalId id) {
        this.id = id;
    }

    /** Whether every read fails from now on. */
    public synchronized void unavailable(boolean now) {
        unavailable = now;
    }

    /** Commits entries and returns what the bus would announce. */
    public synchronized BusMessage.Appended append(String executionId, List<EntryFields> fields) {
        ExecutionState before = states.getOrDefault(executionId, fresh(executionId));
        List<LogEntry> held = entries.computeIfAbsent(executionId, key -> new ArrayList<>());
        var codec = new EntryCodec();
        var added = new ArrayList<LogEntry>();
        long[] levels = before.levelCounts().toArray();
        long[] types = before.eventCounts().toArray();
        ExecutionStatus status = before.status();
        long received = before.lastReceivedAtMicros();
        long milestones = before.milestoneCount();
        long seq = before.lastSeq();
        for (EntryFields one : fields) {
            LogEntry entry = new LogEntry(++seq, codec.encode(one));
            added.add(entry);
            levels[one.level.ordinal()]++;
            types[one.eventType.ordinal()]++;
            milestones += one.milestone ? 1 : 0;
            status = one.statusEffect == null ? status : one.statusEffect;
            received = one.receivedAtMicros;
        }
        held.addAll(added);
        long finished = !status.finished() ? 0 : before.status().finished() ? before.finishedAtMicros() : received;
        ExecutionState after = new ExecutionState(
                executionId,
                before.workflowId(),
                before.userId(),
                status,
                before.lastSeq() < before.hotFromSeq() ? before.lastSeq() + 1 : before.hotFromSeq(),
                seq,
                before.totalLogs() + added.size(),
                new Counts(levels),
                new Counts(types),
                milestones,
                before.progressHundredths(),
                before.createdAtMicros(),
                before.startedAtMicros(),
                finished,
                before.firstEntryAtMicros(),
                before.lastEntryAtMicros(),
                received,
                ++position);
        states.put(executionId, after);
        records.add(new JournalRecord(position, executionId, before.lastSeq() + 1, added.size(), 0, false));
        return appended(after, added);
    }

    /** Registers or moves an execution. */
    public synchronized BusMessage.Appended update(
            String executionId, ExecutionStatus status, String userId, long atMicros) {
        ExecutionState s = states.getOrDefault(executionId, fresh(executionId));
        return put(new ExecutionState(
                executionId,
                s.workflowId(),
                userId,
                status,
                s.hotFromSeq(),
                s.lastSeq(),
                s.totalLogs(),
                s.levelCounts(),
                s.eventCounts(),
                s.milestoneCount(),
                s.progressHundredths(),
                s.createdAtMicros(),
                s.startedAtMicros(),
                status.finished() ? atMicros : 0,
                s.firstEntryAtMicros(),
                s.lastEntryAtMicros(),
                s.lastReceivedAtMicros(),
                ++position));
    }

    /** Makes an execution one of a workflow, as its first entry or a PUT does. */
    public synchronized BusMessage.Appended claim(
            String executionId, @Nullable String workflowId, @Nullable String userId, long atMicros) {
        ExecutionState s = states.getOrDefault(executionId, fresh(executionId));
        BusMessage.Appended claimed = put(new ExecutionState(
                executionId,
                workflowId,
                userId,
                s.status() == ExecutionStatus.NEW ? ExecutionStatus.RUNNING : s.status(),
                s.hotFromSeq(),
                s.lastSeq(),
                s.totalLogs(),
                s.levelCounts(),
                s.eventCounts(),
                s.milestoneCount(),
                s.progressHundredths(),
                s.createdAtMicros() == 0 ? atMicros : s.createdAtMicros(),
                s.startedAtMicros(),
                s.finishedAtMicros(),
                s.firstEntryAtMicros(),
                s.lastEntryAtMicros(),
                s.lastReceivedAtMicros(),
                ++position));
        records.add(new JournalRecord(position, executionId, s.lastSeq() + 1, 0, 0, true));
        return claimed;
    }

    /** Forgets entries below a seq, as the purge does, and returns them. */
    public synchronized List<LogEntry> purgeBelow(String executionId, long seq) {
        ExecutionState s = state(executionId);
        List<LogEntry> held = entries.getOrDefault(executionId, List.of());
        List<LogEntry> gone = held.stream().filter(entry -> entry.seq() < seq).toList();
        entries.put(
                executionId,
                new ArrayList<>(
                        held.stream().filter(entry -> entry.seq() >= seq).toList()));
        put(moved(s, Math.max(s.hotFromSeq(), seq), s.lastSeq()));
        return gone;
    }

    /** Goes on behind a lost journal: nothing is held, and the next seq is the one after this. */
    public synchronized void jumpTo(String executionId, long lastSeq) {
        entries.put(executionId, new ArrayList<>());
        put(moved(states.getOrDefault(executionId, fresh(executionId)), lastSeq + 1, lastSeq));
    }

    /** Forgets an execution altogether. */
    public synchronized void forget(String executionId) {
        states.remove(executionId);
        entries.remove(executionId);
    }

    public synchronized ExecutionState state(String executionId) {
        ExecutionState state = states.get(executionId);
        if (state == null) {
            throw new IllegalArgumentException(executionId);
        }
        return state;
    }

    private BusMessage.Appended put(ExecutionState state) {
        states.put(state.executionId(), state);
        return appended(state, List.of());
    }

    private BusMessage.Appended appended(ExecutionState state, List<LogEntry> added) {
        return new BusMessage.Appended(position, List.of(new BusMessage.Run(state, List.copyOf(added), 0, false)));
    }

    private ExecutionState moved(ExecutionState s, long hotFrom, long lastSeq) {
        return new ExecutionState(
                s.executionId(),
                s.workflowId(),
                s.userId(),
                s.status(),
                hotFrom,
                lastSeq,
                s.totalLogs(),
                s.levelCounts(),
                s.eventCounts(),
                s.milestoneCount(),
                s.progressHundredths(),
                s.createdAtMicros(),
                s.startedAtMicros(),
                s.finishedAtMicros(),
                s.firstEntryAtMicros(),
                s.lastEntryAtMicros(),
                s.lastReceivedAtMicros(),
                ++position);
    }

    public static ExecutionState fresh(String executionId) {
        return new ExecutionState(
                executionId,
                null,
                null,
                ExecutionStatus.NEW,
                1,
                0,
                0,
                Counts.zero(Level.values().length),
                Counts.zero(EventType.values().length),
                0,
                -1,
                0,
                0,
                0,
                0,
                0,
                0,
                0);
    }

    @Override
    public JournalId id() {
        return id;
    }

    @Override
    public synchronized long lastPosition() {
        return position;
    }

    @Override
    public synchronized long firstPosition() {
        return records.isEmpty() ? position + 1 : records.get(0).position();
    }

    @Override
    public synchronized List<JournalRecord> records(long afterPosition, int maxRecords, int maxEntries) {
        check();
        var found = new ArrayList<JournalRecord>();
        int counted = 0;
        for (JournalRecord record : records) {
            if (found.size() >= maxRecords || counted >= maxEntries) {
                break;
            }
            if (record.position() > afterPosition) {
                found.add(record);
                counted += record.count();
            }
        }
        return found;
    }

    /** Forgets records up to a position, as the purge does. */
    public synchronized void forgetRecords(long upToPosition) {
        records.removeIf(record -> record.position() <= upToPosition);
    }

    @Override
    public synchronized Optional<ExecutionState> execution(String executionId) {
        check();
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
        check();
        List<LogEntry> held = entries.getOrDefault(executionId, List.of());
        var found = new ArrayList<LogEntry>();
        if (held.isEmpty()) {
            return found;
        }
        long first = held.get(0).seq();
        int low = (int) Math.max(0, fromSeq - first);
        int high = (int) Math.min(held.size() - 1L, toSeq - first);
        long bytes = 0;
        for (int i = ascending ? low : high;
                i >= low && i <= high && found.size() < maxEntries && bytes < maxBytes;
                i += ascending ? 1 : -1) {
            LogEntry entry = held.get(i);
            if (filter.test(entry)) {
                found.add(entry);
                bytes += entry.encoded().length;
            }
        }
        return found;
    }

    @Override
    public synchronized long count(String executionId, long fromSeq, long toSeq, Predicate<LogEntry> filter) {
        return entries(executionId, fromSeq, toSeq, true, Integer.MAX_VALUE, Long.MAX_VALUE, filter)
                .size();
    }

    private void check() {
        if (unavailable) {
            throw new JournalUnavailableException("closed for a test");
        }
    }

    /** Some fields for an entry that says only its message. */
    public static EntryFields entry(String message, long atMicros) {
        var fields = new EntryFields();
        fields.id = new UUID(0x7000, atMicros);
        fields.message = message;
        fields.timestampMicros = atMicros;
        fields.receivedAtMicros = atMicros;
        return fields;
    }

    public static List<EntryFields> list(EntryFields... fields) {
        return Arrays.asList(fields);
    }

    @Override
    public synchronized Piece newest(Scope scope, Place after, long sinceMicros, int max) {
        List<ExecutionState> behind = states.values().stream()
                .filter(scope::holds)
                .filter(state -> state.createdAtMicros() >= sinceMicros)
                .filter(state -> state.createdAtMicros() < after.createdAtMicros()
                        || state.createdAtMicros() == after.createdAtMicros()
                                && state.executionId().compareTo(after.executionId()) > 0)
                .sorted(Comparator.comparingLong(ExecutionState::createdAtMicros)
                        .reversed()
                        .thenComparing(ExecutionState::executionId))
                .limit(max)
                .toList();
        ExecutionState last = behind.isEmpty() ? null : behind.get(behind.size() - 1);
        return new Piece(
                behind,
                behind.size() < max || last == null ? null : new Place(last.createdAtMicros(), last.executionId()));
    }
}
