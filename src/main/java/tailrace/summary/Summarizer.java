package tailrace.summary;

import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.bus.BusMessage;
import tailrace.journal.JournalUnavailableException;
import tailrace.journal.LagClock;
import tailrace.journal.RocksJournal;
import tailrace.journal.StatsStore;
import tailrace.journal.SummaryStore;
import tailrace.journal.SummaryStore.Kept;
import tailrace.metrics.Metrics;
import tailrace.model.EntryScan;
import tailrace.model.ExecutionState;
import tailrace.model.JournalRecord;
import tailrace.model.LogEntry;
import tailrace.model.Timestamps;
import tailrace.stats.Rollups;

/**
 * A cursor over the journal that folds every entry into its execution's {@link Summary}. What it is told of commits it
 * takes from memory, as long as nothing is missing between; for everything else it reads the journal. Some time after
 * the commits it keeps what it has in the journal's files together with its position, so that after a crash it goes on
 * from where both stand. What it folds it counts into {@link Rollups} at the same time, which are kept with the rest: so
 * statistics, too, count every entry once. Nobody waits for it, and nothing that an answer to a sender rests on is done
 * here.
 *
 * <p>It folds on a thread of its own. {@link #offer}, {@link #position}, {@link #find} and {@link #stop} are for any
 * thread; {@link #find} reads files.
 */
public final class Summarizer {
    private static final Logger LOG = LoggerFactory.getLogger(Summarizer.class);

    /** Commits within it are folded at one go. */
    private static final Duration FOLD_INTERVAL = Duration.ofMillis(100);
    /**
     * What a crash takes back, at most; it is folded again. Each save puts whole summaries into the log that commits wait
     * for: four times as often is half as many bytes again as a thousand executions' entries at saturation.
     */
    private static final Duration SAVE_INTERVAL = Duration.ofSeconds(2);
    /** After something went wrong. */
    private static final Duration RETRY_INTERVAL = Duration.ofSeconds(1);

    /** Heap of summaries that are not kept yet; more are kept at once. */
    private static final long MAX_OPEN_BYTES =
            Math.min(64L << 20, Runtime.getRuntime().maxMemory() / 16);

    private static final int MAX_OPEN = 5_000;
    /** Cells of statistics that are not kept yet. */
    private static final int MAX_CHANGED_CELLS = 20_000;

    private static final int PAGE_RECORDS = 500;
    private static final int PAGE_ENTRIES = 1_000;
    private static final long PAGE_BYTES = 1L << 20;

    private final RocksJournal journal;
    private final SummaryStore store;
    private final Clock clock;
    private final Metrics metrics;
    private final LagClock lag = new LagClock();
    private final EntryScan scan = new EntryScan();
    private final Thread thread = new Thread(this::run, "summaries");

    private final WaitingCommits waiting = new WaitingCommits();

    /** Changed since they were last kept. */
    private final Map<String, Summary> open = new ConcurrentHashMap<>();

    private final long catchUpTo;

    private volatile long position;
    private volatile long keptUntilMicros;
    private volatile boolean stopping;

    // Of the thread.
    private final Rollups rollups = new Rollups();
    private long folded;
    private long foldedUntilMicros;
    private long openBytes;
    private long savedNanos = System.nanoTime();

    public Summarizer(RocksJournal journal, Clock clock, Metrics metrics) {
        this.journal = journal;
        this.store = journal.summaries();
        this.clock = clock;
        this.metrics = metrics;
        this.catchUpTo = store.catchUpTo();
        this.position = store.position();
        this.folded = position;
        metrics.gauge(
                "tailrace.summaries.cursor.lag.positions",
                "Journal records that summaries do not count yet",
                this,
                Summarizer::lagPositions);
        metrics.gauge(
                "tailrace.summaries.cursor.lag.seconds",
                "Age of the oldest journal record that summaries do not count yet",
                this,
                own -> own.lag.ageSeconds(own.position, System.nanoTime()));
    }

    public Summarizer start() {
        thread.start();
        return this;
    }

    /** A commit, so that its entries need not be read; a wake-up, no more. Any thread. */
    public void offer(BusMessage.Appended appended) {
        if (waiting.offer(appended)) {
            LockSupport.unpark(thread);
        }
    }

    /** Of the last record that is in what is kept. */
    public long position() {
        return position;
    }

    /** Whatever was accepted before this time is in what is kept; epoch microseconds, 0 before the first time. */
    public long keptUntilMicros() {
        return keptUntilMicros;
    }

    /** Up to where the journal need not keep anything for this cursor. */
    public long passed() {
        long now = position;
        return now < catchUpTo ? journal.lastPosition() : now;
    }

    private long lagPositions() {
        try {
            return Math.max(0, journal.lastPosition() - position);
        } catch (JournalUnavailableException e) {
            return 0;
        }
    }

    /** What is known of an execution, a copy; its {@link Summary#upToSeq} says how far. Reads files. */
    public Optional<Summary> find(String executionId) {
        Summary changed = open.get(executionId);
        return changed != null ? Optional.of(changed.copy()) : kept(executionId);
    }

    private Optional<Summary> kept(String executionId) {
        return store.find(executionId).flatMap(bytes -> {
            try {
                return Optional.of(SummaryCodec.decode(bytes, 0, bytes.length));
            } catch (IOException e) {
                // Worth a word and no more: it begins anew, and says from which seq.
                LOG.error("The summary of execution {} cannot be read and begins anew", executionId, e);
                return Optional.empty();
            }
        });
    }

