package tailrace.degradation;

import java.time.Clock;
import java.util.OptionalInt;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import tailrace.config.TailraceConfig.Backpressure.Strategy;
import tailrace.model.LogEntry;
import tailrace.model.Timestamps;

/**
 * The one door to the strategy: closed below level 4, and no strategy is ever asked about an entry for people. Entries
 * are decided on the journal thread, senders on any.
 */
public final class Shedder {
    private final Strategy name;
    private final Shedding strategy;
    private final Supplier<Standing> standing;
    private final Clock clock;

    public Shedder(Strategy name, Supplier<Standing> standing, Clock clock) {
        this.name = name;
        this.strategy = Shedding.of(name);
        this.standing = standing;
        this.clock = clock;
    }

    /** One that never sheds, for work that is not a server's. */
    public static Shedder never(Clock clock) {
        return new Shedder(Strategy.DROP_DEBUG_FIRST, () -> Standing.UNKNOWN, clock);
    }

    /** As of the last sample. */
    public Standing standing() {
        return standing.get();
    }

    public Strategy strategy() {
        return name;
    }

    /** Whether an entry that could be taken is given up. */
    public boolean sheds(
            Standing now, String executionId, @Nullable String workflowId, LogEntry entry, long nowMicros) {
        return now.shedding()
                && !entry.userFriendly()
                && strategy.sheds(executionId, workflowId, entry.level(), now.pressure(), nowMicros);
    }

    /** For how many seconds a sender is turned away before its request is read; empty if it may come in. */
    public OptionalInt refusal(String sender) {
        Standing now = standing.get();
        return now.shedding()
                ? strategy.refusal(sender, now.pressure(), Timestamps.micros(clock.instant()))
                : OptionalInt.empty();
    }

    /** A sender's request was read. Counted at every level: who sends most is known when level 4 begins. */
    public void sent(String sender, int entries) {
        strategy.sent(sender, entries, Timestamps.micros(clock.instant()));
    }
}
