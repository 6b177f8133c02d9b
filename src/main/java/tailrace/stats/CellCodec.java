package tailrace.stats;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.Locale;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.PackedHistogram;
import org.jspecify.annotations.Nullable;
import tailrace.model.EventType;
import tailrace.model.ExecutionStatus;
import tailrace.model.JsonWriter;
import tailrace.model.Level;

/**
 * A cell as JSON, the same text in the journal and in PostgreSQL. Zeros are left out; what it does not know it passes
 * over, so that a later version may add to it.
 */
public final class CellCodec {
    private static final JsonFactory JSON = new JsonFactory();

    private CellCodec() {}

    /** UTF-8. */
    public static byte[] encode(Cell cell) {
        var out = new JsonWriter();
        counts(out.rawText("{\"levels\":"), Level.values(), cell.levels);
        counts(out.rawText(",\"events\":"), EventType.values(), cell.events);
        out.rawText(",\"runs\":").number(cell.runs);
        counts(out.rawText(",\"ends\":"), ExecutionStatus.values(), cell.ends);
        Histogram durations = cell.durations;
        if (durations != null) {
            var bytes = ByteBuffer.allocate(durations.getNeededByteBufferCapacity());
            int length = durations.encodeIntoByteBuffer(bytes);
            // HdrHistogram's own form, which is compact without deflate
            String text = Base64.getEncoder().encodeToString(java.util.Arrays.copyOf(bytes.array(), length));
            out.rawText(",\"durations\":\"" + text + "\",\"max_ms\":").number(cell.maxMillis);
        }
        out.rawText(",\"other_errors\":").number(cell.errors.other()).rawText(",\"errors\":[");
        boolean comma = false;
        for (TopErrors.Place place : cell.errors.all()) {
            error(out.rawText(comma ? ",{" : "{"), place);
            comma = true;
        }
        return out.rawText("]}").toByteArray();
    }

    private static void counts(JsonWriter out, Enum<?>[] names, long[] counts) {
        out.raw('{');
        boolean comma = false;
        for (Enum<?> name : names) {
            long count = counts[name.ordinal()];
            if (count != 0) {
                out.rawText((comma ? ",\"" : "\"") + name.name().toLowerCase(Locale.ROOT) + "\":")
                        .number(count);
                comma = true;
            }
        }
        out.raw('}');
    }

    private static void error(JsonWriter out, TopErrors.Place place) {
        out.rawText("\"template\":").string(place.kind().template());
        String code = place.kind().code();
        if (code != null) {
            out.rawText(",\"code\":").string(code);
        }
        out.rawText(",\"rank\":").number(place.rank());
        out.rawText(",\"count\":").number(place.count());
        out.rawText(",\"message\":").string(place.last().message());
        out.rawText(",\"execution_id\":").string(place.last().executionId());
        out.rawText(",\"seq\":").number(place.last().seq());
        out.rawText(",\"at\":").number(place.last().atMicros()).raw('}');
    }

    /**
     * Adds what {@link #encode} wrote, or PostgreSQL kept of it, to a cell.
     *
     * @throws IOException if it is not that; the cell may have got a part of it then
     */
    public static void addTo(Cell cell, byte[] json) throws IOException {
        try (JsonParser in = JSON.createParser(json)) {
            require(in.nextToken() == JsonToken.START_OBJECT);
            while (in.nextToken() == JsonToken.FIELD_NAME) {
                String name = in.currentName();
                in.nextToken();
                switch (name) {
                    case "levels" -> counts(in, Level.values(), cell.levels);
                    case "events" -> counts(in, EventType.values(), cell.events);
                    case "ends" -> counts(in, ExecutionStatus.values(), cell.ends);
                    case "runs" -> cell.runs += in.getLongValue();
                    case "max_ms" -> cell.maxMillis = Math.max(cell.maxMillis, in.getLongValue());
                    case "durations" -> durations(cell, in.getText());
                    case "other_errors" -> cell.errors.addOther(in.getLongValue());
                    case "errors" -> errors(in, cell.errors);
                    default -> in.skipChildren();
                }
            }
            require(in.hasToken(JsonToken.END_OBJECT));
        } catch (RuntimeException e) {
            throw new IOException("not a cell", e);
        }
    }

    private static void durations(Cell cell, String base64) {
        Histogram theirs = PackedHistogram.decodeFromByteBuffer(
                ByteBuffer.wrap(Base64.getDecoder().decode(base64)), 0);
        var more = new Cell(1);
        more.durations = theirs;
        cell.add(more);
    }

    private static void counts(JsonParser in, Enum<?>[] names, long[] counts) throws IOException {
        require(in.hasToken(JsonToken.START_OBJECT));
        while (in.nextToken() == JsonToken.FIELD_NAME) {
            String name = in.currentName();
            in.nextToken();
            for (Enum<?> each : names) {
                if (each.name().equalsIgnoreCase(name)) {
                    counts[each.ordinal()] += in.getLongValue();
                }
            }
        }
    }

    private static void errors(JsonParser in, TopErrors errors) throws IOException {
        require(in.hasToken(JsonToken.START_ARRAY));
        while (in.nextToken() == JsonToken.START_OBJECT) {
            String template = "";
            @Nullable String code = null;
            String message = "";
            String executionId = "";
            long rank = 0;
            long count = 0;
            long seq = 0;
            long at = 0;
            while (in.nextToken() == JsonToken.FIELD_NAME) {
                String name = in.currentName();
                in.nextToken();
                switch (name) {
                    case "template" -> template = in.getText();
                    case "code" -> code = in.getText();
                    case "message" -> message = in.getText();
                    case "execution_id" -> executionId = in.getText();
                    case "rank" -> rank = in.getLongValue();
                    case "count" -> count = in.getLongValue();
                    case "seq" -> seq = in.getLongValue();
                    case "at" -> at = in.getLongValue();
                    default -> in.skipChildren();
                }
            }
            errors.add(
                    new TopErrors.Kind(template, code),
                    rank,
                    count,
                    new TopErrors.Example(message, executionId, seq, at));
        }
        require(in.hasToken(JsonToken.END_ARRAY));
    }

    private static void require(boolean expected) throws IOException {
        if (!expected) {
            throw new IOException("not a cell");
        }
    }
}
