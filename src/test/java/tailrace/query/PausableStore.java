package tailrace.query;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import tailrace.model.ExecutionState;
import tailrace.model.LogFilter;

/** Holds answers of a store back, already read, so that a test can let things happen in between. */
public final class PausableStore extends ForwardingStore {
    private @Nullable Hold stateHold;
    private @Nullable Hold pageHold;

    public PausableStore(EntryStore store) {
        super(store);
    }

    /** The next answer of a kind, held until {@link #release}. */
    public static final class Hold {
        private final CountDownLatch reached = new CountDownLatch(1);
        private final Promise<Void> released = Promise.promise();

        /** Waits until something is held. */
        public void reached() {
            try {
                if (!reached.await(10, TimeUnit.SECONDS)) {
                    throw new AssertionError("nothing came to be held");
                }
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }

        public void release() {
            released.complete();
        }

        private <T> Future<T> hold(Future<T> answer) {
            return answer.compose(value -> {
                reached.countDown();
                return released.future().map(value);
            });
        }
    }

    /** Holds the next state: between a subscription's registration and its snapshot's arrival. */
    public synchronized Hold holdState() {
        Hold hold = new Hold();
        stateHold = hold;
        return hold;
    }

    /** Holds the next page: between its read and its reader going live. */
    public synchronized Hold holdPage() {
        Hold hold = new Hold();
        pageHold = hold;
        return hold;
    }

    private synchronized @Nullable Hold takeState() {
        Hold hold = stateHold;
        stateHold = null;
        return hold;
    }

    private synchronized @Nullable Hold takePage() {
        Hold hold = pageHold;
        pageHold = null;
        return hold;
    }

    private static <T> Future<T> held(@Nullable Hold hold, Future<T> answer) {
        return hold == null ? answer : hold.hold(answer);
    }

    @Override
    public Future<Optional<ExecutionState>> execution(String executionId) {
        return held(takeState(), super.execution(executionId));
    }

    @Override
    public Future<Slice> ascending(
            String executionId,
            long fromSeq,
            long toSeq,
            int maxEntries,
            long maxBytes,
            LogFilter filter,
            boolean exactHoles) {
        return held(takePage(), super.ascending(executionId, fromSeq, toSeq, maxEntries, maxBytes, filter, exactHoles));
    }
}
