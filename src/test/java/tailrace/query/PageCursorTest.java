package tailrace.query;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PageCursorTest {
    @Test
    void isReadBackForItsExecutionOnly() {
        var cursor = new PageCursor(true, 1_000_000_007L);
        assertThat(PageCursor.decode(cursor.encode("e1"), "e1")).hasValue(cursor);
        assertThat(PageCursor.decode(cursor.encode("e1"), "e2")).isEmpty();
        assertThat(cursor.encode("e1")).matches("[A-Za-z0-9_-]+");
    }

    @Test
    void nonsenseIsNoCursor() {
        for (String text : new String[] {"", "x", "====", "AAAA", "é", "A".repeat(10_000)}) {
            assertThat(PageCursor.decode(text, "e1")).isEmpty();
        }
    }
}
