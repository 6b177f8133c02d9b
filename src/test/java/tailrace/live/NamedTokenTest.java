package tailrace.live;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tailrace.live.NamedToken.Position;

class NamedTokenTest {
    private final NamedToken token = new NamedToken(List.of("b", "a:,*", "c.d"));

    @Test
    void pairsMayBeWrittenByHand() {
        assertThat(token.parse("b:5,a%3A%2C*:7*"))
                .contains(Map.of("b", new Position(5, false), "a:,*", new Position(7, true)));
        assertThat(token.parse("c.d:1"))
                .as("looks like the short form")
                .contains(Map.of("c.d", new Position(1, false)));
    }

    @Test
    void othersArePassedOverAndANumberThatCannotBeOursGetsEverything() {
        assertThat(token.parse("z:5,b:99999999999999999999"))
                .contains(Map.of("b", new Position(Long.MAX_VALUE, false)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "b", "b:", "b:-1", "b:1,,", "b:1**", ":1", "b:1,b:2", "b:x", "%:1", "c.", "c.AAAA", "c.%%"})
    void whatIsNoneOfOursIsSaid(String text) {
        assertThat(token.parse(text)).isEmpty();
    }
}
