package tailrace.journal;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.Slice;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;
import tailrace.model.Bytes;
import tailrace.model.ExecutionState;

/**
 * What a cursor over the journal keeps of each execution: its summary, its places in the lists of executions, and a mark
 * as long as PostgreSQL has not been given the summary. All of it is written together with the cursor's position and not
 * synced: a crash may take back the last of it, never a part, and the cursor goes on from where it then stands. Nothing
 * here is on the way of an entry to its 202.
 *
 * <p>{@link #save} is for one thread; everything else for any worker.
 */
public final class SummaryStore implements ExecutionIndex {
    private static final byte[] POSITION = Keys.utf8("summaries_position");

    private static final byte[] CATCH_UP = Keys.utf8("summaries_catch_up");

    private static final char SUMMARY = 's';
    private static final char MARK = 'u';
    private static final char ALL = 'a';
    private static final char OF_WORKFLOW = 'w';
    private static final char OF_USER = 'o';

    /** Keys looked at for one piece of a list; who asks for something rare gets it in several. */
    static final int MAX_LOOKED = 5_000;

    private static final int MARK_BYTES = 3 * Long.BYTES;

    private final RocksJournal journal;
    /** Between putting marks and taking them away. */
    final Object marking = new Object();

    SummaryStore(RocksJournal journal) {
        this.journal = journal;
    }

    /**
     * A summary to be kept.
     *
     * @param upToSeq the last seq it has seen; 0 if there is nothing in it that PostgreSQL should have
     * @param bytes as {@link #find} gives them back
     */
    public record Kept(String executionId, long upToSeq, byte[] bytes) {}

    /**
     * A summary that PostgreSQL does not have yet.
     *
     * @param sinceMicros when it was first changed since PostgreSQL was given it
     * @param changedMicros when it was last
     * @param mark to be given back
     */
    public record Waiting(String executionId, long sinceMicros, long changedMicros, byte[] mark) {
        /** The last seq that it has seen. */
        public long upToSeq() {
            return Bytes.getLong(mark, 2 * Long.BYTES);
        }
    }

    /** Where the cursor stands. */
    public long position() {
        return journal.reading(SummaryStore::position);
    }

    private static long position(RocksFiles files) throws RocksDBException {
        byte[] stored = files.db.get(files.meta, POSITION);
        return stored == null ? 0 : Bytes.getLong(stored, 0);
    }

    /**
     * How far the journal went when this cursor was there for the first time. Until it has come so far it holds nothing
     * back: it is the journal of an earlier version, which may be full of what nobody else needs.
     */
    public long catchUpTo() {
        return journal.reading(files -> {
            byte[] stored = files.db.get(files.meta, CATCH_UP);
            if (stored != null) {
                return Bytes.getLong(stored, 0);
            }
            byte[] end = new byte[Long.BYTES];
            Bytes.putLong(end, 0, journal.lastPosition());
            files.db.put(files.meta, CATCH_UP, end);
            return journal.lastPosition();
        });
    }

    /** What is kept of an execution, or nothing. */
    public Optional<byte[]> find(String executionId) {
        return journal.reading(files -> {
            byte[] stored = files.db.get(files.summaries(), Keys.of(SUMMARY, executionId));
            return stored == null
                    ? Optional.empty()
                    : Optional.of(Arrays.copyOfRange(stored, StateCodec.listedBytes(stored), stored.length));
        });
    }

    /** An execution as the journal knows it now, which may be further than the cursor; also of one that nobody asks for. */
    public Optional<ExecutionState> state(String executionId) {
        return journal.peek(executionId).flatMap(StoredState::known);
    }

    /** When an execution was last changed, epoch microseconds; 0 if that is not known. */
    public long changedMicros(String executionId) {
        return journal.peek(executionId).map(StoredState::lastChangeMicros).orElse(0L);
    }

    /** The same without statistics. */
    public boolean save(long from, long to, List<Kept> changed, long nowMicros) {
        return save(from, to, changed, List.of(), nowMicros);
    }

