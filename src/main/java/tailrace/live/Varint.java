package tailrace.live;

import java.nio.ByteBuffer;

/** Numbers in as many bytes as they need, seven bits each, the lowest first. */
final class Varint {
    static final int MAX_BYTES = 10;

    private Varint() {}

    /** A seq and a flag as one number. */
    static long flagged(long seq, boolean flag) {
        return seq << 1 | (flag ? 1 : 0);
    }

    static void put(ByteBuffer to, long value) {
        long rest = value;
        while ((rest & ~0x7fL) != 0) {
            to.put((byte) (rest & 0x7f | 0x80));
            rest >>>= 7;
        }
        to.put((byte) rest);
    }

    /** @throws RuntimeException if there is none, or it is too long */
    static long get(ByteBuffer from) {
        long value = 0;
        for (int shift = 0; shift < Long.SIZE; shift += 7) {
            byte next = from.get();
            value |= (next & 0x7fL) << shift;
            if (next >= 0) {
                return value;
            }
        }
        throw new IllegalArgumentException("a number that is too long");
    }
}
