package tailrace.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static tailrace.postgres.TestDatabase.await;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tailrace.model.ExecutionState;
import tailrace.model.JournalId;

/** Promise 7: a lost, empty or foreign data directory is recognised. */
class JournalRegistryIT {
    private Vertx vertx;
    private TestDatabase postgres;
    private Database database;
    private JournalRegistry registry;
    private final InMemoryJournal journal = new InMemoryJournal();

    @BeforeEach
    void open() {
        vertx = Vertx.vertx();
        postgres = TestDatabase.migrated();
        database = postgres.open(vertx);
        registry = new JournalRegistry(database);
    }

    @AfterEach
    void close() {
        postgres.close();
        await(vertx.close());
    }

    @Test
    void theFirstJournalBeginsAndGoesOn() {
        assertThat(await(registry.standing(journal.id(), 5, false))).isEqualTo(new JournalStanding.First());

        long generation = await(registry.register(journal.id(), 2));

        assertThat(await(registry.register(journal.id(), 2))).isEqualTo(generation);
        assertThat(await(registry.standing(journal.id(), 5, false)))
                .isEqualTo(new JournalStanding.Continue(generation));
    }

    @Test
    void aLostDirectoryIsSucceededFromWhatPostgresKnows() {
        for (int i = 0; i < 25; i++) {
            journal.append("e" + i, TestEntries.friendly(i + 1));
        }
        new WriterFixture(vertx, database, journal, WriterFixture.CONFIG).close();
        JournalId fresh = new JournalId(UUID.randomUUID());

        JournalStanding standing = await(registry.standing(fresh, 0, true));
        assertThat(standing)
                .isInstanceOfSatisfying(JournalStanding.Successor.class, successor -> assertThat(successor.lost())
                        .isEqualTo(journal.id()));
        List<ExecutionState> known = new ArrayList<>();
        long count = await(registry.knownExecutions(fresh, 10, page -> {
            assertThat(page.size()).isLessThanOrEqualTo(10);
            known.addAll(page);
            return Future.succeededFuture();
        }));

        assertThat(count).isEqualTo(25);
        assertThat(known).hasSize(25).allSatisfy(state -> {
            assertThat(state.lastSeq())
                    .isEqualTo(
                            journal.execution(state.executionId()).orElseThrow().lastSeq());
            assertThat(state.hotFromSeq()).isEqualTo(state.lastSeq() + 1);
        });
        await(registry.register(fresh, 2));
        assertThat(await(registry.standing(fresh, 0, true))).isInstanceOf(JournalStanding.Continue.class);
        assertThat(await(registry.refusal(fresh))).isEmpty();
        assertThat(await(registry.refusal(journal.id()))).isPresent();
    }

    @Test
    void aCrashBeforeRegisteringBeginsTheSuccessionAgain() {
        await(registry.register(journal.id(), 2));
        JournalId fresh = new JournalId(UUID.randomUUID());
        await(registry.knownExecutions(fresh, 10, page -> Future.succeededFuture()));

        assertThat(await(registry.standing(fresh, 0, true))).isInstanceOf(JournalStanding.Successor.class);
        // And should the old directory come back instead, it goes on.
        assertThat(await(registry.standing(journal.id(), 0, false))).isInstanceOf(JournalStanding.Continue.class);
        await(registry.register(journal.id(), 2));
        assertThat(await(registry.cursors(journal.id()))).noneMatch(JournalRegistry.LaneCursor::fenced);
    }

    @Test
    void aForeignJournalIsToldFromAnOldCopy() {
        long generation = await(registry.register(journal.id(), 2));
        postgres.execute("UPDATE tailrace.lane_cursors SET position = 90 WHERE lane = 1");
        JournalId foreign = new JournalId(UUID.randomUUID());

        assertThat(await(registry.standing(foreign, 7, false)))
                .isEqualTo(new JournalStanding.Foreign(generation, journal.id()));
        assertThat(await(registry.standing(journal.id(), 89, false)))
                .isEqualTo(new JournalStanding.Stale(generation, 90, 89));
        assertThat(await(registry.standing(journal.id(), 90, false)))
                .isEqualTo(new JournalStanding.Continue(generation));
    }

    @Test
    void aSucceededJournalCannotRegisterAgain() {
        await(registry.register(journal.id(), 2));
        await(registry.register(new JournalId(UUID.randomUUID()), 2));

        assertThatThrownBy(() -> await(registry.register(journal.id(), 2))).hasMessageContaining("succeeded");
        assertThat(await(registry.standing(journal.id(), 7, false))).isInstanceOf(JournalStanding.Foreign.class);
    }

    @Test
    void theNewJournalsStateReplacesTheOldOnes() {
        for (int i = 0; i < 9; i++) {
            journal.append("e", TestEntries.friendly(1));
        }
        new WriterFixture(vertx, database, journal, WriterFixture.CONFIG).close();
        InMemoryJournal next = new InMemoryJournal();
        next.append("e", TestEntries.friendly(30));

        new WriterFixture(vertx, database, next, WriterFixture.CONFIG).close();

        assertThat(postgres.text("SELECT last_seq || ' ' || last_position FROM tailrace.workflow_executions"))
                .isEqualTo("30 1");
    }
}
