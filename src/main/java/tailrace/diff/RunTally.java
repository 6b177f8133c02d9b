package tailrace.diff;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tailrace.model.EntryCodec;
import tailrace.model.EntryFields;
import tailrace.model.Level;
import tailrace.model.LogEntry;
import tailrace.model.MessageTemplate;

/**
 * What can be compared of a run: its steps and its messages without their numbers, in bounded memory (about 6 MB at the
 * most). Takes entries in the order of their seqs. Used by one thread at a time.
 */
public final class RunTally {
    /** Steps beyond these are not compared. */
    static final int MAX_STEPS = 2_000;
    /** Kinds of messages beyond these are not compared. */
    static final int MAX_MESSAGES = 5_000;

    private final EntryFields fields = new EntryFields();
    private final Map<StepKey, StepTally> steps = new LinkedHashMap<>();
    private final Map<MessageKey, MessageTally> messages = new HashMap<>();
    private long entries;
    private boolean truncated;

    private record StepKey(
            @Nullable String nodeId, @Nullable String nodeName) {}

    /** The same words at another level are another message. */
    record MessageKey(Level level, String template) {}

    /** How often, and where first. */
    static final class MessageTally {
        final long firstSeq;
        long count;

        MessageTally(long firstSeq) {
            this.firstSeq = firstSeq;
        }
    }

    /** Counts entries in. */
    public void add(List<LogEntry> added) {
        for (LogEntry entry : added) {
            EntryCodec.decode(entry, fields);
            entries++;
            addStep(entry.seq());
            addMessage(entry.seq());
        }
    }

    private void addStep(long seq) {
        if (fields.nodeId == null && fields.nodeName == null) {
            return;
        }
        var key = fields.nodeId != null ? new StepKey(fields.nodeId, null) : new StepKey(null, fields.nodeName);
        StepTally step = steps.get(key);
        if (step == null) {
            if (steps.size() >= MAX_STEPS) {
                truncated = true;
                return;
            }
            step = new StepTally(fields.nodeId, fields.nodeName, seq);
            steps.put(key, step);
        }
        step.add(fields);
    }

    private void addMessage(long seq) {
        var key = new MessageKey(fields.level, MessageTemplate.of(fields.message));
        MessageTally tally = messages.get(key);
        if (tally == null) {
            if (messages.size() >= MAX_MESSAGES) {
                truncated = true;
                return;
            }
            tally = new MessageTally(seq);
            messages.put(key, tally);
        }
        tally.count++;
    }

    /** There are more entries, which were not read. */
    public void cut() {
        truncated = true;
    }

    /** Whether it lacks anything that was there to be read. */
    boolean truncated() {
        return truncated;
    }

    long entries() {
        return entries;
    }

    /** In the order in which they began. */
    List<StepTally> steps() {
        return new ArrayList<>(steps.values());
    }

    Map<MessageKey, MessageTally> messages() {
        return messages;
    }
}
