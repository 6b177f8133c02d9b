package tailrace.live;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One reader of many executions: a cursor into each ({@link Leg}) and one connection. Each event carries where all of
 * them stand, so it is the connection's own; the rest of its bytes is what all others get. What the channels have in one
 * round is one write. Those behind take turns, a page at a time, so that no execution keeps another from being shown.
 * Belongs to its hub's event loop.
 */
public final class ManySubscription {
    /** Pages being read at once; each is at most 64 KiB. */
    private static final int MAX_READS = 4;
    /** What is gathered for one write. */
    private static final int WRITE_BYTES = 64 << 10;

    private static final byte[] ID = EventFormat.ascii("id: ");

    private final LiveHub hub;
    private final Outlet outlet;
    private final LiveStreams.Place place;
    private final Map<String, Leg> legs = new LinkedHashMap<>();
    private final Deque<Leg> line = new ArrayDeque<>();
    private Members members = Members.NONE;
    private @Nullable ByteBuf out;
    private long expiresAtSeconds = Long.MAX_VALUE;
    private int reads;
    private boolean begun;
    private boolean advancing;
    private boolean atEndOfRound;
    private boolean starting;
    private boolean closed;

    ManySubscription(LiveHub hub, Outlet outlet, LiveStreams.Place place) {
        this.hub = hub;
        this.place = place;
        this.outlet = outlet;
        outlet.attach(this::pumpAll, this::leave);
    }

    /** Which executions are shown, and how that is remembered. */
    interface Members extends Positions {
        Members NONE = new Members() {
            @Override
            public void write(Collection<Leg> legs, ByteBuf to) {}
        };

        /** Whether the connection is over once each of its executions is. */
        default boolean endsWithThem() {
            return true;
        }

        /** What time alone brings. */
        default void tick(long nowNanos) {}

        /** The connection is gone. */
        default void close() {}
    }

    /** Whose executions they are; told when the connection is gone. */
    void own(Members whose) {
        members = whose;
    }

    /** Writes the head; what the members show follows. */
    void begin(Members whose, StreamOptions options) {
        members = whose;
        expiresAtSeconds = options.expiresAtSeconds();
        begun = true;
        outlet.begin();
    }

    /** Adds a cursor, which from now on misses nothing; it is to be started. */
    Leg add(String executionId) {
        Channel channel = hub.channel(executionId);
        Leg leg = new Leg(hub, channel, this);
        channel.add(leg);
        legs.put(executionId, leg);
        return leg;
    }

    @Nullable
    Leg leg(String executionId) {
        return legs.get(executionId);
    }

    Collection<Leg> legs() {
        return legs.values();
    }

    /** Forgets an execution. */
    void drop(Leg leg) {
        leg.leave();
        legs.remove(leg.channel.executionId);
    }

    /** Whether the client is gone or the stream was ended; nothing may be written any more. */
    public boolean closed() {
        return closed;
    }

    /** Takes the reader out; to be called when the connection ends, for whatever reason, and where no stream begins. */
    public void leave() {
        if (closed) {
            return;
        }
        closed = true;
        place.leave();
        members.close();
        legs.values().forEach(Leg::leave);
        line.clear();
        ByteBuf gathered = out;
        if (gathered != null) {
            out = null;
            gathered.release();
        }
        hub.leave(this);
    }

    EventFormat format() {
        return outlet.format();
    }

    boolean writable() {
        return outlet.writable();
    }

    /** Starts several cursors without ending before the last of them. */
    void together(Runnable start) {
        starting = true;
        start.run();
        starting = false;
        settled();
    }

    /** Takes what is above a leg's cursor and moves it; returns how many entries that was. */
    int append(Leg leg, Frames frames) {
        int entries = frames.eachAfter(leg.cursor, (id, bytes, from, count) -> {
            leg.cursor = id;
            ByteBuf to = withId(count);
            to.writeBytes(bytes, from, count);
            if (to.readableBytes() >= WRITE_BYTES) {
                flushOut();
            }
        });
        flushSoon();
        return entries;
    }

