package tailrace.http;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import tailrace.model.StorableText;

/** A small JSON object that a request brings, read field by field; what is wrong is a {@link Problem} with its field. */
final class JsonBody {
    private final JsonObject json;

    private JsonBody(JsonObject json) {
        this.json = json;
    }

    /** The body; some handler before has read it. */
    static JsonBody of(RoutingContext ctx) {
        Buffer buffer = ctx.body().buffer();
        if (buffer == null || buffer.length() == 0) {
            throw invalid("body", "must be a JSON object");
        }
        try {
            return new JsonBody(new JsonObject(buffer));
        } catch (DecodeException | ClassCastException e) {
            throw invalid("body", "must be a JSON object");
        }
    }

    static Problem invalid(String field, String detail) {
        return Problem.of(400, "invalid_field", field + ": " + detail).with("field", field);
    }

    /** Refuses a field of any other name: what is misspelt would be silently without effect. */
    JsonBody only(Set<String> fields) {
        for (String name : new TreeSet<>(json.fieldNames())) {
            if (!fields.contains(name)) {
                throw invalid(
                        StorableText.of(name),
                        "there is no such field here; use " + String.join(", ", new TreeSet<>(fields)));
            }
        }
        return this;
    }

    /** Whether the field is there, also with null. */
    boolean has(String field) {
        return json.containsKey(field);
    }

    @Nullable
    Object value(String field) {
        return json.getValue(field);
    }

    /** A string of 1 to so many characters, or null where it is null or missing. */
    @Nullable
    String text(String field, int maxChars) {
        Object value = json.getValue(field);
        if (value == null) {
            return null;
        }
        if (!(value instanceof String text) || text.isEmpty() || text.length() > maxChars) {
            throw invalid(field, "must be a string of 1 to " + maxChars + " characters");
        }
        return StorableText.of(text);
    }

    /** A number, or nothing where it is null or missing. */
    Optional<Number> number(String field) {
        Object value = json.getValue(field);
        if (value == null) {
            return Optional.empty();
        }
        if (!(value instanceof Number number)) {
            throw invalid(field, "must be a number");
        }
        return Optional.of(number);
    }
}
