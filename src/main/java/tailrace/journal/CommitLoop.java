package tailrace.journal;

import java.io.UncheckedIOException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.bus.BusMessage;
import tailrace.config.TailraceConfig;
import tailrace.degradation.Shedder;
import tailrace.metrics.Metrics;
import tailrace.model.ExecutionUpdate;
import tailrace.model.IngestBatch;
import tailrace.model.Timestamps;

/**
 * The journal thread: drains what waits into one group, commits it with one fsync, then answers everyone in it. While an
 * fsync runs the next group gathers by itself, so batches share fsyncs exactly when there is load.
 *
 * <p>{@link #append} and {@link #update} may be called from any thread and never wait; their futures complete on the
 * journal thread. They fail with {@link JournalUnavailableException} when nothing can be taken now, and with {@link
 * JournalFullException} when the queue is full.
 */
public final class CommitLoop implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(CommitLoop.class);

    /** Requests waiting; the queue's bound in bytes is configuration. */
    private static final int MAX_WAITING = 10_000;

    private static final Duration REOPEN_INTERVAL = Duration.ofSeconds(2);
    private static final Duration FREE_SPACE_INTERVAL = Duration.ofMillis(500);

    private final RocksJournal journal;
    private final TailraceConfig.Journal config;
    private final Clock clock;
    private final Metrics metrics;
    private final Consumer<BusMessage.Appended> committed;
    private final Sequencer sequencer;
    private final ShedLedger shed;
    private final FairQueue<Work> queue;
    private final AtomicLong queuedBytes = new AtomicLong();
    private final Thread thread = new Thread(this::run, "journal");
    private volatile boolean closing;
    private volatile @Nullable String unavailable;
    private volatile boolean recovering;
    private long freeSpaceCheckedNanos = System.nanoTime() - FREE_SPACE_INTERVAL.toNanos();

    private sealed interface Work extends FairQueue.Item {
        void fail(Throwable cause);
    }

    private record AppendWork(IngestBatch batch, Set<String> executions, CompletableFuture<BusMessage.Answer> answer)
            implements Work {
        @Override
        public long bytes() {
            return batch.bytes();
        }

        @Override
        public void fail(Throwable cause) {
            answer.completeExceptionally(cause);
        }
    }

    private record UpdateWork(ExecutionUpdate update, CompletableFuture<BusMessage.Updated> answer) implements Work {
        @Override
        public Set<String> executions() {
            return Set.of(update.executionId());
        }

        @Override
        public long bytes() {
            return 0;
        }

        @Override
        public void fail(Throwable cause) {
            answer.completeExceptionally(cause);
        }
    }

    /** Something that is neither answered nor acknowledged, to be done between two groups. */
    private record BetweenWork(Runnable change, CompletableFuture<Void> answer) implements Work {
        @Override
        public Set<String> executions() {
            return Set.of();
        }

        @Override
        public long bytes() {
            return 0;
        }

        @Override
        public void fail(Throwable cause) {
            answer.completeExceptionally(cause);
        }
    }

    /**
     * @param hotTtl how long the hot tier keeps what it has
     * @param shedder decides what is given up where more comes than can be held
     * @param committed told of each group after its fsync and before its answers, on the journal thread
     */
    public CommitLoop(
            RocksJournal journal,
            TailraceConfig.Journal config,
            Duration hotTtl,
            Clock clock,
            Metrics metrics,
            Shedder shedder,
            Consumer<BusMessage.Appended> committed) {
        this.journal = journal;
        this.config = config;
        this.clock = clock;
        this.metrics = metrics;
        this.committed = committed;
        this.queue = new FairQueue<>(MAX_WAITING, config.queueBytes());
        this.shed = new ShedLedger(journal, shedder, metrics, ShedLedger.MAX_OPEN);
        this.sequencer = new Sequencer(journal, TimeUnit.NANOSECONDS.toMicros(hotTtl.toNanos()), shed);
        metrics.gauge("tailrace.journal.queue.bytes", "Entries waiting for their commit", queuedBytes, AtomicLong::get);
        metrics.gauge("tailrace.journal.position", "Position of the last commit", journal, RocksJournal::lastPosition);
        metrics.gauge(
                "tailrace.journal.available",
                "1 while entries can be written",
                this,
                loop -> loop.unavailable().isEmpty() ? 1 : 0);
    }

    public CommitLoop start() {
        thread.start();
        return this;
    }

    /** Why nothing can be taken now, "" if all is well. */
    public String unavailable() {
        String reason = unavailable;
        return reason == null ? "" : reason;
    }

    public long queuedBytes() {
        return queuedBytes.get();
    }

    /** Entries given up under load since the start. */
    public long shedEntries() {
        return shed.total();
    }

    /** Makes a batch durable. */
    public CompletableFuture<BusMessage.Answer> append(IngestBatch batch) {
        return offer(new AppendWork(batch, batch.executions(), new CompletableFuture<>()))
                .answer();
    }

    /** Makes a change of an execution durable. */
    public CompletableFuture<BusMessage.Updated> update(ExecutionUpdate update) {
        return offer(new UpdateWork(update, new CompletableFuture<>())).answer();
    }

    /**
     * Does something on the journal thread after the group being built, so that it sees what is committed and nothing
     * else; also while no entries are taken because the journal is full. A {@link JournalUnavailableException} that it
     * throws counts as a failed write.
     */
    CompletableFuture<Void> between(Runnable change) {
        var work = new BetweenWork(change, new CompletableFuture<>());
        if (!queue.offer(work)) {
            work.fail(new JournalFullException());
        } else if ((closing || recovering) && queue.remove(work)) {
            work.fail(new JournalUnavailableException("The journal is closed, or being opened again."));
        }
        return work.answer();
    }

    private <W extends Work> W offer(W work) {
        String reason = unavailable;
        if (closing) {
            work.fail(new JournalUnavailableException("The server is stopping."));
        } else if (reason != null) {
            work.fail(new JournalUnavailableException(reason));
        } else if (queuedBytes.addAndGet(work.bytes()) > config.queueBytes() && work.bytes() < queuedBytes.get()) {
            queuedBytes.addAndGet(-work.bytes());
            work.fail(new JournalFullException());
        } else if (!queue.offer(work)) {
            queuedBytes.addAndGet(-work.bytes());
            work.fail(new JournalFullException());
        } else if (closing && queue.remove(work)) {
            work.fail(new JournalUnavailableException("The server is stopping."));
        }
        return work;
    }

    private void run() {
        var waiting = new ArrayList<Work>();
        while (!closing || !queue.isEmpty()) {
            try {
                Work first = queue.poll(200, TimeUnit.MILLISECONDS);
                checkDisk();
                if (first != null) {
                    waiting.add(first);
                }
                if (first != null || unavailable == null && sequencer.reportsDue(nowMicros())) {
                    commit(waiting);
                }
            } catch (InterruptedException e) {
                closing = true;
            } finally {
                waiting.clear();
            }
        }
    }

    /** Builds a group from the first, if there is one, and all that waits behind it, writes it, answers. */
    private void commit(List<Work> waiting) {
        var answers = new ArrayList<Runnable>();
        long began = System.nanoTime();
        try {
            if (unavailable == null) {
                sequencer.addReports(nowMicros());
            }
            for (Work first : waiting) {
                build(first, answers);
            }
            for (Work next; sequencer.bytes() < config.groupBytes() && (next = queue.poll()) != null; ) {
                waiting.add(next);
                build(next, answers);
            }
            int entries = sequencer.entries();
            long bytes = sequencer.bytes();
            List<BusMessage.Run> runs = sequencer.commit();
            if (!runs.isEmpty()) {
                metrics.journalCommit(System.nanoTime() - began, entries, bytes);
                metrics.accepted(entries);
                committed.accept(new BusMessage.Appended(journal.lastPosition(), runs));
            }
            answers.forEach(Runnable::run);
            for (Work work : waiting) {
                if (work instanceof BetweenWork between) {
                    change(between);
                }
            }
        } catch (RuntimeException e) {
            fail(waiting, e);
        } finally {
            waiting.forEach(work -> queuedBytes.addAndGet(-work.bytes()));
        }
    }

    private long nowMicros() {
        return Timestamps.micros(clock.instant());
    }

    private static void change(BetweenWork work) {
        try {
            work.change().run();
            work.answer().complete(null);
        } catch (JournalDamagedException e) {
            work.fail(e); // opening the files again would not mend it, and nobody waits for an answer
        }
    }

    private void build(Work work, List<Runnable> answers) {
        long nowMicros = nowMicros();
        if (work instanceof AppendWork append) {
            try {
                BusMessage.Answer answer = sequencer.append(append.batch(), nowMicros);
                answers.add(() -> append.answer().complete(answer));
            } catch (IdempotencyConflictException e) {
                answers.add(() -> append.fail(e));
            }
        } else if (work instanceof UpdateWork update) {
            boolean created = sequencer.update(update.update());
            String executionId = update.update().executionId();
            answers.add(() -> update.answer()
                    .complete(new BusMessage.Updated(
                            journal.execution(executionId).orElseThrow(), created)));
        }
    }

    /** Nobody in the group gets a 202. Whether the disk has it nobody knows, so memory is read from the disk anew. */
    private void fail(List<Work> waiting, RuntimeException cause) {
        LOG.error(
                "A group of {} requests could not be committed; nothing of it is acknowledged.", waiting.size(), cause);
        metrics.journalFailed();
        var refused = new JournalUnavailableException(
                "The journal could not be written (" + cause.getMessage()
                        + "). Nothing was acknowledged; send it again.",
                cause);
        unavailable = refused.getMessage();
        recovering = true;
        waiting.forEach(work -> work.fail(refused));
        for (Work next; (next = queue.poll()) != null; ) {
            queuedBytes.addAndGet(-next.bytes());
            next.fail(refused);
        }
        recover();
    }

    private void recover() {
        while (!closing) {
            try {
                journal.reopen();
                journal.probe();
                sequencer.recovered();
                unavailable = null;
                recovering = false;
                LOG.info("The journal was opened again at position {}.", journal.lastPosition());
                return;
            } catch (RuntimeException e) {
                unavailable = "The journal cannot be opened: " + e.getMessage();
                LOG.error("{}", unavailable);
            }
            try {
                TimeUnit.MILLISECONDS.sleep(REOPEN_INTERVAL.toMillis());
            } catch (InterruptedException e) {
                closing = true;
            }
        }
    }

    /** Stops before the disk is full: RocksDB needs room to tidy up, and PostgreSQL may live on the same disk. */
    private void checkDisk() {
        long now = System.nanoTime();
        if (now - freeSpaceCheckedNanos < FREE_SPACE_INTERVAL.toNanos()) {
            return;
        }
        freeSpaceCheckedNanos = now;
        String full = full();
        if ((full == null) != (unavailable == null)) {
            if (full == null) {
                LOG.info("The journal has room again; entries are taken.");
            } else {
                LOG.error("{}", full);
            }
        }
        unavailable = full;
    }

    private @Nullable String full() {
        long free;
        try {
            free = journal.freeBytes();
        } catch (UncheckedIOException e) {
            return "The journal's directory cannot be reached: " + e.getMessage(); // it may come back
        }
        if (free < config.minFreeBytes()) {
            return "The journal's disk has " + (free >> 20) + " MiB left, less than the "
                    + (config.minFreeBytes() >> 20) + " MiB it keeps free. Make room; it goes on by itself.";
        }
        long size = journal.sizeBytes();
        if (size > config.maxBytes()) {
            return "The journal has " + (size >> 20) + " MiB, more than JOURNAL_MAX_BYTES allows ("
                    + (config.maxBytes() >> 20)
                    + " MiB), and nothing of it may go before PostgreSQL, and Redis if there is"
                    + " one, have taken it. Bring them back, and it goes on by itself; or allow more and start again.";
        }
        return null;
    }

    /** Commits what was taken, then ends the thread. Refuses all that comes later. */
    @Override
    public void close() {
        closing = true;
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        for (Work late; (late = queue.poll()) != null; ) {
            late.fail(new JournalUnavailableException("The server is stopping."));
        }
        sequencer.close();
    }
}
