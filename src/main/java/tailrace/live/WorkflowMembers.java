package tailrace.live;

import io.netty.buffer.ByteBuf;
import io.vertx.core.Future;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Collectors;
import tailrace.live.NamedToken.Position;
import tailrace.model.ExecutionState;

/**
 * A connection's executions where the request names a workflow: those that are live, each from when it is there for its
 * reader until some time after its end. At most {@link WorkflowToken#MAX_MEMBERS} at once; if there are more, the
 * quietest is let go until it moves again.
 *
 * <p>Where one that joins begins is decided by what the reader's last id says of it: a member goes on; whatever ended
 * before that id was made, or was let go, goes on where it was then; all others begin at their first entry. So each entry
 * is shown once, also of executions that the workflow claimed, or that became readable, after their first entries.
 *
 * <p>Longer than most files, since joining, leaving and what an id says of both are one rule.
 */
public final class WorkflowMembers implements ManySubscription.Members {
    /**
     * A member stays for so long after its end, and an id speaks of the time so long before it: longer than an entry takes
     * from its receipt to here, also if its announcement was lost.
     */
    static final long LINGER_MILLIS = 15_000;

    /** Looked at when the stream begins; more are let go. */
    private static final int MAX_FOUND = 1_000;
    /** Executions that may not be read yet, or have no room; more are looked at when they move again. */
    private static final int MAX_CANDIDATES = 1_000;
    /** Executions that have left and whose place is known exactly. */
    private static final int MAX_LEFT = 1_000;

    private static final int ASKS_A_TICK = 20;
    private static final long FIRST_RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(250);
    private static final long MAX_RETRY_NANOS = TimeUnit.SECONDS.toNanos(30);

    private final LiveHub hub;
    private final ManySubscription many;
    private final Request request;
    private final Map<String, Candidate> candidates = new LinkedHashMap<>();
    private final Map<String, Long> hashes = new HashMap<>();
    private final Map<String, Position> left = new LinkedHashMap<>();
    /** Of the id that the reader came with: executions that have not been seen since. */
    private final Map<Long, Position> absent = new HashMap<>();

    private long knownAtMillis;
    private long quietBeforeMillis;
    /** Those for whom there is room, and whose place is being looked up. */
    private int placing;

    private boolean started;

    /**
     * What the reader asked for.
     *
     * @param resumed what the last id said, or empty
     * @param firstSeq where an execution that was there already begins for one who comes without an id
     * @param afterSeq none begins before it
     */
    public record Request(
            String workflowId,
            StreamOptions options,
            Optional<WorkflowToken> resumed,
            Function<ExecutionState, Future<Boolean>> mayRead,
            Function<ExecutionState, Future<Long>> firstSeq,
            long afterSeq) {}

    /** One that may join. */
    private static final class Candidate {
        ExecutionState state;
        final boolean found;
        boolean allowed;
        boolean busy;
        long nextTryNanos;
        long retryNanos = FIRST_RETRY_NANOS;

        /** @param found whether it was there when the stream began */
        Candidate(ExecutionState state, boolean found) {
            this.state = state;
            this.found = found;
        }
    }

    private WorkflowMembers(LiveHub hub, ManySubscription many, Request request) {
        this.hub = hub;
        this.many = many;
        this.request = request;
        Optional<WorkflowToken> resumed = request.resumed;
        knownAtMillis = resumed.map(WorkflowToken::knownAtMillis).orElse(hub.nowMillis() - LINGER_MILLIS);
        quietBeforeMillis = resumed.map(WorkflowToken::quietBeforeMillis).orElse(0L);
        resumed.ifPresent(token -> absent.putAll(token.members()));
    }

    /** From now on nothing of the workflow is missed; completes when it is known what is there. Then {@link #start}. */
    public static Future<WorkflowMembers> register(LiveHub hub, ManySubscription many, Request request) {
        var members = new WorkflowMembers(hub, many, request);
        if (many.closed()) {
            return Future.succeededFuture(members);
        }
        many.own(members);
        hub.workflows().add(members);
        return hub.workflows()
                .executions()
                .recent(request.workflowId, MAX_FOUND, members::concerns)
                .map(found -> {
                    found.forEach(members::onFound);
                    return members;
                });
    }

    private void onFound(ExecutionState state) {
        Candidate heardOf = candidates.get(state.executionId());
        candidates.put(state.executionId(), new Candidate(heardOf == null ? state : heardOf.state, true));
    }

