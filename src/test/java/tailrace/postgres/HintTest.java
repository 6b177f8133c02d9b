package tailrace.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class HintTest {
    private final Hint hint = new Hint();

    @Test
    void anExecutionIsNamedOnceWithItsHighestSeq() {
        hint.add("a", 5);
        hint.add("b", 1);
        hint.add("a", 9);
        hint.add("a", 7);

        assertThat(hint.take()).isEqualTo("a:9,b:1");
        assertThat(hint.isEmpty()).isTrue();
        hint.add("c", 3);
        assertThat(hint.take()).isEqualTo("c:3");
    }

    @Test
    void anIdCannotBeMistakenForSeveral() {
        hint.add("a:1,b c+ü*", 2);
        hint.add("*", 3);

        assertThat(hint.take()).isEqualTo("a%3A1%2Cb%20c%2B%C3%BC*:2,*:3");
    }

    @Test
    void asMuchAsFitsIsNamedAndOneMoreIsEverything() {
        // 79 pairs of 99 bytes with a comma each, and one of 99: 7,999 bytes
        String id = "x".repeat(95);
        for (int i = 10; i < 89; i++) {
            hint.add(id + i, 7);
        }
        hint.add("y".repeat(97), 7);
        String payload = hint.take();
        assertThat(payload.getBytes(StandardCharsets.UTF_8)).hasSize(7_999);

        for (int i = 10; i < 89; i++) {
            hint.add(id + i, 7);
        }
        hint.add("y".repeat(98), 7);
        assertThat(hint.take()).isEqualTo(Hint.EVERYTHING);
    }

    @Test
    void howeverMuchIsAddedLittleIsKept() {
        for (int i = 0; i < 1_000_000; i++) {
            hint.add(Integer.toString(i), i);
        }
        assertThat(hint.take()).isEqualTo(Hint.EVERYTHING);
        assertThat(hint.isEmpty()).isTrue();

        hint.add("a", 1);
        hint.addEverything();
        hint.add("b", 2);
        assertThat(hint.isEmpty()).isFalse();
        assertThat(hint.take()).isEqualTo("*");
    }

    @Test
    void theLongestIdFits() {
        hint.add("\uD83D\uDE00".repeat(255), Long.MAX_VALUE);

        assertThat(hint.take()).endsWith(":" + Long.MAX_VALUE).hasSizeLessThan(8_000);
    }
}
