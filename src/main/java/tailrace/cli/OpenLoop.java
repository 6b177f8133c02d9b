package tailrace.cli;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;

/**
 * Sends requests at the times a schedule sets, whether or not the server keeps up: request i is due at start + i /
 * rate, and its latency counts from then, so a stall is felt by every request that was due during it (a generator that
 * waits for answers would send less and see nothing: coordinated omission). Workers block, one a connection; requests
 * that find none free wait in the schedule, which is arithmetic and costs no memory. With a rate of 0 each worker sends
 * as fast as it is answered, and latency counts from the send: the saturation of a closed loop.
 */
final class OpenLoop {
    /** Two digits would do; three cost 40 KB a worker. */
    private static final int SIGNIFICANT_DIGITS = 3;

    /**
     * What is answered so soon after the end of a schedule was on its way; what comes later was backlog, and counts as
     * time the run took.
     */
    private static final long ON_ITS_WAY_NANOS = Duration.ofSeconds(1).toNanos();

    private static final long MAX_LATENCY_MICROS = Duration.ofHours(1).toNanos() / 1_000;
    /** A server that refuses at once would be hammered by a closed loop. */
    private static final long REFUSED_PAUSE_NANOS = Duration.ofMillis(50).toNanos();

    private final Plan plan;
    private final Ticker ticker;
    private final long startNanos;
    private final LongAdder acknowledged = new LongAdder();

    /**
     * @param requestsPerSecond 0 for a closed loop
     * @param workers threads, each with its own sender
     * @param warmUp sent but not measured
     * @param duration measured
     * @param grace how long after the end requests that were due are still sent
     */
    record Plan(double requestsPerSecond, int workers, Duration warmUp, Duration duration, Duration grace) {
        boolean closed() {
            return requestsPerSecond == 0;
        }
    }

    /** Time, so that a test can run a minute in no time. */
    interface Ticker {
        long nanos();

        void sleepUntil(long nanos) throws InterruptedException;
    }

    /** The machine's monotonic clock. */
    static final Ticker SYSTEM = new Ticker() {
        @Override
        public long nanos() {
            return System.nanoTime();
        }

        @Override
        public void sleepUntil(long nanos) throws InterruptedException {
            for (long left = nanos - System.nanoTime(); left > 0; left = nanos - System.nanoTime()) {
                LockSupport.parkNanos(left);
                if (Thread.interrupted()) {
                    throw new InterruptedException();
                }
            }
        }
    };

    /** What a worker does with its turn. Belongs to that worker's thread. */
    interface Sender extends AutoCloseable {
        /**
         * Sends request {@code number} and waits for its end. It never throws: what went wrong is in the outcome.
         *
         * @param dueNanos when it should have been sent, on the ticker's clock
         */
        Outcome send(long number, long dueNanos);

        @Override
        void close();
    }

    /**
     * How a request ended.
     *
     * @param entries acknowledged
     */
    record Outcome(Kind kind, int entries) {
        static final Outcome REFUSED = new Outcome(Kind.REFUSED, 0);
        static final Outcome FAILED = new Outcome(Kind.FAILED, 0);

        static Outcome acknowledged(int entries) {
            return new Outcome(Kind.ACKNOWLEDGED, entries);
        }
    }

    /** REFUSED: the server said it took nothing. FAILED: it is not known what it did, or it made no sense. */
    enum Kind {
        ACKNOWLEDGED,
        REFUSED,
        FAILED
    }

    /**
     * What was measured, without the warm-up.
     *
     * @param latencyMicros of acknowledged requests
     * @param entries acknowledged
     * @param unsent due, but the grace was over
     * @param seconds from the start of measuring to its end, or longer if answers came late
     */
    record Result(
            Histogram latencyMicros,
            long acknowledged,
            long entries,
            long refused,
            long failed,
            long unsent,
            double seconds) {
        double entriesPerSecond() {
            return entries / seconds;
        }

        double requestsPerSecond() {
            return acknowledged / seconds;
        }
    }

    OpenLoop(Plan plan, Ticker ticker) {
        this.plan = plan;
        this.ticker = ticker;
        this.startNanos = ticker.nanos();
    }

    /** When request {@code number} is due, on the ticker's clock. */
    long dueNanos(long number) {
        return startNanos + (long) (number * (1e9 / plan.requestsPerSecond()));
    }

