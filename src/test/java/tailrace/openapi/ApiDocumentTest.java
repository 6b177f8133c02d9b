package tailrace.openapi;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import io.vertx.json.schema.OutputUnit;
import io.vertx.openapi.contract.OpenAPIVersion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import tailrace.http.ApiDocument;
import tailrace.openapi.Document.Operation;

/** The document by itself. */
class ApiDocumentTest {
    private final JsonNode root = Contract.json();
    private final Document document = Contract.served().document();

    @Test
    void isValidByOpenApisOwnSchema() throws Exception {
        Vertx vertx = Vertx.vertx();
        try {
            JsonObject json = new JsonObject(root.toString());
            OpenAPIVersion version = OpenAPIVersion.fromContract(json);
            assertThat(version).isEqualTo(OpenAPIVersion.V3_1);
            OutputUnit result = version.getRepository(vertx, "app://")
                    .compose(repository -> version.validateContract(vertx, repository, json))
                    .toCompletionStage()
                    .toCompletableFuture()
                    .get();
            assertThat(result.getValid()).as(String.valueOf(result.getErrors())).isTrue();
            json.getJsonObject("paths").getJsonObject("/health").put("gett", new JsonObject());
            assertThat(version.getRepository(vertx, "app://")
                            .compose(repository -> version.validateContract(vertx, repository, json))
                            .toCompletionStage()
                            .toCompletableFuture()
                            .get()
                            .getValid())
                    .as("that schema does notice a mistake")
                    .isFalse();
        } finally {
            vertx.close().toCompletionStage().toCompletableFuture().get();
        }
    }

    @Test
    void hasTheVersionOfTheBuildAndNoForeignPlace() {
        assertThat(ApiDocument.load("1.2.3").json().getJsonObject("info").getString("version"))
                .isEqualTo("1.2.3");
        assertThat(root.get("servers").findValuesAsText("url")).containsExactly("/");
    }

    @Test
    void everyReferenceLeadsSomewhereAndEveryComponentIsUsed() {
        Set<String> used = new TreeSet<>();
        walk(root, "", (where, node) -> {
            if (node.path("$ref").isTextual()) {
                document.follow(node);
                used.add(node.get("$ref").asText());
            }
        });
        Set<String> there = new TreeSet<>();
        root.get("components").properties().forEach(kind -> kind.getValue()
                .fieldNames()
                .forEachRemaining(name -> there.add("#/components/" + kind.getKey() + "/" + name)));
        there.removeIf(name -> name.startsWith("#/components/securitySchemes/"));
        assertThat(used).containsExactlyInAnyOrderElementsOf(there);
    }

    @Test
    void operationsHaveTheirOwnIdsAndSayWhatTheyAreAbout() {
        assertThat(document.operations.stream().map(Operation::id)).doesNotHaveDuplicates();
        for (Operation operation : document.operations) {
            assertThat(operation.node().path("summary").asText())
                    .as(operation.id())
                    .isNotBlank();
            assertThat(operation.node().path("tags").size()).as(operation.id()).isEqualTo(1);
            boolean open = operation.node().path("security").isArray()
                    && operation.node().get("security").isEmpty();
            assertThat(operation.node().get("responses").has("401"))
                    .as(operation.id() + " tells of 401 if it needs a token")
                    .isEqualTo(!open);
        }
    }

    @Test
    void parametersOfPathsAreThoseOfTheirTemplates() {
        for (Operation operation : document.operations) {
            Matcher names = Pattern.compile("\\{(\\w+)}").matcher(operation.path());
            Set<String> inPath = new TreeSet<>();
            while (names.find()) {
                inPath.add(names.group(1));
            }
            Set<String> described = new TreeSet<>();
            operation.parameters().stream()
                    .filter(parameter -> parameter.get("in").asText().equals("path"))
                    .forEach(parameter -> described.add(parameter.get("name").asText()));
            assertThat(described).as(operation.id()).isEqualTo(inPath);
        }
    }

    @Test
    void examplesAreWhatTheirSchemasSay() {
        List<String> wrong = new ArrayList<>();
        walk(root, "", (where, node) -> {
            JsonNode schema = node.get("schema");
            if (schema != null && node.has("example")) {
                examine(where, schema, node.get("example"), wrong);
            }
            if (schema != null && node.path("examples").isObject()) {
                node.get("examples").forEach(example -> examine(where, schema, example.get("value"), wrong));
            }
            if (node.path("examples").isArray()) {
                node.get("examples").forEach(example -> examine(where, node, example, wrong));
            }
        });
        assertThat(wrong).isEmpty();
    }

    private void examine(String where, JsonNode schema, JsonNode example, List<String> wrong) {
        document.problems(schema, example).forEach(problem -> wrong.add(where + ": " + problem));
    }

    /** Codes are made in the source, some of them from a field's name; those have their own words in the document. */
    @Test
    void theCodesOfErrorsAreThoseOfTheSource() throws IOException {
        Set<String> inSource = new TreeSet<>();
        Pattern problems = Pattern.compile(
                "(?:\\b(?:of|BodyException)\\(\\s*\\d+,|\\b(?:unavailable|tooMany)\\()\\s*\"([a-z_]+)\"");
        Pattern refusals = Pattern.compile("refuse\\(ctx,[^;]*?\"([a-z_]+)\"\\);");
        try (Stream<Path> files = Files.walk(Path.of("src/main/java/tailrace"))) {
            for (Path file :
                    files.filter(path -> path.toString().endsWith(".java")).toList()) {
                String source = Files.readString(file);
                for (Pattern pattern : List.of(problems, refusals)) {
                    Matcher matcher = pattern.matcher(source);
                    while (matcher.find()) {
                        inSource.add(matcher.group(1));
                    }
                }
            }
        }
        Set<String> inDocument = new TreeSet<>();
        root.at("/components/schemas/ProblemCode/anyOf/0/enum").forEach(code -> inDocument.add(code.asText()));
        assertThat(inSource).as("found at all").contains("invalid_token", "idempotency_conflict", "too_many_entries");
        // Said through constructors that the pattern does not see, or of defaults: RejectionCode has those, too.
        inDocument.removeAll(Set.of("invalid_parameter", "sender_throttled", "internal_error"));
        inSource.removeAll(Set.of("internal_error", "invalid_parameter", "sender_throttled", "invalid_id"));
        assertThat(inDocument).isEqualTo(inSource);
    }

    private static void walk(JsonNode node, String where, BiConsumer<String, JsonNode> visit) {
        visit.accept(where, node);
        node.properties().forEach(member -> walk(member.getValue(), where + "/" + member.getKey(), visit));
        if (node.isArray()) {
            for (int i = 0; i < node.size(); i++) {
                walk(node.get(i), where + "/" + i, visit);
            }
        }
    }
}
