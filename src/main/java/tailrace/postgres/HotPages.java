package tailrace.postgres;

import java.util.ArrayList;
import java.util.List;
import tailrace.journal.RocksJournal;
import tailrace.model.ExecutionState;
import tailrace.model.LogEntry;

/**
 * Everything the hot tier still has of one lane's executions, in pages, in the order of their ids and seqs: records of
 * the journal may be gone where the entries are still there, so this goes by execution. Blocks; for one worker at a
 * time.
 */
final class HotPages {
    /** Entries of one page; the bytes are bounded like those of a batch. */
    static final int PAGE_ENTRIES = 5_000;

    private static final int PAGE_EXECUTIONS = 500;

    private final RocksJournal journal;
    private final int lane;
    private final int lanes;

    HotPages(RocksJournal journal, int lane, int lanes) {
        this.journal = journal;
        this.lane = lane;
        this.lanes = lanes;
    }

    /**
     * Where a page begins.
     *
     * @param executionId the first that may be on it
     * @param nextSeq the first of its entries that may be
     */
    record Place(String executionId, long nextSeq) {
        static final Place START = new Place("", 0);

        static Place after(String executionId) {
            return new Place(executionId + '\0', 0);
        }
    }

    /** Consecutive entries of one execution; never empty. */
    record Span(ExecutionState state, List<LogEntry> entries) {
        long firstSeq() {
            return entries.get(0).seq();
        }

        long lastSeq() {
            return entries.get(entries.size() - 1).seq();
        }
    }

    /** @param end whether nothing comes after it */
    record Page(List<Span> spans, Place next, boolean end) {
        long entries() {
            return spans.stream().mapToLong(span -> span.entries().size()).sum();
        }
    }

    Page read(Place from) {
        List<Span> spans = new ArrayList<>();
        List<ExecutionState> states = journal.executions(from.executionId(), PAGE_EXECUTIONS);
        Place place = from;
        int entries = 0;
        long bytes = 0;
        for (ExecutionState state : states) {
            if (BatchReader.laneOf(state.executionId(), lanes) == lane) {
                long fromSeq = Math.max(
                        state.hotFromSeq(), state.executionId().equals(place.executionId()) ? place.nextSeq() : 0);
                if (fromSeq <= state.lastSeq()) {
                    List<LogEntry> held = journal.entries(
                            state.executionId(),
                            fromSeq,
                            state.lastSeq(),
                            true,
                            PAGE_ENTRIES - entries,
                            BatchReader.MAX_BYTES - bytes,
                            any -> true);
                    if (!held.isEmpty()) {
                        Span span = new Span(state, held);
                        spans.add(span);
                        entries += held.size();
                        bytes += held.stream()
                                .mapToLong(entry -> entry.encoded().length)
                                .sum();
                        if (entries >= PAGE_ENTRIES || bytes >= BatchReader.MAX_BYTES) {
                            return new Page(spans, new Place(state.executionId(), span.lastSeq() + 1), false);
                        }
                    }
                }
            }
            place = Place.after(state.executionId());
        }
        return new Page(spans, place, states.size() < PAGE_EXECUTIONS);
    }
}
