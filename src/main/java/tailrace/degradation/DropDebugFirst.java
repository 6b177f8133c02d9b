package tailrace.degradation;

import org.jspecify.annotations.Nullable;
import tailrace.model.Level;

/** By level: DEBUG from the threshold on, INFO too from half-way, all technical entries when it is almost full. */
final class DropDebugFirst implements Shedding {
    private static final double INFO_FROM = 0.5;

    @Override
    public boolean sheds(
            String executionId, @Nullable String workflowId, Level level, double pressure, long nowMicros) {
        return switch (level) {
            case DEBUG -> true;
            case INFO -> pressure >= INFO_FROM;
            default -> pressure >= ALMOST_FULL;
        };
    }
}
