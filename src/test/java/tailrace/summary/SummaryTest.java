package tailrace.summary;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import tailrace.model.EntryFields;
import tailrace.model.EntryScan;
import tailrace.model.EventType;
import tailrace.model.ExecutionStatus;
import tailrace.model.Level;
import tailrace.model.LogEntry;

class SummaryTest {
    private final Summary summary = new Summary();
    private final EntryScan scan = new EntryScan();
    private long seq;

    private void add(Consumer<EntryFields> set) {
        EntryFields fields = PlainSummary.random(new Random(1), 1);
        fields.level = Level.INFO;
        fields.milestone = false;
        fields.eventType = EventType.LOG;
        fields.nodeId = null;
        fields.nodeName = null;
        fields.attempt = null;
        fields.stepNumber = null;
        fields.durationSeconds = null;
        set.accept(fields);
        assertThat(summary.add(List.of(PlainSummary.entry(++seq, fields)), scan))
                .isZero();
    }

    private void step(EventType type, @Nullable Integer attempt) {
        add(f -> {
            f.nodeId = "n";
            f.eventType = type;
            f.attempt = attempt;
        });
    }

    private SummaryNode node() {
        return summary.nodes().iterator().next();
    }

    private static Summary stored(Summary summary) throws IOException {
        byte[] json = SummaryCodec.encode(summary);
        return SummaryCodec.decode(json, 0, json.length);
    }

    @Test
    void isWhatItsEntriesComeToHoweverTheyAreFolded() throws Exception {
        for (int round = 0; round < 60; round++) {
            var random = new Random(round);
            int count = 1 + random.nextInt(3_000);
            int nodes = 1 + random.nextInt(40);
            var plain = new PlainSummary();
            var entries = new ArrayList<LogEntry>();
            for (int i = 1; i <= count; i++) {
                EntryFields fields = PlainSummary.random(random, nodes);
                plain.add(fields);
                entries.add(PlainSummary.entry(i, fields));
            }
            Summary folded = new Summary();
            Summary kept = folded.copy();
            int keptTo = 0;
            for (int from = 0; from < count; ) {
                int to = Math.min(count, from + 1 + random.nextInt(400));
                // Some come again
                folded.add(entries.subList(Math.max(0, from - random.nextInt(50)), to), scan);
                from = to;
                switch (random.nextInt(4)) {
                    case 0 -> folded = stored(folded);
                    case 1 -> {
                        kept = stored(folded);
                        keptTo = to;
                    }
                    case 2 -> { // a crash: what was not kept is folded again
                        folded = kept.copy();
                        from = keptTo;
                    }
                    default -> folded = folded.copy();
                }
            }
            plain.requireSame(folded);
            plain.requireSame(stored(folded));
        }
    }

    @Test
    void aStepThatIsTriedAgainRunsAgain() {
        step(EventType.STEP_STARTED, 1);
        assertThat(node().statusIn(ExecutionStatus.RUNNING)).isEqualTo(SummaryNode.Status.RUNNING);
        step(EventType.STEP_ERROR, 1);
        assertThat(node().statusIn(ExecutionStatus.RUNNING)).isEqualTo(SummaryNode.Status.FAILED);
        step(EventType.STEP_STARTED, 2);
        step(EventType.STEP_ERROR, 1); // late
        assertThat(node().statusIn(ExecutionStatus.RUNNING)).isEqualTo(SummaryNode.Status.RUNNING);
        step(EventType.STEP_COMPLETED, 2);
        assertThat(node().statusIn(ExecutionStatus.FAILED)).isEqualTo(SummaryNode.Status.COMPLETED);
        assertThat(node().attempts()).isEqualTo(2);
        assertThat(node().logs()).isEqualTo(5);
    }

