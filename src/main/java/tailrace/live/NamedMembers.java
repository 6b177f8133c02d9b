package tailrace.live;

import io.netty.buffer.ByteBuf;
import io.vertx.core.Future;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import tailrace.model.ExecutionState;

/** A connection's executions where the request names them. The connection ends when each of them has. */
public final class NamedMembers implements ManySubscription.Members {
    private final LiveHub hub;
    private final ManySubscription many;
    private final NamedToken token;
    private final Map<String, Leg> legs = new HashMap<>();

    private NamedMembers(LiveHub hub, ManySubscription many, NamedToken token) {
        this.hub = hub;
        this.many = many;
        this.token = token;
    }

    /** From now on nothing of these is missed; {@link #start} begins. */
    public static NamedMembers register(LiveHub hub, ManySubscription many, List<String> ids, NamedToken token) {
        var members = new NamedMembers(hub, many, token);
        ids.forEach(id -> members.legs.put(id, many.add(id)));
        return members;
    }

    /**
     * One of them.
     *
     * @param state empty if it is not there, or not theirs
     * @param from where to begin in it
     */
    public record Start(String executionId, Optional<ExecutionState> state, NamedToken.Position from) {}

    /**
     * Begins the stream.
     *
     * @param waitSeconds for how long to wait for those that are not there
     * @param mayRead asked when one of them is known; a refusal is asked again later
     * @param beginsAt where to begin in one that was waited for
     */
    public void start(
            StreamOptions options,
            List<Start> starts,
            long waitSeconds,
            Function<ExecutionState, Future<Boolean>> mayRead,
            Function<ExecutionState, NamedToken.Position> beginsAt) {
        if (many.closed()) {
            return;
        }
        many.begin(this, options);
        for (Start start : starts) {
            leg(start).resumeAt(start.from.seq(), start.from.told());
        }
        long deadline = hub.nanoTime() + waitSeconds * 1_000_000_000L;
        many.together(() -> starts.forEach(start -> {
            Leg leg = leg(start);
            if (start.state.isPresent()) {
                leg.start(options, start.state.get(), start.from.seq());
            } else if (waitSeconds > 0) {
                leg.await(options, deadline, mayRead, state -> {
                    NamedToken.Position from = beginsAt.apply(state);
                    leg.resumeAt(from.seq(), from.told());
                    leg.start(options, state, from.seq());
                });
            } else {
                leg.notFound();
            }
        }));
    }

    private Leg leg(Start start) {
        Leg leg = legs.get(start.executionId);
        if (leg == null) {
            throw new IllegalArgumentException("not registered: " + start.executionId);
        }
        return leg;
    }

    @Override
    public void write(Collection<Leg> all, ByteBuf to) {
        token.write(legs, to);
    }
}
