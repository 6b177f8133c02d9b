package tailrace.process;

import java.time.Duration;
import java.util.List;

/** The server itself as something that faults happen to: killed, and started again after a while. */
final class ServerTarget {
    /** What a server that was killed may still refuse once it is ready: PostgreSQL has to notice that the old one is gone. */
    private static final long SETTLED_NANOS = Duration.ofSeconds(20).toNanos();

    private final ServerProcess server;
    private volatile boolean down;
    private volatile long upSinceNanos = System.nanoTime() - SETTLED_NANOS;
    private volatile int kills;

    ServerTarget(ServerProcess server) {
        this.server = server;
    }

    List<Fault> faults() {
        return List.of(new Fault("server", "killed", this::kill, this::start, 0, 2_000));
    }

    private synchronized void kill() throws InterruptedException {
        kills++;
        down = true; // first, or somebody would be cut off while it is said to be up
        server.kill();
    }

    private synchronized void start() throws Exception {
        if (!server.alive()) {
            server.start();
            upSinceNanos = System.nanoTime();
            down = false;
        }
    }

    int kills() {
        return kills;
    }

    /** Whether a request begun then may have found nobody, or lost its connection. */
    boolean mayBreak(long begunNanos) {
        return down || begunNanos - upSinceNanos < 0;
    }

    /** Whether a request begun then may be answered with 503. */
    boolean mayRefuse(long begunNanos) {
        return down || begunNanos - upSinceNanos < SETTLED_NANOS;
    }
}
