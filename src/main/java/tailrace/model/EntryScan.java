package tailrace.model;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Looks at the members of an encoded entry that stand before its data, in the order in which {@link EntryCodec} writes
 * them; what a sender put into data is never walked through. For those who read every entry there is: a JSON parser takes
 * ten times as long for what they want. Reused for one entry after the other; belongs to one thread.
 */
public final class EntryScan {
    private static final byte[] MESSAGE = ascii("message");
    private static final byte[] NODE_ID = ascii("node_id");
    private static final byte[] ATTEMPT = ascii("attempt");
    private static final byte[] NODE_NAME = ascii("node_name");
    private static final byte[] NODE_TYPE = ascii("node_type");
    private static final byte[] ERROR_CODE = ascii("error_code");
    private static final byte[] STEP_NUMBER = ascii("step_number");
    private static final byte[] TOTAL_STEPS = ascii("total_steps");
    private static final byte[] STACK_TRACE = ascii("stack_trace");
    private static final byte[] RAW_MESSAGE = ascii("raw_message");
    private static final byte[] PARENT_NODE_ID = ascii("parent_node_id");
    private static final byte[] DURATION = ascii("duration_seconds");
    private static final byte[] DATA = ascii("data");

    /** How many bytes id, timestamp and time of receipt take, which begin every entry. */
    private static final int ALWAYS_BYTES = ("{\"id\":\"" + "x".repeat(36) + "\",\"timestamp\":\"" + "x".repeat(27)
                    + "\",\"received_at\":\"" + "x".repeat(27) + "\"")
            .length();

    private byte[] json = new byte[0];
    private final Span message = new Span();
    private final Span nodeId = new Span();
    private final Span nodeName = new Span();
    private final Span nodeType = new Span();
    private final Span parentNodeId = new Span();
    private final Span stepNumber = new Span();
    private final Span totalSteps = new Span();
    private final Span attempt = new Span();
    private final Span duration = new Span();
    private final Span errorCode = new Span();
    private final Span rawMessage = new Span();
    private final Span stackTrace = new Span();
    private final Span[] all = {
        message,
        nodeId,
        nodeName,
        nodeType,
        parentNodeId,
        stepNumber,
        totalSteps,
        attempt,
        duration,
        errorCode,
        rawMessage,
        stackTrace
    };

    /** Where a member's value stands, quotes included; nowhere while {@code from} is 0. */
    private static final class Span {
        int from;
        int to;
    }

    /** Turns to an entry; false if its bytes are not what {@link EntryCodec} makes, and nothing is known of it then. */
    public boolean read(LogEntry entry) {
        json = entry.encoded();
        for (Span span : all) {
            span.from = 0;
        }
        try {
            walk();
            return true;
        } catch (ArrayIndexOutOfBoundsException e) {
            for (Span span : all) {
                span.from = 0;
            }
            return false;
        }
    }

    private void walk() {
        int at = LogEntry.HEADER_BYTES + ALWAYS_BYTES;
        if (json[at] != ',' || json[at + 1] != '"' || json[at - 1] != '"') {
            at = LogEntry.HEADER_BYTES; // something else stands there
        }
        do {
            int nameFrom = at + 2;
            int nameTo = stringEnd(nameFrom);
            Span span = span(nameFrom, nameTo);
            int valueFrom = nameTo + 2;
            if (span == null && nameTo - nameFrom == DATA.length && is(DATA, nameFrom, nameTo)) {
                return;
            }
            at = valueEnd(valueFrom);
            if (span != null) {
                span.from = valueFrom;
                span.to = at;
            }
        } while (json[at] == ',');
    }

    private @Nullable Span span(int from, int to) {
        return switch (to - from) {
            case 7 ->
                is(MESSAGE, from, to)
                        ? message
                        : is(NODE_ID, from, to) ? nodeId : is(ATTEMPT, from, to) ? attempt : null;
            case 9 -> is(NODE_NAME, from, to) ? nodeName : is(NODE_TYPE, from, to) ? nodeType : null;
            case 10 -> is(ERROR_CODE, from, to) ? errorCode : null;
            case 11 ->
                is(STEP_NUMBER, from, to)
                        ? stepNumber
                        : is(TOTAL_STEPS, from, to)
                                ? totalSteps
                                : is(RAW_MESSAGE, from, to)
                                        ? rawMessage
                                        : is(STACK_TRACE, from, to) ? stackTrace : null;
            case 14 -> is(PARENT_NODE_ID, from, to) ? parentNodeId : null;
            case 16 -> is(DURATION, from, to) ? duration : null;
            default -> null;
        };
    }

