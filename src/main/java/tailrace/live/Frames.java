package tailrace.live;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.vertx.core.http.HttpServerResponse;
import java.util.List;
import tailrace.model.LogEntry;
import tailrace.model.LogFilter;
import tailrace.query.Coverage.Gap;

/**
 * A run of entries as one piece of SSE text, made once for all readers who take it from the same place with the same
 * filter. A reader who is a little further takes its end. Give it back with {@link #release}.
 */
final class Frames {
    private final SharedBytes bytes;
    private final long firstSeq;
    // by entry: where its frame begins, and how many frames stand before it; one more of each for the end
    private final int[] starts;
    private final int[] before;

    private Frames(SharedBytes bytes, long firstSeq, int[] starts, int[] before) {
        this.bytes = bytes;
        this.firstSeq = firstSeq;
        this.starts = starts;
        this.before = before;
    }

    /** Consecutive entries that have just arrived. */
    static Frames live(SseFrame frame, byte[] session, List<LogEntry> entries, LogFilter filter) {
        boolean all = filter.all();
        ByteBuf to = allocate(session, entries);
        int[] starts = new int[entries.size() + 1];
        int[] before = new int[entries.size() + 1];
        for (int i = 0; i < entries.size(); i++) {
            LogEntry entry = entries.get(i);
            boolean accepted = all || filter.test(entry);
            if (accepted) {
                frame.entry(to, session, entry, true);
            }
            starts[i + 1] = to.writerIndex();
            before[i + 1] = before[i] + (accepted ? 1 : 0);
        }
        return new Frames(new SharedBytes(to), entries.get(0).seq(), starts, before);
    }

    /** What a store returned: entries already filtered, ascending, and the gaps between them. */
    static Frames page(
            SseFrame frame, byte[] session, List<LogEntry> entries, List<Gap> gaps, boolean live, long nowMicros) {
        ByteBuf to = allocate(session, entries);
        int gap = 0;
        for (LogEntry entry : entries) {
            for (; gap < gaps.size() && gaps.get(gap).toSeq() < entry.seq(); gap++) {
                to.writeBytes(frame.gap(session, gaps.get(gap), nowMicros));
            }
            frame.entry(to, session, entry, live);
        }
        for (; gap < gaps.size(); gap++) {
            to.writeBytes(frame.gap(session, gaps.get(gap), nowMicros));
        }
        return new Frames(new SharedBytes(to), 0, new int[] {0, to.writerIndex()}, new int[] {0, entries.size()});
    }

    private static ByteBuf allocate(byte[] session, List<LogEntry> entries) {
        int bound = 256;
        for (LogEntry entry : entries) {
            bound += SseFrame.bound(entry, session);
        }
        return PooledByteBufAllocator.DEFAULT.directBuffer(bound);
    }

    /** Writes all of it and returns how many entries that was. */
    int writeTo(HttpServerResponse response) {
        return write(response, 0);
    }

    /** Writes what is behind a seq, and returns how many entries that was. */
    int writeAfter(HttpServerResponse response, long seq) {
        return write(response, (int) (seq + 1 - firstSeq));
    }

    private int write(HttpServerResponse response, int index) {
        int from = starts[index];
        int count = bytes.length() - from;
        if (count > 0) {
            bytes.writeTo(response, from, count);
        }
        return before[before.length - 1] - before[index];
    }

    void release() {
        bytes.release();
    }
}
