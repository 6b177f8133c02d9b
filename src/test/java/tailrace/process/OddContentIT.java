package tailrace.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.vertx.core.Vertx;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tailrace.model.LogEntry;
import tailrace.model.LogFilter;
import tailrace.postgres.Database;
import tailrace.postgres.LogReader;
import tailrace.postgres.Readers;
import tailrace.postgres.TestDatabase;
import tailrace.security.Principal;

/** What JSON allows and PostgreSQL does not: it neither stalls the writer nor differs between the tiers. */
class OddContentIT {
    private static final ObjectMapper EXACT = new ObjectMapper()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .enable(DeserializationFeature.USE_BIG_INTEGER_FOR_INTS);

    private static String message(String json) {
        return "{\"message\":\"" + json + "\"}";
    }

    private static String data(String json) {
        return "{\"message\":\"m\",\"data\":" + json + "}";
    }

    private static List<String> entries() {
        var entries = new ArrayList<String>();
        entries.add(message("nul \\u0000 end"));
        entries.add(message("lone high \\ud800 end"));
        entries.add(message("lone low \\udc00 end"));
        entries.add(message("wrong order \\udc00\\ud800 end"));
        entries.add(message("a pair \\ud83d\\ude80 and 🚀"));
        entries.add(message("noncharacters \\ufffe \\uffff \\ufdd0 \\ufeff"));
        entries.add(message("separators \\u2028 \\u2029 \\u0085 \\u007f"));
        var controls = new StringBuilder();
        for (int c = 0; c < 0x20; c++) {
            controls.append(String.format("\\u%04x", c));
        }
        entries.add(message("controls " + controls));
        entries.add(message("<script>alert('x')</script> '; DROP TABLE logs; -- {} [] \\\\ \\\" $1 %s"));
        entries.add(message("x".repeat(10_180)));
        entries.add(message("🚀".repeat(2_500)));
        entries.add(message(" "));
        entries.add("{\"message\":\"m\",\"user_friendly_message\":\"\\u0000\",\"stack_trace\":\"at \\ud800\","
                + "\"error_code\":\"\\u0000\",\"node_id\":\"\\udfff\",\"node_name\":\"\",\"user_id\":\"\\u0000u\"}");
        for (String number : List.of(
                "1e308",
                "-1.7976931348623157e308",
                "0.1e-300",
                "5e-324",
                "-0",
                "-0.0",
                "0e5",
                "1.10",
                "123456789012345678901234567890",
                "0." + "3".repeat(300),
                "9".repeat(300),
                "1" + "0".repeat(299) + ".5",
                "0.10000000000000000000000000000000000001e10")) {
            entries.add(data("{\"n\":" + number + "}"));
        }
        entries.add(data("{\"" + "k".repeat(9_000) + "\":1}"));
        entries.add(data("{\"\":1,\" \":2,\"\\u0000\":3,\"\\ud800\":4}"));
        entries.add(data("{\"a\":1,\"a\":2,\"b\":{\"c\":1,\"c\":{\"d\":1,\"d\":2}},\"a\":3}"));
        entries.add(data("{\"a\":".repeat(31) + "{}" + "}".repeat(31)));
        entries.add(data("{\"a\":" + "[".repeat(31) + "]".repeat(31) + "}"));
        entries.add(data(
                "{\"e\":{},\"l\":[],\"s\":\"\",\"n\":null,\"t\":true,\"f\":false,\"m\":[null,{},[],\"\\u0000\"]}"));
        entries.add(data("{\"__proto__\":1,\"constructor\":2,\"$ref\":3,\"seq\":4,\"id\":\"x\"}"));
        entries.add(
                "{\"message\":\"m\",\"unknown\":{\"\\u0000\":[\"\\ud800\",1e308]},\"_extra\":1,\"data\":{\"_extra\":2}}");
        entries.add("{\"message\":\"m\",\"technical_details\":{\"n\":-0.0},\"performance_metrics\":{\"ms\":1e-7},"
                + "\"duration_seconds\":1e-300,\"progress_percentage\":99.995,\"step_number\":-2147483648}");
        entries.add("{\"message\":\"m\",\"timestamp\":\"0001-01-01T00:00:00Z\"}");
        entries.add("{\"message\":\"m\",\"timestamp\":\"9999-12-31T23:59:59.999999999Z\"}");
        entries.add("{\"message\":\"m\",\"timestamp\":-1}");
        return entries;
    }

