package tailrace.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tailrace.model.EventType;
import tailrace.model.ExecutionState;
import tailrace.model.ExecutionStatus;
import tailrace.model.ExecutionUpdate;
import tailrace.model.IngestAnswer;
import tailrace.model.Level;
import tailrace.model.Rejection;
import tailrace.model.SeqRange;

/** What the journal thread decides, through the door that everybody uses. */
class SequencerTest {
    private static final UUID ID = new UUID(1, 2);

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path temp;

    @SuppressWarnings("NullAway.Init")
    private OpenJournal open;

    @BeforeEach
    void open() {
        open = new OpenJournal(temp.resolve("journal"));
    }

    @AfterEach
    void close() {
        open.close();
    }

    private void reopen() {
        open.close();
        open = new OpenJournal(temp.resolve("journal"));
    }

    private ExecutionState state(String executionId) {
        return open.journal.execution(executionId).orElseThrow();
    }

    @Test
    void eachExecutionCountsByItself() {
        IngestAnswer answer = open.append(Batches.batch()
                .entry("a", "1")
                .entry("b", "1")
                .entry("a", "2")
                .entry("ab", "1")
                .build());

        assertThat(answer.accepted()).isEqualTo(4);
        assertThat(answer.executions())
                .containsExactly(new SeqRange("a", 1, 2), new SeqRange("b", 1, 1), new SeqRange("ab", 1, 1));
        assertThat(Batches.told(open.journal, "a")).containsExactly("1:1", "2:2");
    }

    @Test
    void seqGoesOnWhereItWasAfterARestart() {
        open.append(Batches.of("e", "one", "two"));
        reopen();

        assertThat(open.append(Batches.of("e", "three")).executions()).containsExactly(new SeqRange("e", 3, 3));
        assertThat(Batches.told(open.journal, "e")).containsExactly("1:one", "2:two", "3:three");
    }

