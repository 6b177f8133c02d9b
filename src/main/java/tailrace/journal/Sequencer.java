package tailrace.journal;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;
import tailrace.bus.BusMessage;
import tailrace.bus.BusMessage.Run;
import tailrace.model.EntryCodec;
import tailrace.model.ExecutionState;
import tailrace.model.ExecutionStatus;
import tailrace.model.ExecutionUpdate;
import tailrace.model.IngestAnswer;
import tailrace.model.IngestBatch;
import tailrace.model.IngestBatch.PendingEntry;
import tailrace.model.JournalRecord;
import tailrace.model.Level;
import tailrace.model.LogEntry;
import tailrace.model.Rejection;
import tailrace.model.SeqRange;

/**
 * Gives seq: decides, for one group after the other, what each batch's entries become. Owner rules, ids and idempotency
 * keys are decided here, where one thread sees the files and the group being built; anywhere else would let twins
 * through. Belongs to the journal thread; {@link CommitLoop} calls it. Longer than most files, because whatever gives a
 * seq must see the one group being built.
 */
final class Sequencer {
    /** A journal that followed a lost one starts each execution at a multiple of this above what is known. */
    static final long JUMP = 1_000_000_000L;

    /** How long an id or an idempotency key is remembered (SPEC 2, 5). */
    private static final long REMEMBERED_MICROS = TimeUnit.HOURS.toMicros(24);

    private static final long MICROS_A_DAY = TimeUnit.DAYS.toMicros(1);

    private final RocksJournal journal;
    private final long hotTtlMicros;
    private final ShedLedger shed;
    private final EntryCodec codec = new EntryCodec();

    // Of the group being built.
    private final Map<String, RunBuilder> runs = new LinkedHashMap<>();
    private Group group;
    private int entries;
    private int forgottenBeforeDay;

    /** One execution's part of the group. */
    private static final class RunBuilder {
        final StateBuilder state;
        final boolean created;
        final List<LogEntry> entries = new ArrayList<>();
        final long nowMicros;
        int friendly;
        boolean urgent;
        boolean finished;
        long bytes;

        RunBuilder(StateBuilder state, boolean created, long nowMicros) {
            this.state = state;
            this.created = created;
            this.nowMicros = nowMicros;
            state.changed(nowMicros);
        }
    }

    /** @param hotTtlMicros for how long after a loss an unknown execution may be one that the lost journal knew */
    Sequencer(RocksJournal journal, long hotTtlMicros, ShedLedger shed) {
        this.journal = journal;
        this.hotTtlMicros = hotTtlMicros;
        this.shed = shed;
        this.group = journal.begin();
    }

    /** The state from which an execution known elsewhere goes on in a journal of this generation (promise 7). */
    static ExecutionState jumped(ExecutionState known, int generation) {
        long above = (known.lastSeq() / JUMP + 1) * JUMP;
        long first = Math.max(above, (generation - 1) * JUMP);
        return new ExecutionState(
                known.executionId(),
                known.workflowId(),
                known.userId(),
                known.status(),
                first,
                known.lastSeq(),
                known.totalLogs(),
                known.levelCounts(),
                known.eventCounts(),
                known.milestoneCount(),
                known.progressHundredths(),
                known.createdAtMicros(),
                known.startedAtMicros(),
                known.finishedAtMicros(),
                known.firstEntryAtMicros(),
                known.lastEntryAtMicros(),
                known.lastReceivedAtMicros(),
                0);
    }

    /** The day an id or an idempotency key is remembered under; those of the day before are still looked up. */
    static int dayOf(long epochMicros) {
        return (int) Math.floorDiv(epochMicros, MICROS_A_DAY);
    }

    /** Discards whatever the group being built holds and starts a new one. */
    void reset() {
        group.close();
        runs.clear();
        entries = 0;
        group = journal.begin();
    }

    /** Starts from what the files have, after a write that failed. */
    void recovered() {
        reset();
        shed.reload();
    }

    int entries() {
        return entries;
    }

    long bytes() {
        return group.bytes();
    }

    /** Adds a batch to the group. The answer holds once the group is committed. */
    BusMessage.Answer append(IngestBatch batch, long nowMicros) {
        int day = dayOf(nowMicros);
        IngestBatch.IdempotencyKey key = batch.key();
        byte[] keyBytes = key == null ? null : Keys.utf8(key.key());
        if (key != null && keyBytes != null) {
            StateCodec.StoredAnswer stored = findAnswer(keyBytes, day);
            if (stored != null && stored.atMicros() >= nowMicros - REMEMBERED_MICROS) {
                if (!Arrays.equals(stored.fingerprint(), key.fingerprint())) {
                    throw new IdempotencyConflictException();
                }
                return new BusMessage.Answer(stored.answer(), true);
            }
        }
        IngestAnswer answer = take(batch, day, nowMicros);
        // Nothing was taken of a wholly rejected batch, so the sender may correct it under the same key.
        if (key != null && keyBytes != null && !answer.allRejected()) {
            group.putAnswer(keyBytes, day, new StateCodec.StoredAnswer(key.fingerprint(), nowMicros, answer));
            forgetOldDays(day);
        }
        return new BusMessage.Answer(answer, false);
    }

