package tailrace.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static tailrace.postgres.TestDatabase.await;
import static tailrace.postgres.TestDatabase.eventually;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Context;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.pgclient.PgConnection;
import java.time.Clock;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tailrace.metrics.Metrics;
import tailrace.model.ExecutionState;
import tailrace.model.ExecutionStatus;

/** What other processes are told of flushes, and who they are. */
class FlushHintsIT {
    private static final String OTHER = "INSERT INTO tailrace.processes (id, started_at, heartbeat_at, writer, host,"
            + " version) VALUES ('00000000-0000-0000-0000-000000000001', now(), now() - interval '%d s', false, 'h',"
            + " 'v') ON CONFLICT (id) DO UPDATE SET heartbeat_at = excluded.heartbeat_at";
    private static final String ALL = "SELECT count(*) FROM tailrace.processes";

    private final List<String> heard = new CopyOnWriteArrayList<>();
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private Vertx vertx;
    private Context context;
    private TestDatabase postgres;
    private Listener listener;
    private Processes processes;
    private FlushHints hints;

    @BeforeEach
    void open() {
        vertx = Vertx.vertx();
        context = vertx.getOrCreateContext();
        postgres = TestDatabase.migrated();
        Database database = postgres.open(vertx);
        Metrics metrics = new Metrics(registry);
        listener = new Listener(vertx, database, metrics);
        processes = new Processes(vertx, database, () -> true, Clock.systemUTC(), metrics);
        hints = new FlushHints(vertx, database, listener, processes::others, metrics);
        PgConnection other = await(database.connect("another process"));
        other.notificationHandler(notification -> heard.add(notification.getPayload()));
        await(other.query("LISTEN tailrace_flushed").execute());
        context.runOnContext(none -> listener.start(() -> {}, () -> {}));
        eventually(listener::connected);
    }

    @AfterEach
    void close() {
        Promise<Void> stopped = Promise.promise();
        context.runOnContext(none -> listener.close().onComplete(stopped));
        await(stopped.future());
        postgres.close();
        await(vertx.close());
    }

    private void heartbeat() {
        Promise<Void> done = Promise.promise();
        context.runOnContext(none -> processes.heartbeat().onComplete(done));
        await(done.future());
    }

    private void flushed(ExecutionState... executions) {
        context.runOnContext(none -> hints.flushed(List.of(executions)));
    }

    private static ExecutionState execution(String id, long lastSeq) {
        return new ExecutionState(
                id,
                null,
                null,
                ExecutionStatus.RUNNING,
                1,
                lastSeq,
                lastSeq,
                ExecutionState.Counts.zero(10),
                ExecutionState.Counts.zero(10),
                0,
                -1,
                1,
                0,
                0,
                0,
                0,
                0,
                1);
    }

    @Test
    void nobodyIsToldWhileNobodyElseLives() {
        heartbeat();
        flushed(execution("alone", 1));
        postgres.execute(OTHER.formatted(19));
        heartbeat();
        flushed(execution("together", 2));
        eventually(() -> heard.equals(List.of("together:2")));

        postgres.execute(OTHER.formatted(21));
        heartbeat();
        flushed(execution("alone again", 3));
        heartbeat();

        assertThat(postgres.number(ALL)).as("the dead are removed").isEqualTo(1);
        postgres.execute(OTHER.formatted(0));
        heartbeat();
        flushed(execution("last", 4));
        eventually(() -> heard.equals(List.of("together:2", "last:4")));
    }

    @Test
    void manyFlushesAreFewNotifications() {
        postgres.execute(OTHER.formatted(0));
        heartbeat();
        for (int i = 1; i <= 500; i++) {
            flushed(execution("e" + i % 5, i), execution("f", i));
        }

        eventually(() -> heard.stream().anyMatch(payload -> payload.contains("f:500")));
        assertThat(heard).hasSizeLessThan(100).allMatch(payload -> payload.length() < 8_000);
        assertThat(String.join(",", heard)).contains("e0:500", "e4:499");
        // The answer to the last one may still be on its way.
        eventually(() -> registry.get("tailrace.hints.sent").functionCounter().count() == heard.size());
    }

    @Test
    void whatDoesNotFitIsEverything() {
        postgres.execute(OTHER.formatted(0));
        heartbeat();
        flushed(IntStream.range(0, 3_000)
                .mapToObj(i -> execution("execution-" + i, i))
                .toArray(ExecutionState[]::new));

        eventually(() -> heard.equals(List.of("*")));
    }

    @Test
    void aHintThatCouldNotBeSentIsMadeUpFor() {
        postgres.execute(OTHER.formatted(0));
        heartbeat();
        postgres.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '"
                + Listener.APPLICATION_NAME + "' AND datname = current_database()");
        eventually(() -> !listener.connected() || listener.reconnects() > 0);
        flushed(execution("lost", 1));
        eventually(() -> listener.reconnects() > 0);
        flushed(execution("next", 2));

        eventually(() -> heard.stream().anyMatch(payload -> payload.equals("*") || payload.contains("lost:1")));
    }

    @Test
    void aProcessRegistersAndLeaves() {
        heartbeat();
        assertThat(postgres.text("SELECT writer || ' ' || version || ' ' || (host <> '') FROM tailrace.processes"))
                .isEqualTo("true development true");
        postgres.execute("DELETE FROM tailrace.processes");
        heartbeat();
        assertThat(postgres.number(ALL)).as("registered again").isEqualTo(1);

        Promise<Void> left = Promise.promise();
        context.runOnContext(none -> processes.stop().onComplete(left));
        await(left.future());
        heartbeat();

        assertThat(postgres.number(ALL)).isZero();
    }
}
