package tailrace.journal;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteBatch;
import tailrace.model.Bytes;
import tailrace.model.JournalRecord;

/**
 * What one fsync makes durable. A WriteBatch cannot be read, so what later batches of the same group must see (ids and
 * answers) is kept in maps beside it. Belongs to the journal thread.
 */
final class Group implements AutoCloseable {
    private static final int INITIAL_BYTES = 64 << 10;

    private final RocksFiles files;
    private final WriteBatch batch = new WriteBatch(INITIAL_BYTES);
    private final List<StoredState> states = new ArrayList<>();
    private final Map<Key, Long> ids = new HashMap<>();
    private final Map<Key, StateCodec.StoredAnswer> answers = new HashMap<>();
    private final Map<String, Long> retired = new HashMap<>();
    private long lastPosition;
    private long totalBytes;

    /** Equal by content. */
    private record Key(String text, byte[] bytes) {
        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Key that && text.equals(that.text) && java.util.Arrays.equals(bytes, that.bytes);
        }

        @Override
        public int hashCode() {
            return text.hashCode() * 31 + java.util.Arrays.hashCode(bytes);
        }
    }

    Group(RocksFiles files) {
        this.files = files;
    }

    WriteBatch batch() {
        return batch;
    }

    List<StoredState> states() {
        return states;
    }

    /** Executions of which only the highest seq is kept. */
    Map<String, Long> retired() {
        return retired;
    }

    long lastPosition() {
        return lastPosition;
    }

    /** Of its last record. */
    long totalBytes() {
        return totalBytes;
    }

    boolean isEmpty() {
        return batch.count() == 0;
    }

    long bytes() {
        return batch.getDataSize();
    }

    void putEntry(int bucket, byte[] executionId, long seq, byte[] encoded) {
        put(() -> batch.put(files.entries, Keys.entry(bucket, executionId, seq), encoded));
    }

    /** Removes what an execution holds below a seq. */
    void deleteEntries(KeyRange range) {
        put(() -> batch.deleteRange(files.entries, range.from(), range.to()));
    }

    /** Removes records, both ends included. */
    void deleteRecords(long fromPosition, long toPosition) {
        put(() -> batch.deleteRange(files.positions, Keys.position(fromPosition), Keys.position(toPosition + 1)));
    }

    void putRecord(JournalRecord record) {
        lastPosition = record.position();
        totalBytes = record.totalBytes();
        put(() -> batch.put(files.positions, Keys.position(record.position()), StateCodec.encode(record)));
    }

    void putState(StoredState stored) {
        String executionId = stored.known().orElseThrow().executionId();
        states.add(stored);
        put(() -> batch.put(files.executions, Keys.utf8(executionId), StateCodec.encode(stored)));
    }

    /** Forgets an execution but for the highest seq it was given. */
    void retire(String executionId, long highestSeq) {
        retired.put(executionId, highestSeq);
        byte[] stub = StateCodec.encode(StoredState.retired(highestSeq));
        put(() -> batch.put(files.executions, Keys.utf8(executionId), stub));
        put(() -> SummaryStore.forget(files, batch, executionId));
    }

    void putMeta(byte[] key, byte[] value) {
        put(() -> batch.put(files.meta, key, value));
    }

    void deleteMeta(byte[] key) {
        put(() -> batch.delete(files.meta, key));
    }

    void putId(String executionId, byte[] utf8, byte[] senderId, int epochDay, long receivedAtMicros) {
        ids.put(new Key(executionId, senderId), receivedAtMicros);
        byte[] value = new byte[Long.BYTES];
        Bytes.putLong(value, 0, receivedAtMicros);
        put(() -> batch.put(files.idempotency, Keys.senderId(epochDay, utf8, senderId), value));
    }

    /** When an entry of that id was taken, epoch microseconds, or null if none was today, the day before, or just now. */
    @Nullable
    Long findId(String executionId, byte[] utf8, byte[] senderId, int epochDay) throws RocksDBException {
        Long building = ids.get(new Key(executionId, senderId));
        if (building != null) {
            return building;
        }
        files.requireOpen();
        for (int day = epochDay; day >= epochDay - 1; day--) {
            byte[] stored = files.db.get(files.idempotency, Keys.senderId(day, utf8, senderId));
            if (stored != null) {
                return Bytes.getLong(stored, 0);
            }
        }
        return null;
    }

    void putAnswer(byte[] key, int epochDay, StateCodec.StoredAnswer answer) {
        answers.put(new Key("", key), answer);
        put(() -> batch.put(files.idempotency, Keys.answer(epochDay, key), StateCodec.encode(answer)));
    }

    StateCodec.@Nullable StoredAnswer findAnswer(byte[] key, int epochDay) throws RocksDBException {
        StateCodec.StoredAnswer building = answers.get(new Key("", key));
        if (building != null) {
            return building;
        }
        files.requireOpen();
        for (int day = epochDay; day >= epochDay - 1; day--) {
            byte[] stored = files.db.get(files.idempotency, Keys.answer(day, key));
            if (stored != null) {
                return StateCodec.decodeAnswer(stored);
            }
        }
        return null;
    }

    /** Forgets the ids and answers of all days before. */
    void forgetBefore(int epochDay) {
        put(() -> batch.deleteRange(files.idempotency, Keys.day(0), Keys.day(epochDay)));
    }

    private interface Put {
        void run() throws RocksDBException;
    }

    private void put(Put put) {
        files.requireOpen();
        try {
            put.run();
        } catch (RocksDBException e) {
            throw new JournalUnavailableException("A group could not be built: " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        batch.close();
    }
}
