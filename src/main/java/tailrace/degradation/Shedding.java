package tailrace.degradation;

import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import tailrace.config.TailraceConfig.Backpressure.Strategy;
import tailrace.model.Level;

/**
 * What is given up at level 4. It is asked about technical entries alone ({@link Shedder} sees to that), on the journal
 * thread; senders are asked about at the door, on any thread.
 */
public sealed interface Shedding permits DropDebugFirst, SampleHighVolume, ShedLoadByWorkflow, CircuitBreakSources {
    /** From here on every strategy that sheds gives up all technical entries it can: the rest is for people's. */
    double ALMOST_FULL = 0.9;

    /**
     * Whether to shed an entry. Counts it, whatever the answer.
     *
     * @param workflowId of the execution, or null
     * @param pressure 0 at the threshold, 1 where nothing can be held any more
     */
    boolean sheds(String executionId, @Nullable String workflowId, Level level, double pressure, long nowMicros);

    /** For how many seconds a sender is to stay away; empty if its request is welcome. */
    default OptionalInt refusal(String sender, double pressure, long nowMicros) {
        return OptionalInt.empty();
    }

    /** A sender's request was parsed. */
    default void sent(String sender, int entries, long nowMicros) {}

    /** The one that is configured. */
    static Shedding of(Strategy strategy) {
        return switch (strategy) {
            case DROP_DEBUG_FIRST -> new DropDebugFirst();
            case SAMPLE_HIGH_VOLUME -> new SampleHighVolume();
            case SHED_LOAD_BY_WORKFLOW -> new ShedLoadByWorkflow();
            case CIRCUIT_BREAK_SOURCES -> new CircuitBreakSources();
        };
    }
}
