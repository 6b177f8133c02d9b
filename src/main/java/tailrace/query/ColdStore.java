package tailrace.query;

import io.vertx.core.Future;
import java.util.List;
import java.util.Optional;
import tailrace.model.ExecutionState;
import tailrace.model.LogEntry;
import tailrace.model.LogFilter;
import tailrace.security.Principal;

/**
 * The cold tier as readers need it: PostgreSQL, which keeps user-friendly entries only unless it is told to keep all. A
 * failed future means that it does not answer now. Called on an event loop; blocks nothing.
 */
public interface ColdStore {
    /** Rows that one query reads through at most where each has to be looked at: some 50 ms. */
    int MAX_SCAN_ROWS = 20_000;

    /** The same as this reader sees it. */
    default ColdStore as(Principal principal) {
        return this;
    }

    /** What PostgreSQL knows of an execution, or nothing. */
    Future<Optional<ExecutionState>> execution(String executionId);

    /** Entries between two seqs (both included) that the filter accepts, at most {@code maxEntries}, in order of seq. */
    Future<List<LogEntry>> entries(
            String executionId, long fromSeq, long toSeq, boolean ascending, int maxEntries, LogFilter filter);

    /**
     * Entries received before this time, epoch microseconds, are not kept any more, whatever they are; {@code
     * Long.MIN_VALUE} if all are.
     */
    default long keptSinceMicros() {
        return Long.MIN_VALUE;
    }

    /**
     * The seq that stands at a place between two seqs (both included), filtered by nothing; the end of the range if there
     * are not so many. So a filter that accepts little is applied piece by piece.
     *
     * @param place 0 for the first in the order of reading
     */
    default Future<Long> nthSeq(String executionId, long fromSeq, long toSeq, boolean ascending, int place) {
        return entries(executionId, fromSeq, toSeq, ascending, place + 1, LogFilter.ALL)
                .map(entries -> entries.size() <= place
                        ? ascending ? toSeq : fromSeq
                        : entries.get(place).seq());
    }

    /** How many entries between two seqs (both included) the filter accepts. */
    Future<Long> count(String executionId, long fromSeq, long toSeq, LogFilter filter);
}