    private boolean is(byte[] name, int from, int to) {
        return Arrays.equals(name, 0, name.length, json, from, to);
    }

    /** The quote that ends a string. */
    private int stringEnd(int from) {
        int at = from;
        for (byte b; (b = json[at]) != '"'; at++) {
            if (b == '\\') {
                at++;
            }
        }
        return at;
    }

    private int valueEnd(int from) {
        if (json[from] == '"') {
            return stringEnd(from + 1) + 1;
        }
        int at = from;
        while (json[at] != ',' && json[at] != '}') {
            at++;
        }
        return at;
    }

    public boolean hasNode() {
        return nodeId.from > 0;
    }

    /** Whether it is the node whose id is written so in JSON, quotes included; see {@link #nodeIdBytes}. */
    public boolean isNode(byte[] idBytes) {
        return Arrays.equals(idBytes, 0, idBytes.length, json, nodeId.from, nodeId.to);
    }

    /** Of {@link #nodeIdBytes}; equal ones have the same. */
    public int nodeIdHash() {
        int hash = 0;
        for (int at = nodeId.from; at < nodeId.to; at++) {
            hash = hash * 31 + json[at];
        }
        return hash;
    }

    /** A copy; only where {@link #hasNode}. */
    public byte[] nodeIdBytes() {
        return Arrays.copyOfRange(json, nodeId.from, nodeId.to);
    }

    public @Nullable String nodeId() {
        return text(nodeId);
    }

    public @Nullable String nodeName() {
        return text(nodeName);
    }

    public @Nullable String nodeType() {
        return text(nodeType);
    }

    public @Nullable String parentNodeId() {
        return text(parentNodeId);
    }

    /** The one that people read. */
    public @Nullable String message() {
        return text(message);
    }

    /** The technical one, where {@link #message} is the friendly one. */
    public @Nullable String rawMessage() {
        return text(rawMessage);
    }

    public @Nullable String stackTrace() {
        return text(stackTrace);
    }

    public @Nullable String errorCode() {
        return text(errorCode);
    }

    /** The number, or {@link Integer#MIN_VALUE} where there is none. */
    public int stepNumber() {
        return number(stepNumber);
    }

    /** The number, or {@link Integer#MIN_VALUE} where there is none. */
    public int totalSteps() {
        return number(totalSteps);
    }

    /** The number, or {@link Integer#MIN_VALUE} where there is none. */
    public int attempt() {
        return number(attempt);
    }

    /** Seconds, or null. */
    public @Nullable Double durationSeconds() {
        return duration.from == 0
                ? null
                : Double.valueOf(
                        new String(json, duration.from, duration.to - duration.from, StandardCharsets.US_ASCII));
    }

    private int number(Span span) {
        if (span.from == 0) {
            return Integer.MIN_VALUE;
        }
        boolean negative = json[span.from] == '-';
        int value = 0;
        for (int at = span.from + (negative ? 1 : 0); at < span.to; at++) {
            value = value * 10 + json[at] - '0';
        }
        return negative ? -value : value;
    }

    private @Nullable String text(Span span) {
        if (span.from == 0 || json[span.from] != '"') {
            return null;
        }
        int from = span.from + 1;
        int to = span.to - 1;
        String raw = new String(json, from, to - from, StandardCharsets.UTF_8);
        return raw.indexOf('\\') < 0 ? raw : unescape(raw);
    }

    private static String unescape(String raw) {
        var text = new StringBuilder(raw.length());
        for (int i = 0; i < raw.length(); i++) {
            char c = raw.charAt(i);
            if (c != '\\') {
                text.append(c);
                continue;
            }
            char escape = raw.charAt(++i);
            switch (escape) {
                case 'n' -> text.append('\n');
                case 'r' -> text.append('\r');
                case 't' -> text.append('\t');
                case 'b' -> text.append('\b');
                case 'f' -> text.append('\f');
                case 'u' -> {
                    text.append((char) Integer.parseInt(raw, i + 1, i + 5, 16));
                    i += 4;
                }
                default -> text.append(escape);
            }
        }
        return text.toString();
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
