package tailrace.journal;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import tailrace.model.Bytes;

/**
 * The keys of the column families. An execution's id comes with its length before it, so that "a" is no prefix of "ab";
 * numbers are big-endian, so that RocksDB's order of bytes is theirs.
 */
final class Keys {
    private Keys() {}

    static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** Prefix of all entries of an execution. */
    static byte[] entryPrefix(byte[] executionId) {
        byte[] prefix = new byte[2 + executionId.length + Long.BYTES];
        prefix[0] = (byte) (executionId.length >> 8);
        prefix[1] = (byte) executionId.length;
        System.arraycopy(executionId, 0, prefix, 2, executionId.length);
        return prefix;
    }

    /** Key of an entry. */
    static byte[] entry(byte[] executionId, long seq) {
        byte[] key = entryPrefix(executionId);
        Bytes.putLong(key, key.length - Long.BYTES, seq);
        return key;
    }

    static long seqOf(byte[] entryKey) {
        return Bytes.getLong(entryKey, entryKey.length - Long.BYTES);
    }

    static byte[] position(long position) {
        byte[] key = new byte[Long.BYTES];
        Bytes.putLong(key, 0, position);
        return key;
    }

    /**
     * Key of a sender's id: the day it came on first, so that a day's ids can be forgotten as one range.
     *
     * @param epochDay days since 1970
     */
    static byte[] senderId(int epochDay, byte[] executionId, byte[] id) {
        byte[] key = new byte[1 + Integer.BYTES + 2 + executionId.length + id.length];
        dayPrefix(key, epochDay, 'e');
        key[5] = (byte) (executionId.length >> 8);
        key[6] = (byte) executionId.length;
        System.arraycopy(executionId, 0, key, 7, executionId.length);
        System.arraycopy(id, 0, key, 7 + executionId.length, id.length);
        return key;
    }

    /** Key of a request's answer; see {@link #senderId}. */
    static byte[] answer(int epochDay, byte[] idempotencyKey) {
        byte[] key = new byte[1 + Integer.BYTES + idempotencyKey.length];
        dayPrefix(key, epochDay, 'k');
        System.arraycopy(idempotencyKey, 0, key, 5, idempotencyKey.length);
        return key;
    }

    /** Key of what was shed of an execution and is not told yet; {@code ""} gives the prefix of all. */
    static byte[] shed(String executionId) {
        return utf8("shed:" + executionId);
    }

    static boolean startsWith(byte[] key, byte[] prefix) {
        return key.length >= prefix.length && Arrays.equals(key, 0, prefix.length, prefix, 0, prefix.length);
    }

    /** First key of a day, whatever it names. */
    static byte[] day(int epochDay) {
        return Arrays.copyOf(position((long) epochDay << 32), Integer.BYTES);
    }

    private static void dayPrefix(byte[] key, int epochDay, char kind) {
        Bytes.putInt(key, 0, epochDay);
        key[4] = (byte) kind;
    }
}
