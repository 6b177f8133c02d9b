package tailrace.query;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Ticker;
import io.vertx.core.Future;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tailrace.model.ExecutionState;
import tailrace.postgres.Ownership;
import tailrace.postgres.ReadGuard;
import tailrace.security.Principal;

/**
 * Lets the policies of PostgreSQL decide about what lies in the hot tier, too. Consent is remembered for a while, a
 * refusal never. It was given for an owner: as soon as the execution names another, it is asked for again, and {@link
 * #ownersChanged} forgets all of it. While PostgreSQL is away the owner recorded with the execution may read it; whether
 * anybody else might cannot be told then, so they get the failure that they would get for an execution nobody knows. Safe
 * for any event loop.
 */
public final class PostgresAccess implements Access {
    /** How long consent holds at most (SPEC 8). */
    static final Duration CONSENT_TTL = Duration.ofSeconds(30);

    /** Of about 300 bytes each. */
    private static final int CONSENTS_MAX = 50_000;

    private final Ownership ownership;
    private final ReadGuard guard;
    private final Cache<Key, Consent> consents;
    private volatile Object epoch = new Object();

    private record Key(String subject, String executionId) {}

    /** What it was given for, and when: a change of owners while it was being asked for makes it void. */
    private record Consent(
            @Nullable String userId, @Nullable String workflowId, Object epoch) {
        static Consent of(ExecutionState state, Object epoch) {
            return new Consent(state.userId(), state.workflowId(), epoch);
        }
    }

    /** @param ticker time, for consent to end by */
    public PostgresAccess(Ownership ownership, ReadGuard guard, Ticker ticker) {
        this.ownership = ownership;
        this.guard = guard;
        this.consents = Caffeine.newBuilder()
                .maximumSize(CONSENTS_MAX)
                .expireAfterWrite(CONSENT_TTL)
                .ticker(ticker)
                .build();
    }

    @Override
    public Future<Boolean> mayRead(Principal principal, ExecutionState state) {
        if (principal.service() || consented(principal, state)) {
            return Future.succeededFuture(true);
        }
        return ask(principal, List.of(state))
                .map(allowed -> !allowed.isEmpty())
                .recover(failure -> ReadGuard.away(failure) && recorded(principal, state)
                        ? Future.succeededFuture(true)
                        : Future.failedFuture(failure));
    }

    /** One question for all; while PostgreSQL is away, those of which the principal is the recorded owner. */
    @Override
    public Future<List<ExecutionState>> readable(Principal principal, List<ExecutionState> states) {
        if (principal.service()) {
            return Future.succeededFuture(states);
        }
        Set<String> allowed = new HashSet<>();
        List<ExecutionState> open = new ArrayList<>();
        for (ExecutionState state : states) {
            if (consented(principal, state)) {
                allowed.add(state.executionId());
            } else {
                open.add(state);
            }
        }
        Future<List<ExecutionState>> asked = open.isEmpty()
                ? Future.succeededFuture(List.of())
                : ask(principal, open)
                        .recover(failure -> ReadGuard.away(failure)
                                ? Future.succeededFuture(open.stream()
                                        .filter(state -> recorded(principal, state))
                                        .toList())
                                : Future.failedFuture(failure));
        return asked.map(more -> {
            more.forEach(state -> allowed.add(state.executionId()));
            return states.stream()
                    .filter(state -> allowed.contains(state.executionId()))
                    .toList();
        });
    }

    private Future<List<ExecutionState>> ask(Principal principal, List<ExecutionState> states) {
        Object askedIn = epoch;
        return guard.call(() -> ownership.owns(principal, states)).map(owns -> {
            List<ExecutionState> allowed = new ArrayList<>();
            for (int i = 0; i < states.size(); i++) {
                ExecutionState state = states.get(i);
                if (owns.get(i)) {
                    allowed.add(state);
                    consents.put(new Key(principal.subject(), state.executionId()), Consent.of(state, askedIn));
                }
            }
            return allowed;
        });
    }

    private boolean consented(Principal principal, ExecutionState state) {
        return Consent.of(state, epoch)
                .equals(consents.getIfPresent(new Key(principal.subject(), state.executionId())));
    }

    private static boolean recorded(Principal principal, ExecutionState state) {
        return !principal.subject().isEmpty() && principal.subject().equals(state.userId());
    }

    /** Some workflow has another owner: all consent is asked for again. */
    public void ownersChanged() {
        epoch = new Object();
        consents.invalidateAll();
    }
}
