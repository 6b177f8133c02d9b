package tailrace.ingest;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import tailrace.model.EntryFields;
import tailrace.model.EventType;
import tailrace.model.ExecutionStatus;
import tailrace.model.Level;
import tailrace.model.LogCategory;
import tailrace.model.StorableText;

/**
 * Reads one entry's members off a parser into {@link EntryFields}, by the rules of SPEC 2. Used again for entry after
 * entry; belongs to one thread.
 */
final class EntryParser {
    private static final int MAX_ID_CHARS = 255;
    private static final int MAX_CODE_CHARS = 100;

    private final JsonCopier copier;
    private final Masking masking;

    final EntryFields fields = new EntryFields();

    @Nullable
    String executionId;

    private boolean categoryGiven;
    private boolean friendlyGiven;
    private boolean priorityGiven;
    private boolean milestoneGiven;
    private boolean timestampGiven;
    private boolean messageGiven;
    private @Nullable String friendlyInData;
    private int priorityInData;
    private @Nullable Boolean milestoneInData;
    private @Nullable ExecutionStatus statusInData;
    private boolean extraInData;
    private final Map<String, String> unknown = new LinkedHashMap<>();
    private @Nullable EntryException broken;

    EntryParser(int maxDepth, Masking masking) {
        this.copier = new JsonCopier(maxDepth, masking);
        this.masking = masking;
    }

    /** Starts an entry from nothing, or from what the batch's defaults left in another parser. */
    void begin(@Nullable EntryParser defaults) {
        broken = null;
        unknown.clear();
        if (defaults == null) {
            fields.clear();
            executionId = null;
            categoryGiven = false;
            friendlyGiven = false;
            priorityGiven = false;
            milestoneGiven = false;
            timestampGiven = false;
            messageGiven = false;
            friendlyInData = null;
            priorityInData = 0;
            milestoneInData = null;
            statusInData = null;
            extraInData = false;
        } else {
            fields.copyFrom(defaults.fields);
            executionId = defaults.executionId;
            categoryGiven = defaults.categoryGiven;
            friendlyGiven = defaults.friendlyGiven;
            priorityGiven = defaults.priorityGiven;
            milestoneGiven = defaults.milestoneGiven;
            timestampGiven = defaults.timestampGiven;
            messageGiven = defaults.messageGiven;
            friendlyInData = defaults.friendlyInData;
            priorityInData = defaults.priorityInData;
            milestoneInData = defaults.milestoneInData;
            statusInData = defaults.statusInData;
            extraInData = defaults.extraInData;
            unknown.putAll(defaults.unknown);
        }
    }

