package tailrace.query;

import io.vertx.core.Future;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import tailrace.model.LogEntry;

/** A hot tier in memory that holds, loses and answers what a test wants; of one execution. */
public final class FakeHot implements HotStore {
    private final TreeMap<Long, LogEntry> entries = new TreeMap<>();
    private final AtomicInteger hits = new AtomicInteger();
    private final AtomicInteger fallbacks = new AtomicInteger();
    private boolean usable = true;
    private boolean failing;
    private long position;
    private int readsUntilEmpty = Integer.MAX_VALUE;

    public synchronized void hold(List<LogEntry> held) {
        held.forEach(entry -> entries.put(entry.seq(), entry));
    }

    public synchronized void clear() {
        entries.clear();
    }

    public synchronized void usable(boolean now) {
        usable = now;
    }

    /** Whether it fails whoever asks although it says that it is usable. */
    public synchronized void failing(boolean now) {
        failing = now;
    }

    public synchronized void given(long journalPosition) {
        position = journalPosition;
    }

    /** It loses everything after so many reads. */
    public synchronized void emptyAfter(int reads) {
        readsUntilEmpty = reads;
    }

    public int hits() {
        return hits.get();
    }

    public int fallbacks() {
        return fallbacks.get();
    }

    private boolean fails() {
        if (readsUntilEmpty-- <= 0) {
            entries.clear();
        }
        return failing;
    }

    @Override
    public synchronized boolean usable() {
        return usable;
    }

    @Override
    public synchronized long position() {
        return position;
    }

    @Override
    public synchronized Future<List<LogEntry>> entries(
            String executionId, long fromSeq, long toSeq, boolean ascending, int maxEntries) {
        if (fails()) {
            return Future.failedFuture("the hot tier does not answer");
        }
        if (fromSeq > toSeq) {
            return Future.succeededFuture(List.of());
        }
        Stream<LogEntry> found = (ascending ? entries : entries.descendingMap())
                .values().stream().filter(entry -> entry.seq() >= fromSeq && entry.seq() <= toSeq);
        return Future.succeededFuture(found.limit(maxEntries).toList());
    }

    @Override
    public synchronized Future<Optional<Span>> span(String executionId) {
        if (fails()) {
            return Future.failedFuture("the hot tier does not answer");
        }
        return Future.succeededFuture(
                entries.isEmpty()
                        ? Optional.empty()
                        : Optional.of(new Span(entries.firstKey(), entries.lastKey(), entries.size())));
    }

    @Override
    public void counted(boolean answered) {
        (answered ? hits : fallbacks).incrementAndGet();
    }
}
