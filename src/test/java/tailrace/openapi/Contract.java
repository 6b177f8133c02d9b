package tailrace.openapi;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URLDecoder;
import java.net.http.HttpHeaders;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.zip.GZIPInputStream;
import tailrace.http.ApiDocument;
import tailrace.openapi.Document.Operation;

/**
 * Fails a test whose request or answer is not what the OpenAPI document says: an unknown path, method or parameter, a
 * status or a content type that is not documented, a header that is missing, a body with a member too many or too few.
 * A request that is marked as nonsense is not judged, its answer is. Longer than most files: request and answer are judged
 * by the same few rules, which are no use to anybody else.
 */
public final class Contract {
    /** What any request may get before anybody knows what it asks for; the document says so in its introduction. */
    private static final Set<Integer> BEFORE_ROUTING = Set.of(405, 408, 414, 431);

    /** For measurements alone, and not there unless it is switched on. */
    private static final Set<String> UNDOCUMENTED = Set.of("/v2/bench/empty");

    /** Of a body larger than this, only items at both ends of its lists are looked at: tests send millions of entries. */
    private static final int WHOLE_BYTES = 256 << 10;

    private static final int ENDS = 50;
    private static final int SHOWN_CHARS = 600;
    private static final String PROBLEM_TYPE = "application/problem+json";

    private final Document document;

    public Contract(JsonNode document) {
        this.document = new Document(document);
    }

    /** Of the document as this build serves it; read once. */
    public static Contract served() {
        return Served.CONTRACT;
    }

    private static final class Served {
        static final Contract CONTRACT = new Contract(json());
    }

