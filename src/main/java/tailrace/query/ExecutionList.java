package tailrace.query;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.journal.ExecutionIndex;
import tailrace.journal.ExecutionIndex.Piece;
import tailrace.journal.ExecutionIndex.Place;
import tailrace.journal.ExecutionIndex.Scope;
import tailrace.journal.Journal;
import tailrace.journal.JournalUnavailableException;
import tailrace.model.ExecutionState;
import tailrace.model.JournalRecord;
import tailrace.security.Principal;

/**
 * Executions of both tiers, newest first, each once. PostgreSQL lists what its policies let the reader see; what the
 * journal knows of any of them is newer and counts instead, and what only the journal knows comes on top. Both are in the
 * order of their making, which never changes, so pages are continued by a place and nothing moves under them. Safe for
 * any event loop.
 */
public final class ExecutionList {
    /** Records behind the index that are looked through for executions it does not have yet. */
    static final int MAX_TAIL_RECORDS = 20_000;

    /** Executions of one workflow that PostgreSQL may not have yet and that are asked for one by one. */
    private static final int MAX_UNFLUSHED = 1_000;

    private static final int PAGE_RECORDS = 2_000;

    /** Pieces that are gone through for one page; who asks for something rare goes on by the cursor. */
    private static final int MAX_ROUNDS = 20;

    private static final Comparator<Place> NEWEST_FIRST = Comparator.comparingLong(Place::createdAtMicros)
            .reversed()
            .thenComparing(Place::executionId, ExecutionList::byBytes);

    private static final Logger LOG = LoggerFactory.getLogger(ExecutionList.class);

    private final Vertx vertx;
    private final Journal journal;
    private final ExecutionIndex index;
    private final LongSupplier indexed;
    private final LongSupplier flushed;
    private final ColdList cold;
    private final Executions executions;

    /**
     * @param indexed the journal's position up to which the index has every execution
     * @param flushed the position up to which PostgreSQL has them
     */
    public ExecutionList(
            Vertx vertx,
            Journal journal,
            ExecutionIndex index,
            LongSupplier indexed,
            LongSupplier flushed,
            ColdList cold,
            Executions executions) {
        this.vertx = vertx;
        this.journal = journal;
        this.index = index;
        this.indexed = indexed;
        this.flushed = flushed;
        this.cold = cold;
        this.executions = executions;
    }

    private static int byBytes(String one, String other) {
        // UTF-8 sorts as code points do; the chars of surrogate pairs do not.
        int[] left = one.codePoints().toArray();
        int[] right = other.codePoints().toArray();
        return java.util.Arrays.compare(left, right);
    }

    private static Place place(ExecutionState state) {
        return new Place(state.createdAtMicros(), state.executionId());
    }

    /** One page. Fails if the journal cannot be read, or if nothing can be told because PostgreSQL is away. */
    public Future<ListPage> page(Principal principal, ListQuery query) {
        return round(new Walk(principal, query), query.after(), 1)
                .compose(page -> page.coldAway() && page.states().isEmpty()
                        ? Future.failedFuture(new History.UnreadableException(
                                "PostgreSQL, which knows the executions, does not answer"))
                        : Future.succeededFuture(page));
    }

    private static final class Walk {
        final Principal principal;
        final ListQuery query;
        final List<ExecutionState> found = new ArrayList<>();
        boolean coldAway;

        Walk(Principal principal, ListQuery query) {
            this.principal = principal;
            this.query = query;
        }

        int wanted() {
            return query.limit() + 1 - found.size(); // one more, to know whether there is one
        }
    }

    private Future<ListPage> round(Walk walk, Place after, int round) {
        ListQuery query = walk.query;
        int max = query.limit() + 1;
        // PostgreSQL first: what is flushed after it was asked is in the journal still.
        return cold.newest(walk.principal, query.workflowId(), query.status(), after, query.sinceMicros(), max)
                .recover(away -> {
                    LOG.debug("PostgreSQL lists no executions", away);
                    walk.coldAway = true;
                    return Future.succeededFuture(List.of());
                })
                .compose(rows -> vertx.executeBlocking(() -> merge(walk, after, rows, max), false)
                        .compose(merged -> visible(walk, merged, 0))
                        .compose(looked -> {
                            if (walk.wanted() <= 0) {
                                List<ExecutionState> page = List.copyOf(walk.found.subList(0, query.limit()));
                                return Future.succeededFuture(
                                        new ListPage(page, place(page.get(page.size() - 1)), walk.coldAway));
                            }
                            Place end = looked.end;
                            return end != null && round < MAX_ROUNDS
                                    ? round(walk, end, round + 1)
                                    : Future.succeededFuture(new ListPage(List.copyOf(walk.found), end, walk.coldAway));
                        }));
    }

    /** @param end how far both tiers were looked through, null if to the end */
    private record Merged(
            List<ExecutionState> states,
            Set<String> seenByPolicy,
            @Nullable Place end) {}

