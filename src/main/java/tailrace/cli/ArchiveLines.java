package tailrace.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.GZIPInputStream;
import tailrace.model.JsonWriter;

/**
 * Turns archives that retention wrote back into entries. Values are passed on byte by byte, so no number changes; what
 * the server gives itself ({@code seq}, {@code received_at}) arrives there as a field it does not know, and is kept under
 * {@code data._extra}. Belongs to one thread; {@link #bytesRead} may be read by any.
 */
final class ArchiveLines {
    /** Before the id of the execution that entries come from. */
    static final String PREFIX = "archive:";
    /** No line that retention writes comes near it. */
    private static final int LINE_BYTES_MAX = 1 << 20;

    private final JsonFactory json = new JsonFactory();
    private final JsonWriter out = new JsonWriter();
    private final AtomicLong bytesRead = new AtomicLong();

    /** Compressed bytes taken off the files so far. */
    long bytesRead() {
        return bytesRead.get();
    }

    /**
     * Reads a file to its end.
     *
     * @throws IOException naming file and line if it is no archive, or not whole
     */
    void read(Path file, EntryBuffer to) throws IOException, InterruptedException {
        long number = 0;
        try (InputStream in =
                new BufferedInputStream(new GZIPInputStream(counted(Files.newInputStream(file)), 64 << 10), 64 << 10)) {
            for (byte[] line = line(in); line.length > 0; line = line(in)) {
                number++;
                to.put(file.getFileName() + " line " + number, entry(line));
            }
        } catch (IOException e) {
            throw new IOException(file + ", after line " + number + ": " + e.getMessage(), e);
        }
    }

    private InputStream counted(InputStream in) {
        return new FilterInputStream(in) {
            @Override
            public int read() throws IOException {
                int read = super.read();
                bytesRead.addAndGet(read < 0 ? 0 : 1);
                return read;
            }

            @Override
            public int read(byte[] to, int offset, int length) throws IOException {
                int count = super.read(to, offset, length);
                bytesRead.addAndGet(Math.max(0, count));
                return count;
            }
        };
    }

    private static byte[] line(InputStream in) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int next = in.read(); next != '\n'; next = in.read()) {
            if (next < 0) {
                if (line.size() > 0) {
                    throw new IOException("the last line does not end");
                }
                return new byte[0];
            }
            if (line.size() == LINE_BYTES_MAX) {
                throw new IOException("a line of more than " + LINE_BYTES_MAX + " bytes");
            }
            line.write(next);
        }
        if (line.size() == 0) {
            throw new IOException("an empty line");
        }
        return line.toByteArray();
    }

    /** The same entry as a sender gives it: readers get the friendly message as {@code message}. */
    byte[] entry(byte[] line) throws IOException {
        Map<String, byte[]> members = members(line);
        byte[] id = members.remove("execution_id");
        if (id == null || !members.containsKey("message") || !members.containsKey("seq")) {
            throw new IOException("the line is no entry of an archive: it needs execution_id, seq and message");
        }
        byte[] raw = members.remove("raw_message");
        if (raw != null) {
            members.put("user_friendly_message", members.get("message"));
            members.put("message", raw);
        }
        out.reset();
        out.raw('{').string("execution_id").raw(':').string(PREFIX + text(id));
        members.forEach((name, value) -> {
            out.raw(',').string(name).raw(':').raw(value, 0, value.length);
        });
        out.raw('}');
        return java.util.Arrays.copyOf(out.array(), out.length());
    }

    private Map<String, byte[]> members(byte[] line) throws IOException {
        Map<String, byte[]> members = new LinkedHashMap<>();
        try (JsonParser parser = json.createParser(line)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw new IOException("the line is no JSON object");
            }
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String name = parser.currentName();
                parser.nextToken();
                int from = (int) parser.currentTokenLocation().getByteOffset();
                parser.skipChildren();
                parser.finishToken();
                int to = (int) parser.currentLocation().getByteOffset();
                members.put(name, java.util.Arrays.copyOfRange(line, from, numberEnd(parser, line, from, to)));
            }
            return members;
        }
    }

    /** To see where a number ends, the parser has to look at what follows it. */
    private static int numberEnd(JsonParser parser, byte[] line, int from, int to) {
        int end = to;
        if (parser.currentToken().isNumeric()) {
            end = from;
            while (end < line.length && "+-.eE0123456789".indexOf(line[end]) >= 0) {
                end++;
            }
        }
        return end;
    }

    private String text(byte[] value) throws IOException {
        try (JsonParser parser = json.createParser(value)) {
            if (parser.nextToken() != JsonToken.VALUE_STRING) {
                throw new IOException("execution_id is no string: " + new String(value, StandardCharsets.UTF_8));
            }
            return parser.getText();
        }
    }
}
