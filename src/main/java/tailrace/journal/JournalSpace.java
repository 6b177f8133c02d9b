package tailrace.journal;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.IntPredicate;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.CompactRangeOptions;
import org.rocksdb.LiveFileMetaData;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.Slice;
import org.rocksdb.Status;

/**
 * The room that the journal's files take, and how to get it back. What was removed is first covered by a mark in newer
 * files; the bytes return when whole files are dropped or the rest is written anew. Blocks, some of it for seconds: for
 * workers. Measuring is for any thread; {@link #reclaim} for one at a time.
 */
final class JournalSpace {
    /** A size that was measured is good for so long: gauges, the journal thread and health all ask. */
    private static final long MEASURED_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

    /** Ranges written anew at one go; each has a price of its own, so that many small ones are joined. */
    private static final int MAX_RANGES = 16;

    /** Compactions of unsorted files at one go; what they leave, others come for. */
    private static final int MAX_SORTS = 8;

    private static final byte[] ENTRIES = Keys.utf8("entries");

    private final RocksJournal journal;
    private final Path directory;
    private final Object measuring = new Object();
    private long measuredNanos;
    private long measuredBytes = -1;
    private final Object compacting = new Object();
    private @Nullable CompactRangeOptions running;
    private boolean stopped;

    JournalSpace(RocksJournal journal, Path directory) {
        this.journal = journal;
        this.directory = directory;
    }

    /** Bytes of all files, those included that RocksDB is about to remove; at most a moment old. */
    long sizeBytes() {
        synchronized (measuring) {
            long now = System.nanoTime();
            if (measuredBytes < 0 || now - measuredNanos > MEASURED_NANOS) {
                measuredBytes = filesBytes(any -> true);
                measuredNanos = now;
            }
            return measuredBytes;
        }
    }

    /** Bytes of what is held now: the tables in use and the write-ahead logs. */
    long liveBytes() {
        long tables = journal.reading(files -> files.db.getLiveFilesMetaData().stream()
                .mapToLong(LiveFileMetaData::size)
                .sum());
        return tables + filesBytes(file -> file.toString().endsWith(".log"));
    }

    private long filesBytes(Predicate<Path> wanted) {
        try (var listing = Files.list(directory)) {
            return listing.filter(wanted).mapToLong(JournalSpace::size).sum();
        } catch (IOException e) {
            throw new UncheckedIOException("listing the journal's files", e);
        }
    }

    private static long size(Path file) {
        try {
            return Files.size(file);
        } catch (IOException e) {
            return 0; // a file RocksDB has just removed
        }
    }

    /** Bytes the disk has left. */
    long freeBytes() {
        try {
            return Files.getFileStore(directory).getUsableSpace();
        } catch (IOException e) {
            throw new UncheckedIOException("asking for free space", e);
        }
    }

    /**
     * Gets back the bytes of entries that were removed: files of nothing else are dropped unread, the others are written
     * anew without them.
     *
     * @param removed ranges whose removal is committed
     */
    void reclaim(List<KeyRange> removed) {
        // Dropping files is durable at once. Were the states that say so lost in a power cut, it would be a hole.
        journal.reading(files -> {
            files.db.syncWal();
            return true;
        });
        List<KeyRange> gone = KeyRange.joined(removed, Integer.MAX_VALUE);
        dropWholeFiles(gone); // what is dropped need not be sorted
        sort(gone);
        List<KeyRange> mixed = dropWholeFiles(gone);
        for (KeyRange range : KeyRange.joined(mixed, MAX_RANGES)) {
            compact(files -> files.entries, range);
        }
    }

    /**
     * Has those of the newest files, which lie in the order of writing, sorted into the others that hold something
     * removed. One key is enough: RocksDB takes all files that have it in common, and what these have in common.
     */
    private void sort(List<KeyRange> removed) {
        for (int round = 0; round < MAX_SORTS; round++) {
            Optional<byte[]> key = journal.reading(files -> unsorted(files, removed));
            if (key.isEmpty()) {
                return;
            }
            compact(files -> files.entries, new KeyRange(key.get(), after(key.get())));
        }
    }

    private static Optional<byte[]> unsorted(RocksFiles files, List<KeyRange> removed) {
        for (LiveFileMetaData file : entryFiles(files, level -> level == 0)) {
            var range = new KeyRange(file.smallestKey(), after(file.largestKey()));
            for (KeyRange one : removed) {
                if (range.overlaps(one)) {
                    return Optional.of(
                            Arrays.compareUnsigned(one.from(), range.from()) < 0 ? range.from() : one.from());
                }
            }
        }
        return Optional.empty();
    }

