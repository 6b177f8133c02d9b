package verticles;

import static org.assertj.core.api.Assertions.assertThat;
import static tailrace.postgres.TestDatabase.await;
import static tailrace.postgres.TestDatabase.eventually;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Vertx;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import tailrace.bus.Address;
import tailrace.bus.BusMessage;
import tailrace.bus.LocalCodec;
import tailrace.config.TailraceConfig;
import tailrace.metrics.Metrics;
import tailrace.postgres.Database;
import tailrace.postgres.JournalRegistry;
import tailrace.postgres.LogWriter;
import tailrace.postgres.Partitions;
import tailrace.postgres.TestDatabase;
import tailrace.postgres.TestJournal;
import tailrace.postgres.WriterLock;

class BatchWriterVerticleIT {
    private static final String ROWS = "SELECT count(*) FROM tailrace.workflow_execution_logs";
    /** So long that only a message can have been the reason. */
    private static final Duration NEVER = Duration.ofHours(1);

    @Test
    void anUrgentEntryIsWrittenAtOnceAndTheRestAtTheEnd() {
        Vertx vertx = Vertx.vertx();
        LocalCodec.register(vertx);
        try (TestDatabase postgres = TestDatabase.migrated()) {
            Database database = postgres.open(vertx);
            TestJournal journal = new TestJournal();
            TailraceConfig.Writer config = new TailraceConfig.Writer(NEVER, 50, 100, 5_000, false, 2);
            WriterLock lock = new WriterLock(vertx, database);
            await(lock.start());
            JournalRegistry registry = new JournalRegistry(database);
            await(registry.register(journal.journal().id(), config.lanes()));
            LogWriter writer = new LogWriter(
                    vertx,
                    database,
                    registry,
                    new Partitions(database, Clock.systemUTC()),
                    journal.journal(),
                    config,
                    new Metrics(new SimpleMeterRegistry()));
            List<BusMessage.WriterState> states = new CopyOnWriteArrayList<>();
            List<BusMessage.Flushed> flushes = new CopyOnWriteArrayList<>();
            vertx.eventBus().<BusMessage.WriterState>localConsumer(Address.WRITER_STATE, m -> states.add(m.body()));
            vertx.eventBus().<BusMessage.Flushed>localConsumer(Address.FLUSHED, m -> flushes.add(m.body()));
            String deployment =
                    await(vertx.deployVerticle(new BatchWriterVerticle(writer, lock, config, Duration.ofSeconds(20))));
            eventually(() -> writer.stats().lanes().size() == 2);

            vertx.eventBus().publish(Address.APPENDED, journal.append("e", 3, true));
            eventually(() -> postgres.number(ROWS) == 3);
            eventually(() -> flushes.stream().mapToInt(BusMessage.Flushed::rows).sum() == 3);
            assertThat(flushes)
                    .flatExtracting(BusMessage.Flushed::executions)
                    .extracting(execution -> execution.executionId() + ":" + execution.lastSeq())
                    .containsExactly("e:3");
            assertThat(states).contains(new BusMessage.WriterState(true, true, ""));
            vertx.eventBus().publish(Address.APPENDED, journal.append("e", 3, false));
            await(vertx.undeploy(deployment));

            assertThat(postgres.number(ROWS)).isEqualTo(6);
            assertThat(postgres.number("SELECT count(*) FROM tailrace.workflow_execution_logs_" + "20260301"))
                    .isEqualTo(6);
            await(lock.close());
        } finally {
            await(vertx.close());
        }
    }
}
