package tailrace.live;

import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import java.util.function.BiConsumer;
import java.util.function.Function;
import tailrace.model.ExecutionState;

/** One reader of one execution: a cursor and a connection. Belongs to its hub's event loop. */
public final class Subscription extends Reader {
    private final Outlet outlet;
    private final LiveStreams.Place place;

    Subscription(LiveHub hub, Channel channel, Outlet outlet, LiveStreams.Place place) {
        super(hub, channel);
        this.place = place;
        this.outlet = outlet;
        outlet.attach(this::pump, this::leave);
    }

    /**
     * Begins the stream.
     *
     * @param state read from the store after this subscription was registered, so that nothing falls between
     * @param afterSeq the first entry is the one after it
     */
    public void start(StreamOptions with, ExecutionState state, long afterSeq) {
        if (phase == Phase.CLOSED) {
            return;
        }
        outlet.begin();
        startAt(with, outlet.format(), state, afterSeq);
        pump();
    }

    /**
     * Opens the stream of an execution that is not there, or not theirs, and waits for it.
     *
     * @param mayRead asked when the execution is known; a refusal is asked again later
     * @param begin calls {@link #start}
     */
    public void await(
            StreamOptions with,
            long waitSeconds,
            Function<ExecutionState, Future<Boolean>> mayRead,
            BiConsumer<Subscription, ExecutionState> begin) {
        if (phase == Phase.CLOSED) {
            return;
        }
        outlet.begin();
        awaitUntil(with, hub.nanoTime() + waitSeconds * 1_000_000_000L, mayRead, state -> begin.accept(this, state));
    }

    /** Whether the client is gone or the stream was ended; nothing may be written any more. */
    public boolean closed() {
        return phase == Phase.CLOSED;
    }

    /** Takes the reader out; to be called when the connection ends, for whatever reason, and where no stream begins. */
    public void leave() {
        if (phase != Phase.CLOSED) {
            phase = Phase.CLOSED;
            place.leave();
            hub.leave(this);
        }
    }

    @Override
    boolean writable() {
        return outlet.writable();
    }

    @Override
    int take(Frames frames, long toSeq) {
        int entries = frames.writeAfter(outlet, cursor);
        cursor = toSeq;
        return entries;
    }

    @Override
    void pump() {
        recheck();
        while (phase == Phase.STREAMING && !reading) {
            if (historyShown()) {
                finish();
                return;
            }
            if (cursor >= channel.lastSeq()) {
                if (channel.completeDue()) {
                    finish();
                }
                return;
            }
            if (!writable() || channel.pendingCovers(cursor)) {
                return; // the drain, or the next flush, goes on
            }
            if (!channel.catchUpFromWindow(this)) {
                readPage();
            }
        }
    }

    @Override
    void onPage(Frames frames, long scannedTo) {
        pageRead();
        if (phase != Phase.STREAMING) {
            return;
        }
        frames.writeTo(outlet);
        cursor = scannedTo;
        pump();
    }

    /** The whole has been shown: COMPLETE if the execution is over, and the end. */
    private void finish() {
        ExecutionState state = channel.state();
        if (state != null && channel.completeDue() && cursor >= state.lastSeq()) {
            outlet.write(Buffer.buffer(outlet.format().complete(channel.session(), state, hub.nowMicros())));
        }
        end(Ending.DONE);
    }

    @Override
    void failForGood() {
        fail("store_unavailable", "The entries cannot be read now.", Ending.STORE_UNAVAILABLE);
    }

    private void fail(String type, String error, Ending ending) {
        if (open()) {
            outlet.write(Buffer.buffer(outlet.format().error(channel.session(), type, error, hub.nowMicros())));
            end(ending);
        }
    }

    /** Ends the stream because the server goes; the client comes back after so long. */
    Future<Void> shutDown(long retryMillis) {
        if (open()) {
            return end(Ending.shutdown(retryMillis));
        }
        leave();
        return Future.succeededFuture();
    }

    private Future<Void> end(Ending ending) {
        leave();
        return outlet.finish(ending);
    }

    /** The end of the token, of the waiting or of our patience, and heartbeats. */
    @Override
    void tick(long nowNanos, long nowSeconds, long heartbeatNanos, long stuckNanos) {
        if (!open()) {
            return;
        }
        if (nowSeconds >= options().expiresAtSeconds()) {
            fail("token_expired", "The token has expired; come back with a new one.", Ending.TOKEN_EXPIRED);
        } else if (waitedTooLong(nowNanos)) {
            fail(
                    "execution_not_found",
                    "The execution did not begin while the stream waited for it.",
                    Ending.EXECUTION_NOT_FOUND);
        } else if (outlet.stuck(nowNanos, heartbeatNanos, stuckNanos)) {
            hub.countStuck();
            leave();
            outlet.cut();
        }
    }
}
