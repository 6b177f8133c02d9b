package tailrace.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import tailrace.config.TailraceConfig;
import tailrace.model.IngestBatch;
import tailrace.model.LogEntry;
import tailrace.model.StorableText;

/** Whatever text comes: masking ends, breaks nothing, and is done after the first time. */
class MaskingPropertyTest {
    private static final ObjectMapper MAPPER = JsonMapper.builder()
            .enable(JsonWriteFeature.ESCAPE_NON_ASCII) // lone surrogates, too
            .build();
    private static final TailraceConfig.Ingest CONFIG =
            new TailraceConfig.Ingest(1 << 20, 10, 10 << 20, 32, false, TailraceConfig.Mask.BUILT_IN);

    private final Masking masking = new Masking(CONFIG.mask());
    private final BatchParser parser = new BatchParser(CONFIG, masking, Clock.systemUTC(), UUID::randomUUID);
    private final BatchParser plain = new BatchParser(
            CONFIG,
            new Masking(new TailraceConfig.Mask(false, List.of(), List.of())),
            Clock.systemUTC(),
            UUID::randomUUID);

    /** Pieces of secrets and of what surrounds them, in any order: rules meet each other's text. */
    @Provide
    Arbitrary<String> texts() {
        Arbitrary<String> pieces = Arbitraries.of(
                "password",
                "passwd",
                "pwd",
                "PWD",
                "secret",
                "token",
                "api_key",
                "apiKey",
                "authorization",
                "Authorization",
                "cookie",
                "Cookie",
                "=",
                ":",
                ": ",
                " = ",
                "=>",
                "\"",
                "'",
                "\\\"",
                "\\\\\\\"",
                "\\",
                " ",
                "\n",
                "\r\n",
                "\t",
                "/",
                "@",
                "://",
                "http://",
                "%3a%2f%2f",
                "%3A",
                "%40",
                "eyJ",
                ".",
                "hbGciOiJIUzI1NiJ9",
                "eyJzdWIiOiI0MiJ9",
                "ghp_",
                "sk-",
                "AKIA",
                "IOSFODNN7EXAMPLE",
                "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dE3fG5hJ7k",
                "0123456789abcdef",
                "0123456789abcdef0123456789abcdef",
                "-us1",
                "8Q~",
                "abc",
                "hunter2",
                "1234",
                "Bearer ",
                "Basic ",
                "Digest ",
                "-----BEGIN PRIVATE KEY-----",
                "-----END PRIVATE KEY-----",
                "<",
                ">",
                "</",
                "{",
                "}",
                "[",
                "]",
                ",",
                ";",
                "&",
                "?",
                "sig=",
                "code=",
                "--",
                "-",
                "_",
                "value",
                "null",
                "none",
                "${",
                "***",
                "********",
                "curl -u ",
                "a:b",
                "\ud83d\udd11",
                "\ud800",
                "\udc00",
                "\u0000",
                "ü",
                "hooks.slack.com/services/",
                "sshpass -p ",
                "identified by '");
        return Arbitraries.oneOf(pieces, pieces, pieces, Arbitraries.strings().ofMaxLength(12))
                .list()
                .ofMaxSize(14)
                .map(list -> String.join("", list));
    }

    @Property(tries = 20_000)
    void twiceIsOnce(@ForAll("texts") String text) {
        String once = masking.mask(text);

        assertThat(masking.mask(once)).isEqualTo(once);
    }

    /** What stands before a mask is a name, and no credential of its own. */
    @Example
    void theNameBeforeAMaskIsNoCredential() {
        String once = masking.mask("Basic passwordPWD=password");

        assertThat(once).isEqualTo("Basic passwordPWD=********");
        assertThat(masking.mask(once)).isEqualTo(once);
        assertThat(masking.mask("**Basic dXNlcjpwYXNz**")).isEqualTo("**Basic ********" + "**");
    }

