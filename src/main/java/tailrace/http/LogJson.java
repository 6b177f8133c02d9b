package tailrace.http;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tailrace.model.JsonWriter;
import tailrace.model.LogEntry;
import tailrace.model.TextQuery;
import tailrace.model.TextQuery.Range;

/** Writes entries into answers from their own bytes, with what only this answer says of them. */
final class LogJson {
    private LogJson() {}

    /**
     * One entry as a JSON object.
     *
     * @param executionId before all others, where the answer holds several executions' entries
     * @param text what was looked for: the ranges where it stands come last; null if nothing was
     */
    static void write(JsonWriter out, @Nullable String executionId, LogEntry entry, @Nullable TextQuery text) {
        out.raw('{');
        if (executionId != null) {
            out.rawText("\"execution_id\":").string(executionId).raw(',');
        }
        out.rawText("\"seq\":").number(entry.seq()).raw(',');
        if (text == null) {
            out.raw(entry.encoded(), entry.tailOffset(), entry.tailLength());
            return;
        }
        out.raw(entry.encoded(), entry.tailOffset(), entry.tailLength() - 1); // all but its brace
        writeHighlights(out.rawText(",\"highlights\":{"), text.highlights(entry));
        out.rawText("}}");
    }

    private static void writeHighlights(JsonWriter out, Map<String, List<Range>> highlights) {
        String comma = "";
        for (Map.Entry<String, List<Range>> member : highlights.entrySet()) {
            out.rawText(comma).string(member.getKey()).rawText(":[");
            comma = ",";
            String between = "[";
            for (Range range : member.getValue()) {
                out.rawText(between)
                        .number(range.from())
                        .raw(',')
                        .number(range.to())
                        .raw(']');
                between = ",[";
            }
            out.raw(']');
        }
    }
}
