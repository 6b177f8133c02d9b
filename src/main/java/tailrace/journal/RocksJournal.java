package tailrace.journal;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.Slice;
import org.rocksdb.WriteOptions;
import tailrace.model.Bytes;
import tailrace.model.ExecutionState;
import tailrace.model.JournalId;
import tailrace.model.JournalRecord;
import tailrace.model.LogEntry;

/**
 * The journal on RocksDB: one write-ahead log under all column families, so one atomic batch and one fsync cover an
 * entry, its place in the journal, its execution's state and its idempotency keys. Reads may come from any thread;
 * {@link #commit} belongs to the journal thread. Longer than most files, because every use of the files must go through
 * the one lock that {@link #reopen} takes.
 */
public final class RocksJournal implements Journal, AutoCloseable {
    private static final byte[] JOURNAL_ID = Keys.utf8("journal_id");
    private static final byte[] SUCCESSION = Keys.utf8("succession");
    private static final byte[] PROBE = Keys.utf8("probe");
    private static final int PROBE_BYTES = 64 << 10;
    private static final byte[] REGISTERED = Keys.utf8("registered");

    private final Path directory;
    private final boolean sync;
    private final RocksFiles.Sizes sizes;
    private final JournalSpace space;
    private final ReadWriteLock lock = new ReentrantReadWriteLock();
    private final StateCache states = new StateCache();
    private final SummaryStore summaries = new SummaryStore(this);
    private final StatsStore stats = new StatsStore(this, summaries.marking);
    private @Nullable RocksFiles files;
    private final JournalId id;
    private volatile long lastPosition;
    private volatile long totalBytes;
    private volatile int newestBucket;
    private volatile Succession succession = Succession.NONE;
    private volatile long registeredGeneration;

    /**
     * What a journal that follows a lost one must keep clear of (promise 7).
     *
     * @param generation 1 for the first journal of a database
     * @param atMicros when it took over
     */
    record Succession(int generation, long atMicros) {
        static final Succession NONE = new Succession(1, 0);
    }

    private RocksJournal(Path directory, boolean sync, long maxBytes) {
        this.directory = directory;
        this.sync = sync;
        this.sizes = RocksFiles.Sizes.of(maxBytes);
        this.space = new JournalSpace(this, directory);
        RocksFiles opened = openFiles();
        this.files = opened;
        this.id = readOrMakeId(opened);
        readMeta(opened);
    }

    private RocksJournal(Path directory, RocksFiles readOnly) {
        this.directory = directory;
        this.sync = true;
        this.sizes = RocksFiles.Sizes.of(Long.MAX_VALUE);
        this.space = new JournalSpace(this, directory);
        this.files = readOnly;
        this.id = readId(readOnly).orElseThrow(() -> {
            readOnly.close();
            return new JournalUnavailableException("The journal in " + directory + " was never used.");
        });
        readMeta(readOnly);
    }

    /**
     * Opens the journal in a directory, or makes one.
     *
     * @param sync false answers before the disk has it: for measuring, and for the test that must fail by it
     * @throws JournalDamagedException if a checksum fails
     * @throws JournalUnavailableException if the directory cannot be used
     */
    public static RocksJournal open(Path directory, boolean sync) {
        return open(directory, sync, Long.MAX_VALUE);
    }

    /**
     * Opens a journal to be looked at while no server uses it, and changes nothing; writing to it fails. What its logs
     * hold beyond its tables is in memory as long as it is open.
     *
     * @throws JournalDamagedException if a log or the list of tables is damaged
     * @throws JournalUnavailableException if there is none, or it cannot be read
     */
    public static RocksJournal openReadOnly(Path directory) {
        return new RocksJournal(directory, RocksFiles.readOnly(directory));
    }

    /**
     * The same, for a journal that shall not become larger than so many bytes: its buffers and logs are a small part of
     * them.
     */
    public static RocksJournal open(Path directory, boolean sync, long maxBytes) {
        return new RocksJournal(directory, sync, maxBytes);
    }

    private RocksFiles openFiles() {
        try {
            Files.createDirectories(directory);
            if (Files.getFileAttributeView(directory, PosixFileAttributeView.class) != null) {
                // What people log is nobody else's business.
                Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
            }
        } catch (IOException e) {
            throw new JournalUnavailableException(
                    "The journal's directory " + directory
                            + " cannot be made; set TAILRACE_DATA_DIR to a writable one.",
                    e);
        }
        return new RocksFiles(directory, sizes);
    }

