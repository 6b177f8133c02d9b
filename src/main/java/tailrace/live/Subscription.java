package tailrace.live;

import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.util.Objects;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import tailrace.model.ExecutionState;

/**
 * One reader of one execution: a cursor and a few flags, never a queue. In step, it gets the bytes that all others get;
 * whatever puts it out of step (history to be shown, a full socket, a message that was lost), it reads from the store
 * until it is in step again. There is no other seam. Belongs to its hub's event loop.
 */
public final class Subscription {
    private static final String HEARTBEAT = ":\n\n";
    /** A refusal is asked again after this, or when the execution's owner changed. */
    private static final long ASK_AGAIN_NANOS = 1_000_000_000L;

    private enum Phase {
        REGISTERED,
        WAITING,
        STREAMING,
        CLOSED
    }

    final Channel channel;
    /** Place in the channel's list, kept by the channel. */
    int index;

    private final LiveHub hub;
    private final HttpServerRequest request;
    private final HttpServerResponse response;
    private Phase phase = Phase.REGISTERED;
    private StreamOptions options = LiveHub.NO_OPTIONS;
    private @Nullable Waiting waiting;
    private long cursor;
    private long historyTo;
    private boolean reading;
    // A socket that takes everything at once drains within the write itself, when the cursor is not to be used yet.
    private boolean writing;
    private int failures;
    private long lastWriteNanos;
    private long blockedSinceNanos;

    Subscription(LiveHub hub, Channel channel, HttpServerRequest request) {
        this.hub = hub;
        this.channel = channel;
        this.request = request;
        this.response = request.response();
    }

    /** What a stream does whose execution nobody knows yet. */
    private static final class Waiting {
        final long deadlineNanos;
        final Function<ExecutionState, Future<Boolean>> mayRead;
        final BiConsumer<Subscription, ExecutionState> begin;
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

        Waiting(
                long deadlineNanos,
                Function<ExecutionState, Future<Boolean>> mayRead,
                BiConsumer<Subscription, ExecutionState> begin) {
            this.deadlineNanos = deadlineNanos;
            this.mayRead = mayRead;
            this.begin = begin;
        }
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
        boolean waited = phase == Phase.WAITING;
        options = with;
        cursor = afterSeq;
        historyTo = waited && with.follow() ? 0 : state.lastSeq(); // who waited saw all of it arrive
        waiting = null;
        writeHead();
        phase = Phase.STREAMING;
        channel.observe(state);
        if (!waited) {
            channel.completeIfDue(state);
        }
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
        options = with;
        waiting = new Waiting(hub.nanoTime() + waitSeconds * 1_000_000_000L, mayRead, begin);
        writeHead();
        phase = Phase.WAITING;
        recheck();
    }

    /** Whether the client is gone or the stream was ended; nothing may be written any more. */
    public boolean closed() {
        return phase == Phase.CLOSED;
    }

    /** Takes the reader out; to be called when the connection ends, for whatever reason, and where no stream begins. */
    public void leave() {
        if (phase != Phase.CLOSED) {
            phase = Phase.CLOSED;
            hub.remove(this);
        }
    }

    private void writeHead() {
        if (response.headWritten()) {
            return;
        }
        response.setChunked(true)
                .putHeader(HttpHeaders.CONTENT_TYPE, "text/event-stream; charset=utf-8")
                .putHeader(HttpHeaders.CACHE_CONTROL, "no-store")
                .putHeader("X-Accel-Buffering", "no");
        response.drainHandler(drained -> {
            blockedSinceNanos = 0;
            if (!writing) {
                pump();
            }
        });
        write(hub.retryFrame());
    }

