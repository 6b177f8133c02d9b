package tailrace.journal;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import tailrace.model.Bytes;

/**
 * The keys of the column families. An execution's id comes with its length before it, so that "a" is no prefix of "ab";
 * numbers are big-endian, so that RocksDB's order of bytes is theirs.
 *
 * <p>An entry's key begins with its execution's <em>bucket</em>: the minute in which its hot history began. Executions
 * that began together lie together and expire together, so that what is removed is whole files rather than crumbs in
 * all of them. A minute, not an hour, because a busy journal is full within hours: what is oldest in it has to be a
 * small part of it.
 */
final class Keys {
    /** Of an execution whose entries were stored before there were buckets. */
    static final int NO_BUCKET = 0;

    private static final long MICROS_A_BUCKET = TimeUnit.MINUTES.toMicros(1);

    // A key without a bucket begins with a length below 1,024: none can look like one with this bit.
    private static final int BUCKET_MARK = 1 << 31;

    private Keys() {}

    static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /**
     * Key of an entry.
     *
     * @param bucket of its execution; {@link #NO_BUCKET} for the keys of earlier versions, which have no prefix
     */
    static byte[] entry(int bucket, byte[] executionId, long seq) {
        int prefix = bucket == NO_BUCKET ? 0 : Integer.BYTES;
        byte[] key = new byte[prefix + 2 + executionId.length + Long.BYTES];
        if (prefix > 0) {
            Bytes.putInt(key, 0, bucket | BUCKET_MARK);
        }
        key[prefix] = (byte) (executionId.length >> 8);
        key[prefix + 1] = (byte) executionId.length;
        System.arraycopy(executionId, 0, key, prefix + 2, executionId.length);
        Bytes.putLong(key, key.length - Long.BYTES, seq);
        return key;
    }

    /** The bucket of executions whose hot history begins at this time; never {@link #NO_BUCKET}. */
    static int bucketAt(long epochMicros) {
        return (int) Math.max(1, Math.min(epochMicros / MICROS_A_BUCKET, ~BUCKET_MARK));
    }

    /** The bucket an entry's key lies in. */
    static int bucketOf(byte[] entryKey) {
        return entryKey[0] < 0 ? Bytes.getInt(entryKey, 0) & ~BUCKET_MARK : NO_BUCKET;
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

    /** Key of what is kept of an execution under its id alone. */
    static byte[] of(char kind, String executionId) {
        byte[] id = utf8(executionId);
        byte[] key = new byte[1 + id.length];
        key[0] = (byte) kind;
        System.arraycopy(id, 0, key, 1, id.length);
        return key;
    }

    /**
     * Key of an execution in a list, newest first, those of one moment in the order of their ids.
     *
     * @param list the first bytes of all its keys; see {@link #list}
     */
    static byte[] listed(byte[] list, long createdAtMicros, byte[] executionId) {
        byte[] key = Arrays.copyOf(list, list.length + Long.BYTES + executionId.length);
        Bytes.putLong(key, list.length, Long.MAX_VALUE - createdAtMicros);
        System.arraycopy(executionId, 0, key, list.length + Long.BYTES, executionId.length);
        return key;
    }

    /** The place that a key of a list stands for. */
    static ExecutionIndex.Place place(byte[] listed, int listBytes) {
        return new ExecutionIndex.Place(
                Long.MAX_VALUE - Bytes.getLong(listed, listBytes), text(listed, listBytes + Long.BYTES));
    }

    /** The id at the end of a key. */
    static String text(byte[] key, int from) {
        return new String(key, from, key.length - from, StandardCharsets.UTF_8);
    }

    /** With what the keys of a list begin: its kind, and whose it is, so that no name is the beginning of another. */
    static byte[] list(char kind, String whose) {
        byte[] utf8 = utf8(whose);
        byte[] prefix = new byte[3 + utf8.length];
        prefix[0] = (byte) kind;
        prefix[1] = (byte) (utf8.length >> 8);
        prefix[2] = (byte) utf8.length;
        System.arraycopy(utf8, 0, prefix, 3, utf8.length);
        return prefix;
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
