package tailrace.export;

import java.io.IOException;
import java.io.OutputStream;
import tailrace.model.EntryCodec;
import tailrace.model.JsonWriter;
import tailrace.model.LogEntry;
import tailrace.query.Coverage;

/**
 * Entries as history gives them, byte for byte but for the offset of their times: one a line, or in one document, there
 * too one a line. A last line {@code {"coverage":…}} is there only if something is missing; a document always has that
 * member.
 */
final class JsonFormat implements EntryFormat {
    private final OutputStream out;
    private final String executionId;
    private final ZonedTimes times;
    private final boolean document;
    private final JsonWriter line = new JsonWriter();
    private boolean first = true;

    JsonFormat(OutputStream out, String executionId, ZonedTimes times, boolean document) {
        this.out = out;
        this.executionId = executionId;
        this.times = times;
        this.document = document;
    }

    @Override
    public void begin() throws IOException {
        if (document) {
            line.rawText("{\"execution_id\":").string(executionId).rawText(",\"logs\":[");
            write();
        }
    }

    @Override
    public void entry(LogEntry entry) throws IOException {
        if (document) {
            line.rawText(first ? "\n" : ",\n");
        }
        first = false;
        line.rawText("{\"seq\":").number(entry.seq()).raw(',');
        if (times.utc()) {
            line.raw(entry.encoded(), entry.tailOffset(), entry.tailLength());
        } else {
            zoned(entry);
        }
        if (!document) {
            line.raw('\n');
        }
        write();
    }

    private void zoned(LogEntry entry) {
        byte[] from = entry.encoded();
        int timestamp = EntryCodec.timestampOffset();
        int receivedAt = EntryCodec.receivedAtOffset();
        line.raw(from, entry.tailOffset(), timestamp - entry.tailOffset());
        times.write(entry.timestampMicros(), line);
        int between = timestamp + EntryCodec.TIME_BYTES;
        line.raw(from, between, receivedAt - between);
        times.write(entry.receivedAtMicros(), line);
        int rest = receivedAt + EntryCodec.TIME_BYTES;
        line.raw(from, rest, from.length - rest);
    }

    @Override
    public void end(Coverage coverage) throws IOException {
        if (document) {
            coverage.write(line.rawText("\n],\"coverage\":"));
            line.rawText("}\n");
        } else if (!coverage.complete()) {
            coverage.write(line.rawText("{\"coverage\":"));
            line.rawText("}\n");
        }
        write();
    }

    private void write() throws IOException {
        out.write(line.array(), 0, line.length());
        line.reset();
    }

    @Override
    public void flush() {
        // holds nothing back
    }
}
