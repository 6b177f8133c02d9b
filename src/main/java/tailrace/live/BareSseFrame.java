package tailrace.live;

import io.netty.buffer.ByteBuf;
import tailrace.model.LogEntry;

/**
 * SSE events without their {@code id:} line, which each connection that shows many executions puts before them: it tells
 * where that connection stands in all of them, so it cannot be shared.
 */
final class BareSseFrame extends EventFormat {
    private static final byte[] LOG = ascii("event: message\ndata: {\"event_type\":\"LOG\",\"session_id\":");
    private static final byte[] END = ascii("}\n\n");
    private static final byte[] EVENT = ascii("event: message\ndata: {");

    @Override
    void entry(ByteBuf to, byte[] session, LogEntry entry, boolean live) {
        scratch.reset();
        entryHead(LOG, session, entry, live);
        to.writeBytes(scratch.array(), 0, scratch.length());
        entryTailOnOneLine(to, entry, END);
    }

    @Override
    byte[] event(long id, byte[] members) {
        scratch.reset();
        return scratch.raw(EVENT).raw(members).raw('\n').raw('\n').toByteArray();
    }
}
