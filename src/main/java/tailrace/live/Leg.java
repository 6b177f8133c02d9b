package tailrace.live;

import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import java.util.function.Consumer;
import java.util.function.Function;
import tailrace.model.ExecutionState;

/** One execution of a connection that shows many: a cursor, whose connection belongs to all of them. */
final class Leg extends Reader {
    private final ManySubscription many;
    /** Whether its end was told, and nothing has come since. */
    boolean told;
    /** Whether it stands in line to read. */
    boolean queued;

    Leg(LiveHub hub, Channel channel, ManySubscription many) {
        super(hub, channel);
        this.many = many;
    }

    /** Where it goes on; known to all events from here on. */
    void resumeAt(long seq, boolean endTold) {
        cursor = seq;
        told = endTold;
    }

    void start(StreamOptions with, ExecutionState state, long afterSeq) {
        if (phase == Phase.CLOSED) {
            return;
        }
        told = told && afterSeq == cursor && state.status().finished();
        startAt(with, many.format(), state, afterSeq);
        pump();
    }

    void await(
            StreamOptions with,
            long deadlineNanos,
            Function<ExecutionState, Future<Boolean>> mayRead,
            Consumer<ExecutionState> begin) {
        awaitUntil(with, deadlineNanos, mayRead, begin);
    }

    /** Says that there is no such execution, and goes. */
    void notFound() {
        many.send(Buffer.buffer(many.format()
                .error(
                        channel.session(),
                        "execution_not_found",
                        "There is no such execution that you may read.",
                        hub.nowMicros())));
        leave();
        many.settled();
    }

    /** Takes it out of its channel; its connection goes on. */
    void leave() {
        if (phase != Phase.CLOSED) {
            phase = Phase.CLOSED;
            hub.remove(this);
        }
    }

    /** Whether there is nothing more to come as far as anybody knows. */
    boolean isSettled() {
        return phase == Phase.CLOSED || told && cursor >= channel.lastSeq();
    }

    @Override
    boolean writable() {
        return many.writable();
    }

    @Override
    int take(Frames frames, long toSeq) {
        told = false;
        int entries = many.append(this, frames);
        cursor = toSeq;
        return entries;
    }

    @Override
    void pump() {
        recheck();
        if (behind()) {
            many.enqueue(this);
        }
    }

    /** Whether it has to catch up by itself; ends it if it has shown all. */
    private boolean behind() {
        if (phase != Phase.STREAMING || reading) {
            return false;
        }
        if (cursor >= channel.lastSeq()) {
            ExecutionState state = channel.state();
            if (state != null && !state.status().finished()) {
                told = false; // it was begun again
            }
            if (channel.completeDue()) {
                complete();
            }
            if (phase == Phase.STREAMING && historyShown()) {
                leave();
                many.settled();
            }
            return false;
        }
        if (historyShown()) {
            leave();
            many.settled();
            return false;
        }
        told = false;
        return !channel.pendingCovers(cursor); // else the next flush goes on
    }

    /** Its turn: takes what lies in the channel's window, or reads a page. */
    void advance() {
        while (behind()) {
            if (!channel.catchUpFromWindow(this)) {
                many.readBegins();
                readPage();
                return;
            }
        }
    }

    private void complete() {
        ExecutionState state = channel.state();
        if (!told && state != null) {
            told = true;
            many.sendWithId(many.format().complete(channel.session(), state, hub.nowMicros()));
            many.settled();
        }
    }

    @Override
    void onPage(Frames frames, long scannedTo) {
        pageRead();
        if (phase == Phase.STREAMING) {
            told = false;
            many.append(this, frames);
            cursor = scannedTo;
            pump(); // at the end of the line, if there is more
        }
        many.readEnded();
    }

    @Override
    void onPageFailed(boolean forGood) {
        super.onPageFailed(forGood);
        many.readEnded();
    }

    @Override
    void failForGood() {
        if (phase == Phase.STREAMING) {
            many.fail(
                    channel.session(),
                    "store_unavailable",
                    "The entries cannot be read now.",
                    Ending.STORE_UNAVAILABLE);
        }
    }

    /** Its connection looks after time. */
    @Override
    void tick(long nowNanos, long nowSeconds, long heartbeatNanos, long stuckNanos) {}
}