    private Optional<JournalId> readId(RocksFiles opened) {
        try {
            byte[] stored = opened.db.get(opened.meta, JOURNAL_ID);
            return stored == null
                    ? Optional.empty()
                    : Optional.of(new JournalId(new UUID(Bytes.getLong(stored, 0), Bytes.getLong(stored, Long.BYTES))));
        } catch (RocksDBException e) {
            opened.close();
            throw RocksFiles.failure(directory, e);
        }
    }

    private JournalId readOrMakeId(RocksFiles opened) {
        return readId(opened).orElseGet(() -> makeId(opened));
    }

    private JournalId makeId(RocksFiles opened) {
        try {
            UUID made = UUID.randomUUID();
            byte[] value = new byte[2 * Long.BYTES];
            Bytes.putLong(value, 0, made.getMostSignificantBits());
            Bytes.putLong(value, Long.BYTES, made.getLeastSignificantBits());
            try (var options = new WriteOptions().setSync(true)) {
                opened.db.put(opened.meta, options, JOURNAL_ID, value);
            }
            return new JournalId(made);
        } catch (RocksDBException e) {
            opened.close();
            throw RocksFiles.failure(directory, e);
        }
    }

    private void readMeta(RocksFiles opened) {
        try (RocksIterator last = opened.db.newIterator(opened.positions);
                RocksIterator newest = opened.db.newIterator(opened.entries)) {
            last.seekToLast();
            last.status();
            lastPosition = last.isValid() ? Bytes.getLong(last.key(), 0) : 0;
            totalBytes = last.isValid()
                    ? StateCodec.decodeRecord(lastPosition, last.value()).totalBytes()
                    : 0;
            newest.seekToLast();
            newest.status();
            newestBucket = newest.isValid() ? Keys.bucketOf(newest.key()) : Keys.NO_BUCKET;
            byte[] stored = opened.db.get(opened.meta, SUCCESSION);
            if (stored != null) {
                succession = new Succession(Bytes.getInt(stored, 0), Bytes.getLong(stored, Integer.BYTES));
            }
            byte[] registered = opened.db.get(opened.meta, REGISTERED);
            registeredGeneration = registered == null ? 0 : Bytes.getLong(registered, 0);
        } catch (RocksDBException e) {
            throw RocksFiles.failure(directory, e);
        }
    }

    @Override
    public JournalId id() {
        return id;
    }

    @Override
    public long lastPosition() {
        return lastPosition;
    }

    /** Bytes of all encoded entries ever appended; earlier versions did not count. Reads no file. */
    long totalBytes() {
        return totalBytes;
    }

    /** Bytes of the encoded entries behind a position: what a cursor that stands there still needs. Reads a file. */
    public long bytesAfter(long position) {
        return reading(files -> {
            long total = totalBytes;
            try (RocksIterator at = files.db.newIterator(files.positions)) {
                at.seek(Keys.position(position + 1));
                at.status();
                if (!at.isValid()) {
                    return 0L;
                }
                JournalRecord next = StateCodec.decodeRecord(0, at.value());
                return Math.max(0, total - next.totalBytes() + next.bytes());
            }
        });
    }

    /** Where executions that begin now lie; never before those that began earlier, whatever the clock does. */
    int bucketAt(long epochMicros) {
        int bucket = Math.max(newestBucket, Keys.bucketAt(epochMicros));
        newestBucket = bucket;
        return bucket;
    }

    /** No execution will begin in a bucket before this one. */
    int newestBucket() {
        return newestBucket;
    }

    /** Of the files on disk. */
    JournalSpace space() {
        return space;
    }

    /** What is kept with each execution beside its state, by a cursor that comes after the commits. */
    public SummaryStore summaries() {
        return summaries;
    }

    /** The statistics that the same cursor keeps. */
    public StatsStore stats() {
        return stats;
    }

    Succession succession() {
        return succession;
    }

    /**
     * Takes in executions that PostgreSQL knows, so that this empty journal gives none of their seqs again.
     *
     * @param generation of this journal, 2 or more
     */
    void adopt(int generation, List<ExecutionState> known) {
        try (Group group = begin()) {
            known.forEach(
                    state -> group.putState(StoredState.of(Sequencer.jumped(state, generation), Keys.NO_BUCKET, 0)));
            commit(group);
        }
    }

    /** Makes this journal the follower of a lost one, all of whose executions PostgreSQL knows are adopted. */
    void succeed(int generation, long atMicros) {
        byte[] value = new byte[Integer.BYTES + Long.BYTES];
        Bytes.putInt(value, 0, generation);
        Bytes.putLong(value, Integer.BYTES, atMicros);
        putMeta(SUCCESSION, value);
        succession = new Succession(generation, atMicros);
    }

