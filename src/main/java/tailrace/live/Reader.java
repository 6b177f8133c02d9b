package tailrace.live;

import io.vertx.core.Future;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import tailrace.model.ExecutionState;
import tailrace.model.LogFilter;

/**
 * One cursor into one execution: a number and a few flags, never a queue. In step, it gets the bytes that all others get;
 * whatever puts it out of step (history to be shown, a full socket, a message that was lost), it reads from the store
 * until it is in step again. There is no other seam. Belongs to its hub's event loop.
 */
abstract sealed class Reader permits Subscription, Leg {
    enum Phase {
        REGISTERED,
        WAITING,
        STREAMING,
        CLOSED
    }

    /** A refusal is asked again after this, or when the execution's owner changed. */
    private static final long ASK_AGAIN_NANOS = 1_000_000_000L;

    final Channel channel;
    final LiveHub hub;
    /** Place in the channel's list, kept by the channel. */
    int index;

    Phase phase = Phase.REGISTERED;
    boolean reading;
    long cursor;
    private StreamOptions options = LiveHub.NO_OPTIONS;
    private @Nullable Shape shape;
    private long historyTo;
    private int failures;
    private @Nullable Waiting waiting;

    Reader(LiveHub hub, Channel channel) {
        this.hub = hub;
        this.channel = channel;
    }

    /** What a reader does whose execution nobody knows yet. */
    private static final class Waiting {
        final long deadlineNanos;
        final Function<ExecutionState, Future<Boolean>> mayRead;
        final Consumer<ExecutionState> begin;
        boolean asking;

        @Nullable
        ExecutionState asked;

        long askAgainNanos;

        /** Whoever waits for what is another's must not have PostgreSQL asked at each of its entries. */
        boolean due(ExecutionState state, long nowNanos) {
            ExecutionState before = asked;
            return before == null
                    || !Objects.equals(before.userId(), state.userId())
                    || !Objects.equals(before.workflowId(), state.workflowId())
                    || nowNanos - askAgainNanos >= 0;
        }

        Waiting(long deadlineNanos, Function<ExecutionState, Future<Boolean>> mayRead, Consumer<ExecutionState> begin) {
            this.deadlineNanos = deadlineNanos;
            this.mayRead = mayRead;
            this.begin = begin;
        }
    }

    /** Whether its connection takes more now. */
    abstract boolean writable();

    /** Takes the end of a flush and returns how many entries that was; only if {@link #inStep}. */
    abstract int take(Frames frames, long toSeq);

    /** Moves on by whatever is possible now: the channel's window, the store, or the end. */
    abstract void pump();

    /** A page that was asked for. */
    abstract void onPage(Frames frames, long scannedTo);

    /** Nothing can be read any more. */
    abstract void failForGood();

    /** What time alone brings. */
    abstract void tick(long nowNanos, long nowSeconds, long heartbeatNanos, long stuckNanos);

    /** From here on it streams. */
    final void startAt(StreamOptions with, EventFormat format, ExecutionState state, long afterSeq) {
        boolean waited = phase == Phase.WAITING;
        options = with;
        shape = hub.shape(format, with.filter());
        cursor = afterSeq;
        historyTo = waited && with.follow() ? 0 : state.lastSeq(); // who waited saw all of it arrive
        waiting = null;
        phase = Phase.STREAMING;
        channel.observe(state);
        if (!waited) {
            channel.completeIfDue(state);
        }
    }

    /** From here on it waits for its execution to be there for its reader. */
    final void awaitUntil(
            StreamOptions with,
            long deadlineNanos,
            Function<ExecutionState, Future<Boolean>> mayRead,
            Consumer<ExecutionState> begin) {
        options = with;
        waiting = new Waiting(deadlineNanos, mayRead, begin);
        phase = Phase.WAITING;
        recheck();
    }

    /** Asks again whether the execution that this reader waits for is there for it. */
    final void recheck() {
        ExecutionState state = channel.state();
        Waiting wait = waiting;
        long now = hub.nanoTime();
        if (phase != Phase.WAITING || wait == null || state == null || wait.asking || !wait.due(state, now)) {
            return;
        }
        wait.asking = true;
        wait.asked = state;
        wait.askAgainNanos = now + ASK_AGAIN_NANOS;
        hub.then(wait.mayRead.apply(state), answer -> {
            wait.asking = false;
            ExecutionState known = channel.state();
            if (phase == Phase.WAITING && known != null && Boolean.TRUE.equals(answer.result())) {
                wait.begin.accept(known);
            }
        });
    }

    /** Whether it waited in vain. */
    final boolean waitedTooLong(long nowNanos) {
        Waiting wait = waiting;
        return phase == Phase.WAITING && wait != null && nowNanos - wait.deadlineNanos >= 0;
    }

    /** Whether it takes the pending entries, of which the first seq is this, from the channel's next flush. */
    final boolean inStep(long firstSeq) {
        return phase == Phase.STREAMING && !reading && cursor >= firstSeq - 1 && writable();
    }

    /** Whether it was to show history only, and has. */
    final boolean historyShown() {
        return !options.follow() && cursor >= historyTo;
    }

    final void readPage() {
        boolean history = cursor < historyTo;
        long to = history ? Math.min(historyTo, channel.lastSeq()) : channel.lastSeq();
        reading = true;
        channel.read(this, cursor + 1, to, !history);
    }

    final void pageRead() {
        reading = false;
        failures = 0;
    }

    /** The page could not be read: tries again a few times, since a journal is reopened after some failures. */
    void onPageFailed(boolean forGood) {
        if (phase != Phase.STREAMING || forGood || failures >= LiveHub.MAX_READ_RETRIES) {
            reading = false;
            failForGood();
            return;
        }
        long delay = LiveHub.READ_RETRY_MILLIS << failures++;
        hub.later(delay, () -> {
            reading = false;
            pump();
        });
    }

    final boolean open() {
        return phase == Phase.STREAMING || phase == Phase.WAITING;
    }

    final StreamOptions options() {
        return options;
    }

    final LogFilter filter() {
        return options.filter();
    }

    /** Only once it streams. */
    final Shape shape() {
        Shape known = shape;
        if (known == null) {
            throw new IllegalStateException("a reader that has not begun has no shape");
        }
        return known;
    }
}