    /** An event that moves a cursor, which has been moved. */
    void sendWithId(byte[] event) {
        withId(event.length).writeBytes(event);
        flushSoon();
    }

    /** An event without an id. */
    void send(Buffer event) {
        flushOut();
        if (!closed) {
            outlet.write(event);
        }
    }

    private ByteBuf withId(int bytes) {
        ByteBuf to = out;
        if (to == null) {
            to = PooledByteBufAllocator.DEFAULT.directBuffer(Math.max(1024, 2 * bytes));
            out = to;
        }
        to.writeBytes(ID);
        members.write(legs.values(), to);
        to.writeByte('\n');
        return to;
    }

    private void flushSoon() {
        if (!hub.inRound()) {
            flushOut();
        } else if (!atEndOfRound) {
            atEndOfRound = true;
            hub.atEndOfRound(this);
        }
    }

    /** Writes what was gathered. */
    void flushOut() {
        atEndOfRound = false;
        ByteBuf gathered = out;
        if (gathered == null) {
            return;
        }
        out = null;
        SharedBytes bytes = new SharedBytes(gathered);
        if (!closed) {
            outlet.write(bytes, 0, bytes.length());
        }
        bytes.release();
    }

    /** Puts a leg into the line of those who read. */
    void enqueue(Leg leg) {
        if (!leg.queued) {
            leg.queued = true;
            line.add(leg);
        }
        advance();
    }

    private void advance() {
        if (advancing) {
            return;
        }
        advancing = true;
        while (!closed && reads < MAX_READS && !line.isEmpty() && writable()) {
            Leg leg = line.remove();
            leg.queued = false;
            leg.advance();
        }
        advancing = false;
    }

    void readBegins() {
        reads++;
    }

    void readEnded() {
        reads--;
        advance();
    }

    private void pumpAll() {
        advance();
        for (Leg leg : List.copyOf(legs.values())) {
            leg.pump();
        }
    }

    /** Some leg has nothing more to come. */
    void settled() {
        if (begun && !closed && !starting && members.endsWithThem() && allSettled()) {
            end(Ending.DONE);
        }
    }

    private boolean allSettled() {
        for (Leg leg : legs.values()) {
            if (!leg.isSettled()) {
                return false;
            }
        }
        return true;
    }

    /** Says why the whole connection ends, and ends it. */
    void fail(byte[] session, String type, String error, Ending ending) {
        if (begun && !closed) {
            send(Buffer.buffer(format().error(session, type, error, hub.nowMicros())));
            end(ending);
        }
    }

    /** Ends the stream because the server goes; the client comes back after so long. */
    Future<Void> shutDown(long retryMillis) {
        if (begun && !closed) {
            return end(Ending.shutdown(retryMillis));
        }
        leave();
        return Future.succeededFuture();
    }

    private Future<Void> end(Ending ending) {
        flushOut();
        leave();
        return outlet.finish(ending);
    }

    /** The end of the token, of the waiting or of our patience, and heartbeats. */
    void tick(long nowNanos, long nowSeconds, long heartbeatNanos, long stuckNanos) {
        if (!begun || closed) {
            return;
        }
        if (nowSeconds >= expiresAtSeconds) {
            fail(
                    EventFormat.noSession(),
                    "token_expired",
                    "The token has expired; come back with a new one.",
                    Ending.TOKEN_EXPIRED);
            return;
        }
        if (outlet.stuck(nowNanos, heartbeatNanos, stuckNanos)) {
            hub.countStuck();
            leave();
            outlet.cut();
            return;
        }
        members.tick(nowNanos);
        for (Leg leg : List.copyOf(legs.values())) {
            if (leg.waitedTooLong(nowNanos)) {
                leg.notFound();
            }
        }
    }
}
