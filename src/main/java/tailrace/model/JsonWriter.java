package tailrace.model;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Appends JSON to a byte array that grows and is used again: what an entry is encoded with, where a general generator
 * costs more than the entry's own bytes. What PostgreSQL cannot hold becomes U+FFFD on the way: NUL and lone surrogates
 * (SPEC 2). What moves a terminal's cursor or turns the direction of text around is written as an escape: the same text
 * to whoever parses it, and harmless to whoever prints the JSON as it came. Belongs to one thread.
 */
public final class JsonWriter {
    private static final byte[] HEX = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] REPLACEMENT = {(byte) 0xEF, (byte) 0xBF, (byte) 0xBD};

    private byte[] bytes = new byte[1024];
    private int length;

    public void reset() {
        length = 0;
    }

    public int length() {
        return length;
    }

    public byte[] toByteArray() {
        return Arrays.copyOf(bytes, length);
    }

    /** The array behind it; valid up to {@link #length()} until the next write. */
    public byte[] array() {
        return bytes;
    }

    /** Leaves room to be filled in by the caller through {@link #array()}. */
    public void skip(int count) {
        ensure(count);
        length += count;
    }

    /** Takes back the last bytes. */
    public JsonWriter shorten(int count) {
        length -= count;
        return this;
    }

    public JsonWriter raw(byte[] ascii) {
        ensure(ascii.length);
        System.arraycopy(ascii, 0, bytes, length, ascii.length);
        length += ascii.length;
        return this;
    }

    public JsonWriter raw(byte[] from, int offset, int count) {
        ensure(count);
        System.arraycopy(from, offset, bytes, length, count);
        length += count;
        return this;
    }

    public JsonWriter raw(char ascii) {
        ensure(1);
        bytes[length++] = (byte) ascii;
        return this;
    }

    /** JSON text that is already escaped. */
    public JsonWriter rawText(String json) {
        int count = json.length();
        ensure(count * 6);
        for (int i = 0; i < count; i++) {
            i = utf8(json, i, count);
        }
        return this;
    }

    /** A quoted string. */
    public JsonWriter string(String text) {
        int count = text.length();
        ensure(count * 6 + 2);
        byte[] out = bytes;
        out[length++] = '"';
        for (int i = 0; i < count; i++) {
            char c = text.charAt(i);
            if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
                out[length++] = (byte) c;
            } else if (c < 0x80) {
                escape(c);
            } else {
                i = utf8(text, i, count);
            }
        }
        out[length++] = '"';
        return this;
    }

    /** A whole number. */
    public JsonWriter number(long value) {
        ensure(20);
        if (value < 0) {
            return raw(Long.toString(value).getBytes(StandardCharsets.US_ASCII));
        }
        int digits = 1;
        for (long rest = value; rest >= 10; rest /= 10) {
            digits++;
        }
        long rest = value;
        for (int at = length + digits - 1; at >= length; at--) {
            bytes[at] = (byte) ('0' + rest % 10);
            rest /= 10;
        }
        length += digits;
        return this;
    }

    private void escape(char c) {
        switch (c) {
            case '"' -> two('"');
            case '\\' -> two('\\');
            case '\n' -> two('n');
            case '\r' -> two('r');
            case '\t' -> two('t');
            case '\b' -> two('b');
            case '\f' -> two('f');
            case 0 -> {
                System.arraycopy(REPLACEMENT, 0, bytes, length, 3);
                length += 3;
            }
            default -> unicodeEscape(c);
        }
    }

    private void two(char c) {
        bytes[length++] = '\\';
        bytes[length++] = (byte) c;
    }

    /** C1 controls, marks and overrides of direction, separators of lines and paragraphs, the byte order mark. */
    private static boolean unsafe(char c) {
        return c <= 0x9f
                || (c >= 0x200e && c <= 0x2069 && (c <= 0x200f || (c >= 0x2028 && c <= 0x202e) || c >= 0x2066))
                || c == 0x061c
                || c == 0xfeff;
    }

    private void unicodeEscape(char c) {
        bytes[length++] = '\\';
        bytes[length++] = 'u';
        for (int shift = 12; shift >= 0; shift -= 4) {
            bytes[length++] = HEX[c >> shift & 0xf];
        }
    }

    /** Writes the code point at {@code i} and returns the index of its last char. */
    private int utf8(String text, int i, int count) {
        char c = text.charAt(i);
        if (c < 0x80) {
            bytes[length++] = (byte) c;
        } else if (unsafe(c)) {
            unicodeEscape(c);
        } else if (c < 0x800) {
            bytes[length++] = (byte) (0xC0 | c >> 6);
            bytes[length++] = (byte) (0x80 | c & 0x3f);
        } else if (!Character.isSurrogate(c)) {
            bytes[length++] = (byte) (0xE0 | c >> 12);
            bytes[length++] = (byte) (0x80 | c >> 6 & 0x3f);
            bytes[length++] = (byte) (0x80 | c & 0x3f);
        } else if (Character.isHighSurrogate(c) && i + 1 < count && Character.isLowSurrogate(text.charAt(i + 1))) {
            int point = Character.toCodePoint(c, text.charAt(i + 1));
            bytes[length++] = (byte) (0xF0 | point >> 18);
            bytes[length++] = (byte) (0x80 | point >> 12 & 0x3f);
            bytes[length++] = (byte) (0x80 | point >> 6 & 0x3f);
            bytes[length++] = (byte) (0x80 | point & 0x3f);
            return i + 1;
        } else {
            System.arraycopy(REPLACEMENT, 0, bytes, length, 3);
            length += 3;
        }
        return i;
    }

    private void ensure(int more) {
        if (bytes.length - length < more) {
            bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, length + more));
        }
    }
}
