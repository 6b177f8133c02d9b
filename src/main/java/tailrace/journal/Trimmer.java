package tailrace.journal;

import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.config.TailraceConfig;
import tailrace.metrics.Metrics;
import tailrace.model.ExecutionState;
import tailrace.model.JournalRecord;
import tailrace.model.Timestamps;

/**
 * Removes from the journal what nobody needs: what is older than the hot tier keeps ({@link #expire}), and, when the
 * files come near their bound, the oldest entries ({@link #makeRoom}). Nothing that a cursor has not passed is ever
 * removed. A crash at any moment leaves less removed, and no hole above an execution's {@code hotFromSeq}.
 *
 * <p>Both methods block, for seconds if there is much to do, and are for one worker at a time. What they remove is
 * committed in small groups between those of ingest; see {@link Removal}.
 */
public final class Trimmer {
    private static final Logger LOG = LoggerFactory.getLogger(Trimmer.class);

    /** Removed ranges that are gathered before their bytes are got back. */
    private static final int MAX_RANGES = 5_000;

    /** Records of one portion by size; bounds its memory where records are tiny. */
    private static final int MAX_PORTION_RECORDS = 50_000;

    private static final int PAGE_RECORDS = 1_000;

    /** What an entry is taken for where an earlier version did not count bytes. */
    private static final long UNCOUNTED_ENTRY_BYTES = 256;

    /** Kept free of {@code JOURNAL_MAX_BYTES}: files being rewritten are there twice for a while. */
    private static final int RESERVE_PARTS = 10;

    private static final long SMALL_RESERVE_BYTES = 64L << 20;
    private static final int SMALL_RESERVE_PARTS = 3;

    private final RocksJournal journal;
    private final CommitLoop loop;
    private final Cursors cursors;
    private final long maxBytes;
    private final long hotTtlMicros;
    private final long summaryMicros;
    private final Clock clock;
    private final Metrics metrics;
    private volatile boolean stopped;
    // All records up to here have lost their entries by size; looked at again after a restart.
    private long trimmedTo;

    /** @param cursors who still reads the journal */
    public Trimmer(
            RocksJournal journal,
            CommitLoop loop,
            Cursors cursors,
            TailraceConfig.Journal config,
            TailraceConfig.Retention retention,
            Clock clock,
            Metrics metrics) {
        this.journal = journal;
        this.loop = loop;
        this.cursors = cursors;
        this.maxBytes = config.maxBytes();
        this.hotTtlMicros = TimeUnit.NANOSECONDS.toMicros(retention.hotTtl().toNanos());
        this.summaryMicros = TimeUnit.DAYS.toMicros(retention.summaryDays());
        this.clock = clock;
        this.metrics = metrics;
    }

    /**
     * What a run removed.
     *
     * @param entries from the hot tier
     * @param executions of which only the highest seq is still known
     */
    public record Trimmed(long entries, int executions) {}

    /** Beyond so many bytes the oldest entries go. */
    static long limitBytes(long maxBytes) {
        return maxBytes - reserveBytes(maxBytes);
    }

    private static long reserveBytes(long maxBytes) {
        return Math.max(maxBytes / RESERVE_PARTS, Math.min(maxBytes / SMALL_RESERVE_PARTS, SMALL_RESERVE_BYTES));
    }

    /**
     * Removes the entries of executions that have not changed for {@code LOG_HOT_TTL}, whatever their status; of those
     * that have not for {@code LOG_SUMMARY_DAYS}, everything but their highest seq; and ids and idempotency keys of days
     * past.
     */
    public Trimmed expire() {
        long began = System.nanoTime();
        long nowMicros = Timestamps.micros(clock.instant());
        long passed = cursors.passed();
        var scan = new ExecutionScan(journal);
        long entries = 0;
        int retired = 0;
        long lastExpired = 0;
        var removal = new Removal(journal, loop);
        while (scan.more() && !stopped) {
            var losses = new ArrayList<Removal.Loss>();
            for (StoredState stored : scan.page()) {
                ExecutionState state = stored.known().orElseThrow();
                long age = nowMicros - stored.lastChangeMicros();
                if (age <= hotTtlMicros || state.lastPosition() > passed) {
                    continue;
                }
                lastExpired = Math.max(lastExpired, state.lastPosition());
                boolean retire = age > summaryMicros;
                if (retire || state.hotFromSeq() <= state.lastSeq()) {
                    losses.add(
                            new Removal.Loss(state.executionId(), state.lastSeq() + 1, state.lastPosition(), retire));
                }
            }
            removal.entries(losses);
            if (removal.ranges().size() >= MAX_RANGES || !scan.more()) {
                reclaim(removal);
                entries += removal.entries();
                retired += removal.retired();
                removal = new Removal(journal, loop);
            }
        }
        if (lastExpired > 0 && !stopped) {
            removeRecords(passed, nowMicros, 0, lastExpired);
        }
        journal.space().forgetDays(Sequencer.dayOf(nowMicros) - 1);
        return told("ttl", new Trimmed(entries, retired), began);
    }

