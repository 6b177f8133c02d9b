package tailrace.degradation;

import java.util.Set;
import org.jspecify.annotations.Nullable;
import tailrace.model.Level;

/**
 * Technical entries of the workflows that send more than an equal share, largest first, and of more of them the higher
 * the pressure. What belongs to no workflow counts as one. When it is almost full, all workflows'.
 */
final class ShedLoadByWorkflow implements Shedding {
    /** Equal senders differ by chance; that is no reason to shed one of them. */
    private static final double OVER_FAIR = 1.25;

    private static final double SENT_AT_LEAST = 200;

    /** Part of all technical entries to shed at no pressure. */
    private static final double FIRST_PART = 0.3;

    private static final int REFRESH_ENTRIES = 512;
    private static final String NONE = "";

    private final Shares shares = new Shares();
    private int untilRefresh;
    private Set<String> chosen = Set.of();

    @Override
    public boolean sheds(
            String executionId, @Nullable String workflowId, Level level, double pressure, long nowMicros) {
        String workflow = workflowId == null ? NONE : workflowId;
        shares.add(workflow, 1, nowMicros);
        if (--untilRefresh < 0) {
            untilRefresh = REFRESH_ENTRIES;
            chosen = shares.largest(OVER_FAIR, SENT_AT_LEAST, Math.max(FIRST_PART, pressure));
        }
        return pressure >= ALMOST_FULL || chosen.contains(workflow);
    }
}
