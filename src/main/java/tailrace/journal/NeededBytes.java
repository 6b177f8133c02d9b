package tailrace.journal;

import java.io.UncheckedIOException;
import java.util.function.LongSupplier;

/**
 * How many bytes of the journal some cursor has not passed: the files' size times the part of the records that is still
 * needed. Files hold what is passed, too, so this is at most too high. Looks at files: for a worker.
 */
public final class NeededBytes implements LongSupplier {
    private final RocksJournal journal;
    private final Cursors cursors;
    private volatile long last;

    public NeededBytes(RocksJournal journal, Cursors cursors) {
        this.journal = journal;
        this.cursors = cursors;
    }

    /** As of the last time the journal could be looked at. */
    @Override
    public long getAsLong() {
        try {
            long end = journal.lastPosition();
            long held = end - journal.firstPosition() + 1;
            long needed = Math.min(held, end - cursors.passed());
            last = needed <= 0 ? 0 : (long) (journal.sizeBytes() * ((double) needed / held));
        } catch (JournalUnavailableException | UncheckedIOException e) {
            return last; // being reopened; whoever writes it says what is wrong
        }
        return last;
    }
}
