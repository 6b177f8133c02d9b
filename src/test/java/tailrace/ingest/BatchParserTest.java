package tailrace.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tailrace.config.TailraceConfig;
import tailrace.model.EntryCodec;
import tailrace.model.EntryFields;
import tailrace.model.IncomingEntry;
import tailrace.model.IngestBatch;
import tailrace.model.LogEntry;

class BatchParserTest {
    private static final UUID ID = new UUID(0x0123456789ab7000L, 0x8000000000000001L);
    private static final Clock CLOCK = Clock.fixed(Instant.parse("2026-03-04T05:06:07.000008Z"), ZoneOffset.UTC);
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private static final TailraceConfig.Mask MASK =
            new TailraceConfig.Mask(true, List.of("ACME-\\d+"), List.of("customer pin"));

    private final BatchParser parser = parser(false);

    private static BatchParser parser(boolean truncate) {
        var config = new TailraceConfig.Ingest(10 << 10, 5_000, 10 << 20, 32, truncate, MASK);
        return new BatchParser(config, new Masking(MASK), CLOCK, () -> ID);
    }

    private IngestBatch parse(String json) throws Exception {
        return parse(json, null);
    }

    private IngestBatch parse(String json, @Nullable String path) throws Exception {
        return parser.parse(json.getBytes(StandardCharsets.UTF_8), false, path, null);
    }

    private IngestBatch lines(String lines) throws Exception {
        return parser.parse(lines.getBytes(StandardCharsets.UTF_8), true, "e", null);
    }

    private static JsonNode json(IngestBatch batch, int entry) throws Exception {
        return MAPPER.readTree(new LogEntry(7, batch.entries().get(entry).encoded()).json());
    }

    private JsonNode one(String entry) throws Exception {
        IngestBatch batch = parse("[" + entry + "]", "e");
        assertThat(batch.rejected()).isEmpty();
        return json(batch, 0);
    }

    @Test
    void anEntryThatCameAloneHasTheIdAndTheTimeItWasGivenUnlessItNamesItsOwn() throws Exception {
        UUID given = new UUID(7, 8);
        String own = "00000000-0000-0001-8000-000000000002";
        long micros = 1_700_000_000_000_000L;

        IngestBatch batch = parser.parse(List.of(
                incoming(given, micros, "{\"execution_id\":\"e\",\"message\":\"a\"}"),
                incoming(given, micros, "{\"message\":\"no execution\"}"),
                incoming(given, micros, "not json"),
                incoming(
                        given,
                        micros,
                        "{\"execution_id\":\"e\",\"message\":\"b\",\"id\":\"" + own + "\",\"timestamp\":1}")));

        assertThat(batch.entries()).extracting(IngestBatch.PendingEntry::index).containsExactly(0, 3);
        assertThat(json(batch, 0).get("id").asText()).isEqualTo(given.toString());
        assertThat(json(batch, 0).get("timestamp").asText()).isEqualTo("2023-11-14T22:13:20.000000Z");
        assertThat(batch.entries().get(0).senderId()).endsWith(8);
        assertThat(json(batch, 1).get("id").asText()).isEqualTo(own);
        assertThat(json(batch, 1).get("timestamp").asText()).isEqualTo("1970-01-01T00:00:00.001000Z");
        assertThat(batch.entries().get(1).senderId()).endsWith(2);
        assertThat(batch.rejected())
                .extracting(rejection -> rejection.index() + rejection.code())
                .containsExactly("1missing_execution_id", "2invalid_json");
        // And a request after it knows nothing of what was given
        assertThat(one("{\"message\":\"c\"}").get("id").asText()).isEqualTo(ID.toString());
    }

