package tailrace.process;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;

/** Waits for what another process will bring about. */
public final class AwaitCondition {
    private static final long LOOK_AGAIN_NANOS = Duration.ofMillis(20).toNanos();

    private AwaitCondition() {}

    /**
     * Returns once the condition holds; a condition that throws does not hold yet.
     *
     * @param what completes the sentence "within … s …" of the failure
     */
    public static void until(String what, Duration patience, Callable<Boolean> condition) {
        long deadline = System.nanoTime() + patience.toNanos();
        Exception last = null;
        while (true) {
            try {
                if (condition.call()) {
                    return;
                }
                last = null;
            } catch (Exception e) {
                last = e;
            }
            if (System.nanoTime() > deadline) {
                throw new AssertionError("not within " + patience.toSeconds() + " s: " + what, last);
            }
            LockSupport.parkNanos(LOOK_AGAIN_NANOS);
        }
    }

    public static void until(String what, Callable<Boolean> condition) {
        until(what, Duration.ofSeconds(30), condition);
    }

    /** Lets a load or an outage go on for so long. */
    public static void elapse(Duration time) {
        long deadline = System.nanoTime() + time.toNanos();
        for (long left = time.toNanos(); left > 0; left = deadline - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
    }
}
