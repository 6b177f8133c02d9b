package tailrace.query;

import java.util.Optional;
import tailrace.model.LogFilter;

/**
 * What a history request asks for (SPEC 6), checked.
 *
 * @param limit entries, 1–1000, or {@link #NO_LIMIT}
 * @param offset matching entries to pass over
 * @param cursor where the page before ended
 * @param afterSeq only seqs above it; 0 for all
 * @param beforeSeq only seqs below it; {@code Long.MAX_VALUE} for all
 * @param counted whether the answer says how many there are in all
 */
public record HistoryQuery(
        LogFilter filter,
        boolean ascending,
        int limit,
        int offset,
        Optional<PageCursor> cursor,
        long afterSeq,
        long beforeSeq,
        boolean counted) {
    /** An upper limit of one page: at 10 KiB an entry it is 10 MiB, and it is written piece by piece. */
    public static final int MAX_LIMIT = 1000;

    /** For reads that are written piece by piece and end with the execution; one more is looked for behind a limit. */
    public static final int NO_LIMIT = Integer.MAX_VALUE - 1;

    public static final int DEFAULT_LIMIT = 100;
    /** Passing over entries reads them; whoever goes deeper takes the cursor. */
    public static final int MAX_OFFSET = 100_000;

    /** One whose answer counts. */
    public HistoryQuery(
            LogFilter filter,
            boolean ascending,
            int limit,
            int offset,
            Optional<PageCursor> cursor,
            long afterSeq,
            long beforeSeq) {
        this(filter, ascending, limit, offset, cursor, afterSeq, beforeSeq, true);
    }
}