    private IngestAnswer take(IngestBatch batch, int day, long nowMicros) {
        var rejected = new ArrayList<>(batch.rejected());
        var given = new LinkedHashMap<String, long[]>();
        int duplicates = 0;
        int dropped = 0;
        for (PendingEntry pending : batch.entries()) {
            RunBuilder run = run(pending.executionId(), nowMicros);
            Rejection conflict = ownerConflict(run.state, pending);
            if (conflict != null) {
                rejected.add(conflict);
                continue;
            }
            byte[] senderId = pending.senderId();
            if (senderId != null && isKnown(run.state, senderId, day, nowMicros)) {
                duplicates++;
                continue;
            }
            if (shed.sheds(run.state, pending, nowMicros)) {
                dropped++;
                continue;
            }
            long seq = add(run, pending);
            if (senderId != null) {
                group.putId(pending.executionId(), run.state.utf8, senderId, day, nowMicros);
                forgetOldDays(day);
            }
            long[] range = given.get(pending.executionId());
            if (range == null) {
                given.put(pending.executionId(), new long[] {seq, seq});
            } else {
                range[1] = seq;
            }
        }
        if (rejected.size() > batch.rejected().size()) {
            rejected.sort(java.util.Comparator.comparingInt(Rejection::index));
        }
        int accepted = batch.entries().size()
                - duplicates
                - dropped
                - (rejected.size() - batch.rejected().size());
        var ranges = new ArrayList<SeqRange>(given.size());
        given.forEach((executionId, range) -> ranges.add(new SeqRange(executionId, range[0], range[1])));
        // After the whole batch, so that no seq but its own lies within its ranges.
        given.keySet().forEach(executionId -> reportIfFinished(executionId, nowMicros));
        return new IngestAnswer(accepted, rejected, duplicates, dropped, ranges);
    }

    private void reportIfFinished(String executionId, long nowMicros) {
        if (shed.isOpen(executionId) && run(executionId, nowMicros).finished) {
            report(shed.take(executionId), nowMicros);
        }
    }

    /** Whether the readers of some execution are to be told now what was shed. */
    boolean reportsDue(long nowMicros) {
        return shed.anyDue(nowMicros);
    }

    /** Adds what they are told to the group. */
    void addReports(long nowMicros) {
        if (shed.anyDue(nowMicros)) {
            shed.takeDue(nowMicros).forEach(due -> report(due, nowMicros));
        }
    }

    private void report(ShedCount due, long nowMicros) {
        add(run(due.executionId(), nowMicros), due.report(codec, nowMicros));
    }

    private long add(RunBuilder run, PendingEntry pending) {
        run.state.claim(pending.workflowId(), pending.userId());
        if (!run.state.holdsEntries()) {
            run.state.begin(journal.bucketAt(run.nowMicros));
        }
        long seq = run.state.nextSeq();
        var entry = new LogEntry(seq, pending.encoded());
        run.state.count(entry);
        run.entries.add(entry);
        if (entry.userFriendly()) {
            run.friendly++;
        }
        ExecutionStatus effect = entry.statusEffect();
        run.finished |= effect != null && effect.finished();
        run.urgent |= entry.level().compareTo(Level.ERROR) >= 0 || entry.milestone() || effect != null;
        run.bytes += pending.encoded().length;
        entries++;
        group.putEntry(run.state.bucket(), run.state.utf8, seq, pending.encoded());
        return seq;
    }

    /** Adds a change of an execution's state. The result's position is known once the group is {@link #seal}ed. */
    boolean update(ExecutionUpdate update) {
        RunBuilder run = run(update.executionId(), update.receivedAtMicros());
        run.state.update(update);
        run.urgent = true;
        run.finished |= update.status() != null && update.status().finished();
        reportIfFinished(update.executionId(), update.receivedAtMicros());
        return run.created;
    }

    private RunBuilder run(String executionId, long nowMicros) {
        RunBuilder run = runs.get(executionId);
        if (run == null) {
            run = journal.stored(executionId)
                    .map(stored -> resume(executionId, stored, nowMicros))
                    .orElseGet(() -> new RunBuilder(begin(executionId, 0, nowMicros), true, nowMicros));
            runs.put(executionId, run);
        }
        return run;
    }

