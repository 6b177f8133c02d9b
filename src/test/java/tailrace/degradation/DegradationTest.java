package tailrace.degradation;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;
import tailrace.bus.BusMessage.LevelChanged;
import tailrace.bus.BusMessage.WriterState;
import tailrace.config.TailraceConfig;
import tailrace.config.TailraceConfig.Backpressure.Strategy;
import tailrace.metrics.Metrics;

/** What a change of level says to whom. */
class DegradationTest {
    private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    private final Degradation degradation = new Degradation(
            new TailraceConfig.Backpressure(Strategy.DROP_DEBUG_FIRST, 80),
            new TailraceConfig.Journal(1_000, true, 100, 100, 0),
            new Metrics(meters));
    private final ListAppender<ILoggingEvent> lines = new ListAppender<>();
    private final Logger log = (Logger) LoggerFactory.getLogger(Degradation.class);
    private long now = System.nanoTime();

    @BeforeEach
    void listen() {
        lines.start();
        log.setLevel(Level.INFO);
        log.addAppender(lines);
    }

    @AfterEach
    void deaf() {
        log.detachAppender(lines);
        log.setLevel(null);
    }

    private Optional<LevelChanged> sample(boolean database, long needed) {
        now += Duration.ofMillis(500).toNanos();
        return degradation.update(
                new Sample(new WriterState(database, true, database ? "" : "refused"), Optional.empty(), needed, 0),
                now);
    }

    @Test
    void eachChangeIsOneLineThatSaysFromToWhyAndWhatFollows() {
        assertThat(sample(true, 0)).isEmpty();
        assertThat(lines.list).isEmpty();

        assertThat(sample(false, 0).orElseThrow().to()).isEqualTo(2);
        for (int i = 0; i < 5; i++) {
            assertThat(sample(false, 0)).isEmpty();
        }
        assertThat(sample(false, 850).orElseThrow().to()).isEqualTo(4);
        var changes = new ArrayList<LevelChanged>();
        for (int i = 0; i < 5; i++) {
            sample(true, 0).ifPresent(changes::add);
        }

        assertThat(changes).containsExactly(new LevelChanged(4, 1, List.of()));
        assertThat(lines.list).hasSize(3);
        assertThat(lines.list.get(0).getLevel()).isEqualTo(Level.WARN);
        assertThat(lines.list.get(0).getFormattedMessage())
                .isEqualTo("Degradation level 1 -> 2: refused. Entries are taken and shown live; the journal holds them"
                        + " until PostgreSQL is back, and coverage says which older ones cannot be read.");
        assertThat(lines.list.get(1).getLevel()).isEqualTo(Level.WARN);
        assertThat(lines.list.get(1).getFormattedMessage())
                .startsWith("Degradation level 2 -> 4: refused; what PostgreSQL or Redis still need takes 85 %")
                .contains("shed (drop_debug_first)");
        assertThat(lines.list.get(2).getLevel()).isEqualTo(Level.INFO);
        assertThat(lines.list.get(2).getFormattedMessage())
                .isEqualTo("Degradation level 4 -> 1: all is well again. Everything is taken, shown and kept.");
    }

    @Test
    void theLevelAndTheTimeInItAreMetrics() {
        sample(true, 0);
        sample(false, 0);
        sample(false, 0);
        sample(false, 0);
        assertThat(meters.get("tailrace.degradation.level").gauge().value()).isEqualTo(2);
        assertThat(meters.get("tailrace.degradation.seconds")
                        .tag("level", "2")
                        .counter()
                        .count())
                .isBetween(0.99, 1.01);
    }

    @Test
    void whereSendersAreTurnedAwayNothingIsSaidToBeShed() {
        var breaking = new Degradation(
                new TailraceConfig.Backpressure(Strategy.CIRCUIT_BREAK_SOURCES, 80),
                new TailraceConfig.Journal(1_000, true, 100, 100, 0),
                new Metrics(new SimpleMeterRegistry()));
        breaking.update(new Sample(new WriterState(true, true, ""), Optional.empty(), 900, 0), System.nanoTime());
        assertThat(lines.list).singleElement().satisfies(line -> assertThat(line.getFormattedMessage())
                .contains("429 (circuit_break_sources)")
                .contains("Nothing is shed"));
    }
}
