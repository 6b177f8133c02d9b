package tailrace.live;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import tailrace.live.NamedToken.Position;

class WorkflowTokenTest {
    @Test
    void saysTheSameAgain() {
        var members = new LinkedHashMap<Long, Position>();
        members.put(WorkflowToken.hash("e1"), new Position(0, false));
        members.put(WorkflowToken.hash("e2"), new Position(1_000_000_007L, true));
        var token = new WorkflowToken(1_767_225_600_000L, 0, members);
        assertThat(WorkflowToken.parse(token.encode("w"), "w")).contains(token);
        assertThat(WorkflowToken.parse(token.encode("w"), "v"))
                .as("of another workflow")
                .isEmpty();
    }

    @Test
    void asManyMembersAsThereMayBeFitIntoFourKibibytes() {
        var members = new LinkedHashMap<Long, Position>();
        for (int i = 0; i < WorkflowToken.MAX_MEMBERS; i++) {
            // After a quarter of a million lost journals.
            members.put(WorkflowToken.hash("execution-" + i), new Position((1L << 47) - 1 - i, i % 2 == 0));
        }
        var token = new WorkflowToken(1_767_225_600_000L, 1_767_225_600_000L, members);
        assertThat(token.encode("w").length()).isLessThan(4_096);
        assertThat(WorkflowToken.parse(token.encode("w"), "w")).contains(token);
    }

    @Test
    void nonsenseIsNone() {
        var random = new Random(3);
        String good = new WorkflowToken(1, 2, Map.of(WorkflowToken.hash("e"), new Position(3, false))).encode("w");
        for (int i = 0; i < good.length(); i++) {
            assertThat(WorkflowToken.parse(good.substring(0, i), "w").map(token -> token.encode("w")))
                    .as("cut after %s", i)
                    .isNotEqualTo(java.util.Optional.of(good));
        }
        for (int i = 0; i < 1_000; i++) {
            byte[] bytes = new byte[random.nextInt(40)];
            random.nextBytes(bytes);
            String text =
                    "w." + java.util.Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
            assertThat(WorkflowToken.parse(text, "w")).as(text).isEmpty();
        }
    }
}