    @Test
    void theFirstOwnerStaysAlsoWithinOneBatch() {
        IngestAnswer answer = open.append(Batches.batch()
                .entry("e", fields -> fields.message = "nobody's")
                .entry("e", fields -> fields.userId = "anna")
                .entry("e", fields -> fields.userId = "bert")
                .entry("e", fields -> fields.workflowId = "w1")
                .entry("e", fields -> {
                    fields.workflowId = "w2";
                    fields.userId = "anna";
                })
                .build());

        assertThat(answer.accepted()).isEqualTo(3);
        assertThat(answer.rejected())
                .extracting(Rejection::index, Rejection::field, Rejection::code)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple(2, "user_id", "owner_conflict"),
                        org.assertj.core.groups.Tuple.tuple(4, "workflow_id", "owner_conflict"));
        assertThat(answer.executions()).containsExactly(new SeqRange("e", 1, 3));
        assertThat(state("e").userId()).isEqualTo("anna");
        assertThat(state("e").workflowId()).isEqualTo("w1");
    }

    @Test
    void aBatchOfConflictsAloneLeavesNoTrace() {
        open.append(Batches.batch().entry("e", f -> f.userId = "anna").build());
        long position = open.journal.lastPosition();

        IngestAnswer answer =
                open.append(Batches.batch().entry("e", f -> f.userId = "bert").build());

        assertThat(answer.allRejected()).isTrue();
        assertThat(open.journal.lastPosition()).isEqualTo(position);
        assertThat(state("e").totalLogs()).isEqualTo(1);
    }

    @Test
    void anIdIsStoredOnceWithinABatchAcrossBatchesAndAfterARestart() {
        var twice = Batches.batch()
                .entry("e", ID, f -> f.message = "one")
                .entry("e", ID, f -> f.message = "two")
                .entry("other", ID, f -> f.message = "another execution's")
                .build();

        IngestAnswer first = open.append(twice);
        IngestAnswer second = open.append(twice);
        reopen();
        IngestAnswer third = open.append(twice);

        assertThat(first.accepted()).isEqualTo(2);
        assertThat(first.duplicates()).isEqualTo(1);
        assertThat(List.of(second.duplicates(), third.duplicates())).containsExactly(3, 3);
        assertThat(second.executions()).isEmpty();
        assertThat(Batches.told(open.journal, "e")).containsExactly("1:one");
    }

    @Test
    void anIdIsForgottenAfterADayAndNotBefore() {
        var batch = Batches.batch().entry("e", ID, f -> f.message = "again").build();
        open.append(batch);

        open.after(Duration.ofHours(24).minusSeconds(1));
        assertThat(open.append(batch).duplicates()).isEqualTo(1);
        open.after(Duration.ofSeconds(2));
        assertThat(open.append(batch).accepted()).isEqualTo(1);
        // The new one is remembered in its turn, while days pass.
        open.after(Duration.ofHours(23));
        assertThat(open.append(batch).duplicates()).isEqualTo(1);
    }

    @Test
    void aKeyGetsItsFirstAnswerAgain() {
        var batch = Batches.batch()
                .entry("e", f -> f.userId = "anna")
                .entry("e", f -> f.userId = "bert")
                .key("k", "f")
                .build();
        IngestAnswer first = open.append(batch);

        IngestAnswer second = open.append(batch);
        reopen();
        IngestAnswer third = open.append(batch);

        assertThat(first.rejected()).hasSize(1);
        assertThat(second).isEqualTo(first);
        assertThat(third).isEqualTo(first);
        assertThat(state("e").totalLogs()).isEqualTo(1);
        assertThatThrownBy(() -> open.append(
                        Batches.batch().entry("e", "other").key("k", "g").build()))
                .isInstanceOf(IdempotencyConflictException.class);
    }

    @Test
    void aKeyOfAWhollyRejectedBatchMayBeUsedForTheCorrectedOne() {
        open.append(Batches.batch().entry("e", f -> f.userId = "anna").build());
        open.append(
                Batches.batch().entry("e", f -> f.userId = "bert").key("k", "f").build());

        IngestAnswer corrected = open.append(
                Batches.batch().entry("e", f -> f.userId = "anna").key("k", "g").build());

        assertThat(corrected.accepted()).isEqualTo(1);
    }

    @Test
    void statusFollowsItsEntriesAndItsUpdates() {
        open.append(Batches.of("e", "first"));
        assertThat(state("e").status()).isEqualTo(ExecutionStatus.NEW);

        open.append(Batches.batch()
                .entry("e", f -> {
                    f.eventType = EventType.WORKFLOW_STARTED;
                    f.statusEffect = ExecutionStatus.RUNNING;
                })
                .build());
        assertThat(state("e").status()).isEqualTo(ExecutionStatus.RUNNING);
        assertThat(state("e").startedAtMicros()).isEqualTo(Batches.NOW);

        open.append(Batches.batch()
                .entry("e", f -> {
                    f.eventType = EventType.WORKFLOW_COMPLETED;
                    f.statusEffect = ExecutionStatus.FAILED;
                })
                .entry("e", "after the end")
                .build());
        assertThat(state("e").status()).isEqualTo(ExecutionStatus.FAILED);
        assertThat(state("e").finishedAtMicros()).isEqualTo(Batches.NOW);
        assertThat(state("e").lastSeq()).isEqualTo(4);

        var updated = open.update(new ExecutionUpdate("e", ExecutionStatus.PAUSED, null, "anna", Batches.NOW));
        assertThat(updated.created()).isFalse();
        assertThat(updated.state().status()).isEqualTo(ExecutionStatus.PAUSED);
        assertThat(updated.state().finishedAtMicros()).isZero();
        assertThat(updated.state().lastSeq()).isEqualTo(4);
    }

    @Test
    void anUpdateMakesAnExecutionAndMayChangeItsOwner() {
        assertThat(open.update(new ExecutionUpdate("e", null, "w", "anna", Batches.NOW))
                        .created())
                .isTrue();
        assertThat(open.update(new ExecutionUpdate("e", null, null, "bert", Batches.NOW))
                        .state()
                        .userId())
                .isEqualTo("bert");
        reopen();

        assertThat(state("e").workflowId()).isEqualTo("w");
        assertThat(open.append(Batches.of("e", "first")).executions()).containsExactly(new SeqRange("e", 1, 1));
    }

    @Test
    void countsCoverAllEntries() {
        open.append(Batches.batch()
                .entry("e", f -> f.level = Level.ERROR)
                .entry("e", f -> f.level = Level.CRITICAL)
                .entry("e", f -> f.level = Level.WARNING)
                .entry("e", f -> f.milestone = true)
                .entry("e", f -> f.progressHundredths = 5050)
                .entry("e", f -> f.timestampMicros = Batches.NOW - 7)
                .build());
        reopen();

        ExecutionState state = state("e");
        assertThat(state.totalLogs()).isEqualTo(6);
        assertThat(state.errorCount()).isEqualTo(2);
        assertThat(state.warningCount()).isEqualTo(1);
        assertThat(state.levelCounts().get(Level.INFO)).isEqualTo(3);
        assertThat(state.eventCounts().get(EventType.LOG)).isEqualTo(6);
        assertThat(state.milestoneCount()).isEqualTo(1);
        assertThat(state.progressHundredths()).isEqualTo(5050);
        assertThat(state.firstEntryAtMicros()).isEqualTo(Batches.NOW - 7);
        assertThat(state.lastEntryAtMicros()).isEqualTo(Batches.NOW);
    }

    @Test
    void aFollowerOfALostJournalJumpsOverAllThatMayHaveBeenGiven() {
        // Given a second journal whose database knew one execution up to 5
        ExecutionState known;
        open.append(Batches.of("known", "1", "2", "3", "4", "5"));
        known = state("known");
        open.close();
        open = new OpenJournal(temp.resolve("follower"));
        open.journal.adopt(2, List.of(known));
        open.journal.succeed(2, Batches.NOW);

        // Then both that one and those nobody knows keep clear of what the lost journal may have given
        assertThat(open.append(Batches.of("known", "on", "and on")).executions())
                .containsExactly(new SeqRange("known", 1_000_000_000L, 1_000_000_001L));
        assertThat(open.append(Batches.of("unheard of", "on")).executions())
                .containsExactly(new SeqRange("unheard of", 1_000_000_000L, 1_000_000_000L));
        assertThat(state("known").totalLogs()).isEqualTo(7);

        // And once no reader can have been told of the lost ones any more, new ones begin at 1
        open.after(Duration.ofDays(1).plusSeconds(1));
        assertThat(open.append(Batches.of("new", "first")).executions()).containsExactly(new SeqRange("new", 1, 1));
    }

    @Test
    void aThirdJournalJumpsOnceMore() {
        open.append(Batches.of("e", "1"));
        ExecutionState known = state("e");
        open.close();
        open = new OpenJournal(temp.resolve("third"));

        // The second journal was lost before PostgreSQL heard of anything it gave.
        open.journal.adopt(3, List.of(known));
        open.journal.succeed(3, Batches.NOW);

        assertThat(open.append(Batches.of("e", "on")).executions().get(0).firstSeq())
                .isEqualTo(2_000_000_000L);
    }
}
