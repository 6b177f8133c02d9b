package tailrace.query;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.journal.Journal;
import tailrace.model.ExecutionState;
import tailrace.model.LogFilter;
import tailrace.query.Coverage.Gap;
import tailrace.query.Coverage.Reason;

/**
 * Tells what has expired in PostgreSQL, too, from what never went there. Of an execution older than PostgreSQL's
 * retention everything below its lowest row may have been there once, so a reader is told that it has expired; a younger
 * one has lost nothing but technical entries. Safe for any event loop.
 */
final class Expired {
    private static final Logger LOG = LoggerFactory.getLogger(Expired.class);

    private final Vertx vertx;
    private final Journal journal;
    private final ColdStore cold;

    Expired(Vertx vertx, Journal journal, ColdStore cold) {
        this.vertx = vertx;
        this.journal = journal;
        this.cold = cold;
    }

    /** Holes of the cold tier with the right reasons; as they are if that cannot be found out now. */
    Future<List<Gap>> named(String executionId, List<Gap> holes) {
        long keptSince = cold.keptSinceMicros();
        if (keptSince == Long.MIN_VALUE || holes.stream().noneMatch(gap -> gap.reason() == Reason.TECHNICAL_EXPIRED)) {
            return Future.succeededFuture(holes);
        }
        return state(executionId)
                .compose(state -> state.isPresent() && state.get().createdAtMicros() < keptSince
                        ? cold.entries(executionId, 0, Long.MAX_VALUE, true, 1, LogFilter.ALL)
                                .map(lowest -> splitAt(
                                        lowest.isEmpty()
                                                ? Long.MAX_VALUE
                                                : lowest.get(0).seq(),
                                        holes))
                        : Future.succeededFuture(holes))
                .recover(away -> {
                    LOG.debug("Whether {} has expired cannot be found out now", executionId, away);
                    return Future.succeededFuture(holes);
                });
    }

    private Future<Optional<ExecutionState>> state(String executionId) {
        return vertx.executeBlocking(() -> journal.execution(executionId), false)
                .compose(hot -> hot.isPresent() ? Future.succeededFuture(hot) : cold.execution(executionId));
    }

    private static List<Gap> splitAt(long lowestSeq, List<Gap> holes) {
        var named = new ArrayList<Gap>();
        for (Gap hole : holes) {
            if (hole.reason() != Reason.TECHNICAL_EXPIRED || hole.fromSeq() >= lowestSeq) {
                Holes.append(named, hole);
                continue;
            }
            long to = Math.min(hole.toSeq(), lowestSeq - 1);
            Holes.append(named, new Gap(hole.fromSeq(), to, Reason.EXPIRED));
            if (to < hole.toSeq()) {
                named.add(new Gap(to + 1, hole.toSeq(), Reason.TECHNICAL_EXPIRED));
            }
        }
        return named;
    }
}
