package tailrace.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static tailrace.postgres.TestDatabase.await;
import static tailrace.postgres.TestDatabase.eventually;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class WriterLockIT {
    private Vertx vertx;
    private TestDatabase postgres;

    @BeforeEach
    void open() {
        vertx = Vertx.vertx();
        postgres = TestDatabase.migrated();
    }

    @AfterEach
    void close() {
        postgres.close();
        await(vertx.close());
    }

    @Test
    void aSecondProcessIsRefusedAndTakesOverWhenTheFirstGoes() {
        WriterLock first = new WriterLock(vertx, postgres.open(vertx));
        WriterLock second = new WriterLock(vertx, postgres.open(vertx));

        assertThat(await(first.start())).isEqualTo(new WriterLock.State(true, true, true, ""));
        assertThat(await(second.start())).isEqualTo(new WriterLock.State(true, false, false, WriterLock.TAKEN));

        await(first.close());
        eventually(() -> second.state().held());
        await(second.close());
    }

    @Test
    void aLostConnectionIsReplacedAndTakingGoesOnMeanwhile() {
        try (CutProxy proxy = new CutProxy(vertx, postgres.url().port())) {
            WriterLock lock = new WriterLock(vertx, postgres.open(vertx, proxy.port()));
            List<WriterLock.State> states = new CopyOnWriteArrayList<>();
            await(lock.start());
            lock.listen(states::add);

            proxy.cut();
            eventually(() -> !lock.state().held());
            assertThat(lock.state().taking()).isTrue();
            assertThat(lock.state().database()).isFalse();
            proxy.mend();
            eventually(() -> lock.state().held());

            assertThat(states.get(0).held()).isTrue();
            assertThat(states.get(states.size() - 1).held()).isTrue();
            await(lock.close());
        }
    }

    @Test
    void aSessionOfOursThatTheServerStillBelievesInIsEnded() {
        WriterLock lock = new WriterLock(vertx, postgres.open(vertx));
        await(lock.start());
        long session = postgres.number("SELECT pid FROM pg_locks WHERE locktype = 'advisory'");

        lock.forgetConnection(); // as after a cut that the server did not notice

        eventually(() -> lock.state().held()
                && postgres.number("SELECT pid FROM pg_locks WHERE locktype = 'advisory'") != session);
        await(lock.close());
    }

    @Test
    void withoutADatabaseNothingIsTaken() {
        try (CutProxy proxy = new CutProxy(vertx, postgres.url().port())) {
            proxy.cut();
            WriterLock lock = new WriterLock(vertx, postgres.open(vertx, proxy.port()));

            WriterLock.State state = await(lock.start());

            assertThat(state.taking()).isFalse();
            assertThat(state.database()).isFalse();
            proxy.mend();
            eventually(() -> lock.state().taking());
            await(lock.close());
        }
    }

    @Test
    void aLockTakenAfterAnotherJournalWroteIsGivenBack() {
        WriterLock lock = new WriterLock(vertx, postgres.open(vertx));
        lock.admission(() -> Future.succeededFuture(Optional.of("another journal wrote")));

        assertThat(await(lock.start())).isEqualTo(new WriterLock.State(true, false, false, "another journal wrote"));
        eventually(() -> postgres.number("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0);
        await(lock.close());
    }
}
