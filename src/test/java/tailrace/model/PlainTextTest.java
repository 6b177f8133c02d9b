package tailrace.model;

import static org.assertj.core.api.Assertions.assertThat;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a terminal would obey is shown instead. */
class PlainTextTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "\u001b[2J",
                "\u001b]0;title\u0007",
                "\u009b31m",
                "\u0000",
                "\b\b\b",
                "\u007f",
                "\r",
                "\u202e",
                "\u2066",
                "\u2028",
                "\u0085",
                "\ufeff"
            })
    void nothingIsObeyed(String attack) {
        String shown = PlainText.line("a" + attack + "b");
        assertThat(shown).startsWith("a\\u").endsWith("b");
        assertThat(shown.chars())
                .noneMatch(c -> Character.isISOControl(c) || c == 0x202e || c == 0x2066 || c == 0x2028);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "plain", "tab\tis wide", "Zürich 東京 🚀", "עברית", "e\u0301", "\\u001b as it was sent"})
    void whatIsHarmlessStays(String text) {
        assertThat(PlainText.line(text)).isSameAs(text);
        assertThat(PlainText.block(text, "  ")).isSameAs(text);
    }

    @ParameterizedTest
    @ValueSource(strings = {"one\ntwo", "one\r\ntwo", "one\rtwo"})
    void everyLineBreakOfABlockIsIndented(String text) {
        assertThat(PlainText.block(text, "    ")).isEqualTo("one\n    two");
    }

    @Property
    void noLineOfABlockBeginsInTheFirstColumn(@ForAll String text) {
        String[] lines = PlainText.block(text, " ").split("\n", -1);
        for (int i = 1; i < lines.length; i++) {
            assertThat(lines[i]).startsWith(" ");
        }
        assertThat(PlainText.line(text)).doesNotContain("\n").doesNotContain("\r");
    }
}
