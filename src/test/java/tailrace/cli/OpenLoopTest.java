package tailrace.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Pacing on a clock of the test's own, with one worker: a minute takes no time, and figures are exact. */
class OpenLoopTest {
    private final FakeTicker ticker = new FakeTicker();

    private static final class FakeTicker implements OpenLoop.Ticker {
        private long now = 5_000_000_000L;

        @Override
        public long nanos() {
            return now;
        }

        @Override
        public void sleepUntil(long nanos) {
            now = Math.max(now, nanos);
        }
    }

    /** Answers after a time that depends on the request's number. */
    private final class Server implements OpenLoop.Sender {
        private final java.util.function.LongUnaryOperator millis;
        private final List<Long> dues = new ArrayList<>();
        private boolean closed;

        Server(java.util.function.LongUnaryOperator millis) {
            this.millis = millis;
        }

        @Override
        public OpenLoop.Outcome send(long number, long dueNanos) {
            dues.add(dueNanos);
            ticker.now += millis.applyAsLong(number) * 1_000_000L;
            return OpenLoop.Outcome.acknowledged(100);
        }

        @Override
        public void close() {
            closed = true;
        }
    }

    private OpenLoop loop(double requestsPerSecond, int warmUpSeconds, int seconds, int graceSeconds) {
        return new OpenLoop(
                new OpenLoop.Plan(
                        requestsPerSecond,
                        1,
                        Duration.ofSeconds(warmUpSeconds),
                        Duration.ofSeconds(seconds),
                        Duration.ofSeconds(graceSeconds)),
                ticker);
    }

    @Test
    void sendsAtTheTimesOfTheSchedule() throws Exception {
        OpenLoop loop = loop(100, 1, 10, 5);
        Server server = new Server(number -> 2);

        OpenLoop.Result result = loop.run(List.of(server));

        assertThat(server.dues).hasSize(1_100).startsWith(5_000_000_000L, 5_010_000_000L, 5_020_000_000L);
        assertThat(result.acknowledged()).as("without the warm-up").isEqualTo(1_000);
        assertThat(result.entriesPerSecond()).isCloseTo(10_000, within(1.0));
        assertThat(result.latencyMicros().getMaxValue()).isCloseTo(2_000, within(2L));
        assertThat(loop.acknowledgedSoFar()).isEqualTo(110_000);
        assertThat(server.closed).isTrue();
    }

    @Test
    void aStallIsFeltByEveryRequestThatWasDueDuringIt() throws Exception {
        // One stall of a second in ten: a tenth of all requests were due in it, and waited half a second on average.
        OpenLoop.Result open = loop(100, 0, 10, 5).run(List.of(new Server(number -> number == 500 ? 1_000 : 1)));

        assertThat(open.acknowledged()).isEqualTo(1_000);
        assertThat(open.latencyMicros().getValueAtPercentile(50)).isLessThan(2_000);
        assertThat(open.latencyMicros().getValueAtPercentile(95)).isGreaterThan(400_000);
        assertThat(open.latencyMicros().getValueAtPercentile(99)).isGreaterThan(850_000);
    }

    @Test
    void aClosedLoopWouldHaveHiddenIt() throws Exception {
        OpenLoop.Result closed = loop(0, 0, 10, 5).run(List.of(new Server(number -> number == 500 ? 1_000 : 1)));

        assertThat(closed.acknowledged()).isCloseTo(9_000, within(10L));
        assertThat(closed.latencyMicros().getValueAtPercentile(99)).isLessThan(2_000);
        assertThat(closed.latencyMicros().getMaxValue()).isCloseTo(1_000_000, within(1_000L));
    }

    @Test
    void aServerThatCannotKeepUpMissesTheRateAndTheRunStillEnds() throws Exception {
        OpenLoop.Result result = loop(100, 0, 10, 5).run(List.of(new Server(number -> 30)));

        assertThat(result.entriesPerSecond()).isBetween(3_500.0, 3_600.0);
        assertThat(result.seconds()).isCloseTo(14, within(0.1)); // ten, and five of grace less one
        assertThat(result.unsent()).as("due, but never sent").isEqualTo(1_000 - result.acknowledged());
    }

    @Test
    void refusalsAndFailuresAreCountedAndHaveNoLatency() throws Exception {
        OpenLoop.Sender sender = new OpenLoop.Sender() {
            @Override
            public OpenLoop.Outcome send(long number, long dueNanos) {
                return number % 4 == 0
                        ? OpenLoop.Outcome.REFUSED
                        : number % 4 == 1 ? OpenLoop.Outcome.FAILED : OpenLoop.Outcome.acknowledged(1);
            }

            @Override
            public void close() {}
        };

        OpenLoop.Result result = loop(100, 0, 1, 1).run(List.of(sender));

        assertThat(result.refused()).isEqualTo(25);
        assertThat(result.failed()).isEqualTo(25);
        assertThat(result.acknowledged()).isEqualTo(50);
        assertThat(result.latencyMicros().getTotalCount()).isEqualTo(50);
    }

    @Test
    void aBrokenSenderFailsTheRunInsteadOfThinningIt() {
        OpenLoop.Sender sender = new OpenLoop.Sender() {
            @Override
            public OpenLoop.Outcome send(long number, long dueNanos) {
                throw new IllegalStateException("a bug");
            }

            @Override
            public void close() {}
        };

        assertThatThrownBy(() -> loop(100, 0, 1, 1).run(List.of(sender))).hasRootCauseMessage("a bug");
    }

    @Test
    void keepsItsRateOnTheRealClockWithSeveralWorkers() throws Exception {
        OpenLoop loop = new OpenLoop(
                new OpenLoop.Plan(500, 4, Duration.ZERO, Duration.ofSeconds(1), Duration.ofSeconds(1)),
                OpenLoop.SYSTEM);
        List<OpenLoop.Sender> senders = IntStream.range(0, 4)
                .<OpenLoop.Sender>mapToObj(worker -> new OpenLoop.Sender() {
                    @Override
                    public OpenLoop.Outcome send(long number, long dueNanos) {
                        assertThat(System.nanoTime()).isGreaterThanOrEqualTo(dueNanos);
                        return OpenLoop.Outcome.acknowledged(1);
                    }

                    @Override
                    public void close() {}
                })
                .toList();

        OpenLoop.Result result = loop.run(senders);

        assertThat(result.acknowledged()).isEqualTo(500);
        assertThat(result.entriesPerSecond()).isCloseTo(500, within(5.0));
    }
}
