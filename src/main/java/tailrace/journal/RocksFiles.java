package tailrace.journal;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.CompactionStyle;
import org.rocksdb.CompressionType;
import org.rocksdb.DBOptions;
import org.rocksdb.Env;
import org.rocksdb.InfoLogLevel;
import org.rocksdb.LRUCache;
import org.rocksdb.Options;
import org.rocksdb.Priority;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.Statistics;
import org.rocksdb.Status;
import org.rocksdb.TickerType;
import org.rocksdb.WALRecoveryMode;

/**
 * One opening of the RocksDB under the journal: its column families and options. Native memory is bounded by {@link
 * Sizes} for what is not in a file yet and by {@value #BLOCK_CACHE_BYTES} for blocks.
 * Using it after {@link #close} crashes the process, so {@link RocksJournal} guards every call with a lock.
 */
final class RocksFiles implements AutoCloseable {
    private static final long MIB = 1L << 20;
    private static final long GIB = 1L << 30;
    private static final long BLOCK_CACHE_BYTES = 32L << 20;
    // Synced while it is written, so that a flush does not end in one long fsync that stands in the commits' way.
    private static final long BYTES_PER_SYNC = 1L << 20;

    /**
     * What has to be a small part of the whole: in a small journal large buffers would leave nothing but logs.
     *
     * @param walBytes of write-ahead logs, before what they hold is written to files
     * @param memtableBytes of entries not in a file yet; twice as many before writes wait
     * @param smallMemtableBytes the same of each other column family
     * @param fileBytes a file of entries; what goes is whole files, so that they are small enough to be one thing
     * @param freshFiles of entries that gather before they are merged: the more, the fewer bytes are written twice, and
     *     the more room is taken by what was removed already
     */
    record Sizes(long walBytes, long memtableBytes, long smallMemtableBytes, long fileBytes, int freshFiles) {
        /** Each is this part of the journal's bound, within what makes sense for any. */
        static Sizes of(long maxBytes) {
            return new Sizes(
                    within(8 * MIB, maxBytes / 8, 384 * MIB),
                    within(2 * MIB, maxBytes / 64, 48 * MIB),
                    within(MIB, maxBytes / 128, 8 * MIB),
                    within(2 * MIB, maxBytes / 128, 32 * MIB),
                    (int) within(4, maxBytes / GIB, 12));
        }

        private static long within(long least, long wanted, long most) {
            return Math.max(least, Math.min(wanted, most));
        }
    }

    private final Sizes sizes;
    final RocksDB db;
    final ColumnFamilyHandle meta;
    final ColumnFamilyHandle entries;
    final ColumnFamilyHandle positions;
    final ColumnFamilyHandle executions;
    final ColumnFamilyHandle idempotency;
    /** Null where a journal of an earlier version is only looked at. */
    final @Nullable ColumnFamilyHandle summaries;

    private final Statistics statistics;
    private final List<AutoCloseable> owned = new ArrayList<>();
    private volatile boolean closed;

    static {
        RocksDB.loadLibrary();
    }

    /**
     * Opens or makes the files and verifies every checksum of their tables, which reads them once from end to end.
     *
     * @throws JournalDamagedException if a checksum fails; nothing was changed
     * @throws JournalUnavailableException if they cannot be opened for another reason
     */
    RocksFiles(Path directory, Sizes sizes) {
        this(directory, sizes, false);
        try {
            db.verifyChecksum();
        } catch (RocksDBException e) {
            close();
            throw failure(directory, e);
        }
    }

    /**
     * Opens the files to be read and changes none of them: what the logs hold beyond the tables goes to memory alone, as
     * much as the logs may have. The tables are not verified yet, see {@link JournalCheck}.
     *
     * @throws JournalDamagedException if a log is damaged, or a table so that it cannot be opened
     */
    static RocksFiles readOnly(Path directory) {
        return new RocksFiles(directory, Sizes.of(Long.MAX_VALUE), true);
    }

    private RocksFiles(Path directory, Sizes sizes, boolean readOnly) {
        this.sizes = sizes;
        requireSoundLogs(directory);
        statistics = own(new Statistics());
        try {
            var handles = new ArrayList<ColumnFamilyHandle>();
            db = readOnly
                    ? RocksDB.openReadOnly(own(options()), directory.toString(), present(directory), handles, false)
                    : RocksDB.open(own(options()), directory.toString(), families(), handles);
            meta = handles.get(0);
            entries = handles.get(1);
            positions = handles.get(2);
            executions = handles.get(3);
            idempotency = handles.get(4);
            summaries = handles.size() > 5 ? handles.get(5) : null;
        } catch (RocksDBException e) {
            closeOwned();
            throw failure(directory, e);
        }
    }

    private static void requireSoundLogs(Path directory) {
        try {
            List<Path> damaged = LogCheck.damaged(directory);
            if (!damaged.isEmpty()) {
                throw damaged(
                        directory, "its log " + damaged.get(0).getFileName() + " does not hold what was written", null);
            }
        } catch (IOException e) {
            throw new JournalUnavailableException(
                    "The journal in " + directory + " cannot be read: " + e.getMessage(), e);
        }
    }

    private DBOptions options() {
        Env env = Env.getDefault();
        env.setBackgroundThreads(1, Priority.HIGH);
        env.setBackgroundThreads(1, Priority.LOW);
        return new DBOptions()
                .setCreateIfMissing(true)
                .setCreateMissingColumnFamilies(true)
                // The default drops everything behind a damaged record in the middle without a word.
                .setWalRecoveryMode(WALRecoveryMode.TolerateCorruptedTailRecords)
                .setMaxTotalWalSize(sizes.walBytes())
                .setDbWriteBufferSize(4 * sizes.memtableBytes())
                .setMaxBackgroundJobs(2)
                .setBytesPerSync(BYTES_PER_SYNC)
                .setMaxOpenFiles(512)
                .setKeepLogFileNum(3)
                .setMaxLogFileSize(4L << 20)
                .setInfoLogLevel(InfoLogLevel.WARN_LEVEL)
                .setStatistics(statistics);
    }