    @Test
    void everyTierTellsTheSameAndTheWriterGoesOn(@TempDir Path temp) throws Exception {
        Vertx vertx = Vertx.vertx();
        try (TestDatabase database = TestDatabase.empty();
                ServerProcess server = ServerProcess.in(temp.resolve("data"))
                        .env("DATABASE_URL", database.urlText())
                        .env("LOG_PERSIST", "all")
                        .start()) {
            Api api = new Api(server.base(), ServerProcess.serviceToken());
            List<String> odd = entries();
            for (String entry : odd) {
                Api.Answer answer = api.post("/v2/executions/odd/logs", "[" + entry + "]");
                assertThat(answer.status()).as("%s: %s", entry, answer.body()).isEqualTo(202);
            }
            Api.Answer tooLarge = api.nonsense().post("/v2/executions/odd/logs", "[" + data("{\"n\":1e200000}") + "]");
            assertThat(tooLarge.status()).isEqualTo(400);
            assertThat(tooLarge.body().get("rejected").get(0).get("code").asText())
                    .isEqualTo("number_out_of_range");

            // The hot tier tells what was sent, but for what no tier can hold
            List<JsonNode> hot = hot(api);
            assertThat(hot).hasSize(odd.size());
            for (int i = 0; i < odd.size(); i++) {
                requireSent(odd.get(i), hot.get(i));
            }
            // Every row arrives, none is set aside
            ColdRows rows = ColdRows.of(database);
            Await.until("all rows", () -> rows.of("odd").size() >= odd.size());
            assertThat(database.number("SELECT count(*) FROM tailrace.log_rejects"))
                    .isZero();
            // And the cold tier tells the same
            Database open = database.open(vertx);
            List<LogEntry> cold = TestDatabase.await(new LogReader(open, new Readers(open))
                    .as(Principal.SERVER)
                    .entries("odd", 1, Long.MAX_VALUE, true, 1_000, LogFilter.ALL));
            assertThat(cold).hasSameSizeAs(hot);
            for (int i = 0; i < hot.size(); i++) {
                assertThat(plain(EXACT.readTree(cold.get(i).json())))
                        .as("%s", odd.get(i))
                        .isEqualTo(plain(hot.get(i)));
            }
            // And so does the stream
            try (Api.Stream stream = api.stream("odd", "?follow=false")) {
                for (JsonNode entry : hot) {
                    JsonNode told = stream.next().data().get("data");
                    assertThat(told.get("message")).isEqualTo(entry.get("message"));
                    assertThat(told.get("seq").asLong())
                            .isEqualTo(entry.get("seq").asLong());
                }
                assertThat(stream.next()).isNull();
            }
        } finally {
            TestDatabase.await(vertx.close());
        }
    }

    private static List<JsonNode> hot(Api api) throws Exception {
        String body = api.get("/v2/workflows/executions/odd/logs?limit=1000")
                .response()
                .body();
        List<JsonNode> logs = new ArrayList<>();
        EXACT.readTree(body).get("logs").forEach(logs::add);
        return logs;
    }

    private static void requireSent(String entry, JsonNode told) throws Exception {
        JsonNode sent = EXACT.readTree(entry);
        if (!sent.has("user_friendly_message")) {
            assertThat(told.get("message").asText())
                    .isEqualTo(storable(sent.get("message").asText()));
        }
        if (sent.has("data") && !sent.has("unknown")) {
            assertThat(plain(told.get("data"))).as("%s", entry).isEqualTo(plain(sent.get("data")));
        }
    }

    private static String storable(String text) {
        var out = new StringBuilder();
        text.codePoints()
                .map(point -> point == 0 || point >= 0xD800 && point <= 0xDFFF ? 0xFFFD : point)
                .forEach(out::appendCodePoint);
        return out.toString();
    }

    /** Comparable whatever the order of keys and however a number is written. */
    private static Object plain(JsonNode node) {
        if (node instanceof ObjectNode) {
            Map<String, Object> members = new TreeMap<>();
            node.fields().forEachRemaining(member -> members.put(storable(member.getKey()), plain(member.getValue())));
            return members;
        }
        if (node instanceof ArrayNode) {
            List<Object> elements = new ArrayList<>();
            node.forEach(element -> elements.add(plain(element)));
            return elements;
        }
        if (node.isNumber()) {
            return node.decimalValue().signum() == 0
                    ? "0"
                    : node.decimalValue().stripTrailingZeros().toString();
        }
        return node.isTextual() ? storable(node.textValue()) : node.toString();
    }
}