    private RunBuilder resume(String executionId, StoredState stored, long nowMicros) {
        ExecutionState known = stored.state();
        return known == null
                ? new RunBuilder(begin(executionId, stored.highestSeq(), nowMicros), true, nowMicros)
                : new RunBuilder(new StateBuilder(known, stored.bucket()), false, nowMicros);
    }

    /** @param highestSeq of an earlier life, 0 if there was none */
    private StateBuilder begin(String executionId, long highestSeq, long nowMicros) {
        return new StateBuilder(executionId, highestSeq, Math.max(firstSeq(nowMicros), highestSeq + 1), nowMicros);
    }

    /**
     * Where an execution starts that nobody knows. Soon after a loss it may be one that only the lost journal knew, so it
     * keeps clear of all that journal can have given; once that is older than the hot tier keeps, it starts at 1.
     */
    private long firstSeq(long nowMicros) {
        RocksJournal.Succession succession = journal.succession();
        boolean mayBeLost = succession.generation() > 1 && nowMicros - succession.atMicros() < hotTtlMicros;
        return mayBeLost ? (succession.generation() - 1) * JUMP : 1;
    }

    private static @Nullable Rejection ownerConflict(StateBuilder state, PendingEntry pending) {
        if (differs(state.userId(), pending.userId())) {
            return conflict(pending, "user_id", "user");
        }
        if (differs(state.workflowId(), pending.workflowId())) {
            return conflict(pending, "workflow_id", "workflow");
        }
        return null;
    }

    private static boolean differs(@Nullable String known, @Nullable String claimed) {
        return known != null && claimed != null && !known.equals(claimed);
    }

    private static Rejection conflict(PendingEntry pending, String field, String what) {
        return new Rejection(
                pending.index(),
                field,
                "owner_conflict",
                "Execution " + pending.executionId() + " belongs to another " + what
                        + ". Leave the field out, or change the owner with PUT /v2/executions/{id}.");
    }

    private boolean isKnown(StateBuilder state, byte[] senderId, int day, long nowMicros) {
        try {
            Long takenAt = group.findId(state.executionId, state.utf8, senderId, day);
            return takenAt != null && takenAt >= nowMicros - REMEMBERED_MICROS;
        } catch (RocksDBException e) {
            throw new JournalUnavailableException("An entry's id could not be looked up: " + e.getMessage(), e);
        }
    }

    private StateCodec.@Nullable StoredAnswer findAnswer(byte[] key, int day) {
        try {
            return group.findAnswer(key, day);
        } catch (RocksDBException e) {
            throw new JournalUnavailableException("An idempotency key could not be looked up: " + e.getMessage(), e);
        }
    }

    private void forgetOldDays(int day) {
        if (day > forgottenBeforeDay) {
            group.forgetBefore(day - 1);
            forgottenBeforeDay = day;
        }
    }

    /** Completes the group with each execution's state and place in the journal. */
    private List<Run> seal() {
        var sealed = new ArrayList<Run>(runs.size());
        long position = journal.lastPosition();
        long totalBytes = journal.totalBytes();
        for (RunBuilder run : runs.values()) {
            if (run.entries.isEmpty() && !run.urgent) {
                continue; // only duplicates or conflicts
            }
            position++;
            StoredState stored = run.state.build(position);
            ExecutionState state = stored.known().orElseThrow();
            totalBytes += run.bytes;
            long firstSeq = run.entries.isEmpty()
                    ? state.lastSeq() + 1
                    : run.entries.get(0).seq();
            group.putState(stored);
            group.putRecord(new JournalRecord(
                    position,
                    state.executionId(),
                    firstSeq,
                    run.entries.size(),
                    run.friendly,
                    run.urgent,
                    run.bytes,
                    totalBytes));
            sealed.add(new Run(state, List.copyOf(run.entries), run.friendly, run.urgent));
        }
        shed.seal(group);
        return sealed;
    }

    /**
     * Makes the group durable and starts a new one.
     *
     * @return what it held, in order of position
     * @throws JournalUnavailableException if it could not be written; {@link #reset} and {@link RocksJournal#reopen}
     *     before going on
     */
    List<Run> commit() {
        List<Run> sealed = seal();
        // Empty where all was known already: what the answers rest on is durable since an earlier group.
        if (!group.isEmpty()) {
            journal.commit(group);
        }
        shed.committed();
        reset();
        return sealed;
    }

    void close() {
        group.close();
    }
}
