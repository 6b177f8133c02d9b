package tailrace.summary;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import tailrace.bus.BusMessage;
import tailrace.model.LogEntry;

/** Commits that wait in memory to be folded, so that their entries need not be read. Any thread. */
final class WaitingCommits {
    /** Bytes of entries; what comes on top is read from the journal. */
    private static final long MAX_BYTES = 4L << 20;
    /** So many are folded at once. */
    private static final long WAKE_BYTES = 512 << 10;

    private static final int MAX_COMMITS = 10_000;

    private final ConcurrentLinkedQueue<Commit> waiting = new ConcurrentLinkedQueue<>();
    private final AtomicLong waitingBytes = new AtomicLong();
    private final AtomicLong waitingCommits = new AtomicLong();

    private record Commit(BusMessage.Appended appended, long bytes) {}

    /** Takes it, if there is room; whether there is enough now to be folded at once. */
    boolean offer(BusMessage.Appended appended) {
        long bytes = 0;
        for (BusMessage.Run run : appended.runs()) {
            for (LogEntry entry : run.entries()) {
                bytes += entry.encoded().length;
            }
        }
        if (waitingBytes.get() + bytes > MAX_BYTES || waitingCommits.get() >= MAX_COMMITS) {
            return false; // it is in the journal
        }
        waitingCommits.incrementAndGet();
        waiting.add(new Commit(appended, bytes));
        return waitingBytes.addAndGet(bytes) >= WAKE_BYTES;
    }

    /** The next one, or null. */
    BusMessage.@Nullable Appended poll() {
        Commit commit = waiting.poll();
        if (commit == null) {
            return null;
        }
        waitingBytes.addAndGet(-commit.bytes());
        waitingCommits.decrementAndGet();
        return commit.appended();
    }

    void clear() {
        while (poll() != null) {
            // they are in the journal
        }
    }
}
