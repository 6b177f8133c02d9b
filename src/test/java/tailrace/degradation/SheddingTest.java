package tailrace.degradation;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import tailrace.config.TailraceConfig.Backpressure.Strategy;
import tailrace.degradation.Standing.Cause;
import tailrace.model.EntryCodec;
import tailrace.model.EntryFields;
import tailrace.model.EventType;
import tailrace.model.Level;
import tailrace.model.LogEntry;

/** What each strategy gives up, and what none does. */
class SheddingTest {
    private static final long SECOND = TimeUnit.SECONDS.toMicros(1);
    private long now = 1_772_366_400_000_000L;

    @Test
    void debugGoesFirstThenInfoThenAllTechnical() {
        var strategy = new DropDebugFirst();
        assertThat(shed(strategy, Level.DEBUG, 0)).isTrue();
        assertThat(shed(strategy, Level.INFO, 0.49)).isFalse();
        assertThat(shed(strategy, Level.INFO, 0.5)).isTrue();
        assertThat(shed(strategy, Level.WARNING, 0.89)).isFalse();
        assertThat(shed(strategy, Level.WARNING, 0.9)).isTrue();
    }

    private boolean shed(Shedding strategy, Level level, double pressure) {
        return strategy.sheds("e", null, level, pressure, now);
    }

    /** Of so many entries of each execution in turn, how many were kept. */
    private int[] kept(Shedding strategy, double pressure, int rounds, int[] entriesARound, boolean byWorkflow) {
        int[] kept = new int[entriesARound.length];
        for (int round = 0; round < rounds; round++) {
            for (int i = 0; i < entriesARound.length; i++) {
                for (int n = 0; n < entriesARound[i]; n++) {
                    String execution = byWorkflow ? "e" + i + "/" + round : "e" + i;
                    @Nullable String workflow = byWorkflow && i > 0 ? "w" + i : null;
                    if (!strategy.sheds(execution, workflow, Level.INFO, pressure, now)) {
                        kept[i]++;
                    }
                }
            }
            now += SECOND / 100;
        }
        return kept;
    }

    @Test
    void executionsFarAboveTheMiddleAreSampledAndTheOthersKeepAll() {
        int[] mild = kept(new SampleHighVolume(), 0, 500, new int[] {100, 2, 1, 2}, false);
        assertThat(mild[0]).isBetween(24_000, 27_000); // one in two, but for the beginning
        assertThat(mild[1]).isEqualTo(1_000);
        assertThat(mild[2]).isEqualTo(500);
        assertThat(mild[3]).isEqualTo(1_000);

        int[] hard = kept(new SampleHighVolume(), 0.8, 500, new int[] {100, 2, 1, 2}, false);
        assertThat(hard[0]).isLessThan(3_500);
        assertThat(hard[1]).isEqualTo(1_000);
    }

    @Test
    void oneExecutionAloneIsSampledToo() {
        assertThat(kept(new SampleHighVolume(), 0, 100, new int[] {100}, false)[0])
                .isBetween(5_000, 6_000);
    }

    @Test
    void executionsThatAreAlikeAreSampledWhenItIsAlmostFullOnly() {
        assertThat(kept(new SampleHighVolume(), 0.8, 100, new int[] {20, 20, 20}, false))
                .containsOnly(2_000);
        for (int left : kept(new SampleHighVolume(), 0.95, 100, new int[] {20, 20, 20}, false)) {
            assertThat(left).isLessThan(100).isPositive();
        }
    }

    @Test
    void workflowsThatSendMostAreShedLargestFirst() {
        int[] mild = kept(new ShedLoadByWorkflow(), 0, 200, new int[] {5, 100, 60, 5}, true);
        assertThat(mild[1]).isLessThan(1_000);
        assertThat(mild[2]).isEqualTo(12_000);
        assertThat(mild[0]).isEqualTo(1_000); // those without a workflow
        int[] hard = kept(new ShedLoadByWorkflow(), 0.8, 200, new int[] {5, 100, 60, 5}, true);
        assertThat(hard[1]).isLessThan(1_000);
        assertThat(hard[2]).isLessThan(1_000);
        assertThat(hard[3]).isEqualTo(1_000);
        assertThat(kept(new ShedLoadByWorkflow(), 0.95, 1, new int[] {1, 1}, true))
                .containsOnly(0);
    }

    @Test
    void whatBelongsToNoWorkflowCountsAsOne() {
        int[] kept = kept(new ShedLoadByWorkflow(), 0, 200, new int[] {100, 5, 5}, true);
        assertThat(kept[0]).isLessThan(1_000);
        assertThat(kept[1]).isEqualTo(1_000);
    }

