package tailrace.cli;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;

/**
 * Reads one SSE answer off a socket as cheaply as it can: HTTP head, chunks, lines; of a {@code data:} line it looks for
 * nothing but {@code "t":}. A million events a second leave no time for JSON. Belongs to one thread.
 */
final class SseParser {
    private static final byte[] TIME = "\"t\":".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] TYPE = "\"event_type\":\"".getBytes(StandardCharsets.US_ASCII);
    private static final int MAX_HEAD_BYTES = 16 << 10;
    /** An entry is 10 KiB at most; its envelope is small. */
    private static final int MAX_LINE_BYTES = 64 << 10;

    private final Listener listener;
    private State state = State.HEAD;
    private boolean chunked;
    private long chunkLeft;
    private byte[] carry = new byte[512];
    private int carried;
    private long id = -1;
    private long time = -1;
    private char type;
    private boolean data;

    /** What comes out of it. */
    interface Listener {
        /** The head of the answer is complete. */
        void opened(int status);

        /**
         * An entry.
         *
         * @param id the SSE id, -1 if it has none
         * @param time of {@code "t":}
         * @param nowMicros as given to {@link #feed}
         */
        void entry(long id, long time, long nowMicros);

        /** An event without {@code "t":}; {@code type} is the first letter of its event type, or 0. */
        void control(long id, char type);
    }

    /** CHUNK_END: between the last byte of a chunk and the line that says how long the next is. */
    private enum State {
        HEAD,
        CHUNK_SIZE,
        CHUNK_EXTENSION,
        CHUNK_DATA,
        CHUNK_END,
        PLAIN,
        ENDED
    }

    SseParser(Listener listener) {
        this.listener = listener;
    }

    /** Whether the answer came to its proper end. */
    boolean ended() {
        return state == State.ENDED;
    }

    /**
     * Takes what was read.
     *
     * @throws IllegalStateException if it is not an SSE answer over HTTP/1.1
     */
    void feed(byte[] bytes, int from, int to, long nowMicros) {
        int at = from;
        while (at < to) {
            switch (state) {
                case HEAD -> at = head(bytes, at, to);
                case PLAIN -> {
                    lines(bytes, at, to, nowMicros);
                    at = to;
                }
                case CHUNK_DATA -> {
                    int count = (int) Math.min(chunkLeft, to - at);
                    lines(bytes, at, at + count, nowMicros);
                    at += count;
                    chunkLeft -= count;
                    state = chunkLeft == 0 ? State.CHUNK_END : State.CHUNK_DATA;
                }
                case CHUNK_SIZE -> size(bytes[at++]);
                case CHUNK_EXTENSION -> {
                    if (bytes[at++] == '\n') {
                        sizeKnown();
                    }
                }
                case CHUNK_END -> {
                    if (bytes[at++] == '\n') {
                        chunkLeft = 0;
                        state = State.CHUNK_SIZE;
                    }
                }
                case ENDED -> at = to;
            }
        }
    }

    private int head(byte[] bytes, int from, int to) {
        for (int at = from; at < to; at++) {
            append(bytes, at, at + 1, MAX_HEAD_BYTES);
            if (carried >= 4
                    && carry[carried - 1] == '\n'
                    && carry[carried - 2] == '\r'
                    && carry[carried - 3] == '\n'
                    && carry[carried - 4] == '\r') {
                String head = new String(carry, 0, carried, StandardCharsets.ISO_8859_1);
                carried = 0;
                if (!head.matches("(?s)HTTP/1\\.[01] [0-9]{3}.*")) {
                    throw new IllegalStateException("not an HTTP answer: " + HttpConnection.printable(head));
                }
                chunked = head.toLowerCase(Locale.ROOT).contains("\r\ntransfer-encoding: chunked\r\n");
                state = chunked ? State.CHUNK_SIZE : State.PLAIN;
                listener.opened(Integer.parseInt(head.substring(9, 12)));
                return at + 1;
            }
        }
        return to;
    }

    private void size(byte c) {
        int digit = Character.digit(c, 16);
        if (digit >= 0) {
            chunkLeft = chunkLeft * 16 + digit;
            if (chunkLeft > Integer.MAX_VALUE) {
                throw new IllegalStateException("a chunk of more than 2 GiB");
            }
        } else if (c == '\n') {
            sizeKnown();
        } else {
            state = State.CHUNK_EXTENSION;
        }
    }

    private void sizeKnown() {
        state = chunkLeft == 0 ? State.ENDED : State.CHUNK_DATA;
    }

    private void lines(byte[] bytes, int from, int to, long nowMicros) {
        int start = from;
        for (int at = from; at < to; at++) {
            if (bytes[at] != '\n') {
                continue;
            }
            if (carried == 0) {
                line(bytes, start, at, nowMicros);
            } else {
                append(bytes, start, at, MAX_LINE_BYTES);
                int length = carried;
                carried = 0;
                line(carry, 0, length, nowMicros);
            }
            start = at + 1;
        }
        append(bytes, start, to, MAX_LINE_BYTES);
    }

    private void append(byte[] bytes, int from, int to, int max) {
        int count = to - from;
        if (carried + count > max) {
            throw new IllegalStateException("a line of more than " + max + " bytes");
        }
        if (carried + count > carry.length) {
            carry = Arrays.copyOf(carry, Math.max(carry.length * 2, carried + count));
        }
        System.arraycopy(bytes, from, carry, carried, count);
        carried += count;
    }

    private void line(byte[] bytes, int from, int end, long nowMicros) {
        int to = end > from && bytes[end - 1] == '\r' ? end - 1 : end;
        if (to == from) {
            dispatch(nowMicros);
        } else if (to - from > 5 && bytes[from] == 'd' && bytes[from + 4] == ':') {
            data = true;
            int found = find(bytes, from + 5, to, TIME);
            if (found >= 0) {
                time = number(bytes, found, to);
            } else {
                int named = find(bytes, from + 5, to, TYPE);
                type = named < 0 || named >= to ? 0 : (char) bytes[named];
            }
        } else if (to - from > 3 && bytes[from] == 'i' && bytes[from + 2] == ':') {
            id = number(bytes, from + 3, to);
        }
    }

    private void dispatch(long nowMicros) {
        if (time >= 0) {
            listener.entry(id, time, nowMicros);
        } else if (data) {
            listener.control(id, type);
        }
        id = -1;
        time = -1;
        type = 0;
        data = false;
    }

    /** The index behind the first occurrence, or -1. */
    private static int find(byte[] bytes, int from, int to, byte[] what) {
        byte first = what[0];
        for (int at = from; at <= to - what.length; at++) {
            if (bytes[at] == first && matches(bytes, at, what)) {
                return at + what.length;
            }
        }
        return -1;
    }

    private static boolean matches(byte[] bytes, int at, byte[] what) {
        for (int i = 1; i < what.length; i++) {
            if (bytes[at + i] != what[i]) {
                return false;
            }
        }
        return true;
    }

    /** The digits there, after blanks or quotes; -1 if there are none. */
    private static long number(byte[] bytes, int from, int to) {
        int at = from;
        while (at < to && (bytes[at] == ' ' || bytes[at] == '"')) {
            at++;
        }
        long value = -1;
        for (; at < to && bytes[at] >= '0' && bytes[at] <= '9'; at++) {
            value = Math.max(value, 0) * 10 + bytes[at] - '0';
        }
        return value;
    }
}
