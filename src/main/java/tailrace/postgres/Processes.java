package tailrace.postgres;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.sqlclient.Tuple;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Clock;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.metrics.Metrics;

/**
 * This process's row in the table of processes, kept fresh by heartbeats, and whether there are others. Who has died is
 * told by the age of its heartbeat, in PostgreSQL's time, and removed by whoever comes by. Belongs to one context;
 * {@link #others} may be read by any thread.
 */
public final class Processes {
    /** To be called so often. */
    public static final Duration HEARTBEAT = Duration.ofSeconds(5);

    /** Without a heartbeat for so long a process is gone. */
    static final Duration GONE_AFTER = Duration.ofSeconds(20);

    private static final Logger LOG = LoggerFactory.getLogger(Processes.class);
    private static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(4);
    /** An orderly stop waits no longer for a PostgreSQL that does not answer. */
    private static final Duration LEAVE_TIMEOUT = Duration.ofSeconds(1);

    private final Vertx vertx;
    private final Database database;
    private final BooleanSupplier writer;
    private final UUID id = UUID.randomUUID();
    private final OffsetDateTime startedAt;
    private final String version;
    private @Nullable String host;
    private volatile int others;
    private boolean underWay;
    private boolean failing;
    private boolean stopped;

    /** @param writer whether this process writes now */
    public Processes(Vertx vertx, Database database, BooleanSupplier writer, Clock clock, Metrics metrics) {
        this.vertx = vertx;
        this.database = database;
        this.writer = writer;
        this.startedAt = clock.instant().atOffset(ZoneOffset.UTC);
        this.version = Optional.ofNullable(Processes.class.getPackage().getImplementationVersion())
                .orElse("development");
        metrics.gauge("tailrace.processes.others", "Other live processes on this database", this, it -> it.others);
    }

    /**
     * Says that this process lives and learns who else does; registers it where it is not known. Never fails: while
     * PostgreSQL is away the last answer holds.
     */
    public Future<Void> heartbeat() {
        if (underWay || stopped) {
            return Future.succeededFuture();
        }
        underWay = true;
        return host().compose(host -> database.pool()
                        .preparedQuery(database.sql().heartbeat)
                        .execute(Tuple.of(
                                id, startedAt, host, version, writer.getAsBoolean(), (double) GONE_AFTER.toSeconds())))
                .timeout(ANSWER_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
                .map(rows -> rows.iterator().next().getLong(0).intValue())
                .transform(done -> {
                    underWay = false;
                    if (done.succeeded()) {
                        others = done.result();
                    } else if (!failing) {
                        LOG.warn(
                                "the heartbeat of this process fails: {}",
                                done.cause().getMessage());
                    }
                    failing = done.failed();
                    return stopped && !failing ? leave() : Future.succeededFuture();
                });
    }

    /** Asked once, on a worker: it may wait for a name server. */
    private Future<String> host() {
        String known = host;
        if (known != null) {
            return Future.succeededFuture(known);
        }
        return vertx.executeBlocking(
                        () -> {
                            try {
                                return InetAddress.getLocalHost().getHostName();
                            } catch (UnknownHostException e) {
                                return "unknown";
                            }
                        },
                        false)
                .onSuccess(found -> host = found);
    }

    /** How many others live. */
    public int others() {
        return others;
    }

    /** Removes this process's row; while PostgreSQL does not answer the row is left to its age. */
    public Future<Void> stop() {
        stopped = true;
        return underWay || failing ? Future.succeededFuture() : leave();
    }

    private Future<Void> leave() {
        return database.pool()
                .preparedQuery(database.sql().leave)
                .execute(Tuple.of(id))
                .timeout(LEAVE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
                .onFailure(error -> LOG.warn(
                        "this process could not remove its row; it is gone in {} s: {}",
                        GONE_AFTER.toSeconds(),
                        error.getMessage()))
                .<Void>mapEmpty()
                .otherwiseEmpty();
    }
}
