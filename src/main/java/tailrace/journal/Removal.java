package tailrace.journal;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import tailrace.model.ExecutionState;

/**
 * Removes what was chosen, in small groups on the journal thread, between the groups of ingest: there alone it is
 * certain that nobody is about to change the same state. Called on a worker, which waits for each group; used once.
 */
final class Removal {
    /** Executions, or ranges of records, of one group; the journal thread is held up for a millisecond or so. */
    static final int GROUP = 64;

    private final RocksJournal journal;
    private final CommitLoop loop;
    private final List<KeyRange> ranges = new ArrayList<>();
    private long entries;
    private int retired;

    Removal(RocksJournal journal, CommitLoop loop) {
        this.journal = journal;
        this.loop = loop;
    }

    /**
     * What an execution loses.
     *
     * @param belowSeq all entries below it
     * @param ifUnchangedSince only while its last change is the one at this position; {@link #ANYHOW} for in any case
     * @param retire whether only its highest seq is kept
     */
    record Loss(String executionId, long belowSeq, long ifUnchangedSince, boolean retire) {
        static final long ANYHOW = -1;
    }

    /** Records without entries, both ends included. */
    record Records(long fromPosition, long toPosition) {}

    void entries(List<Loss> losses) {
        for (int from = 0; from < losses.size(); from += GROUP) {
            List<Loss> group = losses.subList(from, Math.min(from + GROUP, losses.size()));
            onJournalThread(() -> {
                try (Group removing = journal.begin()) {
                    group.forEach(loss -> remove(removing, loss));
                    journal.remove(removing);
                }
            });
        }
    }

    private void remove(Group removing, Loss loss) {
        StoredState stored = journal.peek(loss.executionId()).orElse(null);
        ExecutionState state = stored == null ? null : stored.state();
        if (stored == null
                || state == null
                || (loss.ifUnchangedSince() != Loss.ANYHOW && state.lastPosition() != loss.ifUnchangedSince())) {
            return;
        }
        long below = Math.min(loss.belowSeq(), state.lastSeq() + 1);
        if (below > state.hotFromSeq()) {
            KeyRange range = KeyRange.below(stored.bucket(), Keys.utf8(loss.executionId()), below);
            removing.deleteEntries(range);
            ranges.add(range);
            entries += below - state.hotFromSeq();
        }
        if (loss.retire() && below > state.lastSeq()) {
            removing.retire(loss.executionId(), stored.highestSeq());
            retired++;
        } else if (below > state.hotFromSeq()) {
            removing.putState(StoredState.of(state.withHotFromSeq(below), stored.bucket(), stored.lastChangeMicros()));
        }
    }

    void records(List<Records> records) {
        for (int from = 0; from < records.size(); from += GROUP) {
            List<Records> group = records.subList(from, Math.min(from + GROUP, records.size()));
            onJournalThread(() -> {
                try (Group removing = journal.begin()) {
                    group.forEach(range -> removing.deleteRecords(range.fromPosition(), range.toPosition()));
                    journal.remove(removing);
                }
            });
        }
    }

    private void onJournalThread(Runnable change) {
        try {
            loop.between(change).join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : e;
        }
    }

    /** Where entries were removed. */
    List<KeyRange> ranges() {
        return ranges;
    }

    long entries() {
        return entries;
    }

    int retired() {
        return retired;
    }
}
