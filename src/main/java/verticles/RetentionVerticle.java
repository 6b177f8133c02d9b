package verticles;

import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import tailrace.postgres.RetentionSchedule;

/** Runs the {@link RetentionSchedule}: partitions made ahead, and what is past its time removed. Deploy it once. */
public final class RetentionVerticle extends VerticleBase {
    private final RetentionSchedule schedule;

    public RetentionVerticle(RetentionSchedule schedule) {
        this.schedule = schedule;
    }

    @Override
    public Future<?> start() {
        schedule.start();
        return Future.succeededFuture();
    }

    @Override
    public Future<?> stop() {
        return vertx.executeBlocking(
                () -> {
                    schedule.close();
                    return schedule;
                },
                false);
    }
}
