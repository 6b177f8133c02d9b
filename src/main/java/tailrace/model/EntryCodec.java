package tailrace.model;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The one place that says what an entry looks like to readers (SPEC 6), in both directions. The text depends on the
 * fields alone, so a row read back from PostgreSQL gives the same JSON as the journal. Belongs to one thread.
 */
public final class EntryCodec {
    /** A sender's clock further off than this is marked with {@code clock_skew_ms} (SPEC 2). */
    public static final long SKEW_MARK_MICROS = 60_000_000L;

    /** Bytes of a time in an entry's JSON. */
    public static final int TIME_BYTES = 27;

    /** With its quotes. */
    private static final int UUID_BYTES = 38;

    private static final JsonFactory JSON = new JsonFactory();
    private static final byte[] EMPTY_OBJECT = ascii("{}");
    private static final byte[][] LEVELS = wires(Level.values());
    private static final byte[][] EVENT_TYPES = wires(EventType.values());
    private static final byte[][] CATEGORIES = wires(LogCategory.values());

    private final JsonWriter out = new JsonWriter();

    /** The bytes of {@link LogEntry}. */
    public byte[] encode(EntryFields fields) {
        out.reset();
        out.skip(LogEntry.HEADER_BYTES);
        writeJson(fields);
        byte[] encoded = out.toByteArray();
        writeHeader(fields, encoded);
        return encoded;
    }

    private static void writeHeader(EntryFields fields, byte[] to) {
        to[0] = LogEntry.VERSION;
        to[1] = (byte) ((fields.userFriendly() ? LogEntry.FLAG_USER_FRIENDLY : 0)
                | (fields.milestone ? LogEntry.FLAG_MILESTONE : 0));
        to[2] = (byte) fields.level.ordinal();
        to[3] = (byte) fields.eventType.ordinal();
        to[4] = (byte) fields.category.ordinal();
        to[5] = (byte) fields.displayPriority;
        to[6] = (byte) (fields.statusEffect == null ? 0 : fields.statusEffect.ordinal() + 1);
        to[7] = (byte) (LogEntry.MEMBERS_TOLD
                | (fields.nodeId != null ? LogEntry.MEMBER_NODE : 0)
                | (fields.stepNumber != null || fields.totalSteps != null ? LogEntry.MEMBER_STEP : 0));
        to[8] = (byte) (fields.progressHundredths >> 8);
        to[9] = (byte) fields.progressHundredths;
        Bytes.putLong(to, 10, fields.receivedAtMicros);
        Bytes.putLong(to, 18, fields.timestampMicros);
    }

    private void writeJson(EntryFields f) {
        UUID id = f.id;
        if (id == null) {
            throw new IllegalArgumentException("an entry needs its id before it is encoded");
        }
        out.raw(ID).string(id.toString());
        out.raw(TIMESTAMP);
        Timestamps.write(f.timestampMicros, out);
        out.raw(RECEIVED_AT);
        Timestamps.write(f.receivedAtMicros, out);
        out.raw(LEVEL).raw(LEVELS[f.level.ordinal()]);
        out.raw(EVENT_TYPE).raw(EVENT_TYPES[f.eventType.ordinal()]);
        out.raw(LOG_CATEGORY).raw(CATEGORIES[f.category.ordinal()]);
        out.raw(MESSAGE);
        if (f.userFriendlyMessage == null) {
            out.string(f.message);
        } else {
            out.string(f.userFriendlyMessage).raw(RAW_MESSAGE).string(f.message);
        }
        out.raw(NODE_NAME);
        if (f.nodeName == null) {
            out.raw(NULL);
        } else {
            out.string(f.nodeName);
        }
        text(NODE_ID, f.nodeId);
        text(NODE_TYPE, f.nodeType);
        text(PARENT_NODE_ID, f.parentNodeId);
        number(STEP_NUMBER, f.stepNumber);
        number(TOTAL_STEPS, f.totalSteps);
        number(ATTEMPT, f.attempt);
        if (f.progressHundredths >= 0) {
            out.raw(PROGRESS)
                    .rawText(BigDecimal.valueOf(f.progressHundredths, 2).toPlainString());
        }
        if (f.durationSeconds != null) {
            out.raw(DURATION).rawText(Double.toString(f.durationSeconds));
        }
        if (f.displayPriority != 5) {
            out.raw(PRIORITY).number(f.displayPriority);
        }
        if (f.milestone) {
            out.raw(MILESTONE);
        }
        text(ERROR_CODE, f.errorCode);
        text(STACK_TRACE, f.stackTrace);
        out.raw(DATA);
        if (f.data == null) {
            out.raw(EMPTY_OBJECT);
        } else {
            out.rawText(f.data);
        }
        object(TECHNICAL_DETAILS, f.technicalDetails);
        object(PERFORMANCE_METRICS, f.performanceMetrics);
        text(WORKFLOW_ID, f.workflowId);
        text(USER_ID, f.userId);
        text(TRACE_ID, f.traceId);
        text(SPAN_ID, f.spanId);
        long skew = f.timestampMicros - f.receivedAtMicros;
        if (Math.abs(skew) > SKEW_MARK_MICROS) {
            out.raw(SKEW).number(skew / 1_000);
        }
        if (f.truncated) {
            out.raw(TRUNCATED).number(f.originalBytes);
        }
        out.raw('}');
    }