    @Test
    void whatRanEndsWithItsExecution() {
        step(EventType.STEP_STARTED, null);
        assertThat(node().statusIn(ExecutionStatus.PAUSED)).isEqualTo(SummaryNode.Status.RUNNING);
        assertThat(node().statusIn(ExecutionStatus.SUCCEEDED)).isEqualTo(SummaryNode.Status.COMPLETED);
        assertThat(node().statusIn(ExecutionStatus.FAILED)).isEqualTo(SummaryNode.Status.FAILED);
        assertThat(node().statusIn(ExecutionStatus.STOPPED)).isEqualTo(SummaryNode.Status.FAILED);
        step(EventType.STEP_STARTED, null);
        assertThat(node().attempts()).isEqualTo(2);
    }

    @Test
    void whatIsOnlyHeardOfNeverFailed() {
        step(EventType.LOG, null);
        assertThat(node().statusIn(ExecutionStatus.RUNNING)).isEqualTo(SummaryNode.Status.RUNNING);
        assertThat(node().statusIn(ExecutionStatus.FAILED)).isEqualTo(SummaryNode.Status.COMPLETED);
    }

    @Test
    void isBoundedHoweverMuchIsSent() throws Exception {
        for (int i = 0; i < Summary.MAX_NODES + 50; i++) {
            int n = i;
            add(f -> {
                f.nodeId = "n" + n;
                f.milestone = true;
                f.message = "x".repeat(Summary.MAX_MESSAGE_CHARS - 1) + "\uD83D\uDE00" + n;
            });
        }
        assertThat(summary.nodes()).hasSize(Summary.MAX_NODES);
        assertThat(summary.unnamed()).isEqualTo(50);
        assertThat(summary.folded()).isEqualTo(Summary.MAX_NODES + 50);
        assertThat(summary.milestoneCount()).isEqualTo(Summary.MAX_NODES + 50);
        assertThat(summary.milestones()).hasSize(2 * Summary.MAX_MILESTONES);
        Summary.Milestone first = summary.milestones().get(0);
        assertThat(first.seq()).isEqualTo(1);
        assertThat(first.cut()).isTrue();
        assertThat(first.message()).isEqualTo("x".repeat(Summary.MAX_MESSAGE_CHARS - 1));
        assertThat(summary.milestones().get(2 * Summary.MAX_MILESTONES - 1).seq())
                .isEqualTo(seq);
        assertThat(SummaryCodec.encode(stored(summary))).isEqualTo(SummaryCodec.encode(summary));

        // Those that were told apart go on being counted
        add(f -> f.nodeId = "n0");
        assertThat(node().logs()).isEqualTo(2);
    }

    @Test
    void longNamesAreBoundedToo() {
        for (int i = 0; i < Summary.MAX_NODES; i++) {
            int n = i;
            add(f -> {
                f.nodeId = n + "i".repeat(250);
                f.nodeName = "n".repeat(255);
                f.parentNodeId = "p".repeat(255);
            });
        }
        assertThat(summary.nodes()).hasSizeLessThan(Summary.MAX_NODES);
        assertThat(SummaryCodec.encode(summary).length).isLessThan(2 * Summary.MAX_NODE_CHARS);
    }

    @Test
    void aLaterVersionMayAddToIt() throws Exception {
        add(f -> f.nodeId = "n");
        String json = new String(SummaryCodec.encode(summary), StandardCharsets.UTF_8);
        String more = json.replace("{\"id\":", "{\"new\":[{\"a\":1}],\"id\":")
                .replace("{\"from_seq\"", "{\"x\":{},\"from_seq\"");
        byte[] bytes = more.getBytes(StandardCharsets.UTF_8);
        assertThat(SummaryCodec.encode(SummaryCodec.decode(bytes, 0, bytes.length)))
                .isEqualTo(SummaryCodec.encode(summary));
    }

    @Test
    void whatIsNoSummaryIsRefused() {
        for (String text : List.of(
                "", "[]", "{", "{\"nodes\":{}}", "{\"nodes\":[{\"status\":\"odd\"}]}", "{\"from_seq\":\"1\"}")) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            assertThatThrownBy(() -> SummaryCodec.decode(bytes, 0, bytes.length))
                    .isInstanceOf(IOException.class);
        }
    }
}
