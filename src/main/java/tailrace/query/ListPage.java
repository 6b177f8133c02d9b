package tailrace.query;

import java.util.List;
import org.jspecify.annotations.Nullable;
import tailrace.journal.ExecutionIndex.Place;
import tailrace.model.ExecutionState;

/**
 * A page of executions, newest first.
 *
 * @param next where the next page begins; null if there is nothing more
 * @param coldAway whether PostgreSQL did not answer, so that what only it knows is missing
 */
public record ListPage(
        List<ExecutionState> states, @Nullable Place next, boolean coldAway) {}