    /** Remembers the number PostgreSQL registered this journal under. */
    void registered(long generation) {
        byte[] value = new byte[Long.BYTES];
        Bytes.putLong(value, 0, generation);
        putMeta(REGISTERED, value);
        registeredGeneration = generation;
    }

    /** The number PostgreSQL registered this journal under, 0 while it has not. */
    long registeredGeneration() {
        return registeredGeneration;
    }

    /** What was noted, if anything. */
    Optional<byte[]> noted(byte[] key) {
        return reading(files -> Optional.ofNullable(files.db.get(files.meta, key)));
    }

    /** Keeps something that may be lost in a crash. */
    void note(byte[] key, byte[] value) {
        reading(files -> {
            files.db.put(files.meta, key, value);
            return true;
        });
    }

    private void putMeta(byte[] key, byte[] value) {
        try (Group group = begin()) {
            group.putMeta(key, value);
            commit(group);
        }
    }

    /** What is remembered under keys that begin so, in their order. */
    List<byte[]> metaValues(byte[] prefix) {
        return reading(files -> {
            var values = new ArrayList<byte[]>();
            try (RocksIterator at = files.db.newIterator(files.meta)) {
                at.seek(prefix);
                while (at.isValid() && Keys.startsWith(at.key(), prefix)) {
                    values.add(at.value());
                    at.next();
                }
                at.status();
            }
            return values;
        });
    }

    @Override
    public long firstPosition() {
        return reading(files -> {
            try (RocksIterator first = files.db.newIterator(files.positions)) {
                first.seekToFirst();
                first.status();
                return first.isValid() ? Bytes.getLong(first.key(), 0) : lastPosition + 1;
            }
        });
    }

    @Override
    public List<JournalRecord> records(long afterPosition, int maxRecords, int maxEntries) {
        return reading(files -> {
            var records = new ArrayList<JournalRecord>();
            long entries = 0;
            try (RocksIterator at = files.db.newIterator(files.positions)) {
                at.seek(Keys.position(afterPosition + 1));
                while (at.isValid() && records.size() < maxRecords && entries < maxEntries) {
                    var record = StateCodec.decodeRecord(Bytes.getLong(at.key(), 0), at.value());
                    records.add(record);
                    entries += record.count();
                    at.next();
                }
                at.status();
            }
            return records;
        });
    }

    @Override
    public Optional<ExecutionState> execution(String executionId) {
        return stored(executionId).flatMap(StoredState::known);
    }

    /**
     * Executions the store knows, in the order of their ids' bytes, page by page.
     *
     * @param fromId the first that may be among them; "" for all
     */
    public List<ExecutionState> executions(String fromId, int max) {
        return reading(files -> {
            var page = new ArrayList<ExecutionState>();
            try (RocksIterator at = files.db.newIterator(files.executions)) {
                for (at.seek(Keys.utf8(fromId)); at.isValid() && page.size() < max; at.next()) {
                    StateCodec.decodeStored(at.value()).known().ifPresent(page::add);
                }
                at.status();
            }
            return page;
        });
    }

    /** What the files say of an execution, also of one that is retired. */
    Optional<StoredState> stored(String executionId) {
        // The files' lock before the cache's: reopening, which clears the cache, holds them in this order, too.
        return reading(files -> states.get(executionId, missing -> readState(files, missing)));
    }

    /** The same, for those who look at many that nobody else asks for. */
    Optional<StoredState> peek(String executionId) {
        return reading(files -> states.peek(executionId, missing -> readState(files, missing)));
    }

    private @Nullable StoredState readState(RocksFiles from, String executionId) {
        try {
            byte[] stored = from.db.get(from.executions, Keys.utf8(executionId));
            return stored == null ? null : StateCodec.decodeStored(stored);
        } catch (RocksDBException e) {
            throw RocksFiles.failure(directory, e);
        }
    }

    @Override
    public List<LogEntry> entries(
            String executionId,
            long fromSeq,
            long toSeq,
            boolean ascending,
            int maxEntries,
            long maxBytes,
            Predicate<LogEntry> filter) {
        var found = new ArrayList<LogEntry>();
        scan(executionId, fromSeq, toSeq, ascending, new Visitor() {
            private long bytes;

            @Override
            public boolean visit(LogEntry entry) {
                if (filter.test(entry)) {
                    found.add(entry);
                    bytes += entry.encoded().length;
                }
                return found.size() < maxEntries && bytes < maxBytes;
            }
        });
        return found;
    }

    @Override
    public long count(String executionId, long fromSeq, long toSeq, Predicate<LogEntry> filter) {
        long[] count = new long[1];
        scan(executionId, fromSeq, toSeq, true, entry -> {
            if (filter.test(entry)) {
                count[0]++;
            }
            return true;
        });
        return count[0];
    }