    String workflowId() {
        return request.workflowId;
    }

    /** Whether the stream shows it from its beginning on. Called on a worker, before anything changes. */
    private boolean concerns(ExecutionState state) {
        return !state.status().finished()
                || lastMillis(state) + hub.completeDelayMillis() > knownAtMillis
                || absent.containsKey(WorkflowToken.hash(state.executionId()));
    }

    private static long lastMillis(ExecutionState state) {
        return Math.max(state.lastReceivedAtMicros(), state.finishedAtMicros()) / 1_000;
    }

    /** Begins the stream with what is there; on the hub's event loop. */
    public void start() {
        if (many.closed()) {
            return;
        }
        many.begin(this, request.options);
        started = true;
        many.together(() -> {
            Map<Boolean, List<Candidate>> there =
                    candidates.values().stream().collect(Collectors.partitioningBy(this::isAbsent));
            // Those the reader knows have their places; the others take what is left, newest first.
            there.getOrDefault(true, List.of()).forEach(this::ask);
            // Only so many at once: each may cost PostgreSQL a query. The rest is asked for bit by bit.
            there.getOrDefault(false, List.of()).stream()
                    .limit(WorkflowToken.MAX_MEMBERS)
                    .forEach(this::ask);
        });
    }

    private boolean isAbsent(Candidate candidate) {
        return absent.containsKey(WorkflowToken.hash(candidate.state.executionId()));
    }

    /** Some execution of the workflow has changed. */
    void onChange(ExecutionState state) {
        String id = state.executionId();
        if (!request.options.follow() || many.leg(id) != null) {
            return;
        }
        Candidate known = candidates.get(id);
        if (known != null) {
            known.state = state;
            return;
        }
        if (candidates.size() >= MAX_CANDIDATES) {
            dropOne();
        }
        Candidate candidate = new Candidate(state, false);
        candidates.put(id, candidate);
        if (started) {
            ask(candidate);
        }
    }

    private void dropOne() {
        Iterator<Candidate> all = candidates.values().iterator();
        while (all.hasNext()) {
            if (!all.next().busy) {
                all.remove();
                return;
            }
        }
    }

    private void ask(Candidate candidate) {
        candidate.busy = true;
        hub.then(request.mayRead.apply(candidate.state), answer -> {
            candidate.busy = false;
            candidate.allowed = Boolean.TRUE.equals(answer.result());
            if (many.closed()) {
                return;
            }
            if (candidate.allowed) {
                place(candidate);
            } else {
                later(candidate);
            }
            many.settled();
        });
    }

    private void later(Candidate candidate) {
        if (!request.options.follow()) {
            candidates.remove(candidate.state.executionId());
            return;
        }
        candidate.nextTryNanos = hub.nanoTime() + candidate.retryNanos;
        candidate.retryNanos =
                candidate.allowed ? FIRST_RETRY_NANOS : Math.min(2 * candidate.retryNanos, MAX_RETRY_NANOS);
    }

    private void place(Candidate candidate) {
        boolean reserved = isAbsent(candidate);
        if (!reserved && many.legs().size() + absent.size() + placing >= WorkflowToken.MAX_MEMBERS) {
            boolean newcomer = request.resumed.isEmpty();
            if (candidate.found && (newcomer || lastMillis(candidate.state) < quietBeforeMillis)) {
                if (newcomer) {
                    letGo(candidate.state);
                }
                candidates.remove(candidate.state.executionId());
                return;
            }
            if (!makeRoom()) {
                later(candidate);
                return;
            }
        }
        candidate.busy = true;
        placing += reserved ? 0 : 1;
        hub.then(positionOf(candidate), position -> {
            candidate.busy = false;
            placing -= reserved ? 0 : 1;
            if (many.closed()) {
                return;
            }
            if (position.failed()) {
                later(candidate);
            } else {
                join(candidate, position.result());
            }
            many.settled();
        });
    }

    private void join(Candidate candidate, Position position) {
        String id = candidate.state.executionId();
        long hash = WorkflowToken.hash(id);
        candidates.remove(id);
        left.remove(id);
        absent.remove(hash);
        hashes.put(id, hash);
        Leg leg = many.add(id);
        leg.resumeAt(position.seq(), position.told());
        leg.start(request.options, candidate.state, Math.max(position.seq(), request.afterSeq));
    }

