package tailrace.security;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class SessionsTest {
    private static final long NOW = 1_800_000_000L;

    private final MovableClock clock = new MovableClock(Instant.ofEpochSecond(NOW));
    private final Sessions sessions = new Sessions(clock);

    private static Principal principal(String subject, long secondsLeft) {
        return new Principal(subject, false, NOW + secondsLeft);
    }

    @Test
    void aSessionEndsWithItsTokenOrWhenItIsEnded() {
        Principal ann = principal("ann", 100);
        String session = sessions.open(ann).orElseThrow();
        assertThat(session).matches("[\\w-]{43}");
        assertThat(sessions.find(session)).contains(ann);
        assertThat(sessions.secondsLeft(ann)).isEqualTo(100);
        clock.set(NOW + 99);
        assertThat(sessions.find(session)).contains(ann);
        clock.set(NOW + 100);
        assertThat(sessions.find(session)).isEmpty();

        String other = sessions.open(principal("ann", 200)).orElseThrow();
        sessions.end(other);
        assertThat(sessions.find(other)).isEmpty();
    }

    @Test
    void aTicketIsGoodOnceAndForAMinuteAndIsNoSession() {
        Principal ann = principal("ann", 1_000);
        String ticket = sessions.ticket(ann).orElseThrow();
        assertThat(sessions.find(ticket)).isEmpty();
        assertThat(sessions.redeem(ticket)).contains(ann);
        assertThat(sessions.redeem(ticket)).isEmpty();
        assertThat(sessions.redeem(sessions.open(ann).orElseThrow())).isEmpty();

        String late = sessions.ticket(ann).orElseThrow();
        clock.set(NOW + 60);
        assertThat(sessions.redeem(late)).isEmpty();
        String shortLived = sessions.ticket(principal("ann", 61)).orElseThrow();
        clock.set(NOW + 61);
        assertThat(sessions.redeem(shortLived))
                .as("never longer than its token")
                .isEmpty();
    }

    @Test
    void whatNobodyGaveIsNothing() {
        for (String text : List.of("", "x", "a".repeat(43), "a".repeat(100_000), "\u0000".repeat(43))) {
            assertThat(sessions.find(text)).isEmpty();
            assertThat(sessions.redeem(text)).isEmpty();
        }
    }

    @Test
    void oneMoreSessionEndsOnesOwnOldestAndNobodyElses() {
        String bobs = sessions.open(principal("bob", 100)).orElseThrow();
        List<String> anns = new ArrayList<>();
        for (int i = 0; i <= Sessions.MAX_SESSIONS_EACH; i++) {
            anns.add(sessions.open(principal("ann", 100 + i)).orElseThrow());
        }
        assertThat(new HashSet<>(anns)).hasSameSizeAs(anns);
        assertThat(sessions.find(anns.get(0))).isEmpty();
        assertThat(sessions.find(anns.get(1))).isPresent();
        assertThat(sessions.find(bobs)).isPresent();
    }

    @Test
    void ticketsOfOneAreLimitedUntilTheyEnd() {
        Principal ann = principal("ann", 1_000);
        for (int i = 0; i < Sessions.MAX_TICKETS_EACH; i++) {
            assertThat(sessions.tooManyTickets(ann)).isFalse();
            sessions.ticket(ann);
        }
        assertThat(sessions.tooManyTickets(ann)).isTrue();
        assertThat(sessions.tooManyTickets(new Principal("ann", true, NOW + 1_000)))
                .isFalse();
        clock.set(NOW + 60);
        assertThat(sessions.tooManyTickets(ann)).isFalse();
    }

    @Test
    void allTogetherAreLimitedAndRoomComesBack() {
        for (int i = 0; i < Sessions.MAX_SESSIONS; i++) {
            assertThat(sessions.open(principal("p" + i / 10, 10 + i % 10))).isPresent();
        }
        assertThat(sessions.open(principal("late", 100))).isEqualTo(Optional.empty());
        clock.set(NOW + 10);
        assertThat(sessions.open(principal("late", 100))).isPresent();
    }
}