    private interface Visitor {
        /** Whether to go on. */
        boolean visit(LogEntry entry);
    }

    private void scan(String executionId, long fromSeq, long toSeq, boolean ascending, Visitor visitor) {
        StoredState stored = stored(executionId).orElse(null);
        ExecutionState state = stored == null ? null : stored.state();
        if (stored == null || state == null) {
            return;
        }
        // What is below may not be gone yet from the files, and is not told.
        long low = Math.max(fromSeq, state.hotFromSeq());
        if (low > toSeq) {
            return;
        }
        int bucket = stored.bucket();
        byte[] utf8 = Keys.utf8(executionId);
        long upTo = toSeq == Long.MAX_VALUE ? toSeq : toSeq + 1;
        reading(files -> {
            try (Slice lower = new Slice(Keys.entry(bucket, utf8, low));
                    Slice upper = new Slice(Keys.entry(bucket, utf8, upTo));
                    ReadOptions options =
                            new ReadOptions().setIterateLowerBound(lower).setIterateUpperBound(upper);
                    RocksIterator at = files.db.newIterator(files.entries, options)) {
                if (ascending) {
                    at.seekToFirst();
                } else {
                    at.seekToLast();
                }
                while (at.isValid() && visitor.visit(new LogEntry(Keys.seqOf(at.key()), at.value()))) {
                    if (ascending) {
                        at.next();
                    } else {
                        at.prev();
                    }
                }
                at.status();
            }
            return true;
        });
    }

    /** Starts what becomes durable as one. */
    Group begin() {
        return reading(Group::new);
    }

    /**
     * Writes a group with one fsync and makes its states those that readers see.
     *
     * @throws JournalUnavailableException if it could not be written; whether the disk has it is known only after {@link
     *     #reopen}
     */
    void commit(Group group) {
        write(group, sync);
        group.states().forEach(stored -> stored.known().ifPresent(state -> states.put(state.executionId(), stored)));
        if (group.lastPosition() > lastPosition) {
            totalBytes = group.totalBytes();
            lastPosition = group.lastPosition();
        }
    }

    /**
     * Writes a group that only removes. Not synced: after a crash it is removed again, and what is committed later is
     * never there without it. {@link JournalSpace#reclaim} syncs before it touches files.
     */
    void remove(Group group) {
        write(group, false);
        group.states()
                .forEach(stored -> stored.known().ifPresent(state -> states.replace(state.executionId(), stored)));
        group.retired().forEach((id, highestSeq) -> states.replace(id, StoredState.retired(highestSeq)));
    }

    private void write(Group group, boolean synced) {
        reading(files -> {
            try (WriteOptions options = new WriteOptions().setSync(synced)) {
                files.db.write(options, group.batch());
            }
            return true;
        });
    }

    /**
     * Closes the files after a failed write and opens them again, so that memory says what the disk says.
     *
     * @throws JournalUnavailableException if they still cannot be used
     */
    void reopen() {
        space.interrupt();
        lock.writeLock().lock();
        try {
            RocksFiles old = files;
            files = null;
            if (old != null) {
                old.close();
            }
            RocksFiles opened = openFiles();
            readMeta(opened);
            files = opened;
            states.clear();
        } finally {
            lock.writeLock().unlock();
        }
    }

    /**
     * Writes something as large as a small group, for nothing: after a failure, an opening alone does not show that
     * writing is possible again.
     */
    void probe() {
        putMeta(PROBE, new byte[PROBE_BYTES]);
        putMeta(PROBE, new byte[0]);
    }

    /** How often the log was synced since it was opened, by RocksDB's own count. */
    public long walSyncs() {
        return reading(RocksFiles::walSyncs);
    }

    /** Bytes its files take on disk, the write-ahead log included; as of a moment ago. */
    public long sizeBytes() {
        return space.sizeBytes();
    }

    /** Bytes the disk under it has left. */
    long freeBytes() {
        return space.freeBytes();
    }

    @Override
    public void close() {
        space.interrupt();
        lock.writeLock().lock();
        try {
            if (files != null) {
                files.close();
                files = null;
            }
        } finally {
            lock.writeLock().unlock();
        }
    }

    /** What reads or writes the files. */
    interface Access<T> {
        T with(RocksFiles files) throws RocksDBException;
    }

    <T> T reading(Access<T> access) {
        lock.readLock().lock();
        try {
            RocksFiles open = files;
            if (open == null) {
                throw new JournalUnavailableException("The journal is closed.");
            }
            return access.with(open);
        } catch (RocksDBException e) {
            throw RocksFiles.failure(directory, e);
        } finally {
            lock.readLock().unlock();
        }
    }
}
