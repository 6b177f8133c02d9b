package tailrace.live;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import tailrace.model.ExecutionState;
import tailrace.model.JsonWriter;
import tailrace.model.LogEntry;
import tailrace.model.Timestamps;
import tailrace.query.Coverage.Gap;

/**
 * The events of a stream as SSE text (SPEC 7). Each event's data is one line whatever a log says: JSON escapes line
 * breaks in strings, and those between tokens become spaces here. Belongs to one event loop.
 */
final class SseFrame {
    /** Bytes of an entry's frame besides its JSON and the session's id, at most. */
    private static final int ENTRY_OVERHEAD_BYTES = 256;

    private static final byte[] ID = ascii("id: ");
    private static final byte[] LOG = ascii("\nevent: message\ndata: {\"event_type\":\"LOG\",\"session_id\":");
    private static final byte[] NOT_FINAL = ascii(",\"is_final\":false,\"timestamp\":\"");
    private static final byte[] SEQ = ascii("\",\"data\":{\"seq\":");
    private static final byte[] LIVE = ascii(",\"is_realtime\":true,");
    private static final byte[] END = ascii("}\n\n");
    private static final byte[] EVENT = ascii("event: message\ndata: {\"event_type\":\"");

    private final JsonWriter scratch = new JsonWriter();

    /** A JSON string for {@code session_id}. */
    static byte[] session(String executionId) {
        return new JsonWriter().string(executionId).toByteArray();
    }

    static int bound(LogEntry entry, byte[] session) {
        return ENTRY_OVERHEAD_BYTES + session.length + entry.jsonLengthBound();
    }

    /** @param live whether it arrived while the stream was open */
    void entry(ByteBuf to, byte[] session, LogEntry entry, boolean live) {
        scratch.reset();
        scratch.raw(ID).number(entry.seq()).raw(LOG).raw(session).raw(NOT_FINAL);
        Timestamps.write(entry.timestampMicros(), scratch);
        scratch.raw(SEQ).number(entry.seq());
        if (live) {
            scratch.raw(LIVE);
        } else {
            scratch.raw(',');
        }
        to.writeBytes(scratch.array(), 0, scratch.length());
        int start = to.writerIndex();
        to.writeBytes(entry.encoded(), entry.tailOffset(), entry.tailLength());
        oneLine(to, start);
        to.writeBytes(END);
    }

    private static void oneLine(ByteBuf in, int start) {
        int end = in.writerIndex();
        for (byte lineBreak : new byte[] {'\n', '\r'}) {
            for (int at = in.indexOf(start, end, lineBreak); at >= 0; at = in.indexOf(at + 1, end, lineBreak)) {
                in.setByte(at, ' ');
            }
        }
    }

    /** Tells of seqs that cannot be had; a client that resumes goes on behind them. */
    byte[] gap(byte[] session, Gap gap, long nowMicros) {
        return event(
                gap.toSeq(),
                "GAP",
                session,
                false,
                nowMicros,
                "{\"from_seq\":" + gap.fromSeq() + ",\"to_seq\":" + gap.toSeq() + ",\"reason\":\""
                        + gap.reason().wire() + "\"}");
    }

    /** The end of a finished execution. */
    byte[] complete(byte[] session, ExecutionState state, long nowMicros) {
        String status = state.status().name();
        return event(
                state.lastSeq(),
                "COMPLETE",
                session,
                true,
                nowMicros,
                "{\"execution_id\":"
                        + new String(session, StandardCharsets.UTF_8) + ",\"status\":\"" + status
                        + "\",\"message\":\"Execution "
                        + status.toLowerCase(Locale.ROOT) + "\",\"total_logs\":" + state.totalLogs() + ",\"last_seq\":"
                        + state.lastSeq() + "}");
    }

    /** Why a stream ends early. Has no id: the client resumes behind the last entry it got. */
    byte[] error(byte[] session, String type, String error, long nowMicros) {
        return event(
                -1,
                "ERROR",
                session,
                true,
                nowMicros,
                "{\"execution_id\":"
                        + new String(session, StandardCharsets.UTF_8) + ",\"error\":\"" + error + "\",\"error_type\":\""
                        + type
                        + "\"}");
    }

    static byte[] retry(long millis) {
        return ascii("retry: " + millis + "\n\n");
    }

    private byte[] event(long id, String type, byte[] session, boolean last, long nowMicros, String data) {
        scratch.reset();
        if (id >= 0) {
            scratch.raw(ID).number(id).raw('\n');
        }
        scratch.raw(EVENT).raw(ascii(type)).raw(ascii("\",\"session_id\":")).raw(session);
        scratch.raw(ascii(",\"is_final\":" + last + ",\"timestamp\":\""));
        Timestamps.write(nowMicros, scratch);
        return scratch.raw(ascii("\",\"data\":")).rawText(data).raw(END).toByteArray();
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