    /**
     * Keeps summaries and cells of statistics and moves the cursor, all or nothing.
     *
     * @param from where the cursor is thought to stand
     * @return false, with nothing changed, if it does not stand there: what was kept before was lost, begin anew
     */
    public boolean save(long from, long to, List<Kept> changed, List<StatsStore.Kept> cells, long nowMicros) {
        synchronized (marking) {
            return journal.reading(files -> {
                if (position(files) != from) {
                    return false;
                }
                try (WriteBatch batch = new WriteBatch();
                        WriteOptions options = new WriteOptions().setSync(false)) {
                    for (Kept kept : changed) {
                        ExecutionState state = state(kept.executionId()).orElse(null);
                        if (state != null) {
                            put(files, batch, kept, state, nowMicros);
                        }
                    }
                    StatsStore.put(files, batch, cells);
                    byte[] position = new byte[Long.BYTES];
                    Bytes.putLong(position, 0, to);
                    batch.put(files.meta, POSITION, position);
                    files.db.write(options, batch);
                }
                return true;
            });
        }
    }

    private static void put(RocksFiles files, WriteBatch batch, Kept kept, ExecutionState state, long nowMicros)
            throws RocksDBException {
        list(files, batch, state);
        byte[] listed = StateCodec.encode(Listed.of(state));
        byte[] value = Arrays.copyOf(listed, listed.length + kept.bytes().length);
        System.arraycopy(kept.bytes(), 0, value, listed.length, kept.bytes().length);
        batch.put(files.summaries(), Keys.of(SUMMARY, state.executionId()), value);
        if (kept.upToSeq() > 0) {
            byte[] key = Keys.of(MARK, state.executionId());
            byte[] before = files.db.get(files.summaries(), key);
            byte[] mark = new byte[MARK_BYTES];
            Bytes.putLong(mark, 0, before == null ? nowMicros : Bytes.getLong(before, 0));
            Bytes.putLong(mark, Long.BYTES, nowMicros);
            Bytes.putLong(mark, 2 * Long.BYTES, kept.upToSeq());
            batch.put(files.summaries(), key, mark);
        }
    }

    /** By what an execution is found in lists; kept with its summary, so that a change finds its old places. */
    record Listed(
            long createdAtMicros,
            @Nullable String workflowId,
            @Nullable String userId) {
        static Listed of(ExecutionState state) {
            return new Listed(state.createdAtMicros(), state.workflowId(), state.userId());
        }

        List<byte[]> keys(String executionId) {
            byte[] id = Keys.utf8(executionId);
            var keys = new ArrayList<byte[]>(3);
            keys.add(Keys.listed(Keys.list(ALL, ""), createdAtMicros, id));
            if (workflowId != null) {
                keys.add(Keys.listed(Keys.list(OF_WORKFLOW, workflowId), createdAtMicros, id));
            }
            if (userId != null) {
                keys.add(Keys.listed(Keys.list(OF_USER, userId), createdAtMicros, id));
            }
            return keys;
        }
    }

    private static @Nullable Listed listed(RocksFiles files, String executionId) throws RocksDBException {
        byte[] stored = files.db.get(files.summaries(), Keys.of(SUMMARY, executionId));
        return stored == null ? null : StateCodec.decodeListed(stored);
    }

    private static void list(RocksFiles files, WriteBatch batch, ExecutionState state) throws RocksDBException {
        Listed before = listed(files, state.executionId());
        Listed now = Listed.of(state);
        if (now.equals(before)) {
            return;
        }
        if (before != null) {
            unlist(files, batch, before, state.executionId());
        }
        for (byte[] key : now.keys(state.executionId())) {
            batch.put(files.summaries(), key, new byte[0]);
        }
    }

    private static void unlist(RocksFiles files, WriteBatch batch, Listed listed, String executionId)
            throws RocksDBException {
        for (byte[] key : listed.keys(executionId)) {
            batch.delete(files.summaries(), key);
        }
    }

