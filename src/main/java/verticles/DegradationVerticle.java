package verticles;

import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import java.time.Duration;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.bus.Address;
import tailrace.bus.BusMessage;
import tailrace.degradation.Degradation;
import tailrace.degradation.Sample;

/** Takes a sample of how everything stands, by the clock and when PostgreSQL comes or goes; says on the bus what changed. */
public final class DegradationVerticle extends VerticleBase {
    private static final Logger LOG = LoggerFactory.getLogger(DegradationVerticle.class);
    private static final Duration INTERVAL = Duration.ofMillis(200);

    private final Degradation degradation;
    private final Supplier<Sample> sampler;
    private boolean sampling;
    private boolean again;

    /** @param sampler called on a worker: it may look at files */
    public DegradationVerticle(Degradation degradation, Supplier<Sample> sampler) {
        this.degradation = degradation;
        this.sampler = sampler;
    }

    /** Completes with the first sample, so that whoever comes next finds the level known. */
    @Override
    public Future<?> start() {
        vertx.eventBus().<BusMessage.WriterState>localConsumer(Address.WRITER_STATE, message -> sample());
        vertx.setPeriodic(INTERVAL.toMillis(), id -> sample());
        return sample();
    }

    private Future<?> sample() {
        if (sampling) {
            again = true; // what this one has read may be old already
            return Future.succeededFuture();
        }
        sampling = true;
        again = false;
        return vertx.executeBlocking(() -> degradation.update(sampler.get(), System.nanoTime()))
                .onSuccess(change -> change.ifPresent(to -> vertx.eventBus().publish(Address.LEVEL, to)))
                .onFailure(error -> LOG.error("How the server stands could not be told; the level stays", error))
                .onComplete(done -> {
                    sampling = false;
                    if (again) {
                        sample();
                    }
                });
    }
}