    /** What both have behind a place, as far as both are known. Blocks. */
    private Merged merge(Walk walk, Place after, List<ExecutionState> rows, int max) {
        ListQuery query = walk.query;
        Piece hot = hot(scope(walk.principal, query.workflowId()), after, query.sinceMicros(), max);
        Place end = hot.end();
        if (rows.size() == max) {
            Place last = place(rows.get(max - 1));
            end = end == null || NEWEST_FIRST.compare(last, end) < 0 ? last : end;
        }
        Map<String, ExecutionState> states = new HashMap<>();
        Set<String> seen = new HashSet<>();
        for (ExecutionState row : rows) {
            ExecutionState now = journal.execution(row.executionId()).orElse(row);
            states.put(row.executionId(), now);
            if (Objects.equals(row.userId(), now.userId()) && Objects.equals(row.workflowId(), now.workflowId())) {
                seen.add(row.executionId()); // else it changed hands since PostgreSQL decided
            }
        }
        hot.states().forEach(state -> states.put(state.executionId(), state));
        Place until = end;
        List<ExecutionState> merged = states.values().stream()
                .filter(state -> NEWEST_FIRST.compare(place(state), after) > 0)
                .filter(state -> until == null || NEWEST_FIRST.compare(place(state), until) <= 0)
                .filter(state ->
                        query.workflowId() == null || query.workflowId().equals(state.workflowId()))
                .filter(state -> query.status() == null || query.status() == state.status())
                .sorted(Comparator.comparing(ExecutionList::place, NEWEST_FIRST))
                .toList();
        return new Merged(merged, seen, end);
    }

    private static Scope scope(Principal principal, @Nullable String workflowId) {
        return new Scope(workflowId, principal.service() ? null : principal.subject());
    }

    /** The index, and behind it what came since. Blocks. */
    private Piece hot(Scope scope, Place after, long sinceMicros, int max) {
        // In this order: what is indexed meanwhile is seen twice rather than never.
        List<ExecutionState> tail = changedAfter(indexed.getAsLong()).orElse(List.of());
        Piece listed = index.newest(scope, after, sinceMicros, max);
        Place end = listed.end();
        Map<String, ExecutionState> states = new HashMap<>();
        listed.states().forEach(state -> states.put(state.executionId(), state));
        for (ExecutionState state : tail) {
            if (scope.holds(state)
                    && state.createdAtMicros() >= sinceMicros
                    && NEWEST_FIRST.compare(place(state), after) > 0
                    && (end == null || NEWEST_FIRST.compare(place(state), end) <= 0)) {
                states.put(state.executionId(), state);
            }
        }
        return new Piece(List.copyOf(states.values()), end);
    }

    /** Executions with records behind a position; nothing if there are too many records. Blocks. */
    private Optional<List<ExecutionState>> changedAfter(long position) {
        Map<String, ExecutionState> states = new HashMap<>();
        long at = position;
        for (int looked = 0; looked < MAX_TAIL_RECORDS; ) {
            List<JournalRecord> records = journal.records(at, PAGE_RECORDS, Integer.MAX_VALUE);
            for (JournalRecord record : records) {
                at = record.position();
                String id = record.executionId();
                if (!states.containsKey(id)) {
                    journal.execution(id).ifPresent(state -> states.put(id, state));
                }
            }
            looked += records.size();
            if (records.size() < PAGE_RECORDS) {
                return Optional.of(List.copyOf(states.values()));
            }
        }
        return Optional.empty();
    }

    /** Takes what this reader may see: by PostgreSQL's word, else by asking. */
    private Future<Merged> visible(Walk walk, Merged merged, int from) {
        int to = Math.min(merged.states.size(), from + Math.max(0, walk.wanted()));
        if (from == to) {
            return Future.succeededFuture(merged);
        }
        List<ExecutionState> some = merged.states.subList(from, to);
        return mayRead(walk.principal, some, merged.seenByPolicy).compose(those -> {
            walk.found.addAll(those);
            return visible(walk, merged, to);
        });
    }

    /** Those that the principal may read, in the same order. */
    private Future<List<ExecutionState>> mayRead(
            Principal principal, List<ExecutionState> states, Set<String> seenByPolicy) {
        List<ExecutionState> asked = states.stream()
                .filter(state -> !seenByPolicy.contains(state.executionId()))
                .toList();
        return executions.readable(principal, asked).map(those -> {
            Set<String> allowed = new HashSet<>(seenByPolicy);
            those.forEach(state -> allowed.add(state.executionId()));
            return states.stream()
                    .filter(state -> allowed.contains(state.executionId()))
                    .toList();
        });
    }

    /** How many executions of a workflow the reader may see; empty while nobody can tell. */
    public Future<Optional<Long>> count(Principal principal, String workflowId) {
        return vertx.executeBlocking(
                        () -> changedAfter(flushed.getAsLong())
                                .map(states -> states.stream()
                                        .filter(state -> workflowId.equals(state.workflowId()))
                                        .toList())
                                .filter(states -> states.size() <= MAX_UNFLUSHED),
                        false)
                .compose(changed -> changed.isEmpty()
                        ? Future.succeededFuture(Optional.<Long>empty())
                        : mayRead(principal, changed.get(), Set.of())
                                .compose(those -> cold.count(
                                        principal,
                                        workflowId,
                                        those.stream()
                                                .map(ExecutionState::executionId)
                                                .toList()))
                                .map(Optional::of))
                .recover(away -> {
                    if (away instanceof JournalUnavailableException) {
                        return Future.failedFuture(away);
                    }
                    LOG.debug("PostgreSQL counts no executions", away);
                    return Future.succeededFuture(Optional.empty());
                });
    }
}
