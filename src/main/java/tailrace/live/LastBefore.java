package tailrace.live;

import io.vertx.core.Future;
import tailrace.model.LogEntry;
import tailrace.model.LogFilter;
import tailrace.query.EntryStore;

/** Finds the last entry of an execution that was received by some time, by halving: some twenty reads of one entry. */
final class LastBefore {
    /** No entry was received by then. */
    static final Found NOTHING = new Found(0, Long.MIN_VALUE);

    private final EntryStore store;
    private final String executionId;
    private final long untilMicros;

    LastBefore(EntryStore store, String executionId, long untilMicros) {
        this.store = store;
        this.executionId = executionId;
        this.untilMicros = untilMicros;
    }

    record Found(long seq, long receivedAtMicros) {}

    Future<Found> upTo(long lastSeq) {
        return between(1, lastSeq, NOTHING);
    }

    private Future<Found> between(long low, long high, Found best) {
        if (low > high) {
            return Future.succeededFuture(best);
        }
        long middle = low + (high - low) / 2;
        return firstFrom(low, middle, high, best);
    }

    /** Looks at the first entry there is from a seq on. */
    private Future<Found> firstFrom(long low, long from, long high, Found best) {
        return store.ascending(executionId, from, high, 1, 1, LogFilter.ALL, false)
                .compose(piece -> {
                    if (piece.entries().isEmpty()) {
                        return piece.scannedTo() < high && piece.scannedTo() >= from
                                ? firstFrom(low, piece.scannedTo() + 1, high, best)
                                : between(low, from - 1, best);
                    }
                    LogEntry entry = piece.entries().get(0);
                    return entry.receivedAtMicros() <= untilMicros
                            ? between(entry.seq() + 1, high, new Found(entry.seq(), entry.receivedAtMicros()))
                            : between(low, from - 1, best);
                });
    }
}