    private List<ColumnFamilyDescriptor> families() {
        LRUCache cache = own(new LRUCache(BLOCK_CACHE_BYTES));
        BloomFilter bloom = own(new BloomFilter(10, false));
        return List.of(
                new ColumnFamilyDescriptor(RocksDB.DEFAULT_COLUMN_FAMILY, small(cache, bloom)),
                new ColumnFamilyDescriptor(Keys.utf8("entries"), large(cache)),
                new ColumnFamilyDescriptor(Keys.utf8("journal"), small(cache, bloom)),
                new ColumnFamilyDescriptor(Keys.utf8("executions"), small(cache, bloom)),
                new ColumnFamilyDescriptor(Keys.utf8("idempotency"), small(cache, bloom)),
                new ColumnFamilyDescriptor(Keys.utf8("summaries"), small(cache, bloom)));
    }

    /** The families that are there: who only looks makes none. */
    private List<ColumnFamilyDescriptor> present(Path directory) throws RocksDBException {
        try (Options options = new Options()) {
            List<byte[]> names = RocksDB.listColumnFamilies(options, directory.toString());
            return families().stream()
                    .filter(family -> names.stream().anyMatch(name -> Arrays.equals(name, family.getName())))
                    .toList();
        }
    }

    /** Where summaries are; for those who write. */
    ColumnFamilyHandle summaries() {
        return Objects.requireNonNull(summaries, "a journal that is only looked at has no summaries");
    }

    private ColumnFamilyOptions large(LRUCache cache) {
        return own(new ColumnFamilyOptions()
                .setWriteBufferSize(sizes.memtableBytes())
                .setMaxWriteBufferNumber(4)
                .setMinWriteBufferNumberToMerge(1)
                // Leveled, since only then a part can be dropped or written anew without the rest. Keys begin with
                // the time, so that new files seldom overlap old ones.
                .setCompactionStyle(CompactionStyle.LEVEL)
                .setLevelCompactionDynamicLevelBytes(true)
                .setTargetFileSizeBase(sizes.fileBytes())
                // What was just written is merged into no more than this, however much there is.
                .setMaxBytesForLevelBase(4 * sizes.fileBytes())
                // What is being rewritten is there twice for a while.
                .setMaxCompactionBytes(4 * sizes.fileBytes())
                .setLevel0FileNumCompactionTrigger(sizes.freshFiles())
                .setLevel0SlowdownWritesTrigger(40)
                .setLevel0StopWritesTrigger(64)
                .setCompressionType(CompressionType.LZ4_COMPRESSION)
                .setTableFormatConfig(
                        new BlockBasedTableConfig().setBlockCache(cache).setBlockSize(16 << 10)));
    }

    private ColumnFamilyOptions small(LRUCache cache, BloomFilter bloom) {
        return own(new ColumnFamilyOptions()
                .setWriteBufferSize(sizes.smallMemtableBytes())
                .setMaxWriteBufferNumber(3)
                .setCompressionType(CompressionType.LZ4_COMPRESSION)
                .setTableFormatConfig(
                        new BlockBasedTableConfig().setBlockCache(cache).setFilterPolicy(bloom)));
    }

    /** How often the write-ahead log was synced since it was opened; counted by RocksDB itself. */
    long walSyncs() {
        return statistics.getTickerCount(TickerType.WAL_FILE_SYNCED);
    }

    /** What a failed call means to those who wait for it. */
    static RuntimeException failure(Path directory, RocksDBException e) {
        Status status = e.getStatus();
        if (status != null && status.getCode() == Status.Code.Corruption) {
            return damaged(directory, String.valueOf(e.getMessage()), e);
        }
        if (String.valueOf(e.getMessage()).contains("lock")) {
            return new JournalUnavailableException(
                    "The journal in " + directory + " is in use by another process (" + e.getMessage()
                            + "). Stop it, or give this one another TAILRACE_DATA_DIR.",
                    e);
        }
        return new JournalUnavailableException(
                "The journal in " + directory + " cannot be written or read: " + e.getMessage(), e);
    }

    private static JournalDamagedException damaged(Path directory, String what, @Nullable Exception cause) {
        return new JournalDamagedException(
                "The journal in " + directory + " is damaged (" + what + "). Nothing was changed and nothing is taken."
                        + " Restore the directory from a copy; or keep it aside for examination (mv " + directory + " "
                        + directory + ".damaged) and start again: the server then goes on from what PostgreSQL knows,"
                        + " gives no seq twice and says what is missing.",
                cause);
    }

    private <T extends AutoCloseable> T own(T resource) {
        owned.add(resource);
        return resource;
    }

    /** For what was begun on these files and may outlive them: a failed journal is closed before it is opened again. */
    void requireOpen() {
        if (closed) {
            throw new JournalUnavailableException("The journal is closed.");
        }
    }

    @Override
    public void close() {
        closed = true;
        for (ColumnFamilyHandle handle : List.of(meta, entries, positions, executions, idempotency)) {
            handle.close();
        }
        if (summaries != null) {
            summaries.close();
        }
        db.close();
        closeOwned();
    }

    private void closeOwned() {
        for (int i = owned.size() - 1; i >= 0; i--) {
            try {
                owned.get(i).close();
            } catch (Exception e) {
                throw new IllegalStateException("closing the journal's options", e);
            }
        }
    }
}
