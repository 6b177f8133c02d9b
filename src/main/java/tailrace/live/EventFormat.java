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
 * The events of a stream as the bytes of one transport (SPEC 7). Readers with the same format share bytes. Belongs to one
 * event loop.
 */
abstract sealed class EventFormat permits SseFrame, BareSseFrame, WebSocketText {
    /** Bytes of an entry's event besides its JSON and the session's id, at most. */
    private static final int ENTRY_OVERHEAD_BYTES = 256;

    private static final byte[] NOT_FINAL = ascii(",\"is_final\":false,\"timestamp\":\"");
    private static final byte[] SEQ = ascii("\",\"data\":{\"seq\":");
    private static final byte[] LIVE = ascii(",\"is_realtime\":true,");

    final JsonWriter scratch = new JsonWriter();

    /** A JSON string for {@code session_id}. */
    static byte[] session(String executionId) {
        return new JsonWriter().string(executionId).toByteArray();
    }

    /** What stands for the session in an event that concerns all executions of a connection. */
    static byte[] noSession() {
        return ascii("null");
    }

    static int bound(LogEntry entry, byte[] session) {
        return ENTRY_OVERHEAD_BYTES + session.length + entry.jsonLengthBound();
    }

    /** @param live whether it arrived while the stream was open */
    abstract void entry(ByteBuf to, byte[] session, LogEntry entry, boolean live);

    /**
     * Any other event.
     *
     * @param id negative for none
     * @param members of the JSON object, from the first name on, with the closing brace
     */
    abstract byte[] event(long id, byte[] members);

    /** Tells of seqs that cannot be had; a client that resumes goes on behind them. */
    final byte[] gap(byte[] session, Gap gap, long nowMicros) {
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
    final byte[] complete(byte[] session, ExecutionState state, long nowMicros) {
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
    final byte[] error(byte[] session, String type, String error, long nowMicros) {
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

    /** Writes the members of an entry's JSON up to where {@link LogEntry#tailOffset} goes on; without the open brace. */
    final void entryHead(byte[] log, byte[] session, LogEntry entry, boolean live) {
        scratch.raw(log).raw(session).raw(NOT_FINAL);
        Timestamps.write(entry.timestampMicros(), scratch);
        scratch.raw(SEQ).number(entry.seq());
        if (live) {
            scratch.raw(LIVE);
        } else {
            scratch.raw(',');
        }
    }

    /** For SSE: the entry's JSON on one line. */
    final void entryTailOnOneLine(ByteBuf to, LogEntry entry, byte[] end) {
        int start = to.writerIndex();
        to.writeBytes(entry.encoded(), entry.tailOffset(), entry.tailLength());
        oneLine(to, start);
        to.writeBytes(end);
    }

    private static void oneLine(ByteBuf in, int start) {
        int end = in.writerIndex();
        for (byte lineBreak : new byte[] {'\n', '\r'}) {
            for (int at = in.indexOf(start, end, lineBreak); at >= 0; at = in.indexOf(at + 1, end, lineBreak)) {
                in.setByte(at, ' ');
            }
        }
    }

    private byte[] event(long id, String type, byte[] session, boolean last, long nowMicros, String data) {
        scratch.reset();
        scratch.raw(ascii("\"event_type\":\"")).raw(ascii(type)).raw(ascii("\",\"session_id\":"));
        scratch.raw(session);
        scratch.raw(ascii(",\"is_final\":" + last + ",\"timestamp\":\""));
        Timestamps.write(nowMicros, scratch);
        byte[] members =
                scratch.raw(ascii("\",\"data\":")).rawText(data).raw('}').toByteArray();
        return event(id, members);
    }

    static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
