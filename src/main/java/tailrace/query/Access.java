package tailrace.query;

import io.vertx.core.Future;
import java.util.List;
import java.util.stream.IntStream;
import tailrace.model.ExecutionState;
import tailrace.security.Principal;

/**
 * Who may read an execution (SPEC 8). Asked at every request and at every (re)connect of a stream, so an answer that is
 * kept is kept here; a refusal never is.
 */
@FunctionalInterface
public interface Access {
    /** The owner recorded with the execution decides; one without an owner is for services only. */
    Access BY_OWNER = (principal, state) -> Future.succeededFuture(principal.service()
            || (!principal.subject().isEmpty() && principal.subject().equals(state.userId())));

    /** Whether the principal may read it; fails if nobody can tell now. */
    Future<Boolean> mayRead(Principal principal, ExecutionState state);

    /** Those of the executions that the principal may read, in their order. */
    default Future<List<ExecutionState>> readable(Principal principal, List<ExecutionState> states) {
        List<Future<Boolean>> answers =
                states.stream().map(state -> mayRead(principal, state)).toList();
        return Future.all(answers).map(all -> IntStream.range(0, states.size())
                .filter(i -> all.<Boolean>resultAt(i))
                .mapToObj(states::get)
                .toList());
    }
}
