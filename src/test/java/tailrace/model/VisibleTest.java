package tailrace.model;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** Text from outside on a terminal: shown, and without effect. */
class VisibleTest {
    private static final String HOSTILE =
            "a\u001b[31m\r\n\t\u0000\u007f\u009b\u0085\u2028\u2029\u202e\u2066\u200b\ufeff\ud800b";

    @Test
    void whatWouldMoveATerminalIsShown() {
        assertThat(Visible.line(HOSTILE))
                .isEqualTo("a␛[31m␍␊␉␀␡\\u009b\\u0085\\u2028\\u2029\\u202e\\u2066\\u200b\\ufeff\\ud800b");
        assertThat(Visible.lines("a\r\n\tb\u001bc")).isEqualTo("a␍\n\tb␛c");
    }

    @Test
    void ordinaryTextIsTheSameObject() {
        String text = "größer 日本語 \ud83d\udd11 عربى";
        assertThat(Visible.line(text)).isSameAs(text);
        assertThat(Visible.lines("a\n\tb")).isEqualTo("a\n\tb");
    }

    @Test
    void jsonHoldsTheSameTextAndNothingThatATerminalObeys() throws Exception {
        for (JsonWriter writer : new JsonWriter[] {
            new JsonWriter().string(HOSTILE),
            new JsonWriter().rawText('"' + "\u009b\u202e\u2066\u2028 é日\ud83d\udd11" + '"')
        }) {
            String json = new String(writer.toByteArray(), StandardCharsets.UTF_8);
            assertThat(json.replaceAll(
                            "[\\p{Cc}\\u2028\\u2029\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069\\ufeff]", ""))
                    .isEqualTo(json);
        }
        String json = new String(new JsonWriter().string(HOSTILE).toByteArray(), StandardCharsets.UTF_8);
        assertThat(new ObjectMapper().readValue(json, String.class)).isEqualTo(StorableText.of(HOSTILE));
    }
}
