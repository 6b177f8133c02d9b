package tailrace.degradation;

import java.util.List;
import java.util.Optional;

/**
 * How the process stands since its last sample; immutable.
 *
 * @param level 1 normal, 2 PostgreSQL away, 3 PostgreSQL and Redis away, 4 entries are shed
 * @param reasons for people, why it is not all well; empty where it is
 * @param pressure how far from the threshold (0) to what can be held at all (1); 0 below level 4
 * @param cause of the pressure
 * @param redisAvailable whether Redis answers; empty where none is configured
 * @param taking whether this process may write the journal
 */
public record Standing(
        int level,
        List<String> reasons,
        double pressure,
        Cause cause,
        Optional<Boolean> redisAvailable,
        boolean taking) {
    public static final int NORMAL = 1;
    public static final int POSTGRES_AWAY = 2;
    public static final int JOURNAL_ALONE = 3;
    public static final int SHEDDING = 4;

    /** Before the first sample: nothing is known, so nothing is shed and nothing is written unasked. */
    public static final Standing UNKNOWN =
            new Standing(NORMAL, List.of(), 0, Cause.JOURNAL_BACKLOG, Optional.empty(), false);

    /** What fills up. */
    public enum Cause {
        /** The journal, with what PostgreSQL or Redis still need of it. */
        JOURNAL_BACKLOG("journal_backlog"),
        /** The queue before the journal. */
        INGEST_QUEUE("ingest_queue");

        private final String wire;

        Cause(String wire) {
            this.wire = wire;
        }

        /** As metrics and reports name it. */
        public String wire() {
            return wire;
        }
    }

    public Standing {
        reasons = List.copyOf(reasons);
    }

    /** Whether entries may be shed. */
    public boolean shedding() {
        return level == SHEDDING;
    }

    /** Whether something is away or full; Redis alone is, without changing the level. */
    public boolean degraded() {
        return level > NORMAL || !redisAvailable.orElse(true);
    }
}