    /**
     * Removes the oldest entries that every cursor has passed while the files take more than their bound allows; a
     * portion at a time, and measures anew after each, so that no more goes than has to.
     */
    public Trimmed makeRoom() {
        long began = System.nanoTime();
        long limit = limitBytes(maxBytes);
        long size = journal.space().liveBytes();
        if (size <= limit) {
            return new Trimmed(0, 0);
        }
        long target = limit - reserveBytes(maxBytes) / 2;
        long entries = 0;
        while (size > target && !stopped) {
            long passed = cursors.passed();
            Portion portion = oldest(passed, size - target);
            var removal = new Removal(journal, loop);
            removal.entries(portion.losses);
            reclaim(removal);
            entries += removal.entries();
            removeRecords(passed, Timestamps.micros(clock.instant()), trimmedTo, portion.lastPosition);
            trimmedTo = portion.lastPosition;
            size = journal.space().liveBytes();
            if (portion.last) {
                break;
            }
        }
        return told("size", new Trimmed(entries, 0), began);
    }

    /** @param last whether there is nothing behind it that may go */
    private record Portion(List<Removal.Loss> losses, long lastPosition, boolean last) {}

    /** What the oldest records hold, up to so many bytes; nothing behind a cursor. */
    private Portion oldest(long passed, long bytes) {
        Map<String, Long> below = new LinkedHashMap<>();
        long position = trimmedTo;
        long found = 0;
        int seen = 0;
        boolean last = false;
        while (!last && found < bytes && seen < MAX_PORTION_RECORDS) {
            List<JournalRecord> records = journal.records(position, PAGE_RECORDS, Integer.MAX_VALUE);
            last = records.isEmpty();
            for (JournalRecord record : records) {
                last = record.position() > passed;
                if (last || found >= bytes) {
                    break;
                }
                position = record.position();
                seen++;
                if (record.count() > 0 && holds(record)) {
                    below.put(record.executionId(), record.lastSeq() + 1);
                    found += record.bytes() > 0 ? record.bytes() : record.count() * UNCOUNTED_ENTRY_BYTES;
                }
            }
        }
        var losses = new ArrayList<Removal.Loss>(below.size());
        below.forEach((id, seq) -> losses.add(new Removal.Loss(id, seq, Removal.Loss.ANYHOW, false)));
        return new Portion(losses, position, last);
    }

    /** Records of executions that are only still listed lost their entries earlier. */
    private boolean holds(JournalRecord record) {
        return journal.peek(record.executionId())
                .flatMap(StoredState::known)
                .filter(state -> state.hotFromSeq() <= record.lastSeq())
                .isPresent();
    }

    private void reclaim(Removal removal) {
        if (!removal.ranges().isEmpty() && !stopped) {
            journal.space().reclaim(removal.ranges());
        }
    }

    private void removeRecords(long passed, long nowMicros, long after, long lastPosition) {
        var dead = new RecordSweep(journal, passed, nowMicros - hotTtlMicros).between(after, lastPosition);
        if (dead.isEmpty()) {
            return;
        }
        new Removal(journal, loop).records(dead);
        if (!stopped) {
            journal.space()
                    .reclaimRecords(
                            dead.get(0).fromPosition(),
                            dead.get(dead.size() - 1).toPosition());
        }
    }

    private Trimmed told(String reason, Trimmed trimmed, long began) {
        if (trimmed.entries() > 0 || trimmed.executions() > 0) {
            metrics.trimmed(reason, trimmed.entries());
            LOG.info(
                    "The journal let {} entries go ({}) and retired {} executions, in {} ms; it has {} MiB from position"
                            + " {} on.",
                    trimmed.entries(),
                    reason.equals("ttl") ? "older than LOG_HOT_TTL" : "near JOURNAL_MAX_BYTES",
                    trimmed.executions(),
                    Duration.ofNanos(System.nanoTime() - began).toMillis(),
                    journal.space().liveBytes() >> 20,
                    journal.firstPosition());
        }
        return trimmed;
    }

    /** Ends what is under way between two groups; what is not removed yet is found again. Any thread. */
    public void stop() {
        stopped = true;
        journal.space().stop();
    }
}
