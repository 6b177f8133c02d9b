package tailrace.live;

import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;

/**
 * One reader's connection: takes events until the socket is full, tells when it drains, and knows how long it has taken
 * nothing. Holds no queue of its own. Belongs to its hub's event loop.
 */
public abstract sealed class Outlet permits SseOutlet, WebSocketOutlet {
    final LiveHub hub;
    private Runnable drained = () -> {};
    private Runnable gone = () -> {};
    // A socket that takes everything at once drains within the write itself, when the cursor is not to be used yet.
    private boolean writing;
    private long lastWriteNanos;
    private long blockedSinceNanos;

    Outlet(LiveHub hub) {
        this.hub = hub;
    }

    /**
     * Makes the connection ready for events, which may take it out of HTTP: a failure after that cannot be answered. To be
     * called once, when it is certain that a stream begins.
     */
    public abstract Future<Void> open();

    /** How its events are written. */
    abstract EventFormat format();

    /** What comes before the first event. */
    abstract void begin();

    abstract boolean full();

    abstract void put(SharedBytes bytes, int from, int count);

    abstract void put(Buffer bytes);

    /** What keeps it open, or shows that it is dead. */
    abstract void silence(long nowNanos, long heartbeatNanos);

    /** Since when nothing has been heard of a client that has to answer; 0 if none has to. */
    abstract long unheardSinceNanos();

    /** Ends it in order; completes when all is written. */
    abstract Future<Void> finish(Ending why);

    /** Ends it without waiting for the socket to take anything. */
    public abstract void cut();

    /**
     * @param onDrain may write again
     * @param onGone may not write any more
     */
    final void attach(Runnable onDrain, Runnable onGone) {
        drained = onDrain;
        gone = onGone;
    }

    final void write(SharedBytes bytes, int from, int count) {
        lastWriteNanos = hub.nanoTime();
        writing = true;
        put(bytes, from, count);
        writing = false;
    }

    final void write(Buffer bytes) {
        lastWriteNanos = hub.nanoTime();
        writing = true;
        put(bytes);
        writing = false;
    }

    final long lastWriteNanos() {
        return lastWriteNanos;
    }

    final boolean writable() {
        if (!full()) {
            blockedSinceNanos = 0;
            return true;
        }
        if (blockedSinceNanos == 0) {
            blockedSinceNanos = hub.nanoTime();
        }
        return false;
    }

    final void onDrained() {
        blockedSinceNanos = 0;
        if (!writing) {
            drained.run();
        }
    }

    final void onGone() {
        gone.run();
    }

    /** Whether its client takes nothing any more, or is not there; if not, silence is filled. */
    final boolean stuck(long nowNanos, long heartbeatNanos, long stuckNanos) {
        long unheard = unheardSinceNanos();
        if (unheard != 0 && nowNanos - unheard >= stuckNanos) {
            return true;
        }
        if (!writable()) {
            return nowNanos - blockedSinceNanos >= stuckNanos;
        }
        silence(nowNanos, heartbeatNanos);
        return false;
    }
}
