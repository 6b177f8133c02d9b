package tailrace.http;

import java.math.BigDecimal;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import tailrace.model.EventType;
import tailrace.model.ExecutionState;
import tailrace.model.JsonWriter;
import tailrace.model.Level;
import tailrace.model.Timestamps;
import tailrace.summary.Summary;
import tailrace.summary.Summary.LastError;
import tailrace.summary.Summary.Milestone;
import tailrace.summary.SummaryNode;

/** A summary as clients know it (SPEC 14), and what else is known. Written by hand: it may have a thousand nodes. */
final class SummaryJson {
    private static final double MICROS_A_SECOND = 1e6;

    private SummaryJson() {}

    static byte[] write(ExecutionState state, Summary summary) {
        var out = new JsonWriter();
        out.rawText("{\"execution_id\":").string(state.executionId());
        out.rawText(",\"status\":\"" + state.status() + "\",\"total_logs\":").number(state.totalLogs());
        counts(out, state);
        out.rawText(",\"error_count\":").number(state.errorCount());
        out.rawText(",\"warning_count\":").number(state.warningCount());
        out.rawText(",\"milestone_count\":").number(state.milestoneCount());
        milestones(out, summary);
        nodes(out, state, summary);
        timeline(out, state);
        progress(out, state, summary);
        lastError(out, summary.lastError());
        out.rawText(",\"last_seq\":").number(state.lastSeq());
        reach(out, state, summary);
        return out.raw('}').toByteArray();
    }

    private static void counts(JsonWriter out, ExecutionState state) {
        out.rawText(",\"log_levels\":{");
        boolean comma = false;
        for (Level level : Level.values()) {
            comma = count(out, comma, level.wire(), state.levelCounts().get(level));
        }
        out.rawText("},\"event_types\":{");
        comma = false;
        for (EventType type : EventType.values()) {
            comma = count(out, comma, type.wire(), state.eventCounts().get(type));
        }
        out.raw('}');
    }

    /** Only what there is, as clients know it. */
    private static boolean count(JsonWriter out, boolean comma, String name, long count) {
        if (count == 0) {
            return comma;
        }
        out.rawText((comma ? ",\"" : "\"") + name + "\":").number(count);
        return true;
    }

    private static void milestones(JsonWriter out, Summary summary) {
        out.rawText(",\"milestones\":[");
        boolean comma = false;
        for (Milestone one : summary.milestones()) {
            out.rawText(comma ? ",{\"seq\":" : "{\"seq\":").number(one.seq());
            time(out.rawText(",\"timestamp\":"), one.atMicros());
            out.rawText(",\"message\":").string(one.message());
            out.rawText(",\"event_type\":\"" + one.type().wire() + '"' + cut(one.cut()) + '}');
            comma = true;
        }
        boolean all = summary.milestones().size() == summary.milestoneCount();
        out.rawText(all ? "]" : "],\"milestones_truncated\":true");
    }

    private static String cut(boolean cut) {
        return cut ? ",\"message_truncated\":true" : "";
    }

    private static void nodes(JsonWriter out, ExecutionState state, Summary summary) {
        out.rawText(",\"nodes\":{");
        boolean comma = false;
        for (SummaryNode node : summary.nodes()) {
            if (comma) {
                out.raw(',');
            }
            comma = true;
            out.string(node.id()).rawText(":{\"node_name\":");
            text(out, node.name());
            out.rawText(",\"logs_count\":").number(node.logs()).rawText(",\"step_number\":");
            number(out, node.step());
            String status = node.statusIn(state.status()).name().toLowerCase(Locale.ROOT);
            out.rawText(",\"status\":\"" + status + "\",\"node_type\":");
            text(out, node.type());
            text(out.rawText(",\"parent_node_id\":"), node.parent());
            out.rawText(",\"attempts\":").number(node.attempts());
            out.rawText(",\"error_count\":").number(node.errors());
            time(out.rawText(",\"first_log\":"), node.firstMicros());
            time(out.rawText(",\"last_log\":"), node.lastMicros());
            out.rawText(",\"duration_seconds\":" + node.durationSeconds() + '}');
        }
        out.raw('}');
        if (summary.unnamed() > 0) {
            out.rawText(",\"nodes_truncated\":true,\"logs_in_further_nodes\":").number(summary.unnamed());
        }
    }

    private static void timeline(JsonWriter out, ExecutionState state) {
        long first = state.firstEntryAtMicros();
        long last = state.lastEntryAtMicros();
        timeOrNull(out.rawText(",\"timeline\":{\"first_log\":"), first);
        timeOrNull(out.rawText(",\"last_log\":"), last);
        out.rawText(",\"duration_estimate\":" + (first == 0 ? "null" : (last - first) / MICROS_A_SECOND) + '}');
    }

    private static void progress(JsonWriter out, ExecutionState state, Summary summary) {
        int hundredths = state.progressHundredths();
        out.rawText(",\"progress\":{\"percentage\":"
                + (hundredths < 0 ? "null" : BigDecimal.valueOf(hundredths, 2).toPlainString()));
        number(out.rawText(",\"step_number\":"), summary.stepNumber());
        number(out.rawText(",\"total_steps\":"), summary.totalSteps());
        out.raw('}');
    }

    private static void lastError(JsonWriter out, @Nullable LastError error) {
        out.rawText(",\"last_error\":");
        if (error == null) {
            out.rawText("null");
            return;
        }
        out.rawText("{\"seq\":").number(error.seq());
        time(out.rawText(",\"timestamp\":"), error.atMicros());
        out.rawText(",\"message\":").string(error.message());
        text(out.rawText(",\"error_code\":"), error.code());
        out.rawText(cut(error.cut()) + '}');
    }

    /** How much of the execution stands behind nodes and milestones; all of it unless a version before did not count. */
    private static void reach(JsonWriter out, ExecutionState state, Summary summary) {
        out.rawText(",\"up_to_seq\":").number(summary.upToSeq());
        long missing = state.totalLogs() - summary.folded();
        if (summary.upToSeq() >= state.lastSeq() && missing > 0) {
            out.rawText(",\"nodes_since_seq\":").number(summary.fromSeq());
            out.rawText(",\"logs_not_in_nodes\":").number(missing);
        }
    }

    private static void text(JsonWriter out, @Nullable String text) {
        if (text == null) {
            out.rawText("null");
        } else {
            out.string(text);
        }
    }

    private static void number(JsonWriter out, int number) {
        if (number == Integer.MIN_VALUE) {
            out.rawText("null");
        } else {
            out.number(number);
        }
    }

    private static void timeOrNull(JsonWriter out, long micros) {
        if (micros == 0) {
            out.rawText("null");
        } else {
            time(out, micros);
        }
    }

    private static void time(JsonWriter out, long micros) {
        out.raw('"');
        Timestamps.write(micros, out);
        out.raw('"');
    }
}
