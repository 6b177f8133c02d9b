package tailrace.query;

import io.vertx.core.Future;
import tailrace.model.ExecutionState;
import tailrace.model.LogFilter;

/** Finds where the last N entries of an execution begin, in whatever tier they are. */
public final class TailStart {
    private static final long PIECE_BYTES = 1024 * 1024;

    private TailStart() {}

    /** The seq after which the last {@code count} entries that the filter accepts begin; 0 if there are fewer. */
    public static Future<Long> find(EntryStore store, ExecutionState state, int count, LogFilter filter) {
        long start = state.lastSeq() - count;
        if (count == 0 || (filter.all() && start + 1 >= state.hotFromSeq())) {
            return Future.succeededFuture(start);
        }
        return find(store, state.executionId(), state.lastSeq(), count, filter);
    }

    private static Future<Long> find(EntryStore store, String id, long toSeq, int count, LogFilter filter) {
        if (toSeq < 1) {
            return Future.succeededFuture(0L);
        }
        return store.descending(id, 1, toSeq, count, PIECE_BYTES, filter).compose(piece -> {
            int found = piece.entries().size();
            return found >= count
                    ? Future.succeededFuture(piece.entries().get(count - 1).seq() - 1)
                    : find(store, id, piece.scannedTo() - 1, count - found, filter);
        });
    }
}
