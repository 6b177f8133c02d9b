package tailrace.postgres;

import static tailrace.postgres.TestDatabase.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Context;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import tailrace.config.TailraceConfig;
import tailrace.metrics.Metrics;

/** A writer over a journal and a database, registered and running on a context of its own. */
final class WriterFixture implements AutoCloseable {
    static final TailraceConfig.Writer CONFIG =
            new TailraceConfig.Writer(Duration.ofMillis(50), 50, 100, 5_000, false, 2);

    final LogWriter writer;
    final AtomicBoolean mayWrite = new AtomicBoolean(true);
    final Context context;
    /** Rows of each transaction, in order; of a writer with one lane. */
    final List<Integer> flushes = new CopyOnWriteArrayList<>();

    private final Vertx vertx;
    private final long timer;

    /** Woken by its interval alone: no message reaches it. */
    WriterFixture(Vertx vertx, Database database, InMemoryJournal journal, TailraceConfig.Writer config) {
        this.vertx = vertx;
        JournalRegistry registry = new JournalRegistry(database);
        await(registry.register(journal.id(), config.lanes()));
        Partitions partitions = new Partitions(database, Clock.systemUTC());
        writer = new LogWriter(
                vertx, database, registry, partitions, journal, config, new Metrics(new SimpleMeterRegistry()));
        context = vertx.getOrCreateContext();
        Promise<Void> started = Promise.promise();
        context.runOnContext(none -> {
            writer.start(mayWrite::get, (lane, position, rows, executions) -> flushes.add(rows));
            started.complete();
        });
        await(started.future());
        timer = vertx.setPeriodic(config.interval().toMillis(), id -> context.runOnContext(none -> writer.tick()));
    }

    /** Rows of all transactions that the writer has heard of; a row can be seen in the table before that. */
    int flushedRows() {
        return flushes.stream().mapToInt(Integer::intValue).sum();
    }

    /** Ends without a last flush, as a crash would. */
    void abandon() {
        stop(Duration.ZERO);
    }

    /** @param deadline of the last flush; with one of minutes the test fails if it is waited for */
    void stop(Duration deadline) {
        vertx.cancelTimer(timer);
        await(writer.stop(deadline));
    }

    @Override
    public void close() {
        stop(Duration.ofSeconds(20));
    }
}
