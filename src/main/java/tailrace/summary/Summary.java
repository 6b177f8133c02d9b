package tailrace.summary;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import tailrace.model.EntryScan;
import tailrace.model.EventType;
import tailrace.model.ExecutionState;
import tailrace.model.Level;
import tailrace.model.LogEntry;
import tailrace.stats.Rollups;

/**
 * An execution's entries folded into one value of bounded size. It knows the last seq it has seen, so no entry counts
 * twice, whoever folds what how often. What the journal counts exactly anyway (entries by level and type, times, progress
 * in percent) is in the execution's state and not here.
 *
 * <p>Folding and copying exclude each other; everything else is for whoever holds a {@link #copy} of his own.
 */
public final class Summary {
    /** Steps of one execution that are told apart; entries of further ones are only counted. */
    public static final int MAX_NODES = 1_000;
    /** Their texts; beyond it no further step is told apart. */
    static final int MAX_NODE_CHARS = 256 << 10;
    /** Of the milestones the first, and as many of the last; those between them are only counted. */
    public static final int MAX_MILESTONES = 100;
    /** A longer message is cut. */
    public static final int MAX_MESSAGE_CHARS = 500;

    /** A power of two. */
    private static final int LATELY = 32;

    /** Of heap, about, for a node and for a milestone. */
    private static final int ITEM_BYTES = 400;

    final Map<String, SummaryNode> nodes = new LinkedHashMap<>();
    final List<Milestone> firstMilestones = new ArrayList<>();
    final Deque<Milestone> lastMilestones = new ArrayDeque<>();
    long fromSeq;
    long upToSeq;
    long folded;
    long milestones;
    long unnamed;
    int stepNumber = Integer.MIN_VALUE;
    int totalSteps = Integer.MIN_VALUE;

    @Nullable
    LastError lastError;

    final RunTrack run = new RunTrack();

    private int nodeChars;
    /** Nodes met lately, by their ids' bytes: most entries need no text made of them. */
    private final @Nullable SummaryNode[] lately = new @Nullable SummaryNode[LATELY];

    /**
     * A milestone.
     *
     * @param atMicros epoch microseconds, by the sender's clock
     * @param cut whether the message was longer
     */
    public record Milestone(long seq, long atMicros, EventType type, String message, boolean cut) {}

    /** The newest entry of level ERROR or above; the message as in {@link Milestone}. */
    public record LastError(
            long seq,
            long atMicros,
            String message,
            boolean cut,
            @Nullable String code) {}

    /** Folds entries in, ascending by seq; those it has seen already are passed over. How many could not be read. */
    public int add(List<LogEntry> entries, EntryScan scan) {
        return add(entries, scan, null);
    }

    /**
     * The same.
     *
     * @param counting turned to the execution, if its entries are to be counted: each is that was not seen before
     */
    synchronized int add(List<LogEntry> entries, EntryScan scan, @Nullable Rollups counting) {
        LogEntry error = null;
        int unreadable = 0;
        for (LogEntry entry : entries) {
            if (entry.seq() <= upToSeq) {
                continue;
            }
            if (counting != null) {
                count(entry, scan, counting);
            }
            fromSeq = folded == 0 ? entry.seq() : fromSeq;
            upToSeq = entry.seq();
            folded++;
            if (entry.level().compareTo(Level.ERROR) >= 0) {
                error = entry;
            }
            if (entry.milestone() || entry.mayNameNode() || entry.mayNameStep()) {
                if (scan.read(entry)) {
                    add(entry, scan);
                } else {
                    unreadable++;
                }
            }
        }
        if (error != null && scan.read(error)) {
            String message = text(scan.message());
            lastError =
                    new LastError(error.seq(), error.timestampMicros(), cut(message), cuts(message), scan.errorCode());
        }
        return unreadable;
    }

    /** An entry that is looked into twice, here and for its step, is an error or an end: few are. */
    private void count(LogEntry entry, EntryScan scan, Rollups counting) {
        if (folded == 0 && !counting.beginsWith(entry)) {
            run.unknown();
        }
        counting.entry(entry);
        run.entry(entry, scan, counting);
        if (counting.wantsError(entry)) {
            if (scan.read(entry)) {
                counting.error(entry, scan);
            } else {
                counting.otherError(entry);
            }
        }
    }

    /**
     * The execution's state right behind the last entry folded: it tells of what no entry did.
     *
     * @param changedMicros when it was last changed
     */
    synchronized void reached(ExecutionState state, LongSupplier changedMicros, Rollups counting) {
        if (folded == 0 && state.totalLogs() > 0) {
            run.unknown();
        }
        run.state(state, changedMicros, counting);
    }

