package tailrace.journal;

import java.util.ArrayDeque;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * What waits for the journal thread, taken in turns: executions take turns by bytes (deficit round robin), so a flood of
 * one holds up another's small batch by one turn, however much of the flood waits before it. What concerns the same
 * execution keeps its order: a request that names several joins their lines into one. Any number of threads may offer;
 * one polls.
 *
 * <p>An offer and a poll cost the same however much waits, but for requests that join lines.
 */
final class FairQueue<W extends FairQueue.Item> {
    /** Bytes a line may send in its turn. */
    static final long TURN_BYTES = 64 << 10;

    /** What a request counts at least: many empty ones are work, too. */
    private static final long MIN_COST_BYTES = 256;

    /** Of the room there is, one line may take three quarters: the flood of one leaves room for others. */
    private static final double LINE_SHARE = 0.75;

    private final int maxItems;
    private final long maxLineItems;
    private final long maxLineBytes;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition offered = lock.newCondition();
    private final ArrayDeque<Line<W>> turns = new ArrayDeque<>();
    private final Map<String, Place<W>> places = new HashMap<>();
    private long tickets;
    private int size;

    /** What can wait here. */
    interface Item {
        /** The executions it concerns, each once; none if it may be taken at any time. */
        Collection<String> executions();

        long bytes();
    }

    private record Waiting<W>(W item, long cost, long ticket) {}

    /** Requests in order of arrival; each execution that waits stands in one line. */
    private static final class Line<W> {
        ArrayDeque<Waiting<W>> waiting = new ArrayDeque<>();
        long bytes;
        long turnBytesLeft = TURN_BYTES;

        @Nullable
        Line<W> joined;

        /** The line that this one has become. */
        Line<W> now() {
            Line<W> at = this;
            for (Line<W> next; (next = at.joined) != null; ) {
                at = next;
            }
            return at;
        }
    }

    /** Where an execution stands, while it does. */
    private static final class Place<W> {
        Line<W> line;
        int items;

        Place(Line<W> line) {
            this.line = line;
        }
    }

    /** @param maxBytes of which one line may take a part; the sum is bounded by the caller */
    FairQueue(int maxItems, long maxBytes) {
        this.maxItems = maxItems;
        this.maxLineItems = Math.max(1, (long) (maxItems * LINE_SHARE));
        this.maxLineBytes = (long) (maxBytes * LINE_SHARE);
    }

    /** False if there is no room for it. */
    boolean offer(W item) {
        long cost = Math.max(MIN_COST_BYTES, item.bytes());
        lock.lock();
        try {
            if (size >= maxItems) {
                return false;
            }
            Line<W> line = lineOf(item);
            boolean idle = line.waiting.isEmpty();
            if (!idle && (line.waiting.size() >= maxLineItems || line.bytes + cost > maxLineBytes)) {
                return false;
            }
            line.waiting.addLast(new Waiting<>(item, cost, tickets++));
            line.bytes += cost;
            size++;
            for (String execution : item.executions()) {
                Place<W> place = places.get(execution);
                if (place == null) {
                    place = new Place<>(line);
                    places.put(execution, place);
                }
                place.line = line;
                place.items++;
            }
            if (idle) {
                turns.addLast(line);
            }
            offered.signal();
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** The line in which its executions stand; where they stand in several, those become one. */
    private Line<W> lineOf(W item) {
        Line<W> line = null;
        for (String execution : item.executions()) {
            Place<W> place = places.get(execution);
            if (place != null) {
                Line<W> other = place.line.now();
                place.line = other;
                if (line == null) {
                    line = other;
                } else if (line != other) {
                    join(line, other);
                }
            }
        }
        return line == null ? new Line<>() : line;
    }

    private void join(Line<W> into, Line<W> other) {
        var merged = new ArrayDeque<Waiting<W>>(into.waiting.size() + other.waiting.size() + 1);
        while (!into.waiting.isEmpty() || !other.waiting.isEmpty()) {
            Waiting<W> left = into.waiting.peekFirst();
            Waiting<W> right = other.waiting.peekFirst();
            boolean fromLeft = right == null || left != null && left.ticket < right.ticket;
            merged.addLast((fromLeft ? into : other).waiting.removeFirst());
        }
        into.waiting = merged;
        into.bytes += other.bytes;
        other.bytes = 0;
        other.joined = into; // its turn is passed over when it comes
    }

    /** The next, or null if nothing came within the time. */
    @Nullable
    W poll(long timeout, TimeUnit unit) throws InterruptedException {
        long left = unit.toNanos(timeout);
        lock.lockInterruptibly();
        try {
            while (size == 0) {
                if (left <= 0) {
                    return null;
                }
                left = offered.awaitNanos(left);
            }
            return take();
        } finally {
            lock.unlock();
        }
    }

    /** The next, or null if nothing waits. */
    @Nullable
    W poll() {
        lock.lock();
        try {
            return size == 0 ? null : take();
        } finally {
            lock.unlock();
        }
    }

    private W take() {
        while (true) {
            Line<W> line = turns.element();
            Waiting<W> head = line.waiting.peekFirst();
            if (head == null) {
                turns.removeFirst();
            } else if (head.cost > line.turnBytesLeft) {
                line.turnBytesLeft += TURN_BYTES;
                turns.addLast(turns.removeFirst());
            } else {
                line.waiting.removeFirst();
                line.turnBytesLeft -= head.cost;
                if (line.waiting.isEmpty()) {
                    turns.removeFirst();
                }
                left(line, head);
                return head.item;
            }
        }
    }

    private void left(Line<W> line, Waiting<W> gone) {
        line.bytes -= gone.cost;
        size--;
        for (String execution : gone.item.executions()) {
            Place<W> place = places.get(execution);
            if (place != null && --place.items == 0) {
                places.remove(execution);
            }
        }
    }

    /** Takes back what was offered; false if it has been polled. */
    boolean remove(W item) {
        lock.lock();
        try {
            for (Line<W> line : turns) {
                for (Waiting<W> waiting : line.waiting) {
                    if (waiting.item == item) {
                        line.waiting.remove(waiting);
                        left(line, waiting);
                        return true; // an empty line is passed over when its turn comes
                    }
                }
            }
            return false;
        } finally {
            lock.unlock();
        }
    }

    boolean isEmpty() {
        lock.lock();
        try {
            return size == 0;
        } finally {
            lock.unlock();
        }
    }
}
