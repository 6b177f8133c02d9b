package tailrace.live;

import io.netty.buffer.ByteBuf;
import java.net.URLDecoder;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.CRC32;

/**
 * The id of events of named executions: {@code execution:seq} pairs, percent-encoded and separated by commas, where a
 * star behind the seq says that COMPLETE was sent. Where they would be long, since each event carries them: {@code c.},
 * a checksum of the executions' ids, and the seqs alone in the order of the ids, in base64url. The ids are in the request
 * anyway. An execution that is not among the pairs was not begun.
 */
public final class NamedToken {
    /** Pairs longer than this are written in the short form; 100 seqs of it fit into 2 KiB. */
    private static final int MAX_PAIRS_CHARS = 1_024;

    private static final String SHORT = "c.";
    private static final int CHECKSUM_BYTES = Integer.BYTES;
    private static final int MAX_DIGITS = 18;

    private final List<String> sortedIds;
    private final Map<String, byte[]> encoded = new HashMap<>();
    private final int checksum;

    /** @param ids in any order, each once */
    public NamedToken(Collection<String> ids) {
        sortedIds = ids.stream().sorted().toList();
        CRC32 crc = new CRC32();
        for (String id : sortedIds) {
            encoded.put(id, EventFormat.ascii(percentEncoded(id)));
            crc.update(id.getBytes(StandardCharsets.UTF_8));
            crc.update('\n');
        }
        checksum = (int) crc.getValue();
    }

    /**
     * Where a reader stands in one execution.
     *
     * @param told whether its end was told
     */
    public record Position(long seq, boolean told) {
        static final Position START = new Position(0, false);
    }

    /** Writes where these stand. */
    void write(Map<String, Leg> legs, ByteBuf to) {
        int start = to.writerIndex();
        for (String id : sortedIds) {
            Leg leg = legs.get(id);
            if (leg == null || leg.cursor == 0 && !leg.told) {
                continue;
            }
            if (to.writerIndex() > start) {
                to.writeByte(',');
            }
            to.writeBytes(encoded.getOrDefault(id, new byte[0])).writeByte(':');
            to.writeCharSequence(Long.toString(leg.cursor), StandardCharsets.US_ASCII);
            if (leg.told) {
                to.writeByte('*');
            }
            if (to.writerIndex() - start > MAX_PAIRS_CHARS) {
                to.writerIndex(start);
                to.writeCharSequence(shortForm(legs), StandardCharsets.US_ASCII);
                return;
            }
        }
    }

    private String shortForm(Map<String, Leg> legs) {
        ByteBuffer bytes = ByteBuffer.allocate(CHECKSUM_BYTES + sortedIds.size() * Varint.MAX_BYTES);
        bytes.putInt(checksum);
        for (String id : sortedIds) {
            Leg leg = legs.get(id);
            Varint.put(bytes, leg == null ? 0 : Varint.flagged(leg.cursor, leg.told));
        }
        return SHORT + base64(bytes);
    }

    static String base64(ByteBuffer written) {
        byte[] used = new byte[written.position()];
        written.flip().get(used);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(used);
    }

    /** Where the reader stands who sent this; empty if it is no such id, or one of other executions in the short form. */
    public Optional<Map<String, Position>> parse(String text) {
        try {
            return Optional.of(text.startsWith(SHORT) && text.indexOf(':') < 0 ? parseShort(text) : parsePairs(text));
        } catch (RuntimeException malformed) { // base64, percent-encoding, numbers and buffers each have their own
            return Optional.empty();
        }
    }

    private Map<String, Position> parseShort(String text) {
        ByteBuffer bytes = ByteBuffer.wrap(Base64.getUrlDecoder().decode(text.substring(SHORT.length())));
        if (bytes.getInt() != checksum) {
            throw new IllegalArgumentException("of other executions");
        }
        Map<String, Position> positions = new HashMap<>();
        for (String id : sortedIds) {
            positions.put(id, position(Varint.get(bytes)));
        }
        if (bytes.hasRemaining()) {
            throw new IllegalArgumentException("longer than it should be");
        }
        return positions;
    }

    static Position position(long flagged) {
        return new Position(flagged >>> 1, (flagged & 1) == 1);
    }

    private Map<String, Position> parsePairs(String text) {
        Map<String, Position> positions = new HashMap<>();
        for (String pair : text.split(",", -1)) {
            int colon = pair.indexOf(':');
            String id = URLDecoder.decode(pair.substring(0, colon).replace("+", "%2B"), StandardCharsets.UTF_8);
            boolean told = pair.endsWith("*");
            String digits = pair.substring(colon + 1, pair.length() - (told ? 1 : 0));
            if (id.isEmpty() || digits.isEmpty() || !digits.chars().allMatch(c -> c >= '0' && c <= '9')) {
                throw new IllegalArgumentException(pair);
            }
            // A number that long is none of ours, and gets everything.
            long seq = digits.length() > MAX_DIGITS ? Long.MAX_VALUE : Long.parseLong(digits);
            if (encoded.containsKey(id) && positions.put(id, new Position(seq, told)) != null) {
                throw new IllegalArgumentException("twice: " + id);
            }
        }
        return positions;
    }

    /** All but RFC 3986's unreserved characters as percent and two digits. */
    static String percentEncoded(String id) {
        StringBuilder text = new StringBuilder();
        for (byte b : id.getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (b & 0xff);
            if (c < 0x80 && (Character.isLetterOrDigit(c) || "-._~".indexOf(c) >= 0)) {
                text.append(c);
            } else {
                text.append(String.format("%%%02X", (int) c));
            }
        }
        return text.toString();
    }
}
