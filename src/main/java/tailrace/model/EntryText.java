package tailrace.model;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * The texts of an entry that people search, found in its own bytes without a JSON parser: {@link EntryCodec} writes all
 * of them before {@code data}, so what a sender put there is never walked through. Reads nothing until it is asked, and
 * makes a string only of what it is asked for. Used again for one entry after the other; belongs to one thread.
 */
final class EntryText {
    /** A text that may be there. */
    enum Field {
        /** What people read: the friendly message where there is one. */
        MESSAGE("message"),
        /** The technical message where {@link #MESSAGE} is the friendly one. */
        RAW_MESSAGE("raw_message"),
        NODE_ID("node_id"),
        ERROR_CODE("error_code"),
        STACK_TRACE("stack_trace");

        private final String wire;
        private final byte[] name;

        Field(String wire) {
            this.wire = wire;
            this.name = wire.getBytes(StandardCharsets.US_ASCII);
        }

        /** The member's name in the JSON. */
        String wire() {
            return wire;
        }
    }

    private static final Field[] FIELDS = Field.values();
    private static final byte[] DATA = "data".getBytes(StandardCharsets.US_ASCII);

    private byte[] bytes = {};
    // Where each field's text begins, after its quote; 0 if it is not there.
    private final int[] from = new int[FIELDS.length];
    private final int[] to = new int[FIELDS.length];

    /** Finds the texts of another entry. */
    EntryText of(LogEntry entry) {
        bytes = entry.encoded();
        java.util.Arrays.fill(from, 0);
        int at = LogEntry.HEADER_BYTES + 1; // after the brace
        while (bytes[at] == '"') {
            int name = at + 1;
            int nameEnd = quote(name);
            int value = nameEnd + 2; // past quote and colon
            if (is(DATA, name, nameEnd)) {
                break;
            }
            int end;
            if (bytes[value] == '"') {
                end = quote(value + 1);
                keep(name, nameEnd, value + 1, end);
                end++;
            } else {
                end = scalarEnd(value);
            }
            at = end + 1; // past the comma; there is always data to come
        }
        return this;
    }

    private void keep(int name, int nameEnd, int valueFrom, int valueTo) {
        for (Field field : FIELDS) {
            if (is(field.name, name, nameEnd)) {
                from[field.ordinal()] = valueFrom;
                to[field.ordinal()] = valueTo;
                return;
            }
        }
    }

    private boolean is(byte[] name, int begin, int end) {
        return java.util.Arrays.equals(bytes, begin, end, name, 0, name.length);
    }

    /** The next quote that is not escaped. */
    private int quote(int begin) {
        int at = begin;
        while (bytes[at] != '"') {
            at += bytes[at] == '\\' ? 2 : 1;
        }
        return at;
    }

    private int scalarEnd(int begin) {
        int at = begin;
        while (bytes[at] != ',' && bytes[at] != '}') {
            at++;
        }
        return at;
    }

    /** The text as the sender gave it, or null. */
    @Nullable
    String get(Field field) {
        int begin = from[field.ordinal()];
        if (begin == 0) {
            return null;
        }
        int end = to[field.ordinal()];
        for (int i = begin; i < end; i++) {
            if (bytes[i] == '\\') {
                return unescaped(begin, end);
            }
        }
        return new String(bytes, begin, end - begin, StandardCharsets.UTF_8);
    }

    private String unescaped(int begin, int end) {
        byte[] plain = new byte[end - begin]; // an escape is never shorter than what it stands for
        int length = 0;
        for (int i = begin; i < end; i++) {
            if (bytes[i] != '\\') {
                plain[length++] = bytes[i];
                continue;
            }
            i++;
            switch (bytes[i]) {
                case 'n' -> plain[length++] = '\n';
                case 'r' -> plain[length++] = '\r';
                case 't' -> plain[length++] = '\t';
                case 'b' -> plain[length++] = '\b';
                case 'f' -> plain[length++] = '\f';
                case 'u' -> {
                    int c = 0;
                    for (int digit = 1; digit <= 4; digit++) {
                        c = c << 4 | Character.digit(bytes[i + digit], 16);
                    }
                    i += 4;
                    length = utf8(c, plain, length);
                }
                default -> plain[length++] = bytes[i];
            }
        }
        return new String(plain, 0, length, StandardCharsets.UTF_8);
    }

    /** Of what {@link JsonWriter} escapes; a surrogate is not among it. */
    private static int utf8(int c, byte[] to, int at) {
        int length = at;
        if (c < 0x80) {
            to[length++] = (byte) c;
        } else if (c < 0x800) {
            to[length++] = (byte) (0xC0 | c >> 6);
            to[length++] = (byte) (0x80 | c & 0x3f);
        } else {
            to[length++] = (byte) (0xE0 | c >> 12);
            to[length++] = (byte) (0x80 | c >> 6 & 0x3f);
            to[length++] = (byte) (0x80 | c & 0x3f);
        }
        return length;
    }
}
