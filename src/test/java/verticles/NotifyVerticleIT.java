package verticles;

import static org.assertj.core.api.Assertions.assertThat;
import static tailrace.postgres.TestDatabase.await;
import static tailrace.postgres.TestDatabase.eventually;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Vertx;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tailrace.bus.Address;
import tailrace.bus.BusMessage;
import tailrace.bus.LocalCodec;
import tailrace.config.TailraceConfig;
import tailrace.config.TailraceConfig.Secret;
import tailrace.metrics.Metrics;
import tailrace.postgres.CutProxy;
import tailrace.postgres.Database;
import tailrace.postgres.FakeIntake;
import tailrace.postgres.FlushHints;
import tailrace.postgres.Inbox;
import tailrace.postgres.Listener;
import tailrace.postgres.Processes;
import tailrace.postgres.TestDatabase;
import tailrace.postgres.TestJournal;

@SuppressWarnings("NullAway.Init") // each test deploys first
class NotifyVerticleIT {
    private static final String ROWS = "SELECT count(*) FROM tailrace.log_inbox";
    /** So long that only a message can have been the reason. */
    private static final Duration NEVER = Duration.ofHours(1);

    private final Vertx vertx = Vertx.vertx();
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final FakeIntake intake = new FakeIntake();
    private final AtomicBoolean writes = new AtomicBoolean(true);
    private TestDatabase postgres;
    private CutProxy proxy;
    private Database database;
    private Inbox inbox;
    private String deployment;

    @BeforeEach
    void open() {
        LocalCodec.register(vertx);
        postgres = TestDatabase.migrated();
        proxy = new CutProxy(vertx, postgres.url().port());
    }

    /** The connection that listens goes through the proxy, all others do not. */
    private void deploy(Duration poll) {
        var config = new TailraceConfig.Database(
                Optional.of(new Secret(postgres.urlText())),
                Optional.of(new Secret(postgres.text(proxy.port()))),
                Optional.empty(),
                4,
                "tailrace",
                Duration.ofSeconds(5));
        database = await(Database.open(vertx, config, Path.of("target")));
        var metrics = new Metrics(registry);
        var listener = new Listener(vertx, database, metrics);
        inbox = new Inbox(vertx, database, intake, writes::get, 10_000, listener, Clock.systemUTC(), metrics);
        var processes = new Processes(vertx, database, writes::get, Clock.systemUTC(), metrics);
        var hints = new FlushHints(vertx, database, listener, processes::others, metrics);
        deployment = await(vertx.deployVerticle(new NotifyVerticle(listener, inbox, processes, hints, poll)));
        eventually(listener::connected);
    }

    @AfterEach
    void close() {
        await(database.close());
        proxy.close();
        postgres.close();
        await(vertx.close());
    }

    private double pollFound() {
        return registry.get("tailrace.inbox.poll.found").functionCounter().count();
    }

    @Test
    void aRowNobodyIsToldOfIsFoundByThePollAndCounted() {
        deploy(Duration.ofMillis(200));
        postgres.execute("INSERT INTO tailrace.log_inbox (entry) VALUES ('\"told\"')");
        eventually(() -> postgres.number(ROWS) == 0);

        proxy.cut();
        eventually(() -> !inbox.stats().listening());
        postgres.execute("INSERT INTO tailrace.log_inbox (entry) VALUES ('\"lost\"')");

        eventually(() -> postgres.number(ROWS) == 0);
        assertThat(intake.stored()).containsExactly("told", "lost");
        eventually(() -> pollFound() >= 1);
        proxy.mend();
        eventually(() -> inbox.stats().listening());
        assertThat(registry.get("tailrace.listen.reconnects").functionCounter().count())
                .isEqualTo(1);
        await(vertx.undeploy(deployment));
    }

    @Test
    void aFlushIsToldToAnotherProcess() {
        postgres.execute("INSERT INTO tailrace.processes (id, started_at, writer, host, version)"
                + " VALUES (gen_random_uuid(), now(), false, 'h', 'v')");
        deploy(NEVER);
        eventually(() -> registry.get("tailrace.processes.others").gauge().value() == 1);
        var state = new TestJournal().append("e", 3, true).runs().get(0).state();
        var flushed = new BusMessage.Flushed(0, 1, 1, List.of(state));

        vertx.eventBus().publish(Address.FLUSHED, flushed);

        eventually(() -> registry.get("tailrace.hints.sent").functionCounter().count() == 1);
        await(vertx.undeploy(deployment));
    }

    @Test
    void itBeginsWhenThisProcessMayWriteAndLeavesNothingBehind() {
        writes.set(false);
        postgres.execute("INSERT INTO tailrace.log_inbox (entry) VALUES ('\"early\"')");
        deploy(NEVER);
        eventually(() -> postgres.text("SELECT string_agg(writer::text, ' ') FROM tailrace.processes")
                .equals("false"));
        assertThat(intake.stored()).isEmpty();

        writes.set(true);
        vertx.eventBus().publish(Address.WRITER_STATE, new BusMessage.WriterState(true, true, ""));

        eventually(() -> postgres.number(ROWS) == 0);
        eventually(() -> postgres.number("SELECT count(*) FROM tailrace.processes WHERE writer") == 1);
        assertThat(pollFound()).isZero();
        await(vertx.undeploy(deployment));
        assertThat(postgres.number("SELECT count(*) FROM tailrace.processes")).isZero();
        for (String name : List.of(Listener.APPLICATION_NAME, "tailrace inbox")) {
            eventually(() -> postgres.number("SELECT count(*) FROM pg_stat_activity WHERE application_name = '" + name
                            + "' AND datname = current_database()")
                    == 0);
        }
    }
}
