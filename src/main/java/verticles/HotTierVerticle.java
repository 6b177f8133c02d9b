package verticles;

import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.eventbus.MessageConsumer;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import tailrace.bus.Address;
import tailrace.bus.BusMessage;
import tailrace.redis.RedisHotTier;

/** Runs the {@link RedisHotTier}: wakes it by the bus and by the clock, and ends with a last write. Deploy it once. */
public final class HotTierVerticle extends VerticleBase {
    /** How soon an emptied Redis is noticed while nothing is written. */
    private static final Duration CHECK_INTERVAL = Duration.ofSeconds(1);

    private final RedisHotTier tier;
    private final Duration lastWrite;
    private @Nullable MessageConsumer<BusMessage.Appended> appended;

    /** @param lastWrite how long the end may take to write what is left */
    public HotTierVerticle(RedisHotTier tier, Duration lastWrite) {
        this.tier = tier;
        this.lastWrite = lastWrite;
    }

    @Override
    public Future<?> start() {
        tier.start();
        appended = vertx.eventBus().localConsumer(Address.APPENDED, message -> tier.wake());
        vertx.setPeriodic(CHECK_INTERVAL.toMillis(), id -> tier.tick());
        return Future.succeededFuture();
    }

    @Override
    public Future<?> stop() {
        MessageConsumer<BusMessage.Appended> consumer = appended;
        Future<Void> deaf = consumer == null ? Future.succeededFuture() : consumer.unregister();
        return deaf.eventually(() -> tier.stop(lastWrite));
    }
}