    @Test
    void theNoisiestSenderIsTurnedAwayForAWhileAndTheOthersPass() {
        var strategy = new CircuitBreakSources();
        for (int i = 0; i < 20; i++) {
            strategy.sent("noisy", 500, now);
            strategy.sent("quiet", 5, now);
            strategy.sent("other", 20, now);
            now += SECOND / 20;
        }
        OptionalInt refused = strategy.refusal("noisy", 0, now);
        assertThat(refused).hasValue(1);
        assertThat(strategy.refusal("quiet", 0, now)).isEmpty();
        assertThat(strategy.refusal("other", 0, now)).isEmpty();
        assertThat(strategy.refusal("unknown", 0, now)).isEmpty();
        assertThat(strategy.refusal("noisy", 0, now + SECOND / 2)).hasValue(1);

        // It is let in again, until it is too much again
        now += SECOND;
        assertThat(strategy.refusal("noisy", 0, now)).isEmpty();
        now += SECOND;
        strategy.sent("noisy", 5_000, now);
        assertThat(strategy.refusal("noisy", 1, now)).hasValue(10);
    }

    @Test
    void noEntryIsShedWhereSendersAreTurnedAway() {
        var strategy = new CircuitBreakSources();
        assertThat(strategy.sheds("e", "w", Level.DEBUG, 1, now)).isFalse();
    }

    @Test
    void aSenderThatSendsLittleIsNeverNoisy() {
        var strategy = new CircuitBreakSources();
        strategy.sent("alone", 50, now);
        assertThat(strategy.refusal("alone", 1, now)).isEmpty();
    }

    @Property(tries = 500)
    void noUserFriendlyEntryIsEverShedAndNothingBelowLevelFour(
            @ForAll Strategy strategy,
            @ForAll Level level,
            @ForAll EventType type,
            @ForAll boolean milestone,
            @ForAll boolean message,
            @ForAll @DoubleRange(min = 0, max = 1) double pressure) {
        var fields = new EntryFields();
        fields.id = new UUID(1, 2);
        fields.message = "m";
        fields.level = level;
        fields.eventType = type;
        fields.milestone = milestone;
        fields.userFriendlyMessage = message ? "for people" : null;
        var entry = new LogEntry(0, new EntryCodec().encode(fields));
        var shedder =
                new Shedder(strategy, () -> Standing.UNKNOWN, Clock.fixed(Instant.ofEpochSecond(1), ZoneOffset.UTC));
        var four = new Standing(4, List.of(), pressure, Cause.JOURNAL_BACKLOG, Optional.empty(), true);
        var one = new Standing(1, List.of(), 0, Cause.JOURNAL_BACKLOG, Optional.empty(), true);
        for (int i = 0; i < 1_000; i++) {
            boolean shed = shedder.sheds(four, "e", "w", entry, now);
            assertThat(shed && entry.userFriendly()).isFalse();
            assertThat(shedder.sheds(one, "e", "w", entry, now)).isFalse();
        }
    }

    @Test
    void namesBeyondTheLimitAreNotHeldAndWhoSendsMuchIsKnownSoon() {
        var shares = new Shares();
        for (int i = 0; i < 5_000; i++) {
            shares.add("n" + i, 1, now);
        }
        assertThat(shares.size()).isEqualTo(Shares.MAX_NAMES);
        now += SECOND;
        for (int i = 0; i < 5_000; i++) {
            shares.add("late", 1, now);
        }
        assertThat(shares.size()).isLessThanOrEqualTo(Shares.MAX_NAMES);
        assertThat(shares.largest(1.25, 200, 0.3)).containsExactly("late");
        // Half is forgotten every half-life, and at last everything
        double before = shares.total();
        shares.decay(now + Shares.HALF_LIFE_MICROS);
        assertThat(shares.total()).isBetween(0.49 * before, 0.51 * before);
        shares.decay(now + 100 * Shares.HALF_LIFE_MICROS);
        assertThat(shares.size()).isZero();
        assertThat(shares.total()).isZero();
    }

    @Test
    void aClockThatIsPutBackIsSurvived() {
        var shares = new Shares();
        shares.add("a", 100, now);
        shares.add("a", 100, now - 3_600 * SECOND);
        shares.decay(now - 3_600 * SECOND + Shares.HALF_LIFE_MICROS);
        assertThat(shares.total()).isBetween(99.0, 101.0);
    }
}
