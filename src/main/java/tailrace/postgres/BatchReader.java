package tailrace.postgres;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import tailrace.journal.Journal;
import tailrace.model.ExecutionState;
import tailrace.model.JournalRecord;
import tailrace.model.LogEntry;
import tailrace.postgres.Batch.Resume;

/**
 * Takes a lane's next batch from the journal, by position and nothing else. Blocks; for one worker at a time.
 *
 * <p>A lane is the executions whose id hashes to it, so that all of one execution goes through one connection, in order.
 */
final class BatchReader {
    /** Encoded entries a transaction holds, at most, unless a single one is larger. */
    static final long MAX_BYTES = 8L << 20;
    /** Records looked at for one batch: bounds the time and the states of a batch without rows. */
    static final int MAX_RECORDS = 20_000;

    private static final int PAGE_RECORDS = 500;
    // The hash spreads ids that differ in their last characters only.
    private static final int HASH_SPREAD = 0x9E3779B9;

    private final Journal journal;
    private final int lane;
    private final int lanes;
    private final Predicate<LogEntry> selection;
    private final boolean persistAll;

    BatchReader(Journal journal, int lane, int lanes, boolean persistAll) {
        this.journal = journal;
        this.lane = lane;
        this.lanes = lanes;
        this.persistAll = persistAll;
        this.selection = persistAll ? entry -> true : LogEntry::userFriendly;
    }

    /** The same for ever: cursors in the database depend on it. */
    static int laneOf(String executionId, int lanes) {
        return Math.floorMod((executionId.hashCode() * HASH_SPREAD) >>> 8, lanes);
    }

    /**
     * @param from where the last batch ended
     * @param maxRows at most so many rows
     * @param lastPosition records beyond it are left alone
     */
    Batch read(Resume from, int maxRows, long lastPosition) {
        Progress progress = new Progress(from, maxRows);
        boolean more = false;
        int seen = 0;
        pages:
        while (true) {
            List<JournalRecord> records = journal.records(progress.position, PAGE_RECORDS, Integer.MAX_VALUE);
            for (JournalRecord record : records) {
                if (record.position() > lastPosition) {
                    break pages;
                }
                if (progress.full() || ++seen > MAX_RECORDS) {
                    more = true;
                    break pages;
                }
                if (!progress.take(record)) {
                    more = true;
                    break pages;
                }
            }
            if (records.size() < PAGE_RECORDS) {
                break;
            }
        }
        List<ExecutionState> states = new ArrayList<>(progress.executions.size());
        for (String execution : progress.executions) {
            journal.execution(execution).ifPresent(states::add);
        }
        return new Batch(
                progress.rows,
                states,
                from.position(),
                progress.position,
                new Resume(progress.position, progress.nextSeq),
                more);
    }

    private final class Progress {
        final RowBatch rows;
        final Set<String> executions = new LinkedHashSet<>();
        final int maxRows;
        long position;
        long nextSeq;
        long bytes;

        Progress(Resume from, int maxRows) {
            this.rows = new RowBatch(Math.min(maxRows, 1_024));
            this.maxRows = maxRows;
            this.position = from.position();
            this.nextSeq = from.nextSeq();
        }

        boolean full() {
            return rows.size() >= maxRows || bytes >= MAX_BYTES;
        }

        /** False if the batch is full within this record. */
        boolean take(JournalRecord record) {
            if (laneOf(record.executionId(), lanes) == lane) {
                executions.add(record.executionId());
                if (wanted(record) > 0 && !takeEntries(record)) {
                    return false;
                }
            }
            position = record.position();
            nextSeq = 0;
            return true;
        }

        private int wanted(JournalRecord record) {
            return persistAll ? record.count() : record.friendlyCount();
        }

        private boolean takeEntries(JournalRecord record) {
            long fromSeq = Math.max(record.firstSeq(), nextSeq);
            while (fromSeq <= record.lastSeq()) {
                int maxEntries = maxRows - rows.size();
                long maxBytes = MAX_BYTES - bytes;
                if (maxEntries <= 0 || maxBytes <= 0) {
                    nextSeq = fromSeq;
                    return false;
                }
                List<LogEntry> entries = journal.entries(
                        record.executionId(), fromSeq, record.lastSeq(), true, maxEntries, maxBytes, selection);
                if (entries.isEmpty()) {
                    return true;
                }
                for (LogEntry entry : entries) {
                    rows.add(record.position(), record.executionId(), entry);
                    bytes += entry.encoded().length;
                }
                fromSeq = entries.get(entries.size() - 1).seq() + 1;
            }
            return true;
        }
    }
}
