package tailrace.summary;

import java.time.Duration;
import java.util.List;
import tailrace.journal.Journal;
import tailrace.model.EntryScan;
import tailrace.model.ExecutionState;
import tailrace.model.LogEntry;

/** Summaries of executions that the journal knows, right as of now. Reads files: for workers, any number of them. */
public final class Summaries {
    /** Entries that are folded for one answer; beyond it the summary says how far it reaches. */
    static final int MAX_TAIL_ENTRIES = 50_000;

    private static final Duration MAX_TAIL_TIME = Duration.ofMillis(100);
    private static final int PAGE_ENTRIES = 1_000;
    private static final long PAGE_BYTES = 1L << 20;

    private final Summarizer summarizer;
    private final Journal journal;

    public Summaries(Summarizer summarizer, Journal journal) {
        this.summarizer = summarizer;
        this.journal = journal;
    }

    /** The summary up to the state's last seq, or as near to it as can be reached at once. The caller's own. */
    public Summary of(ExecutionState state) {
        String id = state.executionId();
        Summary summary = summarizer.find(id).orElseGet(Summary::new);
        var scan = new EntryScan();
        long until = System.nanoTime() + MAX_TAIL_TIME.toNanos();
        long from = Math.max(summary.upToSeq() + 1, state.hotFromSeq());
        int left = MAX_TAIL_ENTRIES;
        while (from <= state.lastSeq() && left > 0 && System.nanoTime() < until) {
            List<LogEntry> entries = journal.entries(
                    id, from, state.lastSeq(), true, Math.min(left, PAGE_ENTRIES), PAGE_BYTES, any -> true);
            if (entries.isEmpty()) {
                break;
            }
            summary.add(entries, scan);
            left -= entries.size();
            from = entries.get(entries.size() - 1).seq() + 1;
        }
        return summary;
    }
}
