package tailrace.journal;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksIterator;

/** Goes through the states of all executions, page by page, past every cache. Blocks; for one worker. */
final class ExecutionScan {
    private static final int PAGE = 1_000;

    private final RocksJournal journal;
    private byte @Nullable [] next = new byte[0];

    ExecutionScan(RocksJournal journal) {
        this.journal = journal;
    }

    /** Whether {@link #page} has more. */
    boolean more() {
        return next != null;
    }

    /** The next ones, in the order of their ids' bytes; retired ones are passed over. */
    List<StoredState> page() {
        byte[] from = next;
        if (from == null) {
            return List.of();
        }
        return journal.reading(files -> {
            var page = new ArrayList<StoredState>();
            try (ReadOptions options = new ReadOptions().setFillCache(false);
                    RocksIterator at = files.db.newIterator(files.executions, options)) {
                at.seek(from);
                for (int seen = 0; at.isValid() && seen < PAGE; seen++, at.next()) {
                    StoredState stored = StateCodec.decodeStored(at.value());
                    if (stored.state() != null) {
                        page.add(stored);
                    }
                }
                at.status();
                next = at.isValid() ? Arrays.copyOf(at.key(), at.key().length) : null;
            }
            return page;
        });
    }
}
