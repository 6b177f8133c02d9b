package tailrace.export;

import de.siegmar.fastcsv.writer.CsvWriter;
import de.siegmar.fastcsv.writer.LineDelimiter;
import java.io.IOException;
import java.io.OutputStream;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tailrace.model.EntryCodec;
import tailrace.model.EntryFields;
import tailrace.model.JsonWriter;
import tailrace.model.LogEntry;
import tailrace.query.Coverage;

/**
 * CSV by RFC 4180: UTF-8 without a mark, CRLF, a header row, always the same columns; objects as JSON text, empty where
 * an entry has nothing. If something is missing, a last row without execution and seq has {@code coverage} as its event
 * type and says in {@code data} what.
 */
final class CsvFormat implements EntryFormat {
    /** The members of an entry as history gives it, in the same order, and whose it is. */
    static final List<String> COLUMNS = List.of(
            "execution_id",
            "seq",
            "id",
            "timestamp",
            "received_at",
            "level",
            "event_type",
            "log_category",
            "message",
            "raw_message",
            "node_name",
            "node_id",
            "node_type",
            "parent_node_id",
            "step_number",
            "total_steps",
            "attempt",
            "progress_percentage",
            "duration_seconds",
            "display_priority",
            "is_milestone",
            "error_code",
            "stack_trace",
            "data",
            "technical_details",
            "performance_metrics",
            "workflow_id",
            "user_id",
            "trace_id",
            "span_id",
            "clock_skew_ms",
            "truncated",
            "original_bytes");

    /** The event type of the row that tells what is missing; no entry has it. */
    static final String COVERAGE = "coverage";

    private final CsvWriter csv;
    private final String executionId;
    private final ZonedTimes times;
    private final EntryFields fields = new EntryFields();
    private final String[] row = new String[COLUMNS.size()];
    private int column;

    CsvFormat(OutputStream out, String executionId, ZonedTimes times) {
        csv = CsvWriter.builder().lineDelimiter(LineDelimiter.CRLF).build(out, StandardCharsets.UTF_8);
        this.executionId = executionId;
        this.times = times;
    }

    @Override
    public void begin() {
        csv.writeRecord(COLUMNS);
    }

    @Override
    public void entry(LogEntry entry) {
        EntryFields f = fields;
        EntryCodec.decode(entry, f);
        column = 0;
        text(executionId);
        plain(entry.seq());
        plain(f.id);
        plain(times.text(f.timestampMicros));
        plain(times.text(f.receivedAtMicros));
        plain(f.level.wire());
        plain(f.eventType.wire());
        plain(f.category.wire());
        text(f.userFriendlyMessage == null ? f.message : f.userFriendlyMessage);
        text(f.userFriendlyMessage == null ? null : f.message);
        text(f.nodeName);
        text(f.nodeId);
        text(f.nodeType);
        text(f.parentNodeId);
        plain(f.stepNumber);
        plain(f.totalSteps);
        plain(f.attempt);
        plain(f.progressHundredths < 0 ? null : BigDecimal.valueOf(f.progressHundredths, 2));
        plain(f.durationSeconds);
        plain(f.displayPriority);
        plain(f.milestone);
        text(f.errorCode);
        text(f.stackTrace);
        plain(f.data == null ? "{}" : f.data);
        plain(f.technicalDetails);
        plain(f.performanceMetrics);
        text(f.workflowId);
        text(f.userId);
        text(f.traceId);
        text(f.spanId);
        long skew = f.timestampMicros - f.receivedAtMicros;
        plain(Math.abs(skew) > EntryCodec.SKEW_MARK_MICROS ? skew / 1_000 : null);
        plain(f.truncated);
        plain(f.truncated ? f.originalBytes : null);
        csv.writeRecord(row);
    }

    /** What a sender cannot choose, or what no spreadsheet takes for a formula: a number stays a number. */
    private void plain(@Nullable Object value) {
        row[column++] = value == null ? "" : value.toString();
    }

    private void text(@Nullable String value) {
        row[column++] = value == null ? "" : harmless(value);
    }

    /**
     * Text that a spreadsheet would calculate begins with an apostrophe, so that it is shown. Text that begins so already
     * gets one more: who takes one away wherever one stands before such a character has what was sent.
     */
    static String harmless(String text) {
        int first = 0;
        while (first < text.length() && text.charAt(first) == '\'') {
            first++;
        }
        return first < text.length() && formula(text.charAt(first)) ? "'" + text : text;
    }

    private static boolean formula(char c) {
        return switch (c) {
            case '=', '+', '-', '@', '\t', '\r', '\n', '\uff1d', '\uff0b', '\uff0d', '\uff20' -> true;
            default -> false;
        };
    }

    @Override
    public void end(Coverage coverage) {
        if (coverage.complete()) {
            return;
        }
        var json = new JsonWriter();
        coverage.write(json);
        java.util.Arrays.fill(row, "");
        row[COLUMNS.indexOf("event_type")] = COVERAGE;
        row[COLUMNS.indexOf("message")] = "Not complete: some entries could not be had; data says which.";
        row[COLUMNS.indexOf("data")] = new String(json.toByteArray(), StandardCharsets.UTF_8);
        csv.writeRecord(row);
    }

    @Override
    public void flush() throws IOException {
        csv.flush();
    }
}
