package tailrace.live;

import io.vertx.core.AsyncResult;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.bus.BusMessage;
import tailrace.journal.JournalUnavailableException;
import tailrace.model.ExecutionState;
import tailrace.model.LogEntry;
import tailrace.query.EntryStore;
import tailrace.security.Principal;

/**
 * A watched execution on one event loop: its readers, what is known of it, and a short window of its newest entries,
 * bounded in bytes. The window's end is pending until the next flush; the rest of it lets a reader who was reading the
 * store meanwhile step in, where a store slower than the flushes would keep it behind for ever.
 */
final class Channel {
    /** Beyond it the oldest of the window are let go, and readers get them from the store. */
    static final int MAX_WINDOW_BYTES = 512 * 1024;
    /** What is kept of entries already flushed while a reader is in the store. */
    private static final int MAX_RECENT_BYTES = 128 * 1024;

    private static final int PAGE_ENTRIES = 256;
    private static final long PAGE_BYTES = 64 * 1024;

    private static final Logger LOG = LoggerFactory.getLogger(Channel.class);

    final String executionId;
    private final LiveHub hub;
    private final byte[] session;
    private final List<Reader> readers = new ArrayList<>(1);
    private final Map<PageKey, List<Reader>> pages = new HashMap<>();
    private @Nullable ExecutionState state;
    private final List<LogEntry> window = new ArrayList<>();
    private long windowBytes;
    private long flushedTo;
    private boolean completeDue;
    private long completeTimer = -1;

    Channel(LiveHub hub, String executionId) {
        this.hub = hub;
        this.executionId = executionId;
        this.session = EventFormat.session(executionId);
    }

    /** Readers of the same piece who see the same share one read. */
    private record PageKey(String reader, long fromSeq, long toSeq, Shape shape, boolean live) {}

    @Nullable
    ExecutionState state() {
        return state;
    }

    byte[] session() {
        return session;
    }

    List<Reader> readers() {
        return readers;
    }

    /** The highest seq known to be committed. */
    long lastSeq() {
        return state == null ? 0 : state.lastSeq();
    }

    void add(Reader reader) {
        reader.index = readers.size();
        readers.add(reader);
    }

    /** Removes a reader in constant time and returns whether it was the last. */
    boolean remove(Reader reader) {
        Reader moved = readers.remove(readers.size() - 1);
        if (moved != reader) {
            readers.set(reader.index, moved);
            moved.index = reader.index;
        }
        return readers.isEmpty();
    }

    /** Lets go of timers and entries. */
    void close() {
        hub.cancel(completeTimer);
        clearWindow();
    }

    /** Takes a commit's part; returns whether there is something to flush. */
    boolean append(BusMessage.Run run) {
        List<LogEntry> entries = run.entries();
        if (!entries.isEmpty()) {
            long next = window.isEmpty() ? entries.get(0).seq() : windowLast() + 1;
            if (entries.get(0).seq() > next) {
                clearWindow(); // a message was lost: what lies between comes from the store
                next = entries.get(0).seq();
            }
            long before = windowBytes;
            for (LogEntry entry : entries) {
                if (entry.seq() == next) {
                    window.add(entry);
                    windowBytes += entry.encoded().length;
                    next++;
                }
            }
            hub.windowChanged(windowBytes - before);
            trimWindow(MAX_WINDOW_BYTES);
        }
        observe(run.state());
        return !window.isEmpty() && windowLast() > flushedTo;
    }

    /** Takes a state, from wherever it comes, if it is newer; readers who are behind start reading. */
    void observe(ExecutionState seen) {
        ExecutionState known = state;
        if (known != null && seen.lastPosition() <= known.lastPosition() && seen.lastSeq() <= known.lastSeq()) {
            return;
        }
        state = seen;
        if (known == null || seen.lastSeq() > known.lastSeq() || !seen.status().finished()) {
            completeDue = false;
        }
        if (seen.status().finished() && !completeDue) {
            armCompletion(hub.millisToComplete(seen));
        }
        if (known == null) {
            pumpAll();
        }
    }

    /** Lets everybody who is behind, and whom no flush will serve, read on. */
    void pumpAll() {
        // Downwards, since a reader who is done takes itself out and the last one takes its place.
        for (int i = readers.size() - 1; i >= 0; i--) {
            if (i < readers.size()) {
                readers.get(i).pump();
            }
        }
    }

    /** Whether a reader at this cursor gets its next entry from the coming flush. */
    boolean pendingCovers(long cursor) {
        return !window.isEmpty() && windowLast() > flushedTo && cursor < windowLast() && cursor >= pendingFirst() - 1;
    }

    /** Serves a reader who is only behind by what was flushed lately. */
    boolean catchUpFromWindow(Reader reader) {
        long cursor = reader.cursor;
        if (window.isEmpty() || cursor < windowFirst() - 1 || cursor >= Math.min(flushedTo, windowLast())) {
            return false;
        }
        int from = (int) (cursor + 1 - windowFirst());
        int to = (int) (Math.min(flushedTo, windowLast()) + 1 - windowFirst());
        Shape shape = reader.shape();
        Frames frames = Frames.live(shape.format(), session, window.subList(from, to), shape.filter());
        reader.take(frames, windowFirst() + to - 1);
        frames.release();
        return true;
    }

