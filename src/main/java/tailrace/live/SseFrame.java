package tailrace.live;

import io.netty.buffer.ByteBuf;
import tailrace.model.LogEntry;

/**
 * The events of one execution's stream as SSE text. Each event's data is one line whatever a log says: JSON escapes line
 * breaks in strings, and those between tokens become spaces here.
 */
final class SseFrame extends EventFormat {
    private static final byte[] ID = ascii("id: ");
    private static final byte[] LOG = ascii("\nevent: message\ndata: {\"event_type\":\"LOG\",\"session_id\":");
    private static final byte[] END = ascii("}\n\n");
    private static final byte[] EVENT = ascii("event: message\ndata: {");

    @Override
    void entry(ByteBuf to, byte[] session, LogEntry entry, boolean live) {
        scratch.reset();
        scratch.raw(ID).number(entry.seq());
        entryHead(LOG, session, entry, live);
        to.writeBytes(scratch.array(), 0, scratch.length());
        entryTailOnOneLine(to, entry, END);
    }

    @Override
    byte[] event(long id, byte[] members) {
        scratch.reset();
        if (id >= 0) {
            scratch.raw(ID).number(id).raw('\n');
        }
        return scratch.raw(EVENT).raw(members).raw('\n').raw('\n').toByteArray();
    }

    static byte[] retry(long millis) {
        return ascii("retry: " + millis + "\n\n");
    }
}
