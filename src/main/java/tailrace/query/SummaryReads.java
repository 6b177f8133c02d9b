package tailrace.query;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tailrace.journal.Journal;
import tailrace.model.EntryScan;
import tailrace.model.ExecutionState;
import tailrace.model.LogFilter;
import tailrace.postgres.SummaryReader;
import tailrace.security.Principal;
import tailrace.summary.Summaries;
import tailrace.summary.Summary;

/**
 * Finds an execution's summary: by the journal while it knows the execution, else in PostgreSQL. Where neither has one,
 * because all its entries came before summaries were kept, it is made of the entries that are still there. Safe for any
 * event loop.
 */
public final class SummaryReads {
    /** Entries that are read where no summary was kept. */
    static final int MAX_ENTRIES = 5_000;

    private static final int PIECE_ENTRIES = 250;
    private static final long PIECE_BYTES = 1L << 20;

    private final Vertx vertx;
    private final Journal journal;
    private final Summaries hot;
    private final SummaryReader cold;
    private final EntryStore store;

    public SummaryReads(Vertx vertx, Journal journal, Summaries hot, SummaryReader cold, EntryStore store) {
        this.vertx = vertx;
        this.journal = journal;
        this.hot = hot;
        this.cold = cold;
        this.store = store;
    }

    /**
     * The summary of an execution that was found for this reader; the caller's own.
     *
     * @return fails while PostgreSQL is needed and away
     */
    public Future<Summary> of(Principal principal, ExecutionState state) {
        return vertx.executeBlocking(() -> hot(state), false)
                .compose(found -> found != null
                        ? Future.succeededFuture(found)
                        : cold.summary(principal, state.executionId()).compose(kept -> kept(principal, state, kept)));
    }

    private @Nullable Summary hot(ExecutionState state) {
        ExecutionState known = journal.execution(state.executionId()).orElse(null);
        if (known == null) {
            return null;
        }
        Summary summary = hot.of(known);
        return summary.folded() == 0 && known.totalLogs() > 0 ? null : summary;
    }

    private Future<Summary> kept(Principal principal, ExecutionState state, Optional<Summary> kept) {
        return kept.map(Future::succeededFuture)
                .orElseGet(() -> fold(store.as(principal), state, new Summary(), new EntryScan(), 1, MAX_ENTRIES));
    }

    private static Future<Summary> fold(
            EntryStore entries, ExecutionState state, Summary into, EntryScan scan, long from, int left) {
        if (from > state.lastSeq() || left <= 0) {
            return Future.succeededFuture(into);
        }
        int max = Math.min(left, PIECE_ENTRIES);
        return entries.ascending(state.executionId(), from, state.lastSeq(), max, PIECE_BYTES, LogFilter.ALL, false)
                .compose(piece -> {
                    if (piece.coldAway()) {
                        return Future.failedFuture(
                                new History.UnreadableException("PostgreSQL, which has the entries, does not answer"));
                    }
                    into.add(piece.entries(), scan);
                    return fold(entries, state, into, scan, piece.scannedTo() + 1, left - max);
                });
    }
}
