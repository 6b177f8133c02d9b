package tailrace.model;

import java.util.Collections;
import java.util.EnumSet;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Which entries of an execution a reader asks for (SPEC 6), the same for every tier: the journal's store tests it on an
 * entry's header, and on its bytes where that is not enough; PostgreSQL gets it as SQL. Seqs are not part of it; ranges
 * are passed beside it.
 *
 * @param levels any of them; empty for all
 * @param eventTypes any of them; empty for all
 * @param category or null for both
 * @param minPriority 1 for all
 * @param milestone or null for both
 * @param startMicros sender's time, included; {@code Long.MIN_VALUE} for none
 * @param endMicros sender's time, included; {@code Long.MAX_VALUE} for none
 * @param nodeIds any of them, exactly; empty for all
 * @param text what the entry's texts have to say, or null for anything
 */
public record LogFilter(
        Set<Level> levels,
        Set<EventType> eventTypes,
        @Nullable LogCategory category,
        int minPriority,
        @Nullable Boolean milestone,
        long startMicros,
        long endMicros,
        Set<String> nodeIds,
        @Nullable TextQuery text)
        implements Predicate<LogEntry> {

    /** Accepts every entry. */
    public static final LogFilter ALL =
            new LogFilter(Set.of(), Set.of(), null, 1, null, Long.MIN_VALUE, Long.MAX_VALUE);

    public LogFilter {
        levels = levels.isEmpty() ? Set.of() : Collections.unmodifiableSet(EnumSet.copyOf(levels));
        eventTypes = eventTypes.isEmpty() ? Set.of() : Collections.unmodifiableSet(EnumSet.copyOf(eventTypes));
        nodeIds = Set.copyOf(nodeIds);
    }

    /** By an entry's header alone. */
    public LogFilter(
            Set<Level> levels,
            Set<EventType> eventTypes,
            @Nullable LogCategory category,
            int minPriority,
            @Nullable Boolean milestone,
            long startMicros,
            long endMicros) {
        this(levels, eventTypes, category, minPriority, milestone, startMicros, endMicros, Set.of(), null);
    }

    /** Whether it accepts every entry, so that nothing need be tested. */
    public boolean all() {
        return equals(ALL);
    }

    /** Whether entries have to be read through, so that one that finds little takes long. */
    public boolean reads() {
        return text != null || !nodeIds.isEmpty();
    }

    /** How many of all its entries an execution's counters say it accepts; nothing where they are not of this kind. */
    public OptionalLong counted(ExecutionState state) {
        boolean byLevel = equals(new LogFilter(levels, Set.of(), null, 1, null, Long.MIN_VALUE, Long.MAX_VALUE));
        if (byLevel && !levels.isEmpty()) {
            return OptionalLong.of(
                    levels.stream().mapToLong(state.levelCounts()::get).sum());
        }
        boolean byType = equals(new LogFilter(Set.of(), eventTypes, null, 1, null, Long.MIN_VALUE, Long.MAX_VALUE));
        return byType && !eventTypes.isEmpty()
                ? OptionalLong.of(
                        eventTypes.stream().mapToLong(state.eventCounts()::get).sum())
                : OptionalLong.empty();
    }

    @Override
    public boolean test(LogEntry entry) {
        return (levels.isEmpty() || levels.contains(entry.level()))
                && (eventTypes.isEmpty() || eventTypes.contains(entry.eventType()))
                && (category == null || category == entry.category())
                && entry.displayPriority() >= minPriority
                && (milestone == null || milestone == entry.milestone())
                && entry.timestampMicros() >= startMicros
                && entry.timestampMicros() <= endMicros
                && (nodeIds.isEmpty() || ofNode(entry))
                && (text == null || text.test(entry));
    }

    private boolean ofNode(LogEntry entry) {
        if (!entry.mayNameNode()) {
            return false;
        }
        var scan = new EntryScan();
        scan.read(entry);
        String nodeId = scan.nodeId();
        return nodeId != null && nodeIds.contains(nodeId);
    }
}
