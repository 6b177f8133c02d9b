package verticles;

import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.eventbus.MessageConsumer;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tailrace.bus.Address;
import tailrace.bus.BusMessage;
import tailrace.config.TailraceConfig;
import tailrace.model.ExecutionState;
import tailrace.postgres.LogWriter;
import tailrace.postgres.WriterLock;

/**
 * Runs the {@link LogWriter}: wakes it by the bus and by the clock, says on the bus what it wrote and how it stands, and
 * ends with a last flush. Deploy it once, after the journal is registered, and undeploy it before the lock is closed.
 */
public final class BatchWriterVerticle extends VerticleBase {
    private final LogWriter writer;
    private final WriterLock lock;
    private final TailraceConfig.Writer config;
    private final Duration lastFlush;
    private @Nullable MessageConsumer<BusMessage.Appended> appended;

    /**
     * @param lastFlush how long the end may take to write what is left
     */
    public BatchWriterVerticle(LogWriter writer, WriterLock lock, TailraceConfig.Writer config, Duration lastFlush) {
        this.writer = writer;
        this.lock = lock;
        this.config = config;
        this.lastFlush = lastFlush;
    }

    @Override
    public Future<?> start() {
        writer.start(() -> lock.state().held(), this::publishFlushed);
        lock.listen(state -> context.runOnContext(none -> lockChanged(state)));
        appended = vertx.eventBus().localConsumer(Address.APPENDED, message -> wake(message.body()));
        vertx.setPeriodic(config.interval().toMillis(), id -> writer.tick());
        // Once, for the first flush; retention makes those of the days to come. Without any the writer makes its own:
        // not worth refusing to start.
        return writer.preparePartitions().otherwiseEmpty();
    }

    private void wake(BusMessage.Appended commit) {
        for (BusMessage.Run run : commit.runs()) {
            writer.appended(run.state().executionId(), run.entries().size(), run.friendly(), run.urgent());
        }
    }

    private void lockChanged(WriterLock.State state) {
        vertx.eventBus()
                .publish(
                        Address.WRITER_STATE,
                        new BusMessage.WriterState(state.database(), state.taking(), state.detail()));
        if (state.held()) {
            writer.resume();
        }
    }

    private void publishFlushed(int lane, long position, int rows, List<ExecutionState> executions) {
        vertx.eventBus().publish(Address.FLUSHED, new BusMessage.Flushed(lane, position, rows, executions));
    }

    @Override
    public Future<?> stop() {
        MessageConsumer<BusMessage.Appended> consumer = appended;
        Future<Void> deaf = consumer == null ? Future.succeededFuture() : consumer.unregister();
        return deaf.eventually(() -> writer.stop(lastFlush));
    }
}
