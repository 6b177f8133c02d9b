package tailrace.query;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static tailrace.postgres.TestDatabase.await;
import static tailrace.postgres.TestDatabase.eventually;
import static tailrace.postgres.TestStates.state;
import static tailrace.postgres.TwoTenants.ANN;
import static tailrace.postgres.TwoTenants.BOB;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tailrace.metrics.Metrics;
import tailrace.model.ExecutionState;
import tailrace.postgres.CutProxy;
import tailrace.postgres.Database;
import tailrace.postgres.Listener;
import tailrace.postgres.Ownership;
import tailrace.postgres.ReadGuard;
import tailrace.postgres.Readers;
import tailrace.postgres.TestDatabase;
import tailrace.postgres.TwoTenants;
import tailrace.security.Principal;

/** Who may read what lies in the hot tier. */
class PostgresAccessIT {
    private static final ExecutionState ANNS = state("ann-own", "ann", null);
    private static final ExecutionState ANNS_BY_WORKFLOW = state("ann-flow", null, "ann-w");
    private static final ExecutionState BOBS = state("bob-own", "bob", "ann-w");
    private static final ExecutionState NEW = state("not-flushed", "ann", null);
    private static final ExecutionState NEW_OF_WORKFLOW = state("not-flushed", null, "ann-w");

    private final AtomicLong nanos = new AtomicLong();
    private final Metrics metrics = new Metrics(new SimpleMeterRegistry());
    private Vertx vertx;
    private TestDatabase postgres;
    private CutProxy link;
    private Database database;
    private PostgresAccess access;

    @BeforeEach
    void open() {
        vertx = Vertx.vertx();
        postgres = TestDatabase.migrated();
        TwoTenants.fill(postgres);
        link = new CutProxy(vertx, postgres.url().port());
        database = postgres.open(vertx, link.port());
        await(database.prepareReaders());
        access = new PostgresAccess(new Ownership(database, new Readers(database)), new ReadGuard(metrics), nanos::get);
    }

    @AfterEach
    void close() {
        postgres.close();
        link.close();
        await(vertx.close());
    }

    private boolean may(Principal who, ExecutionState state) {
        boolean may = await(access.mayRead(who, state));
        assertThat(await(access.readable(who, List.of(state))))
                .as("in a list")
                .isEqualTo(may ? List.of(state) : List.of());
        return may;
    }

    @Test
    void thePoliciesDecide() {
        assertThat(may(ANN, ANNS)).isTrue();
        assertThat(may(ANN, ANNS_BY_WORKFLOW)).isTrue();
        assertThat(may(ANN, BOBS))
                .as("by the execution's owner, not its workflow's")
                .isFalse();
        assertThat(may(BOB, ANNS)).isFalse();
        assertThat(may(BOB, ANNS_BY_WORKFLOW)).isFalse();
        assertThat(may(ANN, state("nobodys", null, null))).isFalse();
        assertThat(may(Principal.NOBODY, state("nobodys", null, null))).isFalse();
        assertThat(may(Principal.SERVER, state("nobodys", null, null))).isTrue();
        assertThat(await(access.readable(ANN, List.of(BOBS, ANNS_BY_WORKFLOW, NEW, ANNS))))
                .containsExactly(ANNS_BY_WORKFLOW, NEW, ANNS);
    }

    @Test
    void beforeTheFirstFlushTheRecordedOwnerAndNobodyElse() {
        assertThat(may(ANN, NEW)).isTrue();
        assertThat(may(BOB, NEW)).isFalse();
        assertThat(may(ANN, NEW_OF_WORKFLOW)).isFalse();
        assertThat(may(Principal.NOBODY, NEW_OF_WORKFLOW)).isFalse();
    }

    /** PostgreSQL still knows ann as the owner. */
    @Test
    void anOwnerThatIsNewerThanPostgresIsTheOwner() {
        assertThat(may(ANN, ANNS)).isTrue();
        ExecutionState given = state("ann-own", "bob", null);

        assertThat(may(ANN, given))
                .as("at once, in spite of what was remembered")
                .isFalse();
        assertThat(may(BOB, given)).isTrue();
        assertThat(may(ANN, state("ann-flow", null, "bob-w"))).isFalse();
    }

    @Test
    void consentIsRememberedForAWhileAndRefusalIsNot() {
        assertThat(may(BOB, ANNS_BY_WORKFLOW)).isFalse();
        assertThat(may(ANN, ANNS_BY_WORKFLOW)).isTrue();
        postgres.execute("UPDATE tailrace.workflows SET user_id = 'bob' WHERE workflow_id = 'ann-w'");

        assertThat(may(BOB, ANNS_BY_WORKFLOW)).isTrue();
        nanos.addAndGet(Duration.ofSeconds(29).toNanos());
        assertThat(may(ANN, ANNS_BY_WORKFLOW)).isTrue();
        nanos.addAndGet(Duration.ofSeconds(2).toNanos());
        assertThat(may(ANN, ANNS_BY_WORKFLOW)).isFalse();
    }

    @Test
    void aWorkflowsNewOwnerIsHeardOfFromOtherProcesses() {
        var listener = new Listener(vertx, database, metrics);
        listener.onOwnersChanged(access::ownersChanged);
        vertx.getOrCreateContext().runOnContext(none -> listener.start(() -> {}, () -> {}));
        eventually(listener::connected);
        assertThat(may(ANN, ANNS_BY_WORKFLOW)).isTrue();

        postgres.execute("UPDATE tailrace.workflows SET user_id = 'bob' WHERE workflow_id = 'ann-w'");

        eventually(() -> !may(ANN, ANNS_BY_WORKFLOW));
    }

    @Test
    void whileItIsAwayTheRecordedOwnerMayAndAboutOthersNobodyCanTell() {
        link.cut();

        assertThat(await(access.mayRead(ANN, ANNS))).isTrue();
        assertThat(await(access.readable(ANN, List.of(ANNS, BOBS, ANNS_BY_WORKFLOW))))
                .containsExactly(ANNS);
        for (ExecutionState others : List.of(BOBS, ANNS_BY_WORKFLOW)) {
            assertThatThrownBy(() -> await(access.mayRead(ANN, others)))
                    .satisfies(failure -> assertThat(ReadGuard.away(failure)).isTrue());
        }
    }
}
