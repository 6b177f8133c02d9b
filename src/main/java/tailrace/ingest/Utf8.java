package tailrace.ingest;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** What the JSON parser lets pass: sequences that no encoder of UTF-8 makes, such as a slash in two bytes. */
final class Utf8 {
    private static final VarHandle WORDS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.nativeOrder());
    private static final long NOT_ASCII = 0x8080808080808080L;

    private Utf8() {}

    /**
     * Offset of the first overlong sequence or one above U+10FFFF, or -1. That a sequence is whole is for the parser to
     * check. Eight bytes at a time where they are ASCII: some microseconds for a batch.
     */
    static int impossibleAt(byte[] body, int from, int to) {
        int at = from;
        while (at < to) {
            if (at + Long.BYTES <= to && ((long) WORDS.get(body, at) & NOT_ASCII) == 0) {
                at += Long.BYTES;
                continue;
            }
            int first = body[at] & 0xff;
            int second = at + 1 < to ? body[at + 1] & 0xff : 0;
            boolean impossible =
                    switch (first) {
                        case 0xc0, 0xc1 -> true;
                        case 0xe0 -> second < 0xa0;
                        case 0xf0 -> second < 0x90;
                        case 0xf4 -> second > 0x8f;
                        default -> first > 0xf4;
                    };
            if (impossible) {
                return at;
            }
            at++;
        }
        return -1;
    }
}
