package tailrace.query;

import io.vertx.core.Future;
import java.util.List;
import java.util.Optional;
import tailrace.model.ExecutionState;
import tailrace.model.LogEntry;
import tailrace.security.Principal;

/** Opens pages of an execution's history over all tiers (SPEC 6). Safe for any event loop. */
public final class History {
    /** Bytes of one read downwards. */
    private static final long BELOW_BYTES = 256 * 1024;

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
        var page = new HistoryPage(store, state, query, false);
        return page.prepare()
                .compose(prepared -> query.counted() ? total(page) : Future.succeededFuture(Optional.empty()))
                .map(page::counted);
    }

    /** What was read already need not be counted. */
    private Future<Optional<Long>> total(HistoryPage page) {
        HistoryQuery query = page.query();
        ExecutionState state = page.state();
        long last = Math.min(state.lastSeq(), query.beforeSeq() - 1);
        return page.readWhole().isPresent()
                ? Future.succeededFuture(page.readWhole())
                : store.count(state.executionId(), query.afterSeq() + 1, last, query.filter());
    }

    /** The same for what stands around one entry: a page that begins with the first of those before it. */
    public Future<HistoryPage> open(ExecutionState state, Around around) {
        String id = state.executionId();
        long seq = Math.min(around.seq(), state.lastSeq() + 1);
        Future<Below> below = below(id, seq - 1, around, new Below(seq, 0, false));
        Future<Integer> itself = seq > state.lastSeq()
                ? Future.succeededFuture(0)
                : store.ascending(id, seq, seq, 1, 1, around.filter(), false)
                        .map(slice -> slice.entries().size());
        Future<Optional<Long>> total = around.counted()
                ? store.count(id, 1, state.lastSeq(), around.filter())
                : Future.succeededFuture(Optional.empty());
        return Future.all(below, itself, total).compose(all -> {
            Below found = below.result();
            var query = new HistoryQuery(
                    around.filter(),
                    true,
                    found.entries + itself.result() + around.after(),
                    0,
                    Optional.empty(),
                    found.firstSeq - 1,
                    Long.MAX_VALUE);
            var page = new HistoryPage(store, state, query, found.more);
            return page.prepare().map(prepared -> page.counted(total.result()));
        });
    }

    /**
     * What was found below the middle.
     *
     * @param firstSeq where the page begins; above what cannot be read now only if there was enough
     * @param more whether there is another one below
     */
    private record Below(long firstSeq, int entries, boolean more) {}

    private Future<Below> below(String id, long toSeq, Around around, Below above) {
        if (toSeq < 1) {
            return Future.succeededFuture(above);
        }
        int wanted = around.before() - above.entries + 1; // one more, to know whether there is one
        return store.descending(id, 1, toSeq, wanted, BELOW_BYTES, around.filter())
                .compose(slice -> {
                    List<LogEntry> found = slice.entries();
                    if (found.size() == wanted) {
                        long first = wanted == 1
                                ? above.firstSeq
                                : found.get(wanted - 2).seq();
                        return Future.succeededFuture(new Below(first, around.before(), true));
                    }
                    long first = slice.coldAway()
                            ? slice.scannedTo() // so that the page's coverage tells
                            : found.isEmpty()
                                    ? above.firstSeq
                                    : found.get(found.size() - 1).seq();
                    var next = new Below(first, above.entries + found.size(), false);
                    return below(id, slice.scannedTo() - 1, around, next);
                });
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