    private void text(byte[] name, @Nullable String value) {
        if (value != null) {
            out.raw(name).string(value);
        }
    }

    private void number(byte[] name, @Nullable Integer value) {
        if (value != null) {
            out.raw(name).number(value);
        }
    }

    private void object(byte[] name, @Nullable String json) {
        if (json != null) {
            out.raw(name).rawText(json);
        }
    }

    /**
     * Reads an entry back into its fields; what {@link #encode} made of them is made of the result again.
     *
     * @throws UncheckedIOException if the bytes are not what {@link #encode} makes: the store is damaged
     */
    public static void decode(LogEntry entry, EntryFields into) {
        into.clear();
        into.level = entry.level();
        into.eventType = entry.eventType();
        into.category = entry.category();
        into.displayPriority = entry.displayPriority();
        into.milestone = entry.milestone();
        into.statusEffect = entry.statusEffect();
        into.progressHundredths = entry.progressHundredths();
        into.receivedAtMicros = entry.receivedAtMicros();
        into.timestampMicros = entry.timestampMicros();
        byte[] json = entry.encoded();
        try (JsonParser parser = JSON.createParser(json, LogEntry.HEADER_BYTES, json.length - LogEntry.HEADER_BYTES)) {
            parser.nextToken();
            String rawMessage = null;
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String name = parser.currentName();
                parser.nextToken();
                if (name.equals("raw_message")) {
                    rawMessage = parser.getText();
                } else {
                    decodeMember(name, parser, json, into);
                }
            }
            if (rawMessage != null) {
                into.userFriendlyMessage = into.message;
                into.message = rawMessage;
            }
        } catch (IOException e) {
            throw new UncheckedIOException("entry " + entry.seq() + " in the journal is damaged", e);
        }
    }

    private static void decodeMember(String name, JsonParser parser, byte[] json, EntryFields into) throws IOException {
        switch (name) {
            case "id" -> into.id = UUID.fromString(parser.getText());
            case "message" -> into.message = parser.getText();
            case "node_name" -> into.nodeName = parser.hasToken(JsonToken.VALUE_NULL) ? null : parser.getText();
            case "node_id" -> into.nodeId = parser.getText();
            case "node_type" -> into.nodeType = parser.getText();
            case "parent_node_id" -> into.parentNodeId = parser.getText();
            case "step_number" -> into.stepNumber = parser.getIntValue();
            case "total_steps" -> into.totalSteps = parser.getIntValue();
            case "attempt" -> into.attempt = parser.getIntValue();
            case "duration_seconds" -> into.durationSeconds = parser.getDoubleValue();
            case "error_code" -> into.errorCode = parser.getText();
            case "stack_trace" -> into.stackTrace = parser.getText();
            case "data" -> into.data = objectText(parser, json);
            case "technical_details" -> into.technicalDetails = objectText(parser, json);
            case "performance_metrics" -> into.performanceMetrics = objectText(parser, json);
            case "workflow_id" -> into.workflowId = parser.getText();
            case "user_id" -> into.userId = parser.getText();
            case "trace_id" -> into.traceId = parser.getText();
            case "span_id" -> into.spanId = parser.getText();
            case "truncated" -> into.truncated = true;
            case "original_bytes" -> into.originalBytes = parser.getIntValue();
            default -> parser.skipChildren(); // in the header
        }
    }

    private static @Nullable String objectText(JsonParser parser, byte[] json) throws IOException {
        int from = LogEntry.HEADER_BYTES + (int) parser.currentTokenLocation().getByteOffset();
        parser.skipChildren();
        int to = LogEntry.HEADER_BYTES + (int) parser.currentTokenLocation().getByteOffset() + 1;
        return to - from == EMPTY_OBJECT.length ? null : new String(json, from, to - from, StandardCharsets.UTF_8);
    }

    /** Where the sender's time stands in {@link LogEntry#encoded()}: what comes before it always has one length. */
    public static int timestampOffset() {
        return LogEntry.HEADER_BYTES + ID.length + UUID_BYTES + TIMESTAMP.length;
    }

    /** Where the time of receipt stands. */
    public static int receivedAtOffset() {
        return timestampOffset() + TIME_BYTES + RECEIVED_AT.length;
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static byte[][] wires(Enum<?>[] values) {
        byte[][] wires = new byte[values.length][];
        for (Enum<?> value : values) {
            wires[value.ordinal()] = ascii('"' + value.name().toLowerCase(java.util.Locale.ROOT) + '"');
        }
        return wires;
    }

    // The member before ends with its own quote where the next begins with one.
    private static final byte[] ID = ascii("{\"id\":");
    private static final byte[] TIMESTAMP = ascii(",\"timestamp\":\"");
    private static final byte[] RECEIVED_AT = ascii("\",\"received_at\":\"");
    private static final byte[] LEVEL = ascii("\",\"level\":");
    private static final byte[] EVENT_TYPE = ascii(",\"event_type\":");
    private static final byte[] LOG_CATEGORY = ascii(",\"log_category\":");
    private static final byte[] MESSAGE = ascii(",\"message\":");
    private static final byte[] RAW_MESSAGE = ascii(",\"raw_message\":");
    private static final byte[] NODE_NAME = ascii(",\"node_name\":");
    private static final byte[] NODE_ID = ascii(",\"node_id\":");
    private static final byte[] NODE_TYPE = ascii(",\"node_type\":");
    private static final byte[] PARENT_NODE_ID = ascii(",\"parent_node_id\":");
    private static final byte[] STEP_NUMBER = ascii(",\"step_number\":");
    private static final byte[] TOTAL_STEPS = ascii(",\"total_steps\":");
    private static final byte[] ATTEMPT = ascii(",\"attempt\":");
    private static final byte[] PROGRESS = ascii(",\"progress_percentage\":");
    private static final byte[] DURATION = ascii(",\"duration_seconds\":");
    private static final byte[] PRIORITY = ascii(",\"display_priority\":");
    private static final byte[] MILESTONE = ascii(",\"is_milestone\":true");
    private static final byte[] ERROR_CODE = ascii(",\"error_code\":");
    private static final byte[] STACK_TRACE = ascii(",\"stack_trace\":");
    private static final byte[] DATA = ascii(",\"data\":");
    private static final byte[] TECHNICAL_DETAILS = ascii(",\"technical_details\":");
    private static final byte[] PERFORMANCE_METRICS = ascii(",\"performance_metrics\":");
    private static final byte[] WORKFLOW_ID = ascii(",\"workflow_id\":");
    private static final byte[] USER_ID = ascii(",\"user_id\":");
    private static final byte[] TRACE_ID = ascii(",\"trace_id\":");
    private static final byte[] SPAN_ID = ascii(",\"span_id\":");
    private static final byte[] SKEW = ascii(",\"clock_skew_ms\":");
    private static final byte[] TRUNCATED = ascii(",\"truncated\":true,\"original_bytes\":");
    private static final byte[] NULL = ascii("null");
}
