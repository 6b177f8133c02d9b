package tailrace.openapi;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SchemaValidatorsConfig;
import com.networknt.schema.SpecVersion.VersionFlag;
import com.networknt.schema.ValidationMessage;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * The document with its references followed, and its schemas ready to be held against values. vertx-openapi cannot do
 * this: it refuses every document that has server-sent events, NDJSON, CSV or {@code application/problem+json} in it,
 * passes over parameters that are not documented, and reads a text such as {@code 1.5} as a number.
 */
final class Document {
    static final ObjectMapper JSON = new ObjectMapper();

    private static final String SCHEMAS = "#/components/schemas/";
    private static final String BUNDLE = "https://tailrace.invalid/openapi";
    private static final List<String> METHODS = List.of("get", "put", "post", "delete", "patch", "head", "options");

    final JsonNode root;
    final List<Operation> operations = new ArrayList<>();
    private final JsonSchemaFactory schemas;
    private final SchemaValidatorsConfig config = SchemaValidatorsConfig.builder()
            .formatAssertionsEnabled(true)
            .locale(Locale.ENGLISH)
            .build();
    // By identity: a schema's place in the document, and no comparing of whole trees.
    private final Map<JsonNode, JsonSchema> compiled = Collections.synchronizedMap(new IdentityHashMap<>());
    private final Map<String, JsonNode> named = new java.util.concurrent.ConcurrentHashMap<>();

    /** One method of one path, with what stands at the path. */
    record Operation(String method, String path, JsonNode node, List<JsonNode> parameters) {
        String id() {
            return node.path("operationId").asText();
        }

        /** How many segments are named as they are, if that is a path of this operation. */
        Optional<Integer> matches(String rawPath) {
            String[] asked = rawPath.split("/", -1);
            String[] own = path.split("/", -1);
            if (asked.length != own.length) {
                return Optional.empty();
            }
            int literal = 0;
            for (int i = 0; i < own.length; i++) {
                if (own[i].equals(asked[i])) {
                    literal++;
                } else if (!own[i].startsWith("{") || asked[i].isEmpty()) {
                    return Optional.empty();
                }
            }
            return Optional.of(literal);
        }
    }

    Document(JsonNode root) {
        this.root = root;
        root.get("paths").properties().forEach(path -> {
            List<JsonNode> common = parameters(path.getValue());
            for (String method : METHODS) {
                JsonNode node = path.getValue().get(method);
                if (node != null) {
                    List<JsonNode> parameters = new ArrayList<>(common);
                    parameters.addAll(parameters(node));
                    operations.add(new Operation(method.toUpperCase(Locale.ROOT), path.getKey(), node, parameters));
                }
            }
        });
        ObjectNode bundle = JSON.createObjectNode().put("$id", BUNDLE);
        bundle.set("$defs", root.at("/components/schemas"));
        String text = bundle.toString().replace('"' + SCHEMAS, "\"#/$defs/");
        schemas = JsonSchemaFactory.getInstance(
                VersionFlag.V202012,
                builder -> builder.schemaLoaders(loaders -> loaders.schemas(Map.of(BUNDLE, text))));
    }

    private List<JsonNode> parameters(JsonNode holder) {
        List<JsonNode> parameters = new ArrayList<>();
        holder.path("parameters").forEach(parameter -> parameters.add(follow(parameter)));
        return parameters;
    }

    /** What a reference names, or the node itself. */
    JsonNode follow(JsonNode node) {
        JsonNode reference = node.get("$ref");
        if (reference == null) {
            return node;
        }
        JsonNode target = root.at(reference.asText().substring(1));
        if (target.isMissingNode()) {
            throw new IllegalStateException("the document has no " + reference.asText());
        }
        return follow(target);
    }

    /** The operation of the path that has the most segments in common, whatever its method is. */
    List<Operation> at(String rawPath) {
        int best = operations.stream()
                .mapToInt(operation -> operation.matches(rawPath).orElse(-1))
                .max()
                .orElse(-1);
        return best < 0
                ? List.of()
                : operations.stream()
                        .filter(operation -> operation.matches(rawPath).orElse(-1) == best)
                        .toList();
    }

    /** What is wrong with a value, a line each; empty if nothing is. */
    List<String> problems(JsonNode schema, JsonNode value) {
        return compiled.computeIfAbsent(schema, this::compile).validate(value).stream()
                .map(ValidationMessage::getMessage)
                .toList();
    }

    JsonNode schema(String name) {
        return named.computeIfAbsent(name, each -> JSON.createObjectNode().put("$ref", SCHEMAS + each));
    }

    private JsonSchema compile(JsonNode schema) {
        try {
            String text = schema.toString().replace('"' + SCHEMAS, '"' + BUNDLE + "#/$defs/");
            return schemas.getSchema(
                    SchemaLocation.of(BUNDLE + "/inline/" + compiled.size()), JSON.readTree(text), config);
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /** The security schemes that pass a token in the query, of an operation. */
    List<String> tokenParameters(Operation operation) {
        List<String> names = new ArrayList<>();
        JsonNode security = operation.node().has("security") ? operation.node().get("security") : root.get("security");
        for (JsonNode requirement : security) {
            for (Iterator<String> scheme = requirement.fieldNames(); scheme.hasNext(); ) {
                JsonNode found = root.at("/components/securitySchemes/" + scheme.next());
                if (found.path("in").asText().equals("query")) {
                    names.add(found.get("name").asText());
                }
            }
        }
        return names;
    }
}