    /** When measuring begins, on the ticker's clock. */
    long measureNanos() {
        return startNanos + plan.warmUp().toNanos();
    }

    /** When the last request is due, on the ticker's clock. */
    long endNanos() {
        return measureNanos() + plan.duration().toNanos();
    }

    /** Entries acknowledged so far, warm-up included; for progress, from any thread. */
    long acknowledgedSoFar() {
        return acknowledged.sum();
    }

    /**
     * Runs to the end, at most warm-up + duration + grace + one request's own timeout.
     *
     * @param senders one a worker; each is closed by its worker
     * @throws InterruptedException if the calling thread is interrupted; the workers are then stopped
     */
    Result run(List<? extends Sender> senders) throws InterruptedException {
        AtomicLong tickets = new AtomicLong();
        ExecutorService pool = Executors.newFixedThreadPool(senders.size(), task -> {
            Thread thread = new Thread(task, "bench-sender");
            thread.setDaemon(true);
            return thread;
        });
        try {
            List<Callable<Tally>> workers = new ArrayList<>();
            for (Sender sender : senders) {
                workers.add(() -> {
                    try (sender) {
                        return work(sender, tickets);
                    }
                });
            }
            List<Tally> tallies = new ArrayList<>();
            for (Future<Tally> worker : pool.invokeAll(workers)) {
                tallies.add(worker.get());
            }
            return merge(tallies);
        } catch (ExecutionException e) {
            throw new IllegalStateException("a load generator's worker failed", e.getCause());
        } finally {
            pool.shutdownNow();
        }
    }

    private Tally work(Sender sender, AtomicLong tickets) throws InterruptedException {
        Tally tally = new Tally();
        long deadline = endNanos() + plan.grace().toNanos();
        while (true) {
            long number = tickets.getAndIncrement();
            long due = plan.closed() ? ticker.nanos() : dueNanos(number);
            if (due >= endNanos()) {
                return tally;
            }
            ticker.sleepUntil(due);
            if (ticker.nanos() > deadline) {
                tally.unsent++;
                continue; // only counts what is left of the schedule
            }
            Outcome outcome = sender.send(number, due);
            acknowledged.add(outcome.entries());
            long now = ticker.nanos();
            if (due >= measureNanos()) {
                tally.add(outcome, now, due);
            }
            if (plan.closed() && outcome.kind() != Kind.ACKNOWLEDGED) {
                ticker.sleepUntil(now + REFUSED_PAUSE_NANOS);
            }
        }
    }

    private Result merge(List<Tally> tallies) {
        Tally all = new Tally();
        long last = endNanos();
        for (Tally tally : tallies) {
            all.latencyMicros.add(tally.latencyMicros);
            all.acknowledged += tally.acknowledged;
            all.entries += tally.entries;
            all.refused += tally.refused;
            all.failed += tally.failed;
            all.unsent += tally.unsent;
            last = Math.max(last, tally.lastNanos);
        }
        long tail = plan.closed() ? 0 : ON_ITS_WAY_NANOS;
        double seconds = (Math.max(endNanos(), last - tail) - measureNanos()) / 1e9;
        return new Result(
                all.latencyMicros, all.acknowledged, all.entries, all.refused, all.failed, all.unsent, seconds);
    }

    /** A histogram of microseconds, up to an hour. */
    static Histogram histogram() {
        return new Histogram(MAX_LATENCY_MICROS, SIGNIFICANT_DIGITS);
    }

    /** Records a latency; what is longer than the histogram holds counts as its maximum. */
    static void record(Histogram histogram, long micros) {
        histogram.recordValue(Math.min(Math.max(micros, 0), MAX_LATENCY_MICROS));
    }

    /** One worker's counters; read by others only after it ended. */
    private static final class Tally {
        private final Histogram latencyMicros = histogram();
        private long acknowledged;
        private long entries;
        private long refused;
        private long failed;
        private long unsent;
        private long lastNanos = Long.MIN_VALUE;

        void add(Outcome outcome, long nowNanos, long dueNanos) {
            switch (outcome.kind()) {
                case ACKNOWLEDGED -> {
                    acknowledged++;
                    entries += outcome.entries();
                    record(latencyMicros, (nowNanos - dueNanos) / 1_000);
                    lastNanos = Math.max(lastNanos, nowNanos);
                }
                case REFUSED -> refused++;
                case FAILED -> failed++;
            }
        }
    }
}