    /** Asks again whether the execution that this stream waits for is there for its reader. */
    void recheck() {
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
                wait.begin.accept(this, known);
            }
        });
    }

    /** Whether it takes the pending entries, of which the first seq is this, from the channel's next flush. */
    boolean inStep(long firstSeq) {
        return phase == Phase.STREAMING && !reading && cursor >= firstSeq - 1 && writable();
    }

    long cursor() {
        return cursor;
    }

    /** Takes the end of a flush and returns how many entries that was; only if {@link #inStep}. */
    int take(Frames frames, long toSeq) {
        writing = true;
        int entries = frames.writeAfter(response, cursor);
        writing = false;
        if (entries > 0) {
            lastWriteNanos = hub.nanoTime();
        }
        cursor = toSeq;
        return entries;
    }

    StreamOptions options() {
        return options;
    }

    /** Moves on by whatever is possible now: the channel's window, the store, or the end. */
    void pump() {
        recheck();
        while (phase == Phase.STREAMING && !reading) {
            if (!options.follow() && cursor >= historyTo) {
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

    private void readPage() {
        boolean history = cursor < historyTo;
        long to = history ? Math.min(historyTo, channel.lastSeq()) : channel.lastSeq();
        reading = true;
        channel.read(this, cursor + 1, to, !history);
    }

    /** A page that was asked for. */
    void onPage(Frames frames, long scannedTo) {
        reading = false;
        failures = 0;
        if (phase != Phase.STREAMING) {
            return;
        }
        writing = true;
        frames.writeTo(response);
        writing = false;
        lastWriteNanos = hub.nanoTime();
        cursor = scannedTo;
        pump();
    }

    /** The page could not be read: tries again a few times, since a journal is reopened after some failures. */
    void onPageFailed(boolean forGood) {
        if (phase != Phase.STREAMING || forGood || failures >= LiveHub.MAX_READ_RETRIES) {
            reading = false;
            fail("store_unavailable", "The entries cannot be read now.");
            return;
        }
        long delay = LiveHub.READ_RETRY_MILLIS << failures++;
        hub.later(delay, () -> {
            reading = false;
            pump();
        });
    }

    /** The whole has been shown: COMPLETE if the execution is over, and the end. */
    private void finish() {
        ExecutionState state = channel.state();
        if (state != null && channel.completeDue() && cursor >= state.lastSeq()) {
            write(Buffer.buffer(hub.frame().complete(channel.session(), state, hub.nowMicros())));
        }
        end();
    }

    private void fail(String type, String error) {
        if (phase == Phase.STREAMING || phase == Phase.WAITING) {
            write(Buffer.buffer(hub.frame().error(channel.session(), type, error, hub.nowMicros())));
            end();
        }
    }

    /** Ends the stream because the server goes; the client comes back after so long. */
    Future<Void> shutDown(long retryMillis) {
        if (phase == Phase.STREAMING || phase == Phase.WAITING) {
            write(Buffer.buffer(SseFrame.retry(retryMillis)));
            return end();
        }
        leave();
        return Future.succeededFuture();
    }

    private Future<Void> end() {
        leave();
        return response.end();
    }

    private boolean writable() {
        if (!response.writeQueueFull()) {
            blockedSinceNanos = 0;
            return true;
        }
        if (blockedSinceNanos == 0) {
            blockedSinceNanos = hub.nanoTime();
        }
        return false;
    }

    private void write(Buffer bytes) {
        lastWriteNanos = hub.nanoTime();
        writing = true;
        response.write(bytes);
        writing = false;
    }

    /** What time alone brings: the end of the token, of the waiting or of our patience, and heartbeats. */
    void tick(long nowNanos, long nowSeconds, long heartbeatNanos, long stuckNanos) {
        if (phase != Phase.STREAMING && phase != Phase.WAITING) {
            return;
        }
        Waiting wait = waiting;
        if (nowSeconds >= options.expiresAtSeconds()) {
            fail("token_expired", "The token has expired; come back with a new one.");
        } else if (phase == Phase.WAITING && wait != null && nowNanos - wait.deadlineNanos >= 0) {
            fail("execution_not_found", "The execution did not begin while the stream waited for it.");
        } else if (!writable()) {
            if (nowNanos - blockedSinceNanos >= stuckNanos) {
                hub.countStuck();
                leave();
                HardClose.close(request);
            }
        } else if (nowNanos - lastWriteNanos >= heartbeatNanos) {
            write(Buffer.buffer(HEARTBEAT));
        }
    }
}