    /**
     * Reads the object the parser stands at, to its end, whatever is wrong with it.
     *
     * @return the first rule it breaks, or null
     * @throws IOException if it is not JSON
     */
    @Nullable
    EntryException read(JsonParser parser) throws IOException {
        int depth = parser.getParsingContext().getNestingDepth();
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String name = parser.currentName();
            parser.nextToken();
            try {
                member(name, parser);
            } catch (EntryException e) {
                if (broken == null) {
                    broken = e;
                }
                // What reads a value may have stopped levels below: leave them all.
                while (parser.getParsingContext().getNestingDepth() > depth) {
                    parser.nextToken();
                }
            }
        }
        return broken;
    }

    private void member(String name, JsonParser parser) throws IOException, EntryException {
        if (parser.hasToken(JsonToken.VALUE_NULL)) {
            return; // as if it were not there
        }
        switch (name) {
            case "execution_id" -> executionId = identifier(name, parser);
            case "message" -> {
                fields.message = masking.mask(text(name, parser));
                messageGiven = true;
            }
            case "level" -> fields.level = level(parser);
            case "event_type" -> fields.eventType = eventType(parser);
            case "log_category" -> {
                fields.category = category(parser);
                categoryGiven = true;
            }
            case "user_friendly_message" -> {
                fields.userFriendlyMessage = emptyToNull(masking.mask(text(name, parser)));
                friendlyGiven = true;
            }
            case "display_priority" -> {
                fields.displayPriority = priority(name, parser);
                priorityGiven = true;
            }
            case "is_milestone" -> {
                fields.milestone = bool(name, parser);
                milestoneGiven = true;
            }
            case "data" -> data(parser);
            case "technical_details" -> fields.technicalDetails = object(name, parser);
            case "performance_metrics" -> fields.performanceMetrics = object(name, parser);
            case "stack_trace" -> fields.stackTrace = masking.mask(text(name, parser));
            case "error_code" -> fields.errorCode = shortText(name, parser, MAX_CODE_CHARS);
            case "node_id" -> fields.nodeId = shortText(name, parser, MAX_ID_CHARS);
            case "node_name" -> fields.nodeName = shortText(name, parser, MAX_ID_CHARS);
            case "parent_node_id" -> fields.parentNodeId = shortText(name, parser, MAX_ID_CHARS);
            case "node_type" -> fields.nodeType = shortText(name, parser, MAX_CODE_CHARS);
            case "step_number" -> fields.stepNumber = Values.integer(name, parser);
            case "total_steps" -> fields.totalSteps = Values.integer(name, parser);
            case "attempt" -> fields.attempt = Values.integer(name, parser);
            case "progress_percentage" -> fields.progressHundredths = Values.hundredths(name, parser);
            case "duration_seconds" -> fields.durationSeconds = Values.finite(name, parser);
            case "workflow_id" -> fields.workflowId = identifier(name, parser);
            case "user_id" -> fields.userId = identifier(name, parser);
            case "trace_id" -> fields.traceId = Values.hex(name, text(name, parser), 32);
            case "span_id" -> fields.spanId = Values.hex(name, text(name, parser), 16);
            case "timestamp" -> {
                fields.timestampMicros = Values.timestamp(name, parser);
                timestampGiven = true;
            }
            case "id" -> fields.id = uuid(text(name, parser));
            case "_extra" -> unknown.put(name, copier.copy(name, parser, 2, JsonCopier.NONE));
            default -> unknown.put(copier.shownName(name, unknown.size() + 1), unknownValue(name, parser));
        }
    }

    private String unknownValue(String name, JsonParser parser) throws IOException, EntryException {
        return copier.copy(name, parser, 2, JsonCopier.NONE, masking.kind(name)); // under data and _extra
    }

    private void data(JsonParser parser) throws IOException, EntryException {
        extraInData = false;
        fields.data = nullIfEmpty(requireObject("data", parser).copy("data", parser, 0, this::dataMember));
    }

    /** Some senders put these into data (SPEC 2); what stands beside data wins. */
    private void dataMember(String name, JsonParser parser) throws IOException, EntryException {
        if (parser.hasToken(JsonToken.VALUE_NULL)) {
            return;
        }
        switch (name) {
            case "user_friendly_message" -> {
                if (parser.hasToken(JsonToken.VALUE_STRING)) {
                    friendlyInData = emptyToNull(masking.mask(parser.getText()));
                }
            }
            case "display_priority" -> {
                if (parser.hasToken(JsonToken.VALUE_NUMBER_INT)) {
                    priorityInData = priority("data.display_priority", parser);
                }
            }
            case "is_milestone" -> {
                if (parser.currentToken().isBoolean()) {
                    milestoneInData = parser.getBooleanValue();
                }
            }
            case "status" -> {
                if (parser.hasToken(JsonToken.VALUE_STRING)) {
                    statusInData = ExecutionStatus.parse(parser.getText());
                }
            }
            case "_extra" -> extraInData = true;
            default -> {}
        }
    }

    /**
     * Completes the fields once all members are read.
     *
     * @param givenMicros the timestamp of an entry that names none
     * @throws EntryException if a required one is missing
     */
    void finish(long nowMicros, long givenMicros) throws EntryException {
        if (!messageGiven) {
            throw new EntryException("message", "missing_message", "message is required.");
        }
        if (fields.message.isEmpty()) {
            throw new EntryException("message", "empty_message", "message must not be empty.");
        }
        if (!friendlyGiven && friendlyInData != null) {
            fields.userFriendlyMessage = friendlyInData;
        }
        if (!priorityGiven && priorityInData != 0) {
            fields.displayPriority = priorityInData;
        }
        if (!milestoneGiven && milestoneInData != null) {
            fields.milestone = milestoneInData;
        }
        if (!categoryGiven) {
            fields.category = fields.userFriendlyMessage == null ? LogCategory.TECHNICAL : LogCategory.BUSINESS;
        }
        fields.receivedAtMicros = nowMicros;
        if (!timestampGiven) {
            fields.timestampMicros = givenMicros;
        }
        if (fields.eventType == EventType.WORKFLOW_STARTED) {
            fields.statusEffect = ExecutionStatus.RUNNING;
        } else if (fields.eventType == EventType.WORKFLOW_COMPLETED) {
            fields.statusEffect =
                    statusInData != null && statusInData.finished() ? statusInData : ExecutionStatus.SUCCEEDED;
        }
        if (!unknown.isEmpty()) {
            fields.data = JsonCopier.withMember(fields.data, extraInData ? "_extra_fields" : "_extra", unknown);
        }
    }

    private static String text(String field, JsonParser parser) throws IOException, EntryException {
        if (!parser.hasToken(JsonToken.VALUE_STRING)) {
            throw Values.wrongType(field, "a string", parser);
        }
        return parser.getText();
    }

    private static String limited(String field, JsonParser parser, int maxChars) throws IOException, EntryException {
        String text = text(field, parser);
        if (text.length() > maxChars && text.codePointCount(0, text.length()) > maxChars) {
            throw new EntryException(field, "too_long", field + " is longer than " + maxChars + " characters.");
        }
        return text;
    }

    /** Masked within its limit, which a mask may be longer than what it stands for. */
    private String shortText(String field, JsonParser parser, int maxChars) throws IOException, EntryException {
        String masked = masking.mask(limited(field, parser, maxChars));
        return masked.codePointCount(0, masked.length()) <= maxChars
                ? masked
                : masked.substring(0, masked.offsetByCodePoints(0, maxChars));
    }

    /** Not masked: it is an address, of the execution, of its workflow, of its owner; masked, two would become one. */
    private static String identifier(String field, JsonParser parser) throws IOException, EntryException {
        String text = limited(field, parser, MAX_ID_CHARS);
        if (text.isEmpty()) {
            throw new EntryException(field, "empty_" + field, field + " must not be empty.");
        }
        return StorableText.of(text);
    }

    private static Level level(JsonParser parser) throws IOException, EntryException {
        Level level = Level.parse(text("level", parser));
        if (level == null) {
            throw new EntryException(
                    "level",
                    "invalid_level",
                    "level is {}; use DEBUG, INFO, WARNING, ERROR or CRITICAL.",
                    parser.getText());
        }
        return level;
    }

    private static EventType eventType(JsonParser parser) throws IOException, EntryException {
        EventType type = EventType.parse(text("event_type", parser));
        if (type == null) {
            throw new EntryException(
                    "event_type",
                    "invalid_event_type",
                    "event_type is {}; use workflow_started, workflow_completed, workflow_progress, step_started,"
                            + " step_input, step_output, step_completed, step_error, separator or log.",
                    parser.getText());
        }
        return type;
    }

    private static LogCategory category(JsonParser parser) throws IOException, EntryException {
        LogCategory category = LogCategory.parse(text("log_category", parser));
        if (category == null) {
            throw new EntryException(
                    "log_category",
                    "invalid_log_category",
                    "log_category is {}; use business or technical.",
                    parser.getText());
        }
        return category;
    }

    private static int priority(String field, JsonParser parser) throws IOException, EntryException {
        int priority = Values.integer(field, parser);
        if (priority < 1 || priority > 10) {
            throw new EntryException(field, "invalid_display_priority", field + " is " + priority + "; use 1 to 10.");
        }
        return priority;
    }

    private static boolean bool(String field, JsonParser parser) throws IOException, EntryException {
        if (!parser.currentToken().isBoolean()) {
            throw Values.wrongType(field, "true or false", parser);
        }
        return parser.getBooleanValue();
    }

    private @Nullable String object(String field, JsonParser parser) throws IOException, EntryException {
        return nullIfEmpty(requireObject(field, parser).copy(field, parser, 0, JsonCopier.NONE));
    }

    private JsonCopier requireObject(String field, JsonParser parser) throws IOException, EntryException {
        if (!parser.hasToken(JsonToken.START_OBJECT)) {
            throw Values.wrongType(field, "a JSON object", parser);
        }
        return copier;
    }

    private static UUID uuid(String text) throws EntryException {
        if (text.length() == 36) {
            try {
                return UUID.fromString(text);
            } catch (IllegalArgumentException e) {
                // told below, with the form that is right
            }
        }
        throw new EntryException(
                "id", "invalid_id", "id is {}; use a UUID such as 018f6b1e-7c1a-7000-8000-000000000000.", text);
    }

    private static @Nullable String emptyToNull(String text) {
        return text.isEmpty() ? null : text;
    }

    private static @Nullable String nullIfEmpty(String object) {
        return object.length() == 2 ? null : object;
    }
}