    private void run() {
        while (!stopping) {
            LockSupport.parkNanos(FOLD_INTERVAL.toNanos());
            try {
                foldAll();
                if (due() || open.isEmpty()) {
                    save();
                }
            } catch (JournalUnavailableException e) {
                LOG.debug("The journal is away; summaries go on when it is back", e);
                again();
            } catch (RuntimeException e) {
                LOG.error("Summaries could not be brought up to date; it is tried again", e);
                again();
            }
        }
        try {
            foldAll();
            save();
        } catch (RuntimeException e) {
            LOG.warn("Summaries end at position {}; the rest is folded after the next start", position, e);
        }
    }

    private boolean due() {
        return !open.isEmpty() && System.nanoTime() - savedNanos >= SAVE_INTERVAL.toNanos()
                || openBytes > MAX_OPEN_BYTES
                || open.size() > MAX_OPEN
                || rollups.changedCells() > MAX_CHANGED_CELLS;
    }

    /** What was not kept is folded once more, from where the files stand. */
    private void again() {
        open.clear();
        openBytes = 0;
        rollups.forget();
        waiting.clear();
        folded = position;
        if (!stopping) {
            LockSupport.parkNanos(RETRY_INTERVAL.toNanos());
        }
        try {
            position = store.position();
            folded = position;
        } catch (RuntimeException e) {
            LOG.debug("The journal is still away", e); // and is seen to be at the next try
        }
    }

    /** Folds what the journal holds now. */
    private void foldAll() {
        long now = Timestamps.micros(clock.instant()); // before the end is looked for
        long end = journal.lastPosition();
        lag.sample(end, System.nanoTime());
        for (BusMessage.Appended commit; (commit = waiting.poll()) != null; ) {
            for (BusMessage.Run run : commit.runs()) {
                long at = run.state().lastPosition();
                if (at > folded + 1) {
                    catchUp(at - 1);
                }
                if (at == folded + 1) {
                    String executionId = run.state().executionId();
                    boolean counts = rollups.turnTo(run.state(), at);
                    Summary summary = summary(executionId);
                    fold(executionId, summary, run.entries(), counts);
                    reached(executionId, summary, run.state(), counts);
                    folded = at;
                }
            }
        }
        if (folded < end) {
            catchUp(end);
        }
        if (folded >= end) {
            foldedUntilMicros = now;
        }
    }

    /** From the files: what nobody told of, or what did not fit into memory. */
    private void catchUp(long to) {
        while (folded < to && !stopping) {
            List<JournalRecord> records = journal.records(folded, PAGE_RECORDS, PAGE_ENTRIES);
            if (records.isEmpty()) {
                folded = to; // removed: it was passed before
            }
            for (JournalRecord record : records) {
                if (record.position() > to) {
                    folded = to;
                    return;
                }
                read(record);
                folded = record.position();
                if (due()) {
                    save();
                }
            }
        }
    }

    private void read(JournalRecord record) {
        String executionId = record.executionId();
        ExecutionState state = store.state(executionId).orElse(null);
        boolean counts = rollups.turnTo(state, record.position());
        Summary summary = summary(executionId);
        for (long from = record.firstSeq(); from <= record.lastSeq(); ) {
            List<LogEntry> entries =
                    journal.entries(executionId, from, record.lastSeq(), true, PAGE_ENTRIES, PAGE_BYTES, any -> true);
            if (entries.isEmpty()) {
                break; // expired before this version was there to count them
            }
            fold(executionId, summary, entries, counts);
            from = entries.get(entries.size() - 1).seq() + 1;
        }
        // Of an execution that went on since, the state is another's: that of a record still to come.
        if (state != null && state.lastPosition() == record.position()) {
            reached(executionId, summary, state, counts);
        }
    }

    private Summary summary(String executionId) {
        Summary summary = open.get(executionId);
        if (summary == null) {
            summary = kept(executionId).orElseGet(Summary::new);
            open.put(executionId, summary);
            openBytes += summary.heapBytes();
        }
        return summary;
    }

    private void fold(String executionId, Summary summary, List<LogEntry> entries, boolean counts) {
        int unreadable = summary.add(entries, scan, counts ? rollups : null);
        if (unreadable > 0) {
            metrics.unreadableEntries(unreadable);
            LOG.error("{} entries of execution {} cannot be read; its summary lacks them", unreadable, executionId);
        }
    }

    private void reached(String executionId, Summary summary, ExecutionState state, boolean counts) {
        if (counts) {
            summary.reached(state, () -> store.changedMicros(executionId), rollups);
        }
    }

    /** Keeps what was changed, together with the position up to which it counts. */
    private void save() {
        if (folded == position) {
            keptUntilMicros = foldedUntilMicros;
            return;
        }
        var changed = new ArrayList<Kept>(open.size());
        open.forEach((executionId, summary) ->
                changed.add(new Kept(executionId, summary.upToSeq(), SummaryCodec.encode(summary))));
        var cells = new ArrayList<StatsStore.Kept>(rollups.changedCells());
        rollups.changed().forEach(cell -> cells.add(new StatsStore.Kept(cell.key(), folded, cell.json())));
        long from = position;
        if (!store.save(from, folded, changed, cells, Timestamps.micros(clock.instant()))) {
            throw new JournalUnavailableException("Summaries kept up to position " + from + " were lost.");
        }
        position = folded;
        keptUntilMicros = foldedUntilMicros;
        rollups.saved();
        // Only now: who does not find them here any more finds them in the files.
        open.clear();
        openBytes = 0;
        savedNanos = System.nanoTime();
    }

    /** Folds and keeps what the journal holds, and ends the thread; blocks until then. */
    public void stop() {
        stopping = true;
        LockSupport.unpark(thread);
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
