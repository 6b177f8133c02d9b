package tailrace.journal;

import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import tailrace.model.ExecutionState;
import tailrace.model.JournalId;
import tailrace.model.JournalRecord;
import tailrace.model.LogEntry;

/**
 * The reading side of the durable log, by position for cursors and by execution for readers. What it returns is
 * committed: no crash can take it back. Reads go to files, so call them on a worker, never on an event loop. Safe for
 * any number of threads.
 *
 * <p>Every method throws {@link JournalUnavailableException} while the journal is closed or being reopened.
 */
public interface Journal {
    /** Names this journal for as long as its files live. */
    JournalId id();

    /** Position of the last committed record, 0 while empty. Reads no file. */
    long lastPosition();

    /** Position of the oldest record still held; {@code lastPosition() + 1} while none is. */
    long firstPosition();

    /**
     * Records after a position, in order.
     *
     * @param maxRecords at most so many
     * @param maxEntries stops after the record that reaches so many entries in all
     */
    List<JournalRecord> records(long afterPosition, int maxRecords, int maxEntries);

    /** What is known of an execution, or nothing if the journal never heard of it. */
    Optional<ExecutionState> execution(String executionId);

    /**
     * Entries of an execution between two seqs (both included), in order of seq.
     *
     * @param ascending false for the newest first
     * @param maxEntries at most so many
     * @param maxBytes stops after the entry that reaches so many bytes, but returns one at least
     * @param filter only entries it accepts are returned and counted; it must be quick and free of side effects
     */
    List<LogEntry> entries(
            String executionId,
            long fromSeq,
            long toSeq,
            boolean ascending,
            int maxEntries,
            long maxBytes,
            Predicate<LogEntry> filter);

    /** How many entries between two seqs (both included) the filter accepts. */
    long count(String executionId, long fromSeq, long toSeq, Predicate<LogEntry> filter);
}