    /** Writes what is pending to all readers in step; the others find it by their cursors. */
    void flush() {
        if (window.isEmpty() || windowLast() <= flushedTo) {
            return;
        }
        long first = pendingFirst();
        long last = windowLast();
        List<LogEntry> pending = window.subList((int) (first - windowFirst()), window.size());
        long oldestMicros = pending.get(0).receivedAtMicros();
        Map<Shape, Frames> made = new HashMap<>(2);
        Shape lastShape = null;
        Frames frames = null;
        long deliveries = 0;
        for (int i = readers.size() - 1; i >= 0; i--) {
            Reader reader = readers.get(i);
            if (reader.inStep(first) && reader.cursor < last) {
                Shape shape = reader.shape();
                if (frames == null || shape != lastShape) { // most readers have the one object for no filter
                    frames = made.computeIfAbsent(
                            shape, missing -> Frames.live(missing.format(), session, pending, missing.filter()));
                    lastShape = shape;
                }
                deliveries += reader.take(frames, last);
            }
        }
        made.values().forEach(Frames::release);
        flushedTo = last;
        trimWindow(pages.isEmpty() ? 0 : MAX_RECENT_BYTES);
        hub.countDelivered(oldestMicros, deliveries);
        pumpAll();
    }

    /** Reads a piece for a reader; those who ask for the same while it is under way get the same bytes. */
    void read(Reader reader, long fromSeq, long toSeq, boolean live) {
        Principal principal = reader.options().principal();
        PageKey key = new PageKey(principal.reader(), fromSeq, toSeq, reader.shape(), live);
        List<Reader> waiting = pages.get(key);
        if (waiting != null) {
            waiting.add(reader);
            return;
        }
        List<Reader> asking = new ArrayList<>(1);
        asking.add(reader);
        pages.put(key, asking);
        hub.then(
                hub.store()
                        .as(principal)
                        .ascending(executionId, fromSeq, toSeq, PAGE_ENTRIES, PAGE_BYTES, key.shape.filter(), true),
                slice -> onSlice(key, slice));
    }

    private void onSlice(PageKey key, AsyncResult<EntryStore.Slice> read) {
        List<Reader> asking = pages.remove(key);
        if (asking == null) {
            return;
        }
        deliver(key, asking, read);
        if (pages.isEmpty() && !window.isEmpty() && windowLast() <= flushedTo) {
            clearWindow(); // nobody is left who could step in from it
        }
    }

    private void deliver(PageKey key, List<Reader> asking, AsyncResult<EntryStore.Slice> read) {
        if (read.failed()) {
            boolean forGood = !(read.cause() instanceof JournalUnavailableException);
            if (forGood) {
                LOG.error("Cannot read {} from {} for its readers", executionId, key.fromSeq, read.cause());
            }
            asking.forEach(reader -> reader.onPageFailed(forGood));
            return;
        }
        EntryStore.Slice slice = read.result();
        if (slice.coldAway() && slice.scannedTo() >= lastSeq()) {
            asking.forEach(
                    reader -> reader.onPageFailed(false)); // nothing of it can be read, so a GAP would be no answer
            return;
        }
        Frames frames =
                Frames.page(key.shape.format(), session, slice.entries(), slice.gaps(), key.live, hub.nowMicros());
        asking.forEach(reader -> reader.onPage(frames, slice.scannedTo()));
        frames.release();
    }

    /** Whether the execution is over and has been silent for long enough. */
    boolean completeDue() {
        return completeDue;
    }

    /** Takes a state just read from the store as the last word on the end. */
    void completeIfDue(ExecutionState fresh) {
        ExecutionState known = state;
        if (known != null
                && fresh.status().finished()
                && fresh.lastSeq() == known.lastSeq()
                && known.status().finished()
                && hub.millisToComplete(fresh) <= 0) {
            hub.cancel(completeTimer);
            completeTimer = -1;
            completeDue = true;
        }
    }

    private void armCompletion(long millis) {
        hub.cancel(completeTimer);
        completeTimer = hub.later(Math.max(1, millis), () -> {
            completeTimer = -1;
            verifyCompletion();
        });
    }

    /** Messages may have been lost, so the store is asked before anybody is told that this was all. */
    private void verifyCompletion() {
        hub.then(hub.store().as(Principal.SERVER).execution(executionId), read -> {
            ExecutionState fresh = read.succeeded() ? read.result().orElse(null) : null;
            if (hub.isClosed() || readers.isEmpty()) {
                return;
            }
            if (fresh == null) {
                armCompletion(LiveHub.READ_RETRY_MILLIS);
                return;
            }
            observe(fresh);
            completeIfDue(fresh);
            ExecutionState known = state;
            if (!completeDue
                    && completeTimer < 0
                    && known != null
                    && known.status().finished()) {
                armCompletion(hub.millisToComplete(known));
            }
            pumpAll();
        });
    }

    private long windowFirst() {
        return window.get(0).seq();
    }

    private long windowLast() {
        return window.get(window.size() - 1).seq();
    }

    private long pendingFirst() {
        return Math.max(flushedTo + 1, windowFirst());
    }

    private void clearWindow() {
        window.clear();
        hub.windowChanged(-windowBytes);
        windowBytes = 0;
    }

    private void trimWindow(int maxBytes) {
        int from = 0;
        long before = windowBytes;
        while (from < window.size() && windowBytes > maxBytes) {
            windowBytes -= window.get(from++).encoded().length;
        }
        hub.windowChanged(windowBytes - before);
        window.subList(0, from).clear();
    }
}
