package tailrace.journal;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import tailrace.degradation.Shedder;
import tailrace.degradation.Standing;
import tailrace.metrics.Metrics;
import tailrace.model.IngestBatch.PendingEntry;
import tailrace.model.LogEntry;

/**
 * What was shed and is not told yet, by execution. The counts are in the journal, written in the same batch as whatever
 * was taken beside them, so a crash forgets none: what is found at the start is told then. Belongs to the journal thread;
 * the totals may be read by any.
 */
final class ShedLedger {
    /** An episode is told after this at the latest. */
    static final long EPISODE_MICROS = TimeUnit.SECONDS.toMicros(10);

    /** Executions with an open episode; beyond it the oldest is told early. About 500 bytes each. */
    static final int MAX_OPEN = 10_000;

    /** Reports of one group: 1 MiB at most. */
    private static final int MAX_DUE = 1_000;

    private final RocksJournal journal;
    private final Shedder shedder;
    private final Metrics metrics;
    private final int maxOpen;

    /** In order of their beginning; those of before the start come first. */
    private final Map<String, ShedCount> open = new LinkedHashMap<>();

    private final AtomicLong total = new AtomicLong();
    /** Of {@link #open}, those from before the start (or before a write that failed): they wait for nothing. */
    private final Set<String> overdue = new HashSet<>();

    // Of the group being built.
    private final Set<String> changed = new LinkedHashSet<>();
    private final Map<Tally, long[]> tallies = new HashMap<>();

    private record Tally(String reason, @Nullable String workflowId) {}

    ShedLedger(RocksJournal journal, Shedder shedder, Metrics metrics, int maxOpen) {
        this.journal = journal;
        this.shedder = shedder;
        this.metrics = metrics;
        this.maxOpen = maxOpen;
        reload();
    }

    /** Forgets what no file has, and remembers what one has. */
    void reload() {
        open.clear();
        changed.clear();
        tallies.clear();
        for (byte[] stored : journal.metaValues(Keys.shed(""))) {
            ShedCount shed = StateCodec.decodeShed(stored);
            open.put(shed.executionId(), shed);
        }
        overdue.clear();
        overdue.addAll(open.keySet());
    }

    /**
     * Whether an entry is given up; then it is counted.
     *
     * @param owner of the execution as far as known
     */
    boolean sheds(StateBuilder owner, PendingEntry pending, long nowMicros) {
        Standing now = shedder.standing();
        if (!now.shedding()) {
            return false;
        }
        String workflow = owner.workflowId() == null ? pending.workflowId() : owner.workflowId();
        var entry = new LogEntry(0, pending.encoded());
        if (!shedder.sheds(now, pending.executionId(), workflow, entry, nowMicros)) {
            return false;
        }
        String executionId = pending.executionId();
        ShedCount before = open.get(executionId);
        ShedCount begun = before == null ? begin(executionId, now, nowMicros) : before;
        open.put(executionId, begun.more(pending.workflowId(), pending.userId(), nowMicros));
        changed.add(executionId);
        tallies.computeIfAbsent(new Tally(now.cause().wire(), workflow), any -> new long[1])[0]++;
        return true;
    }

    private ShedCount begin(String executionId, Standing now, long nowMicros) {
        String strategy = shedder.strategy().name().toLowerCase(Locale.ROOT);
        return new ShedCount(
                executionId, null, null, 0, nowMicros, nowMicros, now.cause().wire(), strategy);
    }

    boolean isOpen(String executionId) {
        return !open.isEmpty() && open.containsKey(executionId);
    }

    /** Whether something is to be told, and may be: only who may take entries may write one. */
    boolean anyDue(long nowMicros) {
        if (open.isEmpty()) {
            return false;
        }
        Standing now = shedder.standing();
        return now.taking()
                && (!overdue.isEmpty() || !now.shedding() || open.size() > maxOpen || isOld(first(), nowMicros));
    }

    private ShedCount first() {
        return open.values().iterator().next();
    }

    /** A clock that was put back makes nothing wait longer. */
    private static boolean isOld(ShedCount shed, long nowMicros) {
        return Math.abs(nowMicros - shed.fromMicros()) >= EPISODE_MICROS;
    }

    /** Ends the episodes that are over, as many as one group should tell. */
    List<ShedCount> takeDue(long nowMicros) {
        var due = new ArrayList<ShedCount>();
        while (due.size() < MAX_DUE && anyDue(nowMicros)) {
            due.add(take(first().executionId()));
        }
        return due;
    }

    /** Ends an episode that {@link #isOpen}. */
    ShedCount take(String executionId) {
        ShedCount shed = open.remove(executionId);
        if (shed == null) {
            throw new IllegalStateException("nothing was shed of " + executionId);
        }
        overdue.remove(executionId);
        changed.add(executionId);
        return shed;
    }

    /** Puts what the group changed into it. */
    void seal(Group group) {
        for (String executionId : changed) {
            ShedCount shed = open.get(executionId);
            if (shed == null) {
                group.deleteMeta(Keys.shed(executionId));
            } else {
                group.putMeta(Keys.shed(executionId), StateCodec.encode(shed));
            }
        }
    }

    /** The group is durable. */
    void committed() {
        changed.clear();
        tallies.forEach((tally, count) -> {
            metrics.shed(tally.reason(), tally.workflowId(), count[0]);
            total.addAndGet(count[0]);
        });
        tallies.clear();
    }

    /** Entries shed since the start. */
    long total() {
        return total.get();
    }
}
