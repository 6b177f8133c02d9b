package tailrace.live;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.zip.CRC32;

/**
 * The id of a workflow's events: where the reader stands in each execution that is being shown, by a hash of its id, and
 * what can be said of all others. It names no journal and no position, so it means the same on any node and after a lost
 * data directory.
 *
 * @param knownAtMillis an execution that is not among the members and had ended by then was shown to its end, or was over
 *     before the stream began
 * @param quietBeforeMillis one that is not among the members and had its last entry before this was let go, as too many
 *     were live; {@code 0} if none was
 * @param members by {@link #hash}
 */
public record WorkflowToken(long knownAtMillis, long quietBeforeMillis, Map<Long, NamedToken.Position> members) {
    /** As many as fit into 4 KiB, whatever their seqs. */
    static final int MAX_MEMBERS = 250;

    private static final String PREFIX = "w.";
    private static final byte VERSION = 1;
    private static final int HASH_BYTES = 5;
    private static final int HEAD_BYTES = 1 + Integer.BYTES + 2 * Varint.MAX_BYTES;

    /** 40 bits: among 250 executions two have the same once in 35 million streams. */
    static long hash(String executionId) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(executionId.getBytes(StandardCharsets.UTF_8));
            return ByteBuffer.wrap(digest).getLong() >>> (Long.SIZE - 8 * HASH_BYTES);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    String encode(String workflowId) {
        ByteBuffer bytes = ByteBuffer.allocate(HEAD_BYTES + members.size() * (HASH_BYTES + Varint.MAX_BYTES));
        bytes.put(VERSION).putInt(checksum(workflowId));
        Varint.put(bytes, knownAtMillis);
        Varint.put(bytes, quietBeforeMillis);
        members.forEach((hash, position) -> {
            for (int shift = 8 * (HASH_BYTES - 1); shift >= 0; shift -= 8) {
                bytes.put((byte) (hash >>> shift));
            }
            Varint.put(bytes, Varint.flagged(position.seq(), position.told()));
        });
        return PREFIX + NamedToken.base64(bytes);
    }

    /** Empty if it is none, or one of another workflow. */
    public static Optional<WorkflowToken> parse(String text, String workflowId) {
        if (!text.startsWith(PREFIX)) {
            return Optional.empty();
        }
        try {
            ByteBuffer bytes = ByteBuffer.wrap(Base64.getUrlDecoder().decode(text.substring(PREFIX.length())));
            if (bytes.get() != VERSION || bytes.getInt() != checksum(workflowId)) {
                return Optional.empty();
            }
            long knownAt = Varint.get(bytes);
            long quietBefore = Varint.get(bytes);
            Map<Long, NamedToken.Position> members = new LinkedHashMap<>();
            while (bytes.hasRemaining()) {
                long hash = 0;
                for (int i = 0; i < HASH_BYTES; i++) {
                    hash = hash << 8 | bytes.get() & 0xffL;
                }
                members.put(hash, NamedToken.position(Varint.get(bytes)));
            }
            return members.size() > MAX_MEMBERS
                    ? Optional.empty()
                    : Optional.of(new WorkflowToken(knownAt, quietBefore, members));
        } catch (RuntimeException malformed) { // base64 and buffers each have their own
            return Optional.empty();
        }
    }

    private static int checksum(String workflowId) {
        CRC32 crc = new CRC32();
        crc.update(workflowId.getBytes(StandardCharsets.UTF_8));
        return (int) crc.getValue();
    }
}