    @Property(tries = 5_000)
    void whatIsNotMaskedStaysAsItWas(@ForAll("texts") String text) {
        String masked = masking.mask(text);

        // Each piece between masks is found in the text, one behind the other
        int at = 0;
        for (String piece : masked.split("\\*{8}", -1)) {
            int found = text.indexOf(piece, at);
            assertThat(found).as("%s in %s", piece, text).isGreaterThanOrEqualTo(0);
            at = found + piece.length();
        }
        assertThat(loneSurrogates(masked)).isLessThanOrEqualTo(loneSurrogates(text));
    }

    private static long loneSurrogates(String text) {
        return text.codePoints()
                .filter(point -> point >= Character.MIN_SURROGATE && point <= Character.MAX_SURROGATE)
                .count();
    }

    @Provide
    Arbitrary<JsonNode> values() {
        Arbitrary<String> names = Arbitraries.of(
                "password",
                "token",
                "api_key",
                "secret",
                "credentials",
                "name",
                "value",
                "key",
                "note",
                "count",
                "a.b",
                "Cookie");
        Arbitrary<JsonNode> leaves = Arbitraries.oneOf(
                texts().map(JsonNodeFactory.instance::textNode),
                Arbitraries.integers().map(JsonNodeFactory.instance::numberNode),
                Arbitraries.of(true, false).map(JsonNodeFactory.instance::booleanNode),
                Arbitraries.just(JsonNodeFactory.instance.nullNode()));
        return Arbitraries.recursive(
                () -> leaves,
                inner -> Arbitraries.oneOf(
                        Arbitraries.maps(names, inner).ofMaxSize(4).map(members -> JsonNodeFactory.instance
                                .objectNode()
                                .<com.fasterxml.jackson.databind.node.ObjectNode>setAll(members)),
                        inner.list().ofMaxSize(4).map(elements -> JsonNodeFactory.instance
                                .arrayNode()
                                .addAll(elements))),
                3);
    }

    @Property(tries = 2_000)
    void anEntryKeepsItsStructure(@ForAll("values") JsonNode value, @ForAll("texts") String text) throws Exception {
        JsonNode entry = MAPPER.createObjectNode()
                .put("message", "m" + text)
                .put("stack_trace", text)
                .put("node_name", text.substring(0, Math.min(200, text.length())))
                .set("data", MAPPER.createObjectNode().set("it", value));
        byte[] body = MAPPER.writeValueAsBytes(List.of(entry));

        JsonNode masked = read(parser.parse(body, false, "e", null));
        JsonNode unmasked = read(plain.parse(body, false, "e", null));

        assertThat(masked.get("message").asText())
                .isEqualTo(StorableText.of(masking.mask(unmasked.get("message").asText())));
        requireSame(unmasked.get("data"), masked.get("data"));
    }

    private static JsonNode read(IngestBatch batch) throws Exception {
        assertThat(batch.rejected()).isEmpty();
        byte[] json = new LogEntry(1, batch.entries().get(0).encoded()).json();
        StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(json)); // throws where it is none
        return MAPPER.readTree(json);
    }

    /** The same but for strings with masks in them, and numbers that became one. */
    private void requireSame(JsonNode sent, JsonNode masked) {
        if (sent.isObject()) {
            assertThat(masked.isObject()).isTrue();
            assertThat(masked.size()).isEqualTo(sent.size());
            for (Iterator<Map.Entry<String, JsonNode>> members = sent.fields(); members.hasNext(); ) {
                Map.Entry<String, JsonNode> member = members.next();
                requireSame(member.getValue(), masked.get(member.getKey()));
            }
        } else if (sent.isArray()) {
            assertThat(masked.size()).isEqualTo(sent.size());
            for (int i = 0; i < sent.size(); i++) {
                requireSame(sent.get(i), masked.get(i));
            }
        } else if (sent.isTextual()) {
            assertThat(masked.asText()).isIn(sent.asText(), masking.mask(sent.asText()), Masking.MASK);
        } else if (!masked.asText().equals(Masking.MASK) || !sent.isNumber()) {
            assertThat(masked).isEqualTo(sent);
        }
    }
}
