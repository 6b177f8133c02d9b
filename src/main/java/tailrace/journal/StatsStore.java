package tailrace.journal;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;
import tailrace.model.Bytes;

/**
 * Cells of statistics that PostgreSQL does not have yet, as they were when the cursor behind the summaries was kept last;
 * {@link SummaryStore#save} writes them together with its position. Once given to PostgreSQL they are gone from here: a
 * cell is never read back, see {@code CellKey.part}. For any worker.
 */
public final class StatsStore {
    private static final byte CELL = 'c';

    private final RocksJournal journal;
    /** Between putting cells and taking them away. */
    private final Object marking;

    StatsStore(RocksJournal journal, Object marking) {
        this.journal = journal;
        this.marking = marking;
    }

    /**
     * A cell.
     *
     * @param key the same for every version of the cell
     * @param position up to which it counts; grows with every change
     * @param bytes what was counted
     */
    public record Kept(byte[] key, long position, byte[] bytes) {}

    static void put(RocksFiles files, WriteBatch batch, List<Kept> cells) throws RocksDBException {
        for (Kept cell : cells) {
            byte[] value = new byte[Long.BYTES + cell.bytes().length];
            Bytes.putLong(value, 0, cell.position());
            System.arraycopy(cell.bytes(), 0, value, Long.BYTES, cell.bytes().length);
            batch.put(files.summaries(), key(cell.key()), value);
        }
    }

    private static byte[] key(byte[] cell) {
        byte[] key = new byte[1 + cell.length];
        key[0] = CELL;
        System.arraycopy(cell, 0, key, 1, cell.length);
        return key;
    }

    /**
     * Cells that PostgreSQL does not have yet, in the order of their keys.
     *
     * @param after only those behind this key; empty for all
     * @param maxBytes after which the page ends
     */
    public List<Kept> waiting(byte[] after, int max, long maxBytes) {
        return journal.reading(files -> {
            var found = new ArrayList<Kept>();
            byte[] from = key(after);
            long bytes = 0;
            try (RocksIterator at = files.db.newIterator(files.summaries())) {
                for (at.seek(from);
                        at.isValid() && at.key()[0] == CELL && found.size() < max && bytes < maxBytes;
                        at.next()) {
                    byte[] key = at.key();
                    if (!Arrays.equals(key, from)) {
                        byte[] value = at.value();
                        found.add(new Kept(
                                Arrays.copyOfRange(key, 1, key.length),
                                Bytes.getLong(value, 0),
                                Arrays.copyOfRange(value, Long.BYTES, value.length)));
                        bytes += value.length;
                    }
                }
                at.status();
            }
            return found;
        });
    }

    /** PostgreSQL has these as they were when they were found waiting; what was changed since goes on waiting. */
    public void given(List<Kept> given) {
        synchronized (marking) {
            journal.reading(files -> {
                try (WriteBatch batch = new WriteBatch();
                        WriteOptions options = new WriteOptions().setSync(false)) {
                    for (Kept one : given) {
                        byte[] key = key(one.key());
                        byte[] stored = files.db.get(files.summaries(), key);
                        if (stored != null && Bytes.getLong(stored, 0) == one.position()) {
                            batch.delete(files.summaries(), key);
                        }
                    }
                    files.db.write(options, batch);
                }
                return true;
            });
        }
    }
}
