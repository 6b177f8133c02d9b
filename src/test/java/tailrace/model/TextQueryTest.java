package tailrace.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tailrace.model.TextQuery.Range;

/** What q means, on an entry's bytes. */
class TextQueryTest {
    static LogEntry entry(
            String message, @Nullable String friendly, @Nullable String errorCode, @Nullable String stackTrace) {
        EntryFields fields = new EntryFields();
        fields.id = new UUID(1, 2);
        fields.message = message;
        fields.userFriendlyMessage = friendly;
        fields.errorCode = errorCode;
        fields.stackTrace = stackTrace;
        fields.nodeName = "needle in the node's name";
        fields.nodeId = "n\"1";
        fields.progressHundredths = 1234;
        fields.durationSeconds = 1.5e-7;
        fields.milestone = true;
        fields.stepNumber = 3;
        fields.data = "{\"message\":\"hidden in data\",\"a\":[\"}\"]}";
        return new LogEntry(7, new EntryCodec().encode(fields));
    }

    private static final LogEntry ENTRY = entry(
            "Could not pay \"order 17\"\tat C:\\temp",
            "Überweisung fehlgeschlagen",
            "E_PAY_1",
            "java.lang.NullPointerException\n\tat a.B");

    private static boolean finds(String q, LogEntry entry) throws Exception {
        return TextQuery.parse(q).test(entry);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "pay",
                "PAY",
                "could pay",
                "pay could",
                "pointer",
                "nullPOINTER e_pay",
                "\"not pay\"",
                "\"pay \\\"order 17\\\"\"",
                "\"order 17\"",
                "c:\\temp",
                "\"C:\\\\temp\"",
                "überweisung",
                "ÜBERWEISUNG could pointer",
                "-refund",
                "pay -refund -\"pay not\"",
                "-hidden",
                "-needle",
                "\"pointerexception\n\tat a.b\"",
                "\"\tat\"",
            })
    void finds(String q) throws Exception {
        assertThat(finds(q, ENTRY)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "refund",
                "pay refund",
                "-pay",
                "could -e_pay_1",
                "-\"order 17\"",
                "\"pay could\"",
                "\"17\\\" at\"",
                "hidden",
                "needle",
                "raw_message",
                "uberweisung",
                "-überWEISUNG",
            })
    void doesNotFind(String q) throws Exception {
        assertThat(finds(q, ENTRY)).isFalse();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "''|at least one word",
                "'   '|at least one word",
                "-|nothing behind it",
                "'a - b'|nothing behind it",
                "'\"\"'|nothing in it",
                "'-\"\"'|nothing in it",
                "'\"open'|not closed",
                "'a b c d e f g h i j k l m n o p q'|at most 16",
            })
    void aQueryThatMakesNoSenseSaysWhy(String q, String why) {
        assertThatThrownBy(() -> TextQuery.parse(q))
                .isInstanceOf(TextQuery.InvalidException.class)
                .hasMessageContaining(why);
    }

    @Test
    void aControlCharacterIsRefused() {
        assertThatThrownBy(() -> TextQuery.parse("a\u001fb")).hasMessageContaining("control character");
    }

    @Test
    void aLongQueryIsRefused() throws Exception {
        assertThatThrownBy(() -> TextQuery.parse("x".repeat(501))).hasMessageContaining("at most 500");
        assertThat(finds("x".repeat(500), entry("x".repeat(600), null, null, null)))
                .isTrue();
        assertThat(finds("x".repeat(500), entry("x".repeat(499), null, null, null)))
                .isFalse();
    }

    @Test
    void aTermStandsWithinOneText() throws Exception {
        assertThat(finds("abcd", entry("ab", "cd", null, null))).isFalse();
        assertThat(finds("ab cd", entry("ab", "cd", null, null))).isTrue();
    }

    @Test
    void rangesAreThoseOfTheTextsInTheAnswer() throws Exception {
        LogEntry entry = entry("a\"Ä 🚀 pay payPAY", "Payable", null, null);
        Map<String, List<Range>> found =
                TextQuery.parse("pay ä \"ypay\" -refund").highlights(entry);
        assertThat(found.keySet()).containsExactly("message", "raw_message");
        assertThat(found.get("message")).containsExactly(new Range(0, 3));
        assertThat(found.get("raw_message")).containsExactly(new Range(2, 3), new Range(7, 10), new Range(11, 17));
    }

    @Test
    void rangesAreBounded() throws Exception {
        assertThat(TextQuery.parse("a")
                        .highlights(entry("a ".repeat(1000), null, null, null))
                        .get("message"))
                .hasSize(TextQuery.MAX_RANGES);
    }

    @Test
    void foldingIsOneStepAndKeepsAsciiToItself() {
        for (int c = 0; c <= Character.MAX_VALUE; c++) {
            char folded = CaseFold.of((char) c);
            assertThat(CaseFold.of(folded)).as("U+%04X", c).isEqualTo(folded);
            if (c >= 0x80) {
                assertThat((int) folded).isGreaterThanOrEqualTo(0x80);
            }
        }
        assertThat(CaseFold.variants('ü')).isEqualTo("üÜ");
        assertThat(CaseFold.variants('k')).isEqualTo("kK");
    }

    @Provide
    Arbitrary<String> texts() {
        return Arbitraries.strings()
                .withChars("aAbB _%\\\"ÄäßẞσςΣ🚀\n-1\u2028é")
                .ofMinLength(1)
                .ofMaxLength(12)
                .map(StorableText::of);
    }

    /** The bytes say what the strings say. */
    @Property(tries = 2_000)
    void anEntrysBytesSayWhatAPlainSearchSays(
            @ForAll("texts") String message,
            @ForAll("texts") String friendly,
            @ForAll("texts") String trace,
            @ForAll("texts") String phrase)
            throws Exception {
        LogEntry entry = entry(message, friendly, null, trace);
        boolean expected = List.of(message, friendly, trace).stream()
                .anyMatch(text -> CaseFold.of(text).contains(CaseFold.of(phrase)));
        String quoted = '"' + phrase.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
        assertThat(finds(quoted, entry)).isEqualTo(expected);
        assertThat(finds("-" + quoted, entry)).isEqualTo(!expected);
        assertThat(TextQuery.parse(quoted).highlights(entry).isEmpty()).isEqualTo(!expected);
        // For ASCII that is what everybody means by case.
        if (phrase.chars().allMatch(c -> c < 0x80)
                && List.of(message, friendly, trace).stream()
                        .anyMatch(text -> text.toLowerCase(Locale.ROOT).contains(phrase.toLowerCase(Locale.ROOT)))) {
            assertThat(expected).isTrue();
        }
    }

    @Test
    void nodesAreExact() {
        var filter = new LogFilter(
                Set.of(), Set.of(), null, 1, null, Long.MIN_VALUE, Long.MAX_VALUE, Set.of("x", "n\"1"), null);
        assertThat(filter.test(ENTRY)).isTrue();
        var other = new LogFilter(
                Set.of(), Set.of(), null, 1, null, Long.MIN_VALUE, Long.MAX_VALUE, Set.of("N\"1", "n"), null);
        assertThat(other.test(ENTRY)).isFalse();
    }
}