    private void add(LogEntry entry, EntryScan scan) {
        if (scan.hasNode()) {
            SummaryNode node = node(scan);
            if (node == null) {
                unnamed++;
            } else {
                nodeChars += node.add(entry, scan);
            }
        }
        if (scan.stepNumber() != Integer.MIN_VALUE) {
            stepNumber = scan.stepNumber();
        }
        if (scan.totalSteps() != Integer.MIN_VALUE) {
            totalSteps = scan.totalSteps();
        }
        if (entry.milestone()) {
            String message = text(scan.message());
            add(new Milestone(entry.seq(), entry.timestampMicros(), entry.eventType(), cut(message), cuts(message)));
        }
    }

    private @Nullable SummaryNode node(EntryScan scan) {
        int slot = scan.nodeIdHash() & (LATELY - 1);
        SummaryNode met = lately[slot];
        byte[] metId = met == null ? null : met.idBytes;
        if (met != null && metId != null && scan.isNode(metId)) {
            return met;
        }
        String id = text(scan.nodeId());
        SummaryNode node = nodes.get(id);
        if (node == null) {
            if (nodes.size() >= MAX_NODES || nodeChars >= MAX_NODE_CHARS) {
                return null;
            }
            node = new SummaryNode(id);
            put(node);
        }
        if (node.idBytes == null) {
            node.idBytes = scan.nodeIdBytes();
        }
        lately[slot] = node;
        return node;
    }

    /** Takes a node in as it is. */
    void put(SummaryNode node) {
        nodes.put(node.id, node);
        nodeChars += node.id.length() + length(node.name) + length(node.type) + length(node.parent);
    }

    private void add(Milestone milestone) {
        milestones++;
        if (firstMilestones.size() < MAX_MILESTONES) {
            firstMilestones.add(milestone);
            return;
        }
        if (lastMilestones.size() == MAX_MILESTONES) {
            lastMilestones.removeFirst();
        }
        lastMilestones.addLast(milestone);
    }

    private static String text(@Nullable String text) {
        return text == null ? "" : text;
    }

    static int length(@Nullable String text) {
        return text == null ? 0 : text.length();
    }

    private static boolean cuts(String message) {
        return message.length() > MAX_MESSAGE_CHARS;
    }

    private static String cut(String message) {
        if (!cuts(message)) {
            return message;
        }
        // Not between the two halves of one character.
        int end = Character.isHighSurrogate(message.charAt(MAX_MESSAGE_CHARS - 1))
                ? MAX_MESSAGE_CHARS - 1
                : MAX_MESSAGE_CHARS;
        return message.substring(0, end);
    }

    /** The same as of now, which nobody else changes. */
    public synchronized Summary copy() {
        var copy = new Summary();
        nodes.values().forEach(node -> copy.put(new SummaryNode(node)));
        copy.firstMilestones.addAll(firstMilestones);
        copy.lastMilestones.addAll(lastMilestones);
        copy.fromSeq = fromSeq;
        copy.upToSeq = upToSeq;
        copy.folded = folded;
        copy.milestones = milestones;
        copy.unnamed = unnamed;
        copy.stepNumber = stepNumber;
        copy.totalSteps = totalSteps;
        copy.lastError = lastError;
        copy.run.copyFrom(run);
        return copy;
    }

    /** Bytes of heap, about. */
    synchronized long heapBytes() {
        return ITEM_BYTES * (1L + nodes.size() + firstMilestones.size() + lastMilestones.size()) + 2L * nodeChars;
    }

    /** The first seq that was folded in, 0 before it: what came before an upgrade may be missing. */
    public long fromSeq() {
        return fromSeq;
    }

    /** The last seq that was folded in. */
    public synchronized long upToSeq() {
        return upToSeq;
    }

    /** How many entries were folded in. */
    public synchronized long folded() {
        return folded;
    }

    /** In the order in which they were first heard of. */
    public Collection<SummaryNode> nodes() {
        return Collections.unmodifiableCollection(nodes.values());
    }

    /** Entries of steps beyond {@link #MAX_NODES}. */
    public long unnamed() {
        return unnamed;
    }

    /** Ascending by seq; where there were more than twice {@link #MAX_MILESTONES}, those in the middle are missing. */
    public List<Milestone> milestones() {
        var all = new ArrayList<>(firstMilestones);
        all.addAll(lastMilestones);
        return all;
    }

    /** How many there were. */
    public long milestoneCount() {
        return milestones;
    }

    public @Nullable LastError lastError() {
        return lastError;
    }

    /** The last that an entry named, {@link Integer#MIN_VALUE} before the first. */
    public int stepNumber() {
        return stepNumber;
    }

    /** The last that an entry named, {@link Integer#MIN_VALUE} before the first. */
    public int totalSteps() {
        return totalSteps;
    }
}
