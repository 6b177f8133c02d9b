package tailrace.query;

import io.vertx.core.Future;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.model.LogEntry;
import tailrace.model.LogFilter;
import tailrace.query.EntryStore.Slice;

/**
 * Takes pieces from a {@link HotStore} by the only rule that makes it safe to: a piece begins with the very seq that was
 * asked for and goes on without a hole. What is late, gone, half written or somebody else's therefore looks like what is
 * not there, and another store answers. A store that fails has nothing.
 */
final class HotPieces {
    /** Entries of one read: of the largest ones 2.5 MiB. */
    static final int MAX_ENTRIES = 250;

    private static final Logger LOG = LoggerFactory.getLogger(HotPieces.class);

    private final HotStore store;

    HotPieces(HotStore store) {
        this.store = store;
    }

    boolean usable() {
        return store.usable();
    }

    /** Whether everything up to a position of the journal was given to it. */
    boolean given(long position) {
        return store.position() >= position;
    }

    /**
     * What was found.
     *
     * @param piece what it can answer, or null
     * @param nearestSeq where there is no piece: the first seq in the order of reading that it has; up to there another
     *     store has to answer. 0 if it has none
     */
    record Found(@Nullable Slice piece, long nearestSeq) {
        static final Found NOTHING = new Found(null, 0);

        /** The last seq before what it has, for reading upwards. */
        long before(long toSeq) {
            return nearestSeq == 0 ? toSeq : Math.min(toSeq, nearestSeq - 1);
        }

        /** The first seq behind what it has, for reading downwards. */
        long behind(long fromSeq) {
            return nearestSeq == 0 ? fromSeq : Math.max(fromSeq, nearestSeq + 1);
        }
    }

    /** As {@link EntryStore#ascending} and {@link EntryStore#descending}. Never fails. */
    Future<Found> read(
            String executionId,
            long fromSeq,
            long toSeq,
            boolean ascending,
            int maxEntries,
            long maxBytes,
            LogFilter filter) {
        int count = filter.all() ? Math.min(maxEntries, MAX_ENTRIES) : MAX_ENTRIES;
        return store.entries(executionId, fromSeq, toSeq, ascending, count)
                .map(entries -> take(entries, ascending ? fromSeq : toSeq, ascending, maxEntries, maxBytes, filter))
                .recover(failure -> {
                    LOG.debug("The hot tier does not answer for {} {}–{}", executionId, fromSeq, toSeq, failure);
                    return Future.succeededFuture(Found.NOTHING);
                })
                .onSuccess(found -> store.counted(found.piece != null));
    }

    private static Found take(
            List<LogEntry> entries, long firstSeq, boolean ascending, int maxEntries, long maxBytes, LogFilter filter) {
        if (entries.isEmpty()) {
            return Found.NOTHING;
        }
        if (entries.get(0).seq() != firstSeq) {
            return new Found(null, entries.get(0).seq());
        }
        List<LogEntry> accepted = new ArrayList<>();
        long bytes = 0;
        long next = firstSeq;
        for (LogEntry entry : entries) {
            if (entry.seq() != next || accepted.size() >= maxEntries || bytes >= maxBytes) {
                break;
            }
            if (filter.test(entry)) {
                accepted.add(entry);
                bytes += entry.encoded().length;
            }
            next += ascending ? 1 : -1;
        }
        return new Found(new Slice(accepted, List.of(), ascending ? next - 1 : next + 1, false), 0);
    }
}
