package tailrace.export;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.time.ZoneId;
import java.util.List;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;
import tailrace.model.LogEntry;
import tailrace.query.Coverage;

/**
 * The bytes of one export, made piece by piece: it holds no more than one piece of them. Used by one thread at a time,
 * and by no event loop: a piece may take milliseconds. Has to be closed, compression holds memory beside the heap.
 */
public final class ExportDocument implements AutoCloseable {
    private static final int GZIP_BUFFER_BYTES = 8 << 10;

    private final ByteArrayOutputStream made = new ByteArrayOutputStream();
    private final OutputStream out;
    private final EntryFormat format;
    private boolean begun;

    /**
     * @param zone that times are told in
     * @param gzip whether the bytes are to be compressed
     */
    public ExportDocument(ExportFormat format, String executionId, ZoneId zone, boolean gzip) throws IOException {
        out = gzip ? new FastGzip(made) : made;
        this.format = format.to(out, executionId, new ZonedTimes(zone));
    }

    /** The next bytes, with these entries in them; compressed they may come with a later piece. */
    public byte[] entries(List<LogEntry> entries) throws IOException {
        begin();
        for (LogEntry entry : entries) {
            format.entry(entry);
        }
        format.flush();
        return take();
    }

    /** The last bytes. */
    public byte[] end(Coverage coverage) throws IOException {
        begin();
        format.end(coverage);
        format.flush();
        out.close();
        return take();
    }

    private void begin() throws IOException {
        if (!begun) {
            begun = true;
            format.begin();
        }
    }

    private byte[] take() {
        byte[] bytes = made.toByteArray();
        made.reset();
        return bytes;
    }

    @Override
    public void close() throws IOException {
        out.close();
    }

    /** The lowest level: logs become a tenth with it already, and the processor is shared with ingest. */
    private static final class FastGzip extends GZIPOutputStream {
        FastGzip(OutputStream out) throws IOException {
            super(out, GZIP_BUFFER_BYTES);
            def.setLevel(Deflater.BEST_SPEED);
        }
    }
}
