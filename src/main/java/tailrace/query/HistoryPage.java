package tailrace.query;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tailrace.model.ExecutionState;
import tailrace.model.LogEntry;
import tailrace.query.Coverage.Gap;

/**
 * One page of history, taken piece by piece: at no time does it hold more than one piece, however large the page (an
 * export is a page without a limit). What
 * the whole page has to say ({@link #hasMore}, {@link #coverage} …) is known once {@link #next} has returned an empty
 * list. Belongs to the event loop it was opened on.
 */
public final class HistoryPage {
    /** Bytes of a piece, about; what a slow client keeps us from letting go. */
    private static final long PIECE_BYTES = 256 * 1024;
    /** Bytes of a piece that is only passed over. */
    private static final long SKIP_BYTES = 4 * 1024 * 1024;

    private static final int SKIP_ENTRIES = 5_000;

    private final EntryStore store;
    private final ExecutionState state;
    private final HistoryQuery query;
    private final boolean hasBefore;
    private final boolean ascending;
    private final long fromSeq;
    private final long toSeq;
    private final Gaps gaps = new Gaps();
    private Optional<Long> total = Optional.empty();
    private List<LogEntry> prepared = List.of();
    private long position;
    private int skip;
    private int remaining;
    private long returned;
    private long lastReturned;
    private long highestReturned;
    private boolean hasMore;
    private boolean done;
    private boolean readSomething;
    private boolean coldAway;
    private long coldBorder;

    /** @param hasBefore whether it is known that there are entries before the page */
    HistoryPage(EntryStore store, ExecutionState state, HistoryQuery query, boolean hasBefore) {
        this.hasBefore = hasBefore;
        this.store = store;
        this.state = state;
        this.query = query;
        ascending = query.ascending();
        long low = query.afterSeq() + 1;
        long high = Math.min(state.lastSeq(), query.beforeSeq() - 1);
        if (query.cursor().isPresent()) {
            long seq = query.cursor().get().seq();
            low = ascending ? Math.max(low, seq + 1) : low;
            high = ascending ? high : Math.min(high, seq - 1);
        }
        fromSeq = low;
        toSeq = high;
        position = ascending ? low : high;
        skip = query.offset();
        remaining = query.limit();
        done = low > high;
    }

    Future<Void> prepare() {
        if (skip > 0 && ascending && query.filter().all() && position >= state.hotFromSeq()) {
            position += skip; // no hole there, so it need not be read
            skip = 0;
            done = position > toSeq;
        }
        return read().compose(entries -> {
            prepared = entries;
            return coldAway && !readSomething ? Future.failedFuture(History.unreadable()) : Future.succeededFuture();
        });
    }

    /** How many entries the query has, if the beginning of the page showed it: it was all of them. */
    Optional<Long> readWhole() {
        boolean whole = done
                && !hasMore
                && !coldAway
                && query.offset() == 0
                && query.cursor().isEmpty();
        return whole ? Optional.of(returned) : Optional.empty();
    }

    /** Says how many entries the query has; nothing while that is not known. */
    HistoryPage counted(Optional<Long> entries) {
        total = entries;
        return this;
    }

    /** The next entries in order; an empty list when there are no more. Fails if the hot tier fails. */
    public Future<List<LogEntry>> next() {
        if (!prepared.isEmpty()) {
            List<LogEntry> entries = prepared;
            prepared = List.of();
            return Future.succeededFuture(entries);
        }
        return read();
    }

    /** Whether all entries have been handed out with the next {@link #next}, so that the answer is small. */
    public boolean wholly() {
        return done;
    }

    /** A loop and no chain of futures: pieces without an entry that the filter accepts may be thousands. */
    private Future<List<LogEntry>> read() {
        Promise<List<LogEntry>> found = Promise.promise();
        read(found);
        return found.future();
    }

    private void read(Promise<List<LogEntry>> found) {
        if (done) {
            found.complete(List.of());
            return;
        }
        boolean skipping = skip > 0;
        int max = skipping ? Math.min(skip, SKIP_ENTRIES) : remaining + 1; // one more, to know whether there is one
        long bytes = skipping ? SKIP_BYTES : PIECE_BYTES;
        String id = state.executionId();
        Future<EntryStore.Slice> slice = ascending
                ? store.ascending(id, position, toSeq, max, bytes, query.filter(), false)
                : store.descending(id, fromSeq, position, max, bytes, query.filter());
        slice.map(this::take).onFailure(found::fail).onSuccess(entries -> {
            if (entries.isEmpty() && !done) {
                read(found);
            } else {
                found.complete(entries);
            }
        });
    }

    private List<LogEntry> take(EntryStore.Slice read) {
        position = ascending ? read.scannedTo() + 1 : read.scannedTo() - 1;
        done = ascending ? position > toSeq : position < fromSeq;
        readSomething |= !read.coldAway();
        if (read.coldAway()) {
            coldAway = true;
            coldBorder = ascending ? read.scannedTo() : read.gaps().get(0).toSeq();
        }
        List<LogEntry> entries = read.entries();
        if (skip > 0) {
            skip -= entries.size();
            return List.of(); // what lies between skipped entries is not part of the answer
        }
        gaps.addAll(read.gaps());
        if (entries.size() > remaining) {
            hasMore = true;
            done = true;
            entries = entries.subList(0, remaining);
        }
        if (!entries.isEmpty()) {
            remaining -= entries.size();
            returned += entries.size();
            lastReturned = entries.get(entries.size() - 1).seq();
            highestReturned = Math.max(
                    highestReturned, Math.max(lastReturned, entries.get(0).seq()));
        }
        return entries;
    }

    /** The execution as it was when the page was opened. */
    public ExecutionState state() {
        return state;
    }

    public HistoryQuery query() {
        return query;
    }

    /** How many entries the query could return now without limit and cursor; empty while a tier it needs is away. */
    public Optional<Long> total() {
        return total;
    }

    /** Whether there is another entry behind the last one returned; it was looked for. */
    public boolean hasMore() {
        return hasMore;
    }

    /** Of a page around an entry: whether there is one before its first. */
    public boolean hasBefore() {
        return hasBefore;
    }

    /** Where the next page begins, or where to look later for what is yet to come. */
    public PageCursor nextCursor() {
        if (hasMore) {
            return new PageCursor(ascending, returned > 0 ? lastReturned : ascending ? fromSeq - 1 : toSeq + 1);
        }
        if (ascending) {
            return new PageCursor(true, Math.max(Math.max(fromSeq - 1, 0), toSeq));
        }
        // While PostgreSQL is away the cursor stays above what only it has, so that it can be had later.
        return new PageCursor(false, coldAway ? coldBorder + 1 : Math.max(1, Math.min(fromSeq, toSeq + 1)));
    }

    /** After which seq a live stream goes on where this page ended. */
    public long streamFromSeq() {
        return returned > 0 ? highestReturned : ascending ? Math.min(fromSeq - 1, state.lastSeq()) : 0;
    }

    /** How far the entries returned reach. */
    public Coverage coverage() {
        var missing = new ArrayList<Gap>();
        gaps.ascending().forEach(gap -> {
            long from = hasMore && !ascending ? Math.max(gap.fromSeq(), lastReturned) : gap.fromSeq();
            long to = hasMore && ascending ? Math.min(gap.toSeq(), lastReturned) : gap.toSeq();
            if (from <= to) {
                Holes.append(missing, new Gap(from, to, gap.reason()));
            }
        });
        return missing.isEmpty() ? Coverage.COMPLETE : new Coverage(missing);
    }
}