    /** Returns ranges of files that hold something else, too; neighbours as one. */
    private List<KeyRange> dropWholeFiles(List<KeyRange> removed) {
        return journal.reading(files -> {
            // Executions begin in the newest bucket only, and a group being built may still stand in the one before:
            // where nothing lives in older ones nothing will, so that no file dropped can hold what came meanwhile.
            int settled = journal.newestBucket() - 1;
            var whole = new ArrayList<byte[]>();
            var mixed = new ArrayList<KeyRange>();
            boolean afterMixed = false;
            for (LiveFileMetaData file : entryFiles(files, level -> level > 0)) {
                var range = new KeyRange(file.smallestKey(), after(file.largestKey()));
                boolean concerned = removed.stream().anyMatch(range::overlaps);
                if (concerned && Keys.bucketOf(file.largestKey()) < settled && isEmpty(files, range)) {
                    whole.add(range.from());
                    whole.add(range.to());
                    concerned = false;
                } else if (concerned && afterMixed) {
                    mixed.add(new KeyRange(mixed.remove(mixed.size() - 1).from(), range.to()));
                } else if (concerned) {
                    mixed.add(range);
                }
                afterMixed = concerned;
            }
            if (!whole.isEmpty()) {
                files.db.deleteFilesInRanges(files.entries, whole, false);
                // A mark may have gone with its file while what it covered reaches into another one.
                for (int i = 0; i < whole.size(); i += 2) {
                    files.db.deleteRange(files.entries, whole.get(i), whole.get(i + 1));
                }
            }
            return mixed;
        });
    }

    private static List<LiveFileMetaData> entryFiles(RocksFiles files, IntPredicate levels) {
        return files.db.getLiveFilesMetaData().stream()
                .filter(file -> levels.test(file.level()) && Arrays.equals(file.columnFamilyName(), ENTRIES))
                .sorted(Comparator.comparing(LiveFileMetaData::smallestKey, Arrays::compareUnsigned))
                .toList();
    }

    private static byte[] after(byte[] key) {
        return Arrays.copyOf(key, key.length + 1);
    }

    private static boolean isEmpty(RocksFiles files, KeyRange range) throws RocksDBException {
        try (Slice lower = new Slice(range.from());
                Slice upper = new Slice(range.to());
                ReadOptions options = new ReadOptions()
                        .setIterateLowerBound(lower)
                        .setIterateUpperBound(upper)
                        .setFillCache(false);
                RocksIterator at = files.db.newIterator(files.entries, options)) {
            at.seekToFirst();
            at.status();
            return !at.isValid();
        }
    }

    private void compact(Function<RocksFiles, ColumnFamilyHandle> family, KeyRange range) {
        journal.reading(files -> {
            try (CompactRangeOptions options = new CompactRangeOptions().setExclusiveManualCompaction(false)) {
                if (begin(options)) {
                    files.db.compactRange(family.apply(files), range.from(), range.to(), options);
                }
            } catch (RocksDBException e) {
                Status status = e.getStatus();
                if (status == null || status.getCode() != Status.Code.Incomplete) {
                    throw e;
                }
                // stopped half-way; the next run finds the rest
            } finally {
                end();
            }
            return true;
        });
    }

    private boolean begin(CompactRangeOptions options) {
        synchronized (compacting) {
            running = options;
            return !stopped;
        }
    }

    private void end() {
        synchronized (compacting) {
            running = null;
        }
    }

    /** Forgets the ids and idempotency keys of all days before, which nobody looks up any more. */
    void forgetDays(int beforeDay) {
        var days = new KeyRange(Keys.day(0), Keys.day(beforeDay));
        boolean any = journal.reading(files -> {
            try (RocksIterator first = files.db.newIterator(files.idempotency)) {
                first.seekToFirst();
                first.status();
                if (!first.isValid() || Arrays.compareUnsigned(first.key(), days.to()) >= 0) {
                    return false;
                }
            }
            files.db.deleteFilesInRanges(files.idempotency, List.of(days.from(), days.to()), false);
            files.db.deleteRange(files.idempotency, days.from(), days.to());
            return true;
        });
        if (any) {
            compact(files -> files.idempotency, days);
        }
    }

    /** Gets back the bytes of records that were removed, both ends included. */
    void reclaimRecords(long fromPosition, long toPosition) {
        compact(files -> files.positions, new KeyRange(Keys.position(fromPosition), Keys.position(toPosition + 1)));
    }

    /** Ends what is under way soon; whoever needs the files for himself need not wait for it. Any thread. */
    void interrupt() {
        synchronized (compacting) {
            if (running != null) {
                running.setCanceled(true);
            }
        }
    }

    /** Ends what is under way soon, and nothing is written anew from now on. Any thread. */
    void stop() {
        synchronized (compacting) {
            stopped = true;
        }
        interrupt();
    }
}