    /** Where it begins, by what the reader has been shown. */
    private Future<Position> positionOf(Candidate candidate) {
        ExecutionState state = candidate.state;
        Position known = left.get(state.executionId());
        if (known == null) {
            known = absent.get(WorkflowToken.hash(state.executionId()));
        }
        if (known != null) {
            // A number above the last one cannot be ours.
            return Future.succeededFuture(known.seq() > state.lastSeq() ? Position.START : known);
        }
        if (candidate.found && request.resumed.isEmpty()) {
            return request.firstSeq.apply(state).map(seq -> new Position(seq, false));
        }
        if (state.lastSeq() == 0 || state.createdAtMicros() / 1_000 > knownAtMillis) {
            return Future.succeededFuture(Position.START);
        }
        boolean ended = state.status().finished()
                && state.finishedAtMicros() / 1_000 + hub.completeDelayMillis() <= knownAtMillis;
        if (!ended && quietBeforeMillis == 0) {
            return Future.succeededFuture(Position.START);
        }
        return new LastBefore(hub.store(), state.executionId(), knownAtMillis * 1_000 + 999)
                .upTo(state.lastSeq())
                .map(last -> asItWas(state, ended, last));
    }

    private Position asItWas(ExecutionState state, boolean ended, LastBefore.Found last) {
        long lastMillis = last.receivedAtMicros() / 1_000;
        boolean over = ended && lastMillis + hub.completeDelayMillis() <= knownAtMillis;
        if (last.seq() == 0 || !over && lastMillis >= quietBeforeMillis) {
            return Position.START;
        }
        return new Position(last.seq(), over && last.seq() == state.lastSeq());
    }

    /** Lets the quietest member go; false if all of them have moved just now. */
    private boolean makeRoom() {
        Leg quietest = null;
        long quietestMillis = hub.nowMillis() - LINGER_MILLIS;
        for (Leg leg : many.legs()) {
            ExecutionState state = leg.channel.state();
            if (state != null
                    && !state.status().finished()
                    && !leg.reading
                    && leg.cursor >= state.lastSeq()
                    && lastMillis(state) < quietestMillis) {
                quietest = leg;
                quietestMillis = lastMillis(state);
            }
        }
        ExecutionState state = quietest == null ? null : quietest.channel.state();
        if (quietest == null || state == null) {
            return false;
        }
        letGo(state);
        leave(quietest);
        return true;
    }

    private void letGo(ExecutionState state) {
        quietBeforeMillis = Math.max(quietBeforeMillis, lastMillis(state) + 1);
    }

    private void leave(Leg leg) {
        String id = leg.channel.executionId;
        left.put(id, new Position(leg.cursor, leg.told));
        hashes.remove(id);
        many.drop(leg);
        if (left.size() > MAX_LEFT) {
            Iterator<String> eldest = left.keySet().iterator();
            eldest.next();
            eldest.remove();
            // From here on it is one of those that had ended, or were let go, by then.
            knownAtMillis = Math.max(knownAtMillis, hub.nowMillis() - LINGER_MILLIS);
        }
    }

    @Override
    public boolean endsWithThem() {
        return !request.options.follow() && candidates.isEmpty();
    }

    @Override
    public void tick(long nowNanos) {
        for (Leg leg : List.copyOf(many.legs())) {
            ExecutionState state = leg.channel.state();
            if (leg.told && state != null && hub.millisToComplete(state) + LINGER_MILLIS <= 0 && leg.isSettled()) {
                leave(leg);
            }
        }
        int asks = 0;
        for (Candidate candidate : List.copyOf(candidates.values())) {
            if (!candidate.busy && nowNanos - candidate.nextTryNanos >= 0 && asks < ASKS_A_TICK) {
                asks++;
                if (candidate.allowed) {
                    place(candidate);
                } else {
                    ask(candidate);
                }
            }
        }
    }

    @Override
    public void write(Collection<Leg> legs, ByteBuf to) {
        Map<Long, Position> members = new LinkedHashMap<>(absent);
        for (Leg leg : legs) {
            Long hash = hashes.get(leg.channel.executionId);
            if (hash != null) {
                members.put(hash, new Position(leg.cursor, leg.told));
            }
        }
        long knownAt = Math.max(knownAtMillis, hub.nowMillis() - LINGER_MILLIS);
        String token = new WorkflowToken(knownAt, quietBeforeMillis, members).encode(request.workflowId);
        to.writeCharSequence(token, StandardCharsets.US_ASCII);
    }

    @Override
    public void close() {
        hub.workflows().remove(this);
    }
}
