package tailrace.live;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import tailrace.model.LogEntry;

/**
 * Events as WebSocket text messages, each with its frame's header (RFC 6455, 5.2): what SSE has as {@code data:}, with
 * what it has as {@code id:} as the first member. A server's frames are not masked, so they are shared like SSE text.
 */
final class WebSocketText extends EventFormat {
    private static final byte FINAL_TEXT = (byte) 0x81;
    private static final int MAX_7_BIT = 125;
    private static final int LENGTH_16_BIT = 126;
    private static final int LENGTH_64_BIT = 127;
    private static final int MAX_16_BIT = 0xffff;

    private static final byte[] ID = ascii("{\"id\":");
    private static final byte[] LOG = ascii(",\"event_type\":\"LOG\",\"session_id\":");

    @Override
    void entry(ByteBuf to, byte[] session, LogEntry entry, boolean live) {
        scratch.reset();
        scratch.raw(ID).number(entry.seq());
        entryHead(LOG, session, entry, live);
        header(to, scratch.length() + entry.tailLength() + 1L);
        to.writeBytes(scratch.array(), 0, scratch.length());
        to.writeBytes(entry.encoded(), entry.tailOffset(), entry.tailLength());
        to.writeByte('}');
    }

    @Override
    byte[] event(long id, byte[] members) {
        scratch.reset();
        if (id >= 0) {
            scratch.raw(ID).number(id).raw(',');
        } else {
            scratch.raw('{');
        }
        byte[] text = scratch.raw(members).toByteArray();
        ByteBuf framed = Unpooled.buffer(text.length + 10);
        header(framed, text.length);
        framed.writeBytes(text);
        byte[] bytes = new byte[framed.readableBytes()];
        framed.readBytes(bytes);
        return bytes;
    }

    private static void header(ByteBuf to, long length) {
        to.writeByte(FINAL_TEXT);
        if (length <= MAX_7_BIT) {
            to.writeByte((int) length);
        } else if (length <= MAX_16_BIT) {
            to.writeByte(LENGTH_16_BIT).writeShort((int) length);
        } else {
            to.writeByte(LENGTH_64_BIT).writeLong(length);
        }
    }
}
