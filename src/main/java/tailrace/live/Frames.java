package tailrace.live;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import java.util.List;
import tailrace.model.LogEntry;
import tailrace.model.LogFilter;
import tailrace.query.Coverage.Gap;

/**
 * A run of events as one piece of bytes, made once for all readers who take it from the same place in the same shape. A
 * reader who is a little further takes its end. Give it back with {@link #release}.
 */
final class Frames {
    private final SharedBytes bytes;
    // By event: what its id would be, where it begins, and how many entries stand before it; of the latter two one more
    // for
    // the end. An entry that the filter leaves out is an event without bytes.
    private final long[] ids;
    private final int[] starts;
    private final int[] before;

    private Frames(SharedBytes bytes, long[] ids, int[] starts, int[] before) {
        this.bytes = bytes;
        this.ids = ids;
        this.starts = starts;
        this.before = before;
    }

    /** Told of each event that has bytes. */
    interface Visitor {
        /** @param id the entry's seq, or the last one of a gap */
        void event(long id, ByteBuf from, int start, int count);
    }

    /** Consecutive entries that have just arrived. */
    static Frames live(EventFormat format, byte[] session, List<LogEntry> entries, LogFilter filter) {
        boolean all = filter.all();
        ByteBuf to = allocate(session, entries);
        long[] ids = new long[entries.size()];
        int[] starts = new int[entries.size() + 1];
        int[] before = new int[entries.size() + 1];
        for (int i = 0; i < entries.size(); i++) {
            LogEntry entry = entries.get(i);
            boolean accepted = all || filter.test(entry);
            if (accepted) {
                format.entry(to, session, entry, true);
            }
            ids[i] = entry.seq();
            starts[i + 1] = to.writerIndex();
            before[i + 1] = before[i] + (accepted ? 1 : 0);
        }
        return new Frames(new SharedBytes(to), ids, starts, before);
    }

    /** What a store returned: entries already filtered, ascending, and the gaps between them. */
    static Frames page(
            EventFormat format, byte[] session, List<LogEntry> entries, List<Gap> gaps, boolean live, long nowMicros) {
        ByteBuf to = allocate(session, entries);
        int events = entries.size() + gaps.size();
        long[] ids = new long[events];
        int[] starts = new int[events + 1];
        int[] before = new int[events + 1];
        int entry = 0;
        int gap = 0;
        for (int i = 0; i < events; i++) {
            boolean isGap = gap < gaps.size()
                    && (entry == entries.size()
                            || gaps.get(gap).toSeq() < entries.get(entry).seq());
            if (isGap) {
                ids[i] = gaps.get(gap).toSeq();
                to.writeBytes(format.gap(session, gaps.get(gap++), nowMicros));
            } else {
                ids[i] = entries.get(entry).seq();
                format.entry(to, session, entries.get(entry++), live);
            }
            starts[i + 1] = to.writerIndex();
            before[i + 1] = before[i] + (isGap ? 0 : 1);
        }
        return new Frames(new SharedBytes(to), ids, starts, before);
    }

    private static ByteBuf allocate(byte[] session, List<LogEntry> entries) {
        int bound = 256;
        for (LogEntry entry : entries) {
            bound += EventFormat.bound(entry, session);
        }
        return PooledByteBufAllocator.DEFAULT.directBuffer(bound);
    }

    /** Writes all of it. */
    void writeTo(Outlet outlet) {
        write(outlet, 0);
    }

    /** Of consecutive entries: writes those above a cursor and returns how many they are. */
    int writeAfter(Outlet outlet, long cursor) {
        return write(outlet, (int) Math.max(0, cursor + 1 - ids[0]));
    }

    private int write(Outlet outlet, int index) {
        int from = starts[index];
        int count = bytes.length() - from;
        if (count > 0) {
            outlet.write(bytes, from, count);
        }
        return before[before.length - 1] - before[index];
    }

    /** Shows the events above a cursor one by one and returns how many entries they are. */
    int eachAfter(long cursor, Visitor visitor) {
        int entries = 0;
        for (int i = 0; i < ids.length; i++) {
            int count = starts[i + 1] - starts[i];
            if (ids[i] > cursor && count > 0) {
                bytes.show(ids[i], starts[i], count, visitor);
                entries += before[i + 1] - before[i];
            }
        }
        return entries;
    }

    void release() {
        bytes.release();
    }
}
