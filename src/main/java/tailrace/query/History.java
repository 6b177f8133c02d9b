package tailrace.query;

import io.vertx.core.Future;
import java.util.Optional;
import tailrace.model.ExecutionState;
import tailrace.security.Principal;

/** Opens pages of an execution's history over all tiers (SPEC 6). Safe for any event loop. */
public final class History {
    private final EntryStore store;

    public History(EntryStore store) {
        this.store = store;
    }

    /** The same as this reader sees it. */
    public History as(Principal principal) {
        return new History(store.as(principal));
    }

    /**
     * Reads the beginning of a page, so that what cannot be answered fails before a status is sent.
     *
     * @param state as found for the reader; entries that arrive after it belong to later pages
     * @return fails with {@link UnreadableException} if nothing of what was asked for can be read now
     */
    public Future<HistoryPage> open(ExecutionState state, HistoryQuery query) {
        long last = Math.min(state.lastSeq(), query.beforeSeq() - 1);
        return store.count(state.executionId(), query.afterSeq() + 1, last, query.filter())
                .compose(total -> {
                    var page = new HistoryPage(store, state, query, total);
                    return page.prepare().map(page);
                });
    }

    /** The same without the count, which costs a read of its own where there is a filter. */
    public Future<HistoryPage> openUncounted(ExecutionState state, HistoryQuery query) {
        var page = new HistoryPage(store, state, query, Optional.empty());
        return page.prepare().map(page);
    }

    /** What a reader is told who cannot do with a part of the answer. */
    public static UnreadableException unreadable() {
        return new UnreadableException("PostgreSQL, which holds what was asked for, does not answer");
    }

    /** No tier that holds a part of the answer can be read. */
    public static final class UnreadableException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        public UnreadableException(String message) {
            super(message);
        }
    }
}
