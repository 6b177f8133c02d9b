package tailrace.query;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.Optional;
import java.util.zip.CRC32;
import tailrace.journal.ExecutionIndex.Place;

/** A place in a list of executions as opaque text. What it names stays where it is, however many are made meanwhile. */
public final class ListCursor {
    private static final byte VERSION = 1;
    private static final int HEAD_BYTES = 1 + Integer.BYTES + Long.BYTES;

    private ListCursor() {}

    /** URL-safe. */
    public static String encode(Place place) {
        byte[] id = place.executionId().getBytes(StandardCharsets.UTF_8);
        byte[] bytes = ByteBuffer.allocate(HEAD_BYTES + id.length)
                .put(VERSION)
                .putInt(0)
                .putLong(place.createdAtMicros())
                .put(id)
                .array();
        ByteBuffer.wrap(bytes).putInt(1, check(bytes));
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    /** The place, or nothing if the text is none of ours. */
    public static Optional<Place> decode(String text) {
        byte[] bytes;
        try {
            bytes = Base64.getUrlDecoder().decode(text);
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
        if (bytes.length < HEAD_BYTES
                || bytes[0] != VERSION
                || ByteBuffer.wrap(bytes).getInt(1) != check(bytes)) {
            return Optional.empty();
        }
        return Optional.of(new Place(
                ByteBuffer.wrap(bytes).getLong(1 + Integer.BYTES),
                new String(bytes, HEAD_BYTES, bytes.length - HEAD_BYTES, StandardCharsets.UTF_8)));
    }

    private static int check(byte[] bytes) {
        CRC32 crc = new CRC32();
        crc.update(Arrays.copyOfRange(bytes, 1 + Integer.BYTES, bytes.length));
        return (int) crc.getValue();
    }
}
