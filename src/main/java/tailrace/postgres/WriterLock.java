package tailrace.postgres;

import io.github.resilience4j.core.IntervalFunction;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.pgclient.PgConnection;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The right to write: a session-level advisory lock on a connection of its own, one for a database and schema (SPEC 11).
 * Whoever lacks it takes no entries. While PostgreSQL is away, who held it last goes on taking: the journal holds what
 * comes. The connection is asked every few seconds, so that a cut nobody reported is noticed.
 *
 * <p>Everything runs on one context; {@link #state} may be read by any thread.
 */
public final class WriterLock {
    /** What people are told when another process holds the lock. */
    public static final String TAKEN = "another Tailrace process writes to this database";

    private static final Logger LOG = LoggerFactory.getLogger(WriterLock.class);
    private static final Duration HEARTBEAT = Duration.ofSeconds(3);
    private static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(5);
    private static final Duration TAKEN_RETRY = Duration.ofSeconds(1);
    private static final IntervalFunction RECONNECT =
            IntervalFunction.ofExponentialRandomBackoff(Duration.ofMillis(200), 2.0, 0.5, Duration.ofSeconds(5));

    private final Vertx vertx;
    private final Database database;
    // Unique, so that a session of ours that the server still believes in can be told from another process's.
    private final String applicationName = "tailrace writer " + UUID.randomUUID();
    private final List<Listener> listeners = new CopyOnWriteArrayList<>();
    private final Promise<State> first = Promise.promise();

    private volatile State state = new State(false, false, false, "not yet connected to PostgreSQL");
    private volatile Supplier<Future<Optional<String>>> admission = () -> Future.succeededFuture(Optional.empty());
    private @Nullable Context context;
    private @Nullable PgConnection connection;
    private boolean everHeld;
    private boolean closed;
    private int attempts;

    public WriterLock(Vertx vertx, Database database) {
        this.vertx = vertx;
        this.database = database;
    }

    /**
     * How the writer stands.
     *
     * @param database whether PostgreSQL answers
     * @param held whether we hold the lock now, so that lanes may write
     * @param taking whether entries may be taken
     * @param detail for people, why not; "" where all is well
     */
    public record State(boolean database, boolean held, boolean taking, String detail) {}

    /** Told of every change, on the lock's context. */
    @FunctionalInterface
    public interface Listener {
        void changed(State state);
    }

    public State state() {
        return state;
    }

    /** Adds a listener; it is told the present state at once. */
    public void listen(Listener listener) {
        listeners.add(listener);
        listener.changed(state);
    }

    /**
     * Asked each time the lock was taken, before anything is written: whether we still may. A reason means that another
     * process wrote while we were away; then we take nothing more.
     */
    public void admission(Supplier<Future<Optional<String>>> check) {
        admission = check;
    }

    /**
     * Says that this process's journal held the lock at an earlier start: until PostgreSQL answers, it may take entries
     * as it did then. Call before {@link #start}.
     */
    public void heldBefore() {
        everHeld = true;
    }

    /** Begins, on the caller's context; completes with the state after the first attempt and never fails. */
    public Future<State> start() {
        Context own = vertx.getOrCreateContext();
        context = own;
        own.runOnContext(none -> connect());
        return first.future();
    }

    private void connect() {
        if (closed) {
            return;
        }
        database.connect(applicationName)
                .onSuccess(this::connected)
                .onFailure(error -> lost("PostgreSQL does not answer: " + error.getMessage()));
    }

    private void connected(PgConnection fresh) {
        if (closed) {
            fresh.close();
            return;
        }
        connection = fresh;
        fresh.closeHandler(none -> {
            if (connection == fresh) {
                lost("the connection to PostgreSQL was lost");
            }
        });
        tryLock(fresh);
    }

    private void tryLock(PgConnection on) {
        if (closed || connection != on) {
            return;
        }
        on.query(database.sql().tryLock)
                .execute()
                .timeout(ANSWER_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
                .map(rows -> rows.iterator().next().getBoolean(0))
                .compose(locked -> locked
                        ? admission.get().map(why -> new Attempt(true, why.orElse("")))
                        : endStaleSession(on).map(none -> new Attempt(false, TAKEN)))
                .onSuccess(attempt -> tried(on, attempt))
                .onFailure(error -> dropped(on, "PostgreSQL does not answer: " + error.getMessage()));
    }

    private record Attempt(boolean locked, String refusal) {}

    /** The server may not have noticed yet that our own former connection is gone. */
    private Future<Void> endStaleSession(PgConnection on) {
        if (!everHeld) {
            return Future.succeededFuture();
        }
        return on.query(database.sql().endOwnStaleSession).execute().mapEmpty();
    }

    private void tried(PgConnection on, Attempt attempt) {
        if (connection != on) {
            return;
        }
        attempts = 0;
        if (attempt.locked() && attempt.refusal().isEmpty()) {
            everHeld = true;
            become(new State(true, true, true, ""));
            later(HEARTBEAT, () -> heartbeat(on));
        } else if (attempt.locked()) {
            // Another journal took over while we were away: the lock is of no use to us, others may need it.
            everHeld = false;
            connection = null;
            on.close();
            become(new State(true, false, false, attempt.refusal()));
        } else {
            become(new State(true, false, false, attempt.refusal()));
            later(TAKEN_RETRY, () -> tryLock(on));
        }
    }

    private void heartbeat(PgConnection on) {
        if (closed || connection != on) {
            return;
        }
        on.query("SELECT 1")
                .execute()
                .timeout(ANSWER_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
                .onSuccess(rows -> later(HEARTBEAT, () -> heartbeat(on)))
                .onFailure(error -> dropped(on, "PostgreSQL does not answer: " + error.getMessage()));
    }

    private void dropped(PgConnection on, String why) {
        if (connection == on) {
            lost(why);
            on.close();
        }
    }

    private void lost(String why) {
        connection = null;
        if (closed) {
            return;
        }
        become(new State(false, false, everHeld, why));
        attempts++;
        later(Duration.ofMillis(RECONNECT.apply(Math.min(attempts, 10))), this::connect);
    }

    private void later(Duration delay, Runnable what) {
        vertx.setTimer(Math.max(1, delay.toMillis()), id -> what.run());
    }

    private void become(State next) {
        State before = state;
        state = next;
        first.tryComplete(next);
        if (before.equals(next)) {
            return;
        }
        if (next.held()) {
            LOG.info("this process writes to PostgreSQL");
        } else if (before.held()
                || before.database() != next.database()
                || !before.detail().equals(next.detail())) {
            LOG.warn("this process does not write to PostgreSQL: {}", next.detail());
        }
        listeners.forEach(listener -> listener.changed(next));
    }

    /** For tests: lets go of the connection as after a cut that the server did not notice. */
    void forgetConnection() {
        Context own = context;
        if (own != null) {
            own.runOnContext(none -> lost("forgotten"));
        }
    }

    /** Gives the lock back. */
    public Future<Void> close() {
        Context own = context;
        if (own == null) {
            return Future.succeededFuture();
        }
        Promise<Void> done = Promise.promise();
        own.runOnContext(none -> {
            closed = true;
            PgConnection open = connection;
            connection = null;
            state = new State(state.database(), false, false, "closed");
            first.tryComplete(state);
            if (open == null) {
                done.complete();
            } else {
                // The server gives the lock back with the session; a connection that is broken has none.
                open.close().onComplete(closing -> done.complete());
            }
        });
        return done.future();
    }
}
