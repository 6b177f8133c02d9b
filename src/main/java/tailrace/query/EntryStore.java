package tailrace.query;

import io.vertx.core.Future;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tailrace.model.ExecutionState;
import tailrace.model.LogEntry;
import tailrace.model.LogFilter;
import tailrace.security.Principal;

/**
 * All tiers of one execution as one sequence. A read takes one piece of one tier and says how far it looked; the caller
 * goes on from there. So nothing is held while a slow reader takes its time, and the border between the tiers may move
 * in the meantime. Called on an event loop, blocks nothing; a failed future means that the hot tier cannot be read.
 */
public interface EntryStore {
    /** The same as this reader sees it; cheap. Whatever is read for somebody is read from here. */
    default EntryStore as(Principal principal) {
        return this;
    }

    /** The state by the hot tier, else by the cold one; fails if the tier that had to be asked does not answer. */
    Future<Optional<ExecutionState>> execution(String executionId);

    /** States of those executions that the hot tier knows; one visit for all of them. */
    Future<Map<String, ExecutionState>> hotStates(Collection<String> executionIds);

    /**
     * The next piece upwards.
     *
     * @param fromSeq where to begin, included
     * @param toSeq where to stop, included; not above the execution's last seq
     * @param maxEntries at most so many
     * @param maxBytes stops after the entry that reaches so many, but returns one at least
     * @param exactHoles whether every missing seq has to be told exactly although the filter accepts only some entries;
     *     reads more of the cold tier then
     */
    Future<Slice> ascending(
            String executionId,
            long fromSeq,
            long toSeq,
            int maxEntries,
            long maxBytes,
            LogFilter filter,
            boolean exactHoles);

    /** The next piece downwards from {@code toSeq}; holes are exact where the filter accepts all. */
    Future<Slice> descending(
            String executionId, long fromSeq, long toSeq, int maxEntries, long maxBytes, LogFilter filter);

    /** How many entries between two seqs the filter accepts, in all tiers; empty while the cold tier is needed and away. */
    Future<Optional<Long>> count(String executionId, long fromSeq, long toSeq, LogFilter filter);

    /**
     * A piece of the sequence.
     *
     * @param entries in the order of reading
     * @param gaps seqs of this piece that cannot be had, ascending
     * @param scannedTo the last seq that was looked at, in the order of reading; go on beyond it
     * @param coldAway whether the piece was to come from the cold tier, which did not answer
     */
    record Slice(List<LogEntry> entries, List<Coverage.Gap> gaps, long scannedTo, boolean coldAway) {}
}