    private static IncomingEntry incoming(UUID id, long micros, String json) {
        return new IncomingEntry(id, micros, json.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void givesDefaultsToWhatTheSenderLeftOut() throws Exception {
        assertThat(one("{\"message\":\"hello\"}")).isEqualTo(MAPPER.readTree("""
                                {"seq":7,"id":"01234567-89ab-7000-8000-000000000001",
                                 "timestamp":"2026-03-04T05:06:07.000008Z","received_at":"2026-03-04T05:06:07.000008Z",
                                 "level":"info","event_type":"log","log_category":"technical","message":"hello",
                                 "node_name":null,"data":{}}"""));
    }

    @Test
    void readsEveryFieldAndGivesItBack() throws Exception {
        JsonNode read = one("""
                {"message":"raw","level":"Warn","event_type":"STEP_ERROR","log_category":"Business",
                 "user_friendly_message":"nice","display_priority":9,"is_milestone":true,"data":{"a":[1,2.50,true,null]},
                 "technical_details":{"b":{}},"performance_metrics":{"c":1e3},"stack_trace":"at x\\n\\tat y",
                 "error_code":"E1","node_id":"n","node_name":"N","parent_node_id":"p","node_type":"t","step_number":1,
                 "total_steps":2,"attempt":3,"progress_percentage":12.345,"duration_seconds":1.5,"workflow_id":"w",
                 "user_id":"u","trace_id":"0AF7651916CD43DD8448EB211C80319C","span_id":"b7ad6b7169203331",
                 "timestamp":"2026-03-04T06:06:07.123456789+01:00","id":"018f6b1e-7c1a-7000-8000-00000000000A"}""");
        assertThat(read).isEqualTo(MAPPER.readTree("""
                                {"seq":7,"id":"018f6b1e-7c1a-7000-8000-00000000000a",
                                 "timestamp":"2026-03-04T05:06:07.123456Z","received_at":"2026-03-04T05:06:07.000008Z",
                                 "level":"warning","event_type":"step_error","log_category":"business","message":"nice",
                                 "raw_message":"raw","node_name":"N","node_id":"n","node_type":"t","parent_node_id":"p",
                                 "step_number":1,"total_steps":2,"attempt":3,"progress_percentage":12.35,
                                 "duration_seconds":1.5,"display_priority":9,"is_milestone":true,"error_code":"E1",
                                 "stack_trace":"at x\\n\\tat y","data":{"a":[1,2.50,true,null]},
                                 "technical_details":{"b":{}},"performance_metrics":{"c":1e3},"workflow_id":"w",
                                 "user_id":"u","trace_id":"0af7651916cd43dd8448eb211c80319c",
                                 "span_id":"b7ad6b7169203331"}"""));
    }

    @Test
    void takesFriendlinessFromInsideDataUnlessItStandsBesideIt() throws Exception {
        JsonNode inside = one(
                "{\"message\":\"m\",\"data\":{\"user_friendly_message\":\"f\",\"display_priority\":8,\"is_milestone\":true}}");
        assertThat(inside.get("message").asText()).isEqualTo("f");
        assertThat(inside.get("raw_message").asText()).isEqualTo("m");
        assertThat(inside.get("display_priority").asInt()).isEqualTo(8);
        assertThat(inside.get("is_milestone").asBoolean()).isTrue();
        JsonNode beside =
                one("{\"user_friendly_message\":\"g\",\"message\":\"m\",\"data\":{\"user_friendly_message\":\"f\"}}");
        assertThat(beside.get("message").asText()).isEqualTo("g");
    }

    @Test
    void keepsUnknownFieldsUnderDataExtra() throws Exception {
        assertThat(one("{\"message\":\"m\",\"data\":{\"a\":1},\"host\":\"h\",\"tags\":[1]}")
                        .get("data"))
                .isEqualTo(MAPPER.readTree("{\"a\":1,\"_extra\":{\"host\":\"h\",\"tags\":[1]}}"));
    }

    @Test
    void normalisesWhatPostgresCannotHold() throws Exception {
        JsonNode read = one("{\"message\":\"a\\u0000b\\ud800c\\ud83d\\ude00\",\"data\":{\"k\\u0000\":\"\\udc00\"}}");
        assertThat(read.get("message").asText()).isEqualTo("a\uFFFDb\uFFFDc\uD83D\uDE00");
        assertThat(read.get("data").get("k\uFFFD").asText()).isEqualTo("\uFFFD");
    }

    @Test
    void countsTheLastOfDuplicateMembers() throws Exception {
        JsonNode read =
                one("{\"message\":\"x\",\"data\":{\"a\":1,\"b\":{\"c\":1,\"c\":1.0},\"a\":2.50},\"message\":\"y\"}");
        assertThat(read.get("message").asText()).isEqualTo("y");
        assertThat(read.get("data")).isEqualTo(MAPPER.readTree("{\"a\":2.50,\"b\":{\"c\":1.0}}"));
    }

    @Test
    void decodesItsOwnEncoding() throws Exception {
        IngestBatch batch = parse("""
                [{"execution_id":"e","message":"m","user_friendly_message":"f \\u20ac","data":{"x":{"y":[{}]}},
                  "progress_percentage":0.5,"duration_seconds":1e-7,"node_name":"n","stack_trace":"s","attempt":-1,
                  "technical_details":{"z":"\\u00e4"}}]""");
        byte[] encoded = batch.entries().get(0).encoded();
        var fields = new EntryFields();
        EntryCodec.decode(new LogEntry(1, encoded), fields);
        assertThat(fields.message).isEqualTo("m");
        assertThat(fields.userFriendlyMessage).isEqualTo("f €");
        assertThat(fields.data).isEqualTo("{\"x\":{\"y\":[{}]}}");
        assertThat(fields.technicalDetails).isEqualTo("{\"z\":\"ä\"}");
        assertThat(new EntryCodec().encode(fields)).isEqualTo(encoded);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "workflow_started   | {}                       | RUNNING",
                "workflow_completed | {}                       | SUCCEEDED",
                "workflow_completed | {\"status\":\"failed\"}  | FAILED",
                "workflow_completed | {\"status\":\"RUNNING\"} | SUCCEEDED",
                "step_completed     | {\"status\":\"FAILED\"}  | ",
            })
    void movesTheExecution(String type, String data, @Nullable String status) throws Exception {
        IngestBatch batch = parse("[{\"message\":\"m\",\"event_type\":\"" + type + "\",\"data\":" + data + "}]", "e");
        var effect = new LogEntry(1, batch.entries().get(0).encoded()).statusEffect();
        assertThat(effect == null ? null : effect.name()).isEqualTo(status);
    }

    @Test
    void findsDefaultsBeforeAndBehindTheEntries() throws Exception {
        String entries = "\"entries\":[{\"message\":\"m\",\"level\":\"ERROR\"},{\"message\":\"n\"}]";
        String defaults = "\"defaults\":{\"execution_id\":\"d\",\"level\":\"DEBUG\",\"user_id\":\"u\"}";
        for (String body : List.of("{" + defaults + "," + entries + "}", "{" + entries + "," + defaults + "}")) {
            IngestBatch batch = parse(body);
            assertThat(batch.rejected()).isEmpty();
            assertThat(batch.entries()).extracting("executionId").containsExactly("d", "d");
            assertThat(batch.entries()).extracting("userId").containsExactly("u", "u");
            assertThat(json(batch, 0).get("level").asText()).isEqualTo("error");
            assertThat(json(batch, 1).get("level").asText()).isEqualTo("debug");
        }
    }

    @Test
    void rejectsABrokenLineAloneAndCountsOnlyLinesThatHoldSomething() throws Exception {
        IngestBatch batch =
                lines("{\"message\":\"a\"}\r\n\n{\"message\":\n{\"message\":\"b\"} x\n[1]\n{\"message\":\"c\"}");
        assertThat(batch.entries()).extracting("index").containsExactly(0, 4);
        assertThat(batch.rejected()).extracting("index").containsExactly(1, 2, 3);
        assertThat(batch.rejected())
                .extracting("code")
                .containsExactly("invalid_json", "invalid_json", "not_an_object");
    }

    @Test
    void namesLineAndOffsetOfBrokenJsonAndTakesNothing() {
        assertThatThrownBy(() -> parse("[{\"execution_id\":\"e\",\"message\":\"m\"},\n {\"message\": nope}]"))
                .isInstanceOfSatisfying(BodyException.class, e -> {
                    assertThat(e.status()).isEqualTo(400);
                    assertThat(e.code()).isEqualTo("invalid_json");
                    assertThat(e.detail()).contains("line 2").contains("offset").doesNotContain("Source");
                });
    }

    @Test
    void cutsOversizeEntriesWhereConfigured() throws Exception {
        String big = "x".repeat(20_000);
        IngestBatch batch = parser(true)
                .parse(
                        ("[{\"message\":\"" + big + "\",\"stack_trace\":\"" + big + "\",\"data\":{\"b\":\"" + big
                                        + "\"}}]")
                                .getBytes(StandardCharsets.UTF_8),
                        false,
                        "e",
                        null);
        JsonNode cut = json(batch, 0);
        assertThat(cut.get("truncated").asBoolean()).isTrue();
        assertThat(cut.get("original_bytes").asInt()).isGreaterThan(60_000);
        assertThat(batch.entries().get(0).encoded().length).isLessThan(10 << 10);
    }

    @Test
    void masksSecretsEverywhereAtAFixedLength() throws Exception {
        JsonNode read = one("""
                {"message":"curl -H 'Authorization: Bearer abcdefghijklmnop' https://joe:hunter2@host/x ACME-123",
                 "user_friendly_message":"password=correct-horse",
                 "stack_trace":"key AKIAIOSFODNN7EXAMPLE",
                 "data":{"password":"s","nested":{"api_key":"k"},"text":"ghp_abcdefghijklmnopqrstuvwxyz0123456789"},
                 "token":"t0123456789"}""");
        assertThat(read.toString())
                .doesNotContain("abcdefghijklmnop")
                .doesNotContain("hunter2")
                .doesNotContain("ACME-123")
                .doesNotContain("correct-horse")
                .doesNotContain("IOSFODNN7");
        assertThat(read.get("data")).isEqualTo(MAPPER.readTree("""
                                {"password":"********","nested":{"api_key":"********"},"text":"ghp_********",
                                 "_extra":{"token":"********"}}"""));
        assertThat(read.get("raw_message").asText()).contains("https://joe:********@host/x");
    }

    @Test
    void masksByTheNamesOfMembers() throws Exception {
        JsonNode read = one("""
                {"message":"m","data":{
                 "password":"","pwd":null,"passwd":true,"db_password":"none","Password":1234,"userPwd":12,
                 "token":"word","accessToken":"abc12345","next_page_token":"abc12345","total_tokens":123456,
                 "secret":{"a":["x",1,123456,{"b":"y"}],"c":false},"passwords":["a","b"],
                 "env":[{"name":"DB_PASSWORD","value":"x"},{"name":"HOME","value":"/root"}],
                 "args":["run","--password","x","y"],"PWD":"/home/dev","customer-pin":5,
                 "ghp_abcdefghijklmnopqrstuvwxyz0123456789":1,"ghp_abcdefghijklmnopqrstuvwxyz0123456780":2,
                 "text":"{\\"password\\":\\"x\\"}"}}""");

        assertThat(read.get("data")).isEqualTo(MAPPER.readTree("""
                {"password":"","pwd":null,"passwd":true,"db_password":"none","Password":"********","userPwd":12,
                 "token":"word","accessToken":"********","next_page_token":"abc12345","total_tokens":123456,
                 "secret":{"a":["********",1,"********",{"b":"********"}],"c":false},"passwords":["********","********"],
                 "env":[{"name":"DB_PASSWORD","value":"********"},{"name":"HOME","value":"/root"}],
                 "args":["run","--password","********","y"],"PWD":"/home/dev","customer-pin":"********",
                 "ghp_******** (17)":1,"ghp_******** (18)":2,
                 "text":"{\\"password\\":\\"********\\"}"}"""));
    }

    @Test
    void masksEveryTextButAddresses() throws Exception {
        String secret = "token=abc12345";
        IngestBatch batch = parse(
                ("{\"defaults\":{\"error_code\":\"S\",\"data\":{\"d\":\"S\"}},\"entries\":[{\"execution_id\":\"S\","
                                + "\"workflow_id\":\"S\",\"user_id\":\"S\",\"message\":\"S\",\"user_friendly_message\":\"S\","
                                + "\"stack_trace\":\"S\",\"node_id\":\"S\",\"node_name\":\"S\",\"node_type\":\"S\","
                                + "\"parent_node_id\":\"S\",\"technical_details\":{\"a\":[\"S\"]},\"performance_metrics\":{\"a\":\"S\"},"
                                + "\"other\":\"S\",\"_extra\":\"S\",\"S\":1}]}")
                        .replace("S", secret));

        assertThat(batch.rejected()).isEmpty();
        // Masked, two executions, workflows or owners would become one
        assertThat(batch.entries().get(0).executionId()).isEqualTo(secret);
        JsonNode read = json(batch, 0);
        assertThat(read.get("workflow_id").asText()).isEqualTo(secret);
        assertThat(read.get("user_id").asText()).isEqualTo(secret);
        String rest = read.toString().replace("_id\":\"" + secret, "");
        assertThat(rest).doesNotContain("abc12345");
        assertThat(rest.split("\\*{8}", -1)).as("between masks").hasSize(15);
    }

    @Test
    void aMaskedNameKeepsWithinItsLimit() throws Exception {
        String code = "x".repeat(91) + " pwd=abcd";

        assertThat(one("{\"message\":\"m\",\"error_code\":\"" + code + "\"}")
                        .get("error_code")
                        .asText())
                .isEqualTo("x".repeat(91) + " pwd=****");
    }

    @Test
    void aRejectionTellsNoSecret() throws Exception {
        String token = "ghp_abcdefghijklmnopqrstuvwxyz0123456789";
        IngestBatch batch = parse(
                "[{\"message\":\"m\",\"level\":\"" + token
                        + "\"},{\"message\":\"m\",\"trace_id\":\"password=hunter2\"},"
                        + "{\"message\":\"m\",\"execution_id\":\"pwd=hunter2\"},{\"message\":\"m\",\"timestamp\":\""
                        + token
                        + "\"},{\"message\":\"m\",\"id\":\"{} " + token + "\"}]",
                "e");

        assertThat(batch.rejected()).hasSize(5);
        assertThat(batch.rejected().toString())
                .doesNotContain("hunter2")
                .doesNotContain("abcdefghij")
                .contains(
                        "level is \"ghp_********\"; use", "execution_id is \"pwd=********\" but the path says \"e\".");
        // Nor do the words of the parser
        assertThat(lines("{\"password\": hunter2}").rejected().toString()).doesNotContain("hunter2");
        assertThatThrownBy(() -> parse("{\"pwd=hunter2\":1}"))
                .isInstanceOfSatisfying(
                        BodyException.class,
                        e -> assertThat(e.detail()).contains("\"pwd=********\"").doesNotContain("hunter2"));
        assertThatThrownBy(() -> parse("{\"defaults\":{\"level\":\"" + token + "\"},\"entries\":[]}"))
                .isInstanceOfSatisfying(
                        BodyException.class, e -> assertThat(e.detail()).doesNotContain("abcdefghij"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "the token is fine",
                "password: short",
                "secret of success",
                "see http://host:8080/path",
                "basic training",
                "task sk-12 done"
            })
    void leavesOrdinaryTextAlone(String text) {
        assertThat(new Masking(TailraceConfig.Mask.BUILT_IN).mask(text)).isSameAs(text);
    }

    @ParameterizedTest
    @CsvSource({"c0af", "c1bf", "e08080", "f0808080", "f4908080", "f5808080", "ff"})
    void refusesWhatNoEncoderOfUtf8Makes(String hex) throws Exception {
        byte[] odd = java.util.HexFormat.of().parseHex(hex);
        var body = new java.io.ByteArrayOutputStream();
        body.write("[{\"message\":\"some ASCII before it, ".getBytes(StandardCharsets.UTF_8));
        body.write(odd);
        body.write("\"}]".getBytes(StandardCharsets.UTF_8));

        assertThatThrownBy(() -> parser.parse(body.toByteArray(), false, "e", null))
                .isInstanceOfSatisfying(BodyException.class, e -> {
                    assertThat(e.code()).isEqualTo("invalid_encoding");
                    assertThat(e.detail()).contains("offset 35");
                });
    }
}
