package tailrace.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static tailrace.postgres.TestDatabase.await;
import static tailrace.postgres.TestDatabase.eventually;

import io.vertx.core.Vertx;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tailrace.model.EntryFields;

/** Promise 5: PostgreSQL being away loses nothing, and what was missed is caught up by itself. */
class OutageIT {
    private static final String ROWS = "SELECT count(*) FROM tailrace.workflow_execution_logs";
    private static final String DISTINCT =
            "SELECT count(DISTINCT (execution_id, seq)) FROM tailrace.workflow_execution_logs";

    private Vertx vertx;
    private TestDatabase postgres;
    private CutProxy proxy;
    private final InMemoryJournal journal = new InMemoryJournal();

    @BeforeEach
    void open() {
        vertx = Vertx.vertx();
        postgres = TestDatabase.migrated();
        proxy = new CutProxy(vertx, postgres.url().port());
    }

    @AfterEach
    void close() {
        proxy.close();
        postgres.close();
        await(vertx.close());
    }

    @Test
    void whatCameDuringAnOutageIsCaughtUp() throws Exception {
        AtomicBoolean load = new AtomicBoolean(true);
        Thread producer = new Thread(() -> {
            for (int i = 0; load.get(); i++) {
                journal.append("e" + i % 5, TestEntries.friendly(10));
                pause(2);
            }
        });
        producer.start();
        try (WriterFixture running =
                new WriterFixture(vertx, postgres.open(vertx, proxy.port()), journal, WriterFixture.CONFIG)) {
            eventually(() -> postgres.number(ROWS) > 100);

            proxy.cut();
            eventually(() -> running.writer.stats().breaker().equals("OPEN"));
            pause(500);
            long during = postgres.number(ROWS);
            pause(300);
            assertThat(postgres.number(ROWS)).isEqualTo(during);
            assertThat(running.writer.stats().lanes()).anySatisfy(lane -> {
                assertThat(lane.lagPositions()).isPositive();
                assertThat(lane.lagSeconds()).isPositive();
            });
            proxy.mend();

            eventually(() -> running.writer.stats().breaker().equals("CLOSED"));
            load.set(false);
            producer.join();
            long expected = journal.lastPosition() * 10;
            eventually(() -> postgres.number(ROWS) == expected);
            assertThat(postgres.number(DISTINCT)).isEqualTo(expected);
        } finally {
            load.set(false);
            producer.join();
        }
    }

    @Test
    void aConnectionCutAtAnyMomentWritesNothingTwice() throws Exception {
        for (int i = 0; i < 300; i++) {
            journal.append("e" + i % 5, TestEntries.friendly(20));
        }
        try (WriterFixture running =
                new WriterFixture(vertx, postgres.open(vertx, proxy.port()), journal, WriterFixture.CONFIG)) {
            for (int cut = 0; cut < 15; cut++) {
                pause(25);
                proxy.cut();
                proxy.mend();
                running.context.runOnContext(none -> running.writer.resume());
            }
            eventually(() -> postgres.number(ROWS) == 6_000);
            eventually(() -> running.writer.stats().lanes().stream().allMatch(lane -> lane.lagPositions() == 0));
        }
        assertThat(postgres.number(DISTINCT)).isEqualTo(6_000);
        assertThat(postgres.number("SELECT count(*) FROM tailrace.log_rejects")).isZero();
    }

    @Test
    void aTransactionTooLargeForItsLinkIsMadeSmallerUntilItIsNot() {
        EntryFields large = TestEntries.friendly("large");
        large.message = "x".repeat(1_000);
        for (int i = 0; i < 60; i++) {
            journal.append("e", List.of(large));
        }
        proxy.limit(48_000);

        try (WriterFixture running =
                new WriterFixture(vertx, postgres.open(vertx, proxy.port()), journal, WriterFixture.CONFIG)) {
            eventually(() -> postgres.number(ROWS) == 60);
            assertThat(running.writer.stats().failedBatches()).isPositive();
        }
    }

    private static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
