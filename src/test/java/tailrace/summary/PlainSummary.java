package tailrace.summary;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import tailrace.model.EntryCodec;
import tailrace.model.EntryFields;
import tailrace.model.EventType;
import tailrace.model.Level;
import tailrace.model.LogEntry;

/** Random entries, and what they come to, worked out from the fields themselves without any of the code under test. */
public final class PlainSummary {
    private static final EventType[] STEPS = {
        EventType.STEP_STARTED, EventType.STEP_COMPLETED, EventType.STEP_ERROR, EventType.LOG, EventType.STEP_OUTPUT
    };

    private final Map<String, Node> nodes = new LinkedHashMap<>();
    private final List<String> milestones = new ArrayList<>();
    private String lastError = "";
    private long count;
    private int step = Integer.MIN_VALUE;

    private static final class Node {
        @Nullable
        String name;

        String status = "HEARD";
        int attempt;
        int starts;
        long logs;
        long errors;
        long first = Long.MAX_VALUE;
        long last = Long.MIN_VALUE;

        @Nullable
        Double seconds;
    }

    /** Some entry; of so many steps. */
    public static EntryFields random(Random random, int nodes) {
        var fields = new EntryFields();
        fields.id = new UUID(random.nextLong(), random.nextLong());
        fields.message = "message \"" + random.nextInt(1_000) + "\"";
        fields.level = Level.values()[random.nextInt(Level.values().length)];
        fields.timestampMicros = 1_772_366_400_000_000L + random.nextInt(100_000_000);
        fields.receivedAtMicros = 1_772_366_400_000_000L;
        fields.milestone = random.nextInt(5) == 0;
        fields.eventType = STEPS[random.nextInt(STEPS.length)];
        if (random.nextInt(4) > 0) {
            fields.nodeId = "node\\ä" + random.nextInt(nodes);
            fields.nodeName = random.nextInt(3) == 0 ? "the " + fields.nodeId : null;
            fields.attempt = random.nextInt(3) == 0 ? 1 + random.nextInt(3) : null;
        }
        fields.stepNumber = random.nextInt(3) == 0 ? random.nextInt(20) : null;
        fields.durationSeconds = random.nextInt(3) == 0 ? random.nextInt(1_000) / 8.0 : null;
        return fields;
    }

    public static LogEntry entry(long seq, EntryFields fields) {
        return new LogEntry(seq, new EntryCodec().encode(fields));
    }

    public void add(EntryFields fields) {
        count++;
        boolean error = fields.level == Level.ERROR || fields.level == Level.CRITICAL;
        if (error) {
            lastError = fields.message;
        }
        if (fields.milestone) {
            milestones.add(fields.message);
        }
        if (fields.stepNumber != null) {
            step = fields.stepNumber;
        }
        if (fields.nodeId == null) {
            return;
        }
        Node node = nodes.computeIfAbsent(fields.nodeId, id -> new Node());
        node.logs++;
        node.errors += error ? 1 : 0;
        node.first = Math.min(node.first, fields.timestampMicros);
        node.last = Math.max(node.last, fields.timestampMicros);
        node.name = node.name == null ? fields.nodeName : node.name;
        if (fields.attempt != null && fields.attempt < node.attempt) {
            return;
        }
        node.attempt = fields.attempt == null ? node.attempt : fields.attempt;
        if (fields.eventType == EventType.STEP_STARTED) {
            node.status = "RUNNING";
            node.starts += fields.attempt == null ? 1 : 0;
        } else if (fields.eventType == EventType.STEP_COMPLETED) {
            node.status = "COMPLETED";
            node.seconds = fields.durationSeconds;
        } else if (fields.eventType == EventType.STEP_ERROR) {
            node.status = "FAILED";
        }
    }

    public void requireSame(Summary summary) {
        assertThat(summary.folded()).isEqualTo(count);
        assertThat(summary.milestoneCount()).isEqualTo(milestones.size());
        int most = Summary.MAX_MILESTONES;
        List<String> kept = new ArrayList<>(milestones.subList(0, Math.min(most, milestones.size())));
        kept.addAll(milestones.subList(Math.max(kept.size(), milestones.size() - most), milestones.size()));
        assertThat(summary.milestones()).extracting(Summary.Milestone::message).isEqualTo(kept);
        Summary.LastError error = summary.lastError();
        assertThat(error == null ? "" : error.message()).isEqualTo(lastError);
        assertThat(summary.stepNumber()).isEqualTo(step);
        assertThat(summary.nodes()).extracting(SummaryNode::id).isEqualTo(List.copyOf(nodes.keySet()));
        for (SummaryNode node : summary.nodes()) {
            Node plain = Objects.requireNonNull(nodes.get(node.id()));
            assertThat(node.name()).isEqualTo(plain.name);
            assertThat(node.status.name()).as(node.id()).isEqualTo(plain.status);
            assertThat(node.attempts()).isEqualTo(Math.max(1, Math.max(plain.attempt, plain.starts)));
            assertThat(node.logs()).isEqualTo(plain.logs);
            assertThat(node.errors()).isEqualTo(plain.errors);
            assertThat(node.firstMicros()).isEqualTo(plain.first);
            assertThat(node.lastMicros()).isEqualTo(plain.last);
            assertThat(node.durationSeconds())
                    .isEqualTo(plain.seconds == null ? (plain.last - plain.first) / 1e6 : plain.seconds);
        }
    }
}
