package tailrace.query;

import io.vertx.core.Future;
import java.util.List;
import java.util.Optional;
import tailrace.model.ExecutionState;
import tailrace.security.Principal;

/** Finds executions for whoever asks; what they may not read is not there. Safe for any event loop. */
public final class Executions {
    private final EntryStore store;
    private final Access access;

    public Executions(EntryStore store, Access access) {
        this.store = store;
        this.access = access;
    }

    /** The execution, if there is one that the principal may read; fails if a store that has to be asked is away. */
    public Future<Optional<ExecutionState>> find(Principal principal, String executionId) {
        return store.as(principal).execution(executionId).compose(found -> {
            if (found.isEmpty()) {
                return Future.succeededFuture(found);
            }
            return mayRead(principal, found.get()).map(may -> may ? found : Optional.empty());
        });
    }

    /** Those of the executions that the principal may read, in their order; at most some hundreds at once. */
    public Future<List<ExecutionState>> readable(Principal principal, List<ExecutionState> states) {
        return access.readable(principal, states);
    }

    /** Whether the principal may read an execution that is already known. */
    public Future<Boolean> mayRead(Principal principal, ExecutionState state) {
        return access.mayRead(principal, state);
    }
}
