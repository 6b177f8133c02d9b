package tailrace.journal;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import tailrace.bus.BusMessage;
import tailrace.config.TailraceConfig;
import tailrace.config.TailraceConfig.Backpressure.Strategy;
import tailrace.degradation.Shedder;
import tailrace.degradation.Standing;
import tailrace.degradation.Standing.Cause;
import tailrace.metrics.Metrics;
import tailrace.model.ExecutionUpdate;
import tailrace.model.IngestAnswer;
import tailrace.model.IngestBatch;

/** A journal on real files with its thread, at a time of the test's choice. */
final class OpenJournal implements AutoCloseable {
    static final TailraceConfig.Journal CONFIG =
            new TailraceConfig.Journal(10L << 30, true, 64L << 20, 16L << 20, 1L << 20);

    final RocksJournal journal;
    final CommitLoop loop;
    final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    /** What the journal thread believes of the server. */
    final AtomicReference<Standing> standing = new AtomicReference<>(
            new Standing(Standing.NORMAL, List.of(), 0, Cause.JOURNAL_BACKLOG, Optional.empty(), true));

    final Clock clock;
    private final AtomicLong nowMicros = new AtomicLong(Batches.NOW);

    OpenJournal(Path directory) {
        this(directory, CONFIG, commit -> {});
    }

    OpenJournal(Path directory, TailraceConfig.Journal config, Consumer<BusMessage.Appended> committed) {
        this(directory, config, config.maxBytes(), Strategy.DROP_DEBUG_FIRST, committed);
    }

    /** @param sizedFor the bound that its buffers fit, though it may become larger */
    OpenJournal(Path directory, TailraceConfig.Journal config, long sizedFor, Consumer<BusMessage.Appended> committed) {
        this(directory, config, sizedFor, Strategy.DROP_DEBUG_FIRST, committed);
    }

    OpenJournal(
            Path directory, TailraceConfig.Journal config, Strategy strategy, Consumer<BusMessage.Appended> committed) {
        this(directory, config, config.maxBytes(), strategy, committed);
    }

    private OpenJournal(
            Path directory,
            TailraceConfig.Journal config,
            long sizedFor,
            Strategy strategy,
            Consumer<BusMessage.Appended> committed) {
        journal = RocksJournal.open(directory, config.sync(), sizedFor);
        clock = new Clock() {
            @Override
            public java.time.ZoneId getZone() {
                return ZoneOffset.UTC;
            }

            @Override
            public Clock withZone(java.time.ZoneId zone) {
                return this;
            }

            @Override
            public Instant instant() {
                return Instant.EPOCH.plusNanos(TimeUnit.MICROSECONDS.toNanos(nowMicros.get()));
            }
        };
        var shedder = new Shedder(strategy, standing::get, clock);
        loop = new CommitLoop(journal, config, Duration.ofDays(1), clock, new Metrics(meters), shedder, committed)
                .start();
    }

    void level(int level, double pressure) {
        standing.set(new Standing(level, List.of(), pressure, Cause.JOURNAL_BACKLOG, Optional.empty(), true));
    }

    long nowMicros() {
        return nowMicros.get();
    }

    /** A trimmer with one reader of the journal, who is wherever the test says. */
    Trimmer trimmer(AtomicLong passed, long maxBytes) {
        var cursors = new Cursors();
        cursors.add("test", passed::get);
        return new Trimmer(
                journal,
                loop,
                cursors,
                new TailraceConfig.Journal(maxBytes, true, 64L << 20, 16L << 20, 1L << 20),
                new TailraceConfig.Retention(10, Duration.ofDays(1), Duration.ofHours(1), 30, Optional.empty()),
                clock,
                new Metrics(meters));
    }

    void after(Duration passed) {
        nowMicros.addAndGet(TimeUnit.NANOSECONDS.toMicros(passed.toNanos()));
    }

    IngestAnswer append(IngestBatch batch) {
        return get(loop.append(batch)).answer();
    }

    BusMessage.Updated update(ExecutionUpdate update) {
        return get(loop.update(update));
    }

    /** The answer; what it failed with is thrown. */
    static <T> T get(CompletableFuture<T> answer) {
        try {
            return answer.get(30, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException failure) {
                throw failure;
            }
            throw new IllegalStateException(e.getCause());
        } catch (InterruptedException | TimeoutException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        loop.close();
        journal.close();
    }
}
