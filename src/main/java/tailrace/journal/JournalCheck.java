package tailrace.journal;

import java.nio.file.Path;
import java.util.List;
import org.rocksdb.LiveFileMetaData;
import org.rocksdb.Options;
import org.rocksdb.RocksDBException;
import org.rocksdb.SstFileReader;

/**
 * What a verification found sound: every checksum of the tables, read once from end to end. Its logs were read through
 * before the journal was opened, see {@link LogCheck}.
 *
 * @param tables that the journal consists of
 * @param bytes of them
 */
public record JournalCheck(int tables, long bytes) {
    /** Told after every table. */
    @FunctionalInterface
    public interface Listener {
        void checked(long bytes, long ofBytes);
    }

    /**
     * Verifies a journal that no other process writes to. Blocks while it reads all of it.
     *
     * @throws JournalDamagedException naming the first table that is damaged
     */
    public static JournalCheck verify(RocksJournal journal, Path directory, Listener listener) {
        return journal.reading(files -> {
            // Only those the journal consists of: a crash leaves half-written ones behind, which nobody needs.
            List<LiveFileMetaData> tables = files.db.getLiveFilesMetaData();
            long all = tables.stream().mapToLong(LiveFileMetaData::size).sum();
            long done = 0;
            listener.checked(0, all);
            for (LiveFileMetaData table : tables) {
                verify(directory.resolve(table.fileName().replaceFirst("^/", "")));
                done += table.size();
                listener.checked(done, all);
            }
            return new JournalCheck(tables.size(), all);
        });
    }

    private static void verify(Path table) throws RocksDBException {
        try (Options options = new Options();
                SstFileReader reader = new SstFileReader(options)) {
            reader.open(table.toString());
            reader.verifyChecksum();
        }
    }
}
