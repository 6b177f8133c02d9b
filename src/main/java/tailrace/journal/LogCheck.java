package tailrace.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * Reads the write-ahead logs through before RocksDB does, because RocksDB does not tell damage from a torn tail in every
 * case. A record that claims to be longer than the file is, to RocksDB, what a crash left of the last write: it drops it
 * and all that stands behind it. No crash writes behind a torn record, though: where a whole one follows, a length was
 * damaged, and opening would lose what was acknowledged. A damaged type can keep RocksDB 10.10 busy for ever.
 *
 * <p>The form is that of RocksDB's log_format.h: blocks of records, each CRC (4), length (2), type (1), payload, numbers
 * little-endian; a block's last bytes are zero where no header fits any more.
 */
final class LogCheck {
    private static final int BLOCK_BYTES = 32 << 10;
    private static final int HEADER_BYTES = 7;
    private static final int TYPE_AT = 6;
    private static final int MAX_TYPE = 4; // full, first, middle, last
    private static final int BUFFER_BYTES = 64 * BLOCK_BYTES;

    private final ByteBuffer block;
    private final boolean last;

    private LogCheck(ByteBuffer block, boolean last) {
        this.block = block.order(ByteOrder.LITTLE_ENDIAN);
        this.last = last;
    }

    /** The logs in a journal's directory that are damaged and not merely torn at their end; changes nothing. */
    static List<Path> damaged(Path directory) throws IOException {
        var damaged = new ArrayList<Path>();
        try (var files = Files.list(directory)) {
            for (Path file :
                    files.filter(name -> name.toString().endsWith(".log")).toList()) {
                if (isDamaged(file)) {
                    damaged.add(file);
                }
            }
        }
        return damaged;
    }

    private static boolean isDamaged(Path file) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            long size = channel.size();
            for (long at = 0; at < size; at += buffer.limit()) {
                buffer.clear().limit((int) Math.min(BUFFER_BYTES, size - at));
                while (buffer.hasRemaining()) {
                    if (channel.read(buffer, at + buffer.position()) < 0) {
                        throw new IOException(file + " became shorter while it was read");
                    }
                }
                for (int from = 0; from < buffer.limit(); from += BLOCK_BYTES) {
                    int length = Math.min(BLOCK_BYTES, buffer.limit() - from);
                    if (new LogCheck(buffer.slice(from, length), at + from + length == size).damaged()) {
                        return true;
                    }
                }
            }
            return false;
        }
    }

    private boolean damaged() {
        int at = 0;
        while (at + HEADER_BYTES <= block.limit()) {
            int length = lengthAt(at);
            if (at + HEADER_BYTES + length > block.limit()) {
                return !last || isWhole(at, block.limit() - at - HEADER_BYTES) || wholeBehind(at);
            }
            if (!isWhole(at, length)) {
                return !isZero(at); // room that was reserved and never written
            }
            at += HEADER_BYTES + length;
        }
        return false;
    }

    // Log content cannot imitate a record: a type is a control character, which JSON has only escaped.
    private boolean wholeBehind(int torn) {
        for (int at = torn + 1; at + HEADER_BYTES <= block.limit(); at++) {
            int length = lengthAt(at);
            if (at + HEADER_BYTES + length <= block.limit() && isWhole(at, length)) {
                return true;
            }
        }
        return false;
    }

    private boolean isZero(int from) {
        for (int at = from; at < block.limit(); at++) {
            if (block.get(at) != 0) {
                return false;
            }
        }
        return last;
    }

    private int lengthAt(int at) {
        return Short.toUnsignedInt(block.getShort(at + 4));
    }

    private boolean isWhole(int at, int length) {
        int type = block.get(at + TYPE_AT);
        if (type < 1 || type > MAX_TYPE) {
            return false;
        }
        var crc = new CRC32C();
        crc.update(block.slice(at + TYPE_AT, length + 1));
        return block.getInt(at) == Integer.rotateRight((int) crc.getValue(), 15) + 0xa282ead8;
    }
}
