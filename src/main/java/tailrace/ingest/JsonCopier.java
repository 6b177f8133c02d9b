package tailrace.ingest;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamWriteFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tailrace.ingest.SecretNames.Kind;
import tailrace.model.JsonWriter;

/**
 * Copies a JSON value from a parser as text that every tier can hold (SPEC 2): without white space, of duplicate members
 * the last, NUL and lone surrogates as U+FFFD, numbers as they were written, secrets masked. Belongs to one thread.
 */
final class JsonCopier {
    /** Members compared one by one; an object with more of them gets a set. */
    private static final int LINEAR_MEMBERS = 12;

    private static final ObjectMapper TREE = JsonMapper.builder()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .enable(StreamWriteFeature.WRITE_BIGDECIMAL_AS_PLAIN)
            .build();

    private final int maxDepth;
    private final Masking masking;
    private final JsonWriter out = new JsonWriter();
    private boolean duplicates;

    /** @param maxDepth levels a value may have, its own included */
    JsonCopier(int maxDepth, Masking masking) {
        this.maxDepth = maxDepth;
        this.masking = masking;
    }

    /** What is told of the members of the outermost object while it is copied. */
    interface Members {
        /** @param parser at the member's value, which must not be consumed */
        void member(String name, JsonParser parser) throws IOException, EntryException;
    }

    /**
     * Copies the value the parser stands at and leaves the parser at its last token.
     *
     * @param field for the error's sake
     * @throws EntryException if the value breaks a rule; the parser is then somewhere inside it
     */
    String copy(String field, JsonParser parser, int depthUsed, Members members) throws IOException, EntryException {
        return copy(field, parser, depthUsed, members, null);
    }

    /** @param kind what the value's name says of it, or null */
    String copy(String field, JsonParser parser, int depthUsed, Members members, @Nullable Kind kind)
            throws IOException, EntryException {
        out.reset();
        duplicates = false;
        value(field, parser, depthUsed + 1, members, field, kind);
        String text = new String(out.array(), 0, out.length(), java.nio.charset.StandardCharsets.UTF_8);
        return duplicates ? TREE.writeValueAsString(TREE.readValue(text, Object.class)) : text;
    }

    /**
     * @param name of the value, or of the array around it
     * @param kind what a name says of it, its own or one of an object around it; or null
     */
    private void value(String field, JsonParser parser, int depth, Members members, String name, @Nullable Kind kind)
            throws IOException, EntryException {
        switch (parser.currentToken()) {
            case START_OBJECT -> object(field, parser, depth, members, kind);
            case START_ARRAY -> array(field, parser, depth, name, kind);
            case VALUE_STRING -> {
                String text = parser.getText();
                out.string(kind == null ? masking.mask(text) : masking.member(kind, name, text));
            }
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> number(field, parser, kind);
            case VALUE_TRUE -> out.rawText("true");
            case VALUE_FALSE -> out.rawText("false");
            default -> out.rawText("null");
        }
    }

    private void object(String field, JsonParser parser, int depth, Members members, @Nullable Kind around)
            throws IOException, EntryException {
        checkDepth(field, depth);
        out.raw('{');
        List<String> names = new ArrayList<>(LINEAR_MEMBERS);
        Set<String> many = null;
        Kind named = null; // by a member before it: {"name": "DB_PASSWORD", "value": …}
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String name = parser.currentName();
            if (!names.isEmpty()) {
                out.raw(',');
            }
            if (many == null && names.size() >= LINEAR_MEMBERS) {
                many = new HashSet<>(names);
            }
            duplicates |= many == null ? names.contains(name) : !many.add(name);
            names.add(name);
            out.string(shownName(name, names.size())).raw(':');
            JsonToken token = parser.nextToken();
            members.member(name, parser);
            Kind own = masking.kind(name);
            if (own == null && named != null && name.equalsIgnoreCase("value")) {
                own = named;
            } else if (token == JsonToken.VALUE_STRING && namesAnother(name)) {
                named = masking.kind(parser.getText());
            }
            value(field, parser, depth + 1, NONE, name, own == null ? around : own);
        }
        out.raw('}');
    }

    private static boolean namesAnother(String name) {
        return name.equalsIgnoreCase("name") || name.equalsIgnoreCase("key");
    }

    /** A name may hold a secret, too. Two that do must not become one: the later would take the earlier's place. */
    String shownName(String name, int number) {
        String masked = masking.mask(name);
        return masked.equals(name) ? name : masked + " (" + number + ")";
    }

    private void array(String field, JsonParser parser, int depth, String name, @Nullable Kind kind)
            throws IOException, EntryException {
        checkDepth(field, depth);
        out.raw('[');
        boolean first = true;
        Kind option = null; // of the element before: ["--password", …]
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            if (!first) {
                out.raw(',');
            }
            first = false;
            Kind next = null;
            if (parser.hasToken(JsonToken.VALUE_STRING)) {
                String text = parser.getText();
                next = text.startsWith("--") ? masking.kind(text) : null;
            }
            value(field, parser, depth + 1, NONE, name, option == null ? kind : option);
            option = next;
        }
        out.raw(']');
    }

    private void number(String field, JsonParser parser, @Nullable Kind kind) throws IOException, EntryException {
        String text = parser.getText();
        checkRange(field, text);
        if (kind != null && SecretNames.secretNumber(kind, text)) {
            out.string(Masking.MASK);
        } else {
            out.rawText(text);
        }
    }

    /** Refuses what a double cannot hold: PostgreSQL could not, or only at a price no reader expects. */
    static void checkRange(String field, String number) throws EntryException {
        boolean suspicious = number.length() > 300;
        for (int i = 0; i < number.length() && !suspicious; i++) {
            suspicious = (number.charAt(i) | 0x20) == 'e';
        }
        if (!suspicious) {
            return;
        }
        double value = Double.parseDouble(number);
        if (Double.isInfinite(value) || (value == 0 && hasNonZeroDigit(number))) {
            throw new EntryException(
                    field,
                    "number_out_of_range",
                    "The number {} is beyond the range of a double. Send it as a string.",
                    number);
        }
    }

    private static boolean hasNonZeroDigit(String number) {
        for (int i = 0; i < number.length(); i++) {
            char c = number.charAt(i);
            if (c >= '1' && c <= '9') {
                return true;
            }
            if ((c | 0x20) == 'e') {
                return false;
            }
        }
        return false;
    }

    private void checkDepth(String field, int depth) throws EntryException {
        if (depth > maxDepth) {
            throw new EntryException(field, "too_deep", field + " is nested deeper than " + maxDepth + " levels.");
        }
    }

    static final Members NONE = (name, parser) -> {};

    /** The text of a JSON object with one member more; the object may be null for an empty one. */
    static String withMember(@Nullable String object, String name, Map<String, String> members) {
        var writer = new JsonWriter();
        writer.raw('{');
        if (object != null && object.length() > 2) {
            writer.rawText(object.substring(1, object.length() - 1)).raw(',');
        }
        writer.string(name).raw(':').raw('{');
        boolean first = true;
        for (Map.Entry<String, String> member : members.entrySet()) {
            if (!first) {
                writer.raw(',');
            }
            first = false;
            writer.string(member.getKey()).raw(':').rawText(member.getValue());
        }
        writer.raw('}').raw('}');
        return new String(writer.array(), 0, writer.length(), java.nio.charset.StandardCharsets.UTF_8);
    }
}
