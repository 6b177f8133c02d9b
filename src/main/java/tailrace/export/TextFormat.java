package tailrace.export;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import tailrace.model.EntryCodec;
import tailrace.model.EntryFields;
import tailrace.model.LogEntry;
import tailrace.model.Visible;
import tailrace.query.Coverage;

/**
 * A line an entry, for people: time, level, node, message, error code. What does not fit on a line follows indented, and
 * nothing in it can pass for an entry or be obeyed by a terminal. If something is missing, last lines that begin with
 * {@code #} say what.
 */
final class TextFormat implements EntryFormat {
    private static final String INDENT = "    ";
    private static final String LEVEL_PADDING = "         ";

    private final OutputStream out;
    private final ZonedTimes times;
    private final EntryFields fields = new EntryFields();
    private final StringBuilder line = new StringBuilder();

    TextFormat(OutputStream out, ZonedTimes times) {
        this.out = out;
        this.times = times;
    }

    @Override
    public void begin() {
        // the first line is an entry
    }

    @Override
    public void entry(LogEntry entry) throws IOException {
        EntryFields f = fields;
        EntryCodec.decode(entry, f);
        String level = f.level.name();
        line.append(times.text(f.timestampMicros)).append(' ').append(level);
        line.append(LEVEL_PADDING, level.length(), LEVEL_PADDING.length());
        String node = f.nodeName == null ? f.nodeId : f.nodeName;
        if (node != null) {
            line.append('[').append(Visible.line(node)).append("] ");
        }
        line.append(Visible.block(f.userFriendlyMessage == null ? f.message : f.userFriendlyMessage, INDENT));
        if (f.errorCode != null) {
            line.append(" (").append(Visible.line(f.errorCode)).append(')');
        }
        line.append('\n');
        if (f.stackTrace != null) {
            line.append(INDENT)
                    .append(Visible.block(f.stackTrace.stripTrailing(), INDENT))
                    .append('\n');
        }
        write();
    }

    @Override
    public void end(Coverage coverage) throws IOException {
        if (!coverage.complete()) {
            line.append("# not complete, these could not be had:\n");
            for (Coverage.Gap gap : coverage.missing()) {
                line.append("# ").append(gap.fromSeq()).append(" to ").append(gap.toSeq());
                line.append(": ").append(gap.reason().wire()).append('\n');
            }
        }
        write();
    }

    private void write() throws IOException {
        out.write(line.toString().getBytes(StandardCharsets.UTF_8));
        line.setLength(0);
    }

    @Override
    public void flush() {
        // holds nothing back
    }
}
