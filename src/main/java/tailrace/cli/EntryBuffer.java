package tailrace.cli;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Between the thread that reads entries and the one that sends them: holds so many bytes and no more, and gives a batch
 * once it is full, or once its first entry has waited long enough. Safe for these two threads.
 */
final class EntryBuffer {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final ArrayDeque<Entry> entries = new ArrayDeque<>();
    private final int batchEntries;
    private final int batchBytes;
    private final long lingerNanos;
    private long bytes;
    private boolean ended;
    private @Nullable Exception failure;

    /**
     * An entry on its way.
     *
     * @param place where it came from, for messages, such as {@code line 7}
     * @param json one line, without its end
     * @param readNanos when, by {@link System#nanoTime}
     */
    record Entry(String place, byte[] json, long readNanos) {}

    /**
     * @param batchEntries a batch at most
     * @param batchBytes a batch at most; eight times as much is held
     * @param lingerNanos that an entry waits for others
     */
    EntryBuffer(int batchEntries, int batchBytes, long lingerNanos) {
        this.batchEntries = batchEntries;
        this.batchBytes = batchBytes;
        this.lingerNanos = lingerNanos;
    }

    /** Adds one; waits while there is no room, and is interrupted once the end was said. */
    void put(String place, byte[] json) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (bytes >= 8L * batchBytes && !ended) {
                changed.await();
            }
            if (ended) {
                throw new InterruptedException("the process stops");
            }
            entries.add(new Entry(place, json, System.nanoTime()));
            bytes += json.length;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Says that no more will come, and whether that is because of a failure. */
    void end(@Nullable Exception why) {
        lock.lock();
        try {
            ended = true;
            failure = why;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /**
     * The next batch; empty at the end.
     *
     * @throws CommandFailedException at the end, if the reading failed
     */
    List<Entry> take() throws InterruptedException, CommandFailedException {
        lock.lockInterruptibly();
        try {
            while (entries.isEmpty() && !ended) {
                changed.await();
            }
            Entry first = entries.peek();
            while (first != null && !ended && !full()) {
                long left = first.readNanos() + lingerNanos - System.nanoTime();
                if (left <= 0 || changed.awaitNanos(left) <= 0) {
                    break;
                }
            }
            if (entries.isEmpty() && failure != null) {
                throw new CommandFailedException("reading the input failed: " + failure.getMessage(), failure);
            }
            return batch();
        } finally {
            lock.unlock();
        }
    }

    private boolean full() {
        return entries.size() >= batchEntries || bytes >= batchBytes;
    }

    private List<Entry> batch() {
        List<Entry> batch = new ArrayList<>(Math.min(entries.size(), batchEntries));
        long size = 0;
        for (Entry next = entries.peek(); next != null && batch.size() < batchEntries; next = entries.peek()) {
            size += next.json().length;
            if (size > batchBytes && !batch.isEmpty()) {
                break;
            }
            batch.add(entries.remove());
            bytes -= next.json().length;
        }
        changed.signalAll();
        return batch;
    }
}
