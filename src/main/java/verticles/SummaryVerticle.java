package verticles;

import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.eventbus.MessageConsumer;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import tailrace.bus.Address;
import tailrace.bus.BusMessage;
import tailrace.postgres.StatsShipper;
import tailrace.postgres.SummaryShipper;
import tailrace.summary.Summarizer;

/**
 * Runs the {@link Summarizer} and the shippers behind it; ends with what they have left. Deploy it once, and
 * undeploy it when no more entries are taken.
 */
public final class SummaryVerticle extends VerticleBase {
    private final Summarizer summarizer;
    private final SummaryShipper shipper;
    private final StatsShipper stats;
    private final Duration lastWrite;
    private @Nullable MessageConsumer<BusMessage.Appended> appended;

    /** @param lastWrite how long the end may take to write what is left to PostgreSQL */
    public SummaryVerticle(Summarizer summarizer, SummaryShipper shipper, StatsShipper stats, Duration lastWrite) {
        this.summarizer = summarizer;
        this.shipper = shipper;
        this.stats = stats;
        this.lastWrite = lastWrite;
    }

    @Override
    public Future<?> start() {
        summarizer.start();
        appended = vertx.eventBus().localConsumer(Address.APPENDED, message -> summarizer.offer(message.body()));
        vertx.setPeriodic(SummaryShipper.INTERVAL.toMillis(), id -> shipper.tick());
        vertx.setPeriodic(StatsShipper.INTERVAL.toMillis(), id -> stats.tick());
        return Future.succeededFuture();
    }

    @Override
    public Future<?> stop() {
        MessageConsumer<BusMessage.Appended> consumer = appended;
        Future<Void> deaf = consumer == null ? Future.succeededFuture() : consumer.unregister();
        return deaf.eventually(() -> vertx.executeBlocking(
                        () -> {
                            summarizer.stop();
                            return true;
                        },
                        false))
                .eventually(() -> Future.join(shipper.stop(lastWrite), stats.stop(lastWrite)));
    }
}
