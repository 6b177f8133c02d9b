package tailrace.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import tailrace.model.JsonWriter;
import tailrace.model.Timestamps;

/**
 * Turns lines into entries: a JSON object with a {@code message} is one already, anything else becomes the message of
 * one, with the time at which it was read. A line longer than an entry may be is cut into several. Belongs to one
 * thread.
 */
final class InputLines {
    /** Of JSON, so that an entry stays below the server's 10 KiB with all around it. */
    private static final int PIECE_BYTES = 8 << 10;
    /** A line that goes on longer is treated as if it ended here; an object is never so long. */
    private static final int LINE_BYTES_MAX = 256 << 10;

    private static final byte[] TIMESTAMP = ascii("{\"timestamp\":\"");
    private static final byte[] MESSAGE = ascii("\",\"message\":");

    private final JsonFactory json = new JsonFactory();
    private final JsonWriter out = new JsonWriter();
    private final Clock clock;

    InputLines(Clock clock) {
        this.clock = clock;
    }

    /** Reads to the end, giving each entry to the buffer as soon as its line is complete. */
    void read(InputStream in, EntryBuffer to) throws IOException, InterruptedException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        byte[] chunk = new byte[16 << 10];
        long number = 1;
        for (int count = in.read(chunk); count >= 0; count = in.read(chunk)) {
            int from = 0;
            for (int i = 0; i < count; i++) {
                if (chunk[i] == '\n') {
                    line.write(chunk, from, i - from);
                    line(number++, line, to);
                    from = i + 1;
                } else if (line.size() + i - from >= LINE_BYTES_MAX) {
                    line.write(chunk, from, i - from);
                    line(number, line, to);
                    from = i;
                }
            }
            line.write(chunk, from, count - from);
        }
        line(number, line, to);
    }

    private void line(long number, ByteArrayOutputStream line, EntryBuffer to) throws InterruptedException {
        byte[] bytes = line.toByteArray();
        line.reset();
        String place = "line " + number;
        if (isEntry(bytes)) {
            to.put(place, bytes);
            return;
        }
        String text = new String(bytes, StandardCharsets.UTF_8); // what is no UTF-8 becomes U+FFFD
        text = text.endsWith("\r") ? text.substring(0, text.length() - 1) : text;
        if (text.isBlank()) {
            return; // an entry needs a message
        }
        for (int from = 0; from < text.length(); ) {
            int end = pieceEnd(text, from);
            to.put(place, entry(text.substring(from, end)));
            from = end;
        }
    }

    private byte[] entry(String message) {
        out.reset();
        out.raw(TIMESTAMP);
        Timestamps.write(Timestamps.micros(clock.instant()), out);
        out.raw(MESSAGE).string(message).raw('}');
        return java.util.Arrays.copyOf(out.array(), out.length());
    }

    /** As many characters as fit, at six bytes for one that JSON escapes; never the half of one. */
    private static int pieceEnd(String text, int from) {
        int size = 0;
        int i = from;
        while (i < text.length()) {
            int point = text.codePointAt(i);
            size += point < 0x20 ? 6 : point == '"' || point == '\\' ? 2 : point < 0x80 ? 1 : point < 0x800 ? 2 : 4;
            if (size > PIECE_BYTES) {
                return i;
            }
            i += Character.charCount(point);
        }
        return i;
    }

    private boolean isEntry(byte[] line) {
        int start = 0;
        while (start < line.length && (line[start] == ' ' || line[start] == '\t')) {
            start++;
        }
        if (start == line.length || line[start] != '{') {
            return false;
        }
        boolean message = false;
        try (JsonParser parser = json.createParser(line)) {
            parser.nextToken();
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                message |= parser.currentName().equals("message");
                parser.nextToken();
                parser.skipChildren();
            }
            return message && parser.hasToken(JsonToken.END_OBJECT) && parser.nextToken() == null;
        } catch (IOException e) {
            return false; // a line of text that begins like an object
        }
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
