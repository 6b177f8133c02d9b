package tailrace.cli;

import java.nio.charset.StandardCharsets;

/**
 * Counts the entries of an export as its bytes go by, and sees whether the server says that some could not be had. Belongs
 * to one thread, but {@link #entries} may be read by any.
 */
final class RecordCounter {
    private static final int START_BYTES = 40;

    private final Export.Format format;
    private final byte[] start = new byte[START_BYTES];
    private int startLength;
    private boolean quoted;
    private boolean header = true;
    private boolean incomplete;
    private volatile long entries;

    RecordCounter(Export.Format format) {
        this.format = format;
    }

    void add(byte[] bytes, int length) {
        long counted = 0;
        for (int i = 0; i < length; i++) {
            byte one = bytes[i];
            if (one == '"' && format == Export.Format.csv) {
                quoted = !quoted; // a quote within quotes is doubled
            }
            if (one == '\n' && !quoted) {
                counted += record() ? 1 : 0;
                startLength = 0;
            } else if (startLength < START_BYTES) {
                start[startLength++] = one;
            }
        }
        entries = entries + counted;
    }

    /** Whether the record that ends here is an entry. */
    private boolean record() {
        String begins = new String(start, 0, startLength, StandardCharsets.ISO_8859_1);
        switch (format) {
            case ndjson, json -> {
                incomplete |=
                        begins.startsWith("{\"coverage\":") || begins.startsWith("],\"coverage\":{\"complete\":false");
                return begins.startsWith("{\"seq\":");
            }
            case csv -> {
                boolean first = header;
                header = false;
                boolean coverage = begins.startsWith(",,");
                incomplete |= coverage;
                return !first && !coverage;
            }
            case txt -> {
                incomplete |= begins.startsWith("#");
                return !begins.isEmpty() && begins.charAt(0) >= '0' && begins.charAt(0) <= '9';
            }
            default -> throw new IllegalStateException("no such format: " + format);
        }
    }

    long entries() {
        return entries;
    }

    /** Whether something is missing; known at the end. */
    boolean incomplete() {
        return incomplete;
    }
}
