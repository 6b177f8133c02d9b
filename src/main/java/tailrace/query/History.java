package tailrace.query;

import io.vertx.core.Future;
import tailrace.model.ExecutionState;

/** Opens pages of an execution's history over all tiers (SPEC 6). Safe for any event loop. */
public final class History {
    private final EntryStore store;

    public History(EntryStore store) {
        this.store = store;
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

    /** No tier that holds a part of the answer can be read. */
    public static final class UnreadableException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        public UnreadableException(String message) {
            super(message);
        }
    }
}
