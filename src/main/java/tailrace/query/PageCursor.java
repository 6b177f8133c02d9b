package tailrace.query;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Optional;
import java.util.zip.CRC32;

/**
 * Where a page ended: a seq, so that entries arriving later move nothing. Opaque to clients; bound to its execution and
 * order, so that one used elsewhere by mistake is refused rather than answered with nonsense.
 *
 * @param ascending the order it continues
 * @param seq the last seq that was dealt with: pages go on above it, or below it if descending
 */
public record PageCursor(boolean ascending, long seq) {
    private static final byte VERSION = 1;
    private static final int BYTES = 14;

    /** URL-safe text. */
    public String encode(String executionId) {
        byte[] bytes = ByteBuffer.allocate(BYTES)
                .put(VERSION)
                .put((byte) (ascending ? 1 : 0))
                .putLong(seq)
                .putInt(check(executionId))
                .array();
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    /** What {@link #encode} made for this execution, or nothing. */
    public static Optional<PageCursor> decode(String text, String executionId) {
        byte[] bytes;
        try {
            bytes = Base64.getUrlDecoder().decode(text);
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
        if (bytes.length != BYTES) {
            return Optional.empty();
        }
        ByteBuffer from = ByteBuffer.wrap(bytes);
        byte version = from.get();
        byte order = from.get();
        long seq = from.getLong();
        boolean ours =
                version == VERSION && order >= 0 && order <= 1 && seq >= 0 && from.getInt() == check(executionId);
        return ours ? Optional.of(new PageCursor(order == 1, seq)) : Optional.empty();
    }

    private static int check(String executionId) {
        CRC32 crc = new CRC32();
        crc.update(executionId.getBytes(StandardCharsets.UTF_8));
        return (int) crc.getValue();
    }
}