    /** Removes all that is kept of an execution, together with what else the batch changes. */
    static void forget(RocksFiles files, WriteBatch batch, String executionId) throws RocksDBException {
        Listed listed = listed(files, executionId);
        if (listed != null) {
            unlist(files, batch, listed, executionId);
            batch.delete(files.summaries(), Keys.of(SUMMARY, executionId));
            batch.delete(files.summaries(), Keys.of(MARK, executionId));
        }
    }

    /** Takes in what PostgreSQL has of executions that were adopted: what is to come goes on from it (promise 7). */
    void adopt(List<Kept> known) {
        journal.reading(files -> {
            try (WriteBatch batch = new WriteBatch();
                    WriteOptions options = new WriteOptions().setSync(true)) {
                for (Kept kept : known) {
                    ExecutionState state = state(kept.executionId()).orElse(null);
                    if (state != null) {
                        put(files, batch, new Kept(kept.executionId(), 0, kept.bytes()), state, 0);
                    }
                }
                files.db.write(options, batch);
            }
            return true;
        });
    }

    /**
     * Executions whose summary PostgreSQL does not have yet, in the order of their ids.
     *
     * @param afterId only those behind it; {@code ""} for all
     */
    public List<Waiting> waiting(String afterId, int max) {
        return journal.reading(files -> {
            var found = new ArrayList<Waiting>();
            byte[] from = Keys.of(MARK, afterId);
            try (RocksIterator at = files.db.newIterator(files.summaries())) {
                for (at.seek(from); at.isValid() && at.key()[0] == MARK && found.size() < max; at.next()) {
                    byte[] key = at.key();
                    if (!Arrays.equals(key, from)) {
                        byte[] mark = at.value();
                        found.add(new Waiting(
                                Keys.text(key, 1), Bytes.getLong(mark, 0), Bytes.getLong(mark, Long.BYTES), mark));
                    }
                }
                at.status();
            }
            return found;
        });
    }

    /** PostgreSQL has these as they were when they were found waiting; what was changed since goes on waiting. */
    public void given(List<Waiting> given) {
        synchronized (marking) {
            journal.reading(files -> {
                try (WriteBatch batch = new WriteBatch();
                        WriteOptions options = new WriteOptions().setSync(false)) {
                    for (Waiting one : given) {
                        byte[] key = Keys.of(MARK, one.executionId());
                        if (Arrays.equals(files.db.get(files.summaries(), key), one.mark())) {
                            batch.delete(files.summaries(), key);
                        }
                    }
                    files.db.write(options, batch);
                }
                return true;
            });
        }
    }

    /** As far as the cursor is; what came after it is in the records behind {@link #position}. */
    @Override
    public Piece newest(Scope scope, Place after, long sinceMicros, int max) {
        byte[] list = list(scope);
        byte[] from = Keys.listed(list, after.createdAtMicros(), Keys.utf8(after.executionId()));
        byte[] end = Keys.listed(list, Math.max(0, sinceMicros) - 1, new byte[0]);
        return journal.reading(files -> {
            var states = new ArrayList<ExecutionState>();
            Place place = null;
            try (Slice upper = new Slice(end);
                    ReadOptions options = new ReadOptions().setIterateUpperBound(upper);
                    RocksIterator at = files.db.newIterator(files.summaries(), options)) {
                at.seek(from);
                for (int looked = 0; at.isValid() && Keys.startsWith(at.key(), list); at.next()) {
                    byte[] key = at.key();
                    if (Arrays.equals(key, from) && !after.executionId().isEmpty()) {
                        continue;
                    }
                    if (states.size() == max || looked++ == MAX_LOOKED) {
                        return new Piece(states, place);
                    }
                    place = Keys.place(key, list.length);
                    journal.peek(place.executionId())
                            .flatMap(StoredState::known)
                            .filter(scope::holds)
                            .ifPresent(states::add);
                }
                at.status();
            }
            return new Piece(states, null);
        });
    }

    private static byte[] list(Scope scope) {
        if (scope.userId() != null) {
            return Keys.list(OF_USER, Objects.requireNonNull(scope.userId()));
        }
        String workflow = scope.workflowId();
        return workflow == null ? Keys.list(ALL, "") : Keys.list(OF_WORKFLOW, workflow);
    }
}
