package tailrace.journal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.CompactionStyle;
import org.rocksdb.DBOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import tailrace.config.TailraceConfig;
import tailrace.model.EventType;
import tailrace.model.ExecutionState;
import tailrace.model.IngestBatch;
import tailrace.model.Level;
import tailrace.model.SeqRange;

/** A journal of the first version, written byte by byte as that one did: universal compaction, keys without bucket. */
class UpgradeTest {
    private static final String ID = "~abcdef"; // its key begins like a point in time: 00 07 7e 61
    private static final int ENTRIES = 1_600;

    @Test
    void itIsReadWrittenOnAndTrimmedLikeAnyOther(@TempDir Path temp) throws Exception {
        Path directory = temp.resolve("journal");
        write(directory);
        var small = new TailraceConfig.Journal(32L << 20, true, 64L << 20, 16L << 20, 1L << 20);
        try (var open = new OpenJournal(directory, small, commit -> {})) {
            ExecutionState state = open.journal.execution(ID).orElseThrow();
            assertThat(state.lastSeq()).isEqualTo(ENTRIES);
            assertThat(state.userId()).isEqualTo("anna");
            assertThat(state.createdAtMicros()).isEqualTo(Batches.NOW);
            assertThat(open.journal.lastPosition()).isEqualTo(1);
            assertThat(open.journal.records(0, 1, 1).get(0).count()).isEqualTo(ENTRIES);
            assertThat(count(open)).isEqualTo(ENTRIES);

            // Entries that come now lie with the old ones; others do not
            IngestBatch more = Batches.of(ID, "more");
            assertThat(open.append(more).executions()).containsExactly(new SeqRange(ID, ENTRIES + 1, ENTRIES + 1));
            open.append(Batches.of("young", "1"));
            assertThat(count(open)).isEqualTo(ENTRIES + 1);
            assertThat(open.journal.bytesAfter(0)).isEqualTo(open.journal.totalBytes());
            assertThat(open.journal.bytesAfter(1)).isEqualTo(open.journal.totalBytes());
            assertThat(open.journal.bytesAfter(2)).isEqualTo(open.journal.totalBytes() - more.bytes());
        }
        try (var open = new OpenJournal(directory, small, commit -> {})) {
            long before = open.journal.space().liveBytes();
            open.after(Duration.ofHours(20));
            open.append(Batches.of("young", "2"));
            open.after(Duration.ofHours(5));
            open.trimmer(new AtomicLong(4), 32L << 20).expire();

            assertThat(count(open)).isZero();
            assertThat(open.journal.execution(ID).orElseThrow().hotFromSeq()).isEqualTo(ENTRIES + 2);
            assertThat(open.journal.space().liveBytes()).isLessThan(before / 2);
            assertThat(Batches.told(open.journal, "young")).containsExactly("1:1", "2:2");
            open.append(Batches.of(ID, "again"));
            assertThat(Batches.told(open.journal, ID)).containsExactly((ENTRIES + 2) + ":again");
            assertThat(open.journal.stored(ID).orElseThrow().bucket()).isNotEqualTo(Keys.NO_BUCKET);
        }
    }

    private static long count(OpenJournal open) {
        return open.journal.count(ID, 1, Long.MAX_VALUE, any -> true);
    }

    private static void write(Path directory) throws RocksDBException, IOException {
        Files.createDirectories(directory);
        RocksDB.loadLibrary();
        try (var universal = new ColumnFamilyOptions()
                        .setCompactionStyle(CompactionStyle.UNIVERSAL)
                        .setWriteBufferSize(1 << 20);
                var options = new DBOptions().setCreateIfMissing(true).setCreateMissingColumnFamilies(true)) {
            var families = new ArrayList<ColumnFamilyDescriptor>();
            for (String name : List.of("default", "entries", "journal", "executions", "idempotency")) {
                families.add(new ColumnFamilyDescriptor(name.getBytes(StandardCharsets.UTF_8), universal));
            }
            var handles = new ArrayList<ColumnFamilyHandle>();
            try (RocksDB db = RocksDB.open(options, directory.toString(), families, handles)) {
                long seq = 0;
                Random random = new Random(4);
                for (var entry : TrimmerTest.large(random, ID, ENTRIES).entries()) {
                    db.put(handles.get(1), key(++seq), entry.encoded());
                }
                db.put(handles.get(2), bytes(out -> out.writeLong(1)), record());
                db.put(handles.get(3), ID.getBytes(StandardCharsets.UTF_8), state());
                handles.forEach(ColumnFamilyHandle::close);
            }
        }
    }

    private interface Writing {
        void to(DataOutputStream out) throws IOException;
    }

    private static byte[] bytes(Writing writing) throws IOException {
        var bytes = new ByteArrayOutputStream();
        writing.to(new DataOutputStream(bytes));
        return bytes.toByteArray();
    }

    private static byte[] key(long seq) throws IOException {
        return bytes(out -> {
            out.writeShort(ID.length());
            out.write(ID.getBytes(StandardCharsets.UTF_8));
            out.writeLong(seq);
        });
    }

    private static void text(DataOutputStream out, String text) throws IOException {
        out.writeInt(text.length());
        out.write(text.getBytes(StandardCharsets.UTF_8));
    }

    private static byte[] record() throws IOException {
        return bytes(out -> {
            out.writeByte(1);
            out.writeBoolean(false);
            out.writeLong(1);
            out.writeInt(ENTRIES);
            out.writeInt(0);
            text(out, ID);
        });
    }

    private static byte[] state() throws IOException {
        return bytes(out -> {
            out.writeByte(1);
            text(out, ID);
            out.writeInt(-1);
            text(out, "anna");
            out.writeByte(1);
            for (long value : new long[] {1, ENTRIES, ENTRIES}) {
                out.writeLong(value);
            }
            for (int counters : new int[] {Level.values().length, EventType.values().length}) {
                out.writeByte(counters);
                out.write(new byte[counters * Long.BYTES]);
            }
            out.writeLong(0);
            out.writeShort(-1);
            for (long value : new long[] {Batches.NOW, 0, 0, Batches.NOW, Batches.NOW, Batches.NOW, 1}) {
                out.writeLong(value);
            }
        });
    }
}