    static JsonNode json() {
        try {
            return Document.JSON.readTree(ApiDocument.load("test").json().encode());
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    Document document() {
        return document;
    }

    /** One event of a stream: its {@code data}. */
    public void event(JsonNode data) {
        fail("an event of a stream", document.problems(document.schema("Event"), data), data.toString());
    }

    /** One message of a WebSocket. */
    public void socketMessage(JsonNode message) {
        fail(
                "a message of a WebSocket",
                document.problems(document.schema("SocketMessage"), message),
                message.toString());
    }

    /** One message of a WebSocket, of its text. */
    public void socketMessage(String message) {
        List<String> wrong = new ArrayList<>();
        json(message, document.schema("SocketMessage"), wrong, "");
        fail("a message of a WebSocket", wrong, message);
    }

    /** An event's data, of its text. */
    public void event(String data) {
        List<String> wrong = new ArrayList<>();
        json(data, document.schema("Event"), wrong, "");
        fail("an event of a stream", wrong, data);
    }

    void check(Exchange exchange) {
        List<Operation> path = document.at(exchange.uri().getRawPath());
        // Whatever has a GET has a HEAD, and every path says by OPTIONS what it has; neither is documented one by one.
        String method = exchange.method().equals("HEAD") ? "GET" : exchange.method();
        if (method.equals("OPTIONS") && !path.isEmpty() && exchange.status() == 204) {
            return;
        }
        Optional<Operation> operation =
                path.stream().filter(each -> each.method().equals(method)).findFirst();
        if (operation.isEmpty()) {
            checkUnknown(exchange, path.isEmpty());
            return;
        }
        if (!exchange.nonsense()) {
            List<String> wrong = request(operation.get(), exchange);
            fail(
                    "the request " + operation.get().id() + ", " + exchange.describe()
                            + " (if it is wrong on purpose, send it with nonsense())",
                    wrong,
                    text(exchange.sent()));
        }
        fail(
                "the answer of " + operation.get().id() + ", " + exchange.describe(),
                answer(operation.get(), exchange),
                text(exchange.received()));
    }

    private void checkUnknown(Exchange exchange, boolean noPath) {
        if (!exchange.nonsense()) {
            fail(exchange.describe(), List.of(noPath ? "there is no such path" : "the path has no such method"), "");
        }
        if (UNDOCUMENTED.contains(exchange.uri().getRawPath())) {
            return;
        }
        List<String> wrong = new ArrayList<>();
        boolean data = mediaType(exchange.answerHeaders())
                .filter(type -> type.endsWith("json"))
                .isPresent();
        if (exchange.status() < 400 && noPath && !data) {
            return; // a file of a page
        }
        if (exchange.status() < 400) {
            wrong.add("succeeds, and is not documented");
        } else {
            problem(exchange, wrong);
        }
        fail("the answer to " + exchange.describe(), wrong, text(exchange.received()));
    }

    private void problem(Exchange exchange, List<String> wrong) {
        String type = mediaType(exchange.answerHeaders()).orElse("nothing");
        if (!type.equals(PROBLEM_TYPE)) {
            wrong.add("Content-Type is " + type + ", not " + PROBLEM_TYPE);
        } else if (exchange.received() != null && !exchange.method().equals("HEAD")) {
            wrong.addAll(body(document.schema("Problem"), type, exchange.received()));
        }
    }

    // ---- requests

    private List<String> request(Operation operation, Exchange exchange) {
        List<String> wrong = new ArrayList<>();
        pathParameters(operation, exchange, wrong);
        queryParameters(operation, exchange, wrong);
        for (JsonNode parameter : operation.parameters()) {
            if (parameter.get("in").asText().equals("header")) {
                exchange.requestHeaders()
                        .firstValue(parameter.get("name").asText())
                        .ifPresent(value -> value(parameter, List.of(value), wrong));
            }
        }
        requestBody(operation, exchange, wrong);
        return wrong;
    }

    private void pathParameters(Operation operation, Exchange exchange, List<String> wrong) {
        String[] names = operation.path().split("/", -1);
        String[] values = exchange.uri().getRawPath().split("/", -1);
        for (int i = 0; i < names.length; i++) {
            if (names[i].startsWith("{")) {
                String name = names[i].substring(1, names[i].length() - 1);
                String value = URLDecoder.decode(values[i].replace("+", "%2B"), StandardCharsets.UTF_8);
                find(operation, "path", name)
                        .ifPresentOrElse(
                                parameter -> value(parameter, List.of(value), wrong),
                                () -> wrong.add("path parameter " + name + " is not described"));
            }
        }
    }

    private void queryParameters(Operation operation, Exchange exchange, List<String> wrong) {
        Map<String, List<String>> given = query(exchange.uri().getRawQuery());
        given.forEach((name, values) -> find(operation, "query", name)
                .ifPresentOrElse(parameter -> value(parameter, values, wrong), () -> {
                    if (!document.tokenParameters(operation).contains(name)) {
                        wrong.add("there is no query parameter " + name);
                    }
                }));
        for (JsonNode parameter : operation.parameters()) {
            String name = parameter.get("name").asText();
            boolean required = parameter.path("required").asBoolean();
            if (required && parameter.get("in").asText().equals("query") && !given.containsKey(name)) {
                wrong.add("query parameter " + name + " is missing");
            }
        }
    }

    static Map<String, List<String>> query(String raw) {
        Map<String, List<String>> given = new LinkedHashMap<>();
        for (String pair : raw == null || raw.isEmpty() ? new String[0] : raw.split("&", -1)) {
            int equals = pair.indexOf('=');
            String name = equals < 0 ? pair : pair.substring(0, equals);
            String value = equals < 0 ? "" : pair.substring(equals + 1);
            given.computeIfAbsent(URLDecoder.decode(name, StandardCharsets.UTF_8), key -> new ArrayList<>())
                    .add(URLDecoder.decode(value, StandardCharsets.UTF_8));
        }
        return given;
    }

    private static Optional<JsonNode> find(Operation operation, String in, String name) {
        return operation.parameters().stream()
                .filter(parameter -> parameter.get("in").asText().equals(in)
                        && parameter.get("name").asText().equals(name))
                .findFirst();
    }

    private void value(JsonNode parameter, List<String> values, List<String> wrong) {
        String name = parameter.get("in").asText() + " parameter "
                + parameter.get("name").asText();
        JsonNode schema = document.follow(parameter.get("schema"));
        JsonNode value;
        if (schema.path("type").asText().equals("array")) {
            ArrayNode array = Document.JSON.createArrayNode();
            JsonNode items = document.follow(schema.get("items"));
            values.forEach(each -> array.add(typed(items, each)));
            value = array;
        } else if (values.size() > 1) {
            wrong.add(name + " is given " + values.size() + " times");
            return;
        } else {
            value = typed(schema, values.get(0));
        }
        document.problems(schema, value).forEach(problem -> wrong.add(name + " " + values + ": " + problem));
    }

    /** A text as the type that the schema asks for; as a string where it is none of that type. */
    private static JsonNode typed(JsonNode schema, String text) {
        String type = schema.path("type").asText();
        if (type.equals("integer") && text.matches("-?[0-9]{1,18}")) {
            return Document.JSON.getNodeFactory().numberNode(Long.parseLong(text));
        }
        if (type.equals("boolean") && (text.equals("true") || text.equals("false"))) {
            return Document.JSON.getNodeFactory().booleanNode(Boolean.parseBoolean(text));
        }
        return Document.JSON.getNodeFactory().textNode(text);
    }

    private void requestBody(Operation operation, Exchange exchange, List<String> wrong) {
        JsonNode described = operation.node().get("requestBody");
        boolean empty = exchange.sent() == null || exchange.sent().length == 0;
        if (described == null) {
            if (!empty) {
                wrong.add("it has a body, and none is documented");
            }
            return;
        }
        if (empty) {
            if (described.path("required").asBoolean()) {
                wrong.add("the body is missing");
            }
            return;
        }
        JsonNode content = described.get("content");
        String type =
                mediaType(exchange.requestHeaders()).orElse(content.fieldNames().next());
        if (!content.has(type)) {
            wrong.add("a body of type " + type + " is not documented");
            return;
        }
        byte[] body = gzip(exchange.requestHeaders()) ? gunzip(exchange.sent()) : exchange.sent();
        wrong.addAll(body(content.get(type).get("schema"), type, body));
    }

    private static boolean gzip(HttpHeaders headers) {
        return headers.firstValue("Content-Encoding")
                .filter(encoding -> encoding.toLowerCase(Locale.ROOT).contains("gzip"))
                .isPresent();
    }

    private static byte[] gunzip(byte[] body) {
        try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(body))) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException("the body is not the gzip that it says it is", e);
        }
    }

    // ---- answers

    private List<String> answer(Operation operation, Exchange exchange) {
        List<String> wrong = new ArrayList<>();
        JsonNode responses = operation.node().get("responses");
        JsonNode described = responses.get(Integer.toString(exchange.status()));
        if (described == null) {
            if (exchange.nonsense() && BEFORE_ROUTING.contains(exchange.status())) {
                problem(exchange, wrong);
            } else {
                wrong.add("status " + exchange.status() + " is not documented");
            }
            return wrong;
        }
        JsonNode response = document.follow(described);
        response.path("headers").properties().forEach(header -> {
            JsonNode node = document.follow(header.getValue());
            header(header.getKey(), node, exchange.answerHeaders(), wrong);
        });
        JsonNode content = response.path("content");
        Optional<String> type = mediaType(exchange.answerHeaders());
        if (content.isEmpty()) {
            if (exchange.received() != null && exchange.received().length > 0) {
                wrong.add("it has a body, and none is documented");
            }
        } else if (type.isEmpty() || !content.has(type.get())) {
            wrong.add("Content-Type " + type.orElse("(none)") + " is not documented");
        } else if (exchange.received() != null && !exchange.method().equals("HEAD")) {
            byte[] received = gzip(exchange.answerHeaders()) ? gunzip(exchange.received()) : exchange.received();
            wrong.addAll(body(content.get(type.get()).get("schema"), type.get(), received));
        }
        return wrong;
    }

    private void header(String name, JsonNode described, HttpHeaders headers, List<String> wrong) {
        Optional<String> value = headers.firstValue(name);
        if (value.isEmpty()) {
            if (described.path("required").asBoolean()) {
                wrong.add("header " + name + " is missing");
            }
            return;
        }
        JsonNode schema = document.follow(described.get("schema"));
        document.problems(schema, typed(schema, value.get()))
                .forEach(problem -> wrong.add("header " + name + " " + value.get() + ": " + problem));
    }

    // ---- bodies

    private static Optional<String> mediaType(HttpHeaders headers) {
        return headers.firstValue("Content-Type")
                .map(type -> type.split(";", 2)[0].strip().toLowerCase(Locale.ROOT));
    }

    /** Of NDJSON and of events the schema is that of one. */
    private List<String> body(JsonNode schema, String type, byte[] body) {
        String whole = new String(body, StandardCharsets.UTF_8);
        // RFC 8259, 8.1: nobody should send a byte order mark, whoever reads may pass over one, and the server does.
        String text = whole.startsWith("\uFEFF") ? whole.substring(1) : whole;
        List<String> wrong = new ArrayList<>();
        switch (type) {
            case "application/x-ndjson", "application/ndjson", "application/jsonl" ->
                each(text.lines().filter(line -> !line.isBlank()).toList(), schema, wrong);
            case "text/event-stream" ->
                each(
                        text.lines()
                                .filter(line -> line.startsWith("data: "))
                                .map(line -> line.substring("data: ".length()))
                                .toList(),
                        schema,
                        wrong);
            case "application/json", PROBLEM_TYPE -> json(text, schema, wrong, "");
            default ->
                wrong.addAll(
                        document.problems(schema, Document.JSON.getNodeFactory().textNode(text)));
        }
        return wrong;
    }

    private void each(List<String> lines, JsonNode schema, List<String> wrong) {
        for (int i = 0; i < lines.size(); i++) {
            if (i < ENDS || i >= lines.size() - ENDS) {
                json(lines.get(i), schema, wrong, "line " + i + ": ");
            }
        }
    }

    private void json(String text, JsonNode schema, List<String> wrong, String where) {
        try {
            JsonNode value = Document.JSON.readTree(text);
            JsonNode looked = text.length() > WHOLE_BYTES ? ends(value) : value;
            document.problems(schema, looked).forEach(problem -> wrong.add(where + problem));
        } catch (JsonProcessingException e) {
            wrong.add(where + "is not JSON: " + e.getOriginalMessage());
        }
    }

    /** The value with the middle of its long lists left out. */
    private static JsonNode ends(JsonNode value) {
        if (value instanceof ObjectNode object) {
            ObjectNode short_ = Document.JSON.createObjectNode();
            object.properties().forEach(member -> short_.set(member.getKey(), ends(member.getValue())));
            return short_;
        }
        if (value instanceof ArrayNode array && array.size() > 2 * ENDS) {
            ArrayNode short_ = Document.JSON.createArrayNode();
            for (int i = 0; i < array.size(); i++) {
                if (i < ENDS || i >= array.size() - ENDS) {
                    short_.add(array.get(i));
                }
            }
            return short_;
        }
        return value;
    }

    private static String text(byte[] body) {
        String text = body == null ? "" : new String(body, StandardCharsets.UTF_8);
        return text.length() > SHOWN_CHARS ? text.substring(0, SHOWN_CHARS) + "…" : text;
    }

    private static void fail(String what, List<String> wrong, String body) {
        if (!wrong.isEmpty()) {
            throw new AssertionError("Not as the OpenAPI document says: " + what + "\n  "
                    + String.join("\n  ", wrong.subList(0, Math.min(10, wrong.size())))
                    + (body.isEmpty() ? "" : "\nbody: " + body));
        }
    }
}
