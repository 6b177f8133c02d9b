package tailrace.query;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.model.LogFilter;

/**
 * Counts below what the journal holds: what the hot tier has there, and in PostgreSQL the rest, by the same rule by which
 * it would be read. One use.
 */
final class HotCount {
    private static final Logger LOG = LoggerFactory.getLogger(HotCount.class);

    private final HotStore hot;
    private final HotPieces pieces;
    private final ColdStore cold;
    private final String executionId;
    private final LogFilter filter;

    HotCount(HotStore hot, HotPieces pieces, ColdStore cold, String executionId, LogFilter filter) {
        this.hot = hot;
        this.pieces = pieces;
        this.cold = cold;
        this.executionId = executionId;
        this.filter = filter;
    }

    /** Fails if PostgreSQL has to be asked and does not answer. */
    Future<Long> count(long fromSeq, long toSeq) {
        if (!pieces.usable()) {
            return cold(fromSeq, toSeq);
        }
        return hot.span(executionId)
                .recover(failure -> {
                    LOG.debug("The hot tier does not say how far it reaches for {}", executionId, failure);
                    return Future.succeededFuture(Optional.empty());
                })
                .compose(found -> found.filter(span -> span.firstSeq() <= toSeq && span.lastSeq() >= fromSeq)
                        .map(span -> count(fromSeq, toSeq, span))
                        .orElseGet(() -> cold(fromSeq, toSeq)));
    }

    private Future<Long> count(long fromSeq, long toSeq, HotStore.Span span) {
        long low = Math.max(fromSeq, span.firstSeq());
        long high = Math.min(toSeq, span.lastSeq());
        Future<Long> within;
        if (filter.all() && span.whole()) {
            within = Future.succeededFuture(high - low + 1);
        } else {
            Promise<Long> walked = Promise.promise();
            walk(low, high, 0, walked);
            within = walked.future();
        }
        return Future.all(cold(fromSeq, low - 1), within, cold(high + 1, toSeq))
                .map(parts -> parts.<Long>resultAt(0) + parts.<Long>resultAt(1) + parts.<Long>resultAt(2));
    }

    /** Not a chain of futures: there may be thousands of pieces, and each link would be kept until the end. */
    private void walk(long fromSeq, long toSeq, long before, Promise<Long> walked) {
        if (fromSeq > toSeq) {
            walked.complete(before);
            return;
        }
        pieces.read(executionId, fromSeq, toSeq, true, HotPieces.MAX_ENTRIES, Long.MAX_VALUE, filter)
                .compose(found -> {
                    EntryStore.Slice piece = found.piece();
                    if (piece != null) {
                        return Future.succeededFuture(new Walked(
                                piece.scannedTo(), before + piece.entries().size()));
                    }
                    long to = found.before(toSeq);
                    return cold(fromSeq, to).map(entries -> new Walked(to, before + entries));
                })
                .onSuccess(reached -> walk(reached.toSeq + 1, toSeq, reached.entries, walked))
                .onFailure(walked::fail);
    }

    private record Walked(long toSeq, long entries) {}

    private Future<Long> cold(long fromSeq, long toSeq) {
        if (fromSeq > toSeq) {
            return Future.succeededFuture(0L);
        }
        if (!filter.reads() || toSeq - fromSeq < ColdStore.MAX_SCAN_ROWS) {
            return cold.count(executionId, fromSeq, toSeq, filter);
        }
        return cold.nthSeq(executionId, fromSeq, toSeq, true, ColdStore.MAX_SCAN_ROWS - 1)
                .compose(end -> cold.count(executionId, fromSeq, end, filter)
                        .compose(here -> cold(end + 1, toSeq).map(rest -> here + rest)));
    }
}
