package tailrace.query;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Optional;
import java.util.zip.CRC32;

/**
 * Where a page across executions ended: everything from there on is older. Opaque to clients; bound to its workflow, or
 * to none, so that one used elsewhere by mistake is refused.
 *
 * @param receivedAtMicros of the last entry, or of how far was looked
 * @param executionId of the last entry; "" if everything received at that time was dealt with
 * @param seq of the last entry
 */
public record SearchCursor(long receivedAtMicros, String executionId, long seq) {
    private static final byte VERSION = 1;
    private static final int FIXED_BYTES = 21;
    /** Of an execution's id; 255 characters. */
    private static final int MAX_ID_BYTES = 1024;

    /** URL-safe text. */
    public String encode(Optional<String> workflowId) {
        byte[] id = executionId.getBytes(StandardCharsets.UTF_8);
        byte[] bytes = ByteBuffer.allocate(FIXED_BYTES + id.length)
                .put(VERSION)
                .putInt(check(workflowId))
                .putLong(receivedAtMicros)
                .putLong(seq)
                .put(id)
                .array();
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    /** What {@link #encode} made for the same workflow, or nothing. */
    public static Optional<SearchCursor> decode(String text, Optional<String> workflowId) {
        byte[] bytes;
        try {
            bytes = Base64.getUrlDecoder().decode(text);
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
        if (bytes.length < FIXED_BYTES || bytes.length > FIXED_BYTES + MAX_ID_BYTES) {
            return Optional.empty();
        }
        ByteBuffer from = ByteBuffer.wrap(bytes);
        boolean ours = from.get() == VERSION && from.getInt() == check(workflowId);
        long receivedAt = from.getLong();
        long seq = from.getLong();
        String id = new String(bytes, FIXED_BYTES, bytes.length - FIXED_BYTES, StandardCharsets.UTF_8);
        // Times that PostgreSQL cannot hold are nobody's.
        boolean possible = receivedAt > 0 && receivedAt < MAX_MICROS && seq >= 0 && id.indexOf(0) < 0;
        return ours && possible ? Optional.of(new SearchCursor(receivedAt, id, seq)) : Optional.empty();
    }

    /** The year 9999. */
    private static final long MAX_MICROS = 253_402_300_800_000_000L;

    private static int check(Optional<String> workflowId) {
        CRC32 crc = new CRC32();
        crc.update(workflowId.map(id -> "w" + id).orElse("").getBytes(StandardCharsets.UTF_8));
        return (int) crc.getValue();
    }
}
