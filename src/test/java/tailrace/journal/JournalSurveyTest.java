package tailrace.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tailrace.journal.JournalSurvey.Beyond;
import tailrace.journal.JournalSurvey.Reader;
import tailrace.journal.JournalSurvey.Share;

class JournalSurveyTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path directory;

    private static final Reader ONLY_A =
            new Reader("a", 1, record -> record.executionId().equals("a"));

    private static JournalSurvey survey(RocksJournal journal, Reader... readers) {
        return JournalSurvey.take(journal, List.of(readers), position -> {});
    }

    /** Positions 1 a (2 entries), 2 b (3, one friendly), 3 a (1 friendly, an hour later). */
    private static void fill(OpenJournal open) {
        open.append(Batches.of("a", "m1", "m2"));
        open.append(Batches.batch()
                .entry("b", "m1")
                .entry("b", fields -> fields.userFriendlyMessage = "for people")
                .entry("b", "m3")
                .build());
        open.after(Duration.ofHours(1));
        open.append(Batches.batch()
                .entry("a", fields -> {
                    fields.displayPriority = 9;
                    fields.receivedAtMicros = Batches.NOW + 3_600_000_000L;
                })
                .build());
    }

    @Test
    void eachReaderIsToldWhatIsBeyondItsCursorAndAllTogetherOnce() {
        try (OpenJournal open = new OpenJournal(directory)) {
            fill(open);

            JournalSurvey survey = survey(open.journal, ONLY_A, new Reader("all", 1, record -> true));

            assertThat(survey.firstPosition()).isEqualTo(1);
            assertThat(survey.lastPosition()).isEqualTo(3);
            assertThat(survey.entriesHeld()).isEqualTo(6);
            assertThat(survey.executions()).isEqualTo(2);
            assertThat(survey.executionsHeld()).isEqualTo(2);
            assertThat(survey.readers())
                    .containsExactly(
                            new Beyond("a", 1, 1, 1, 1, Batches.NOW + 3_600_000_000L, 1, List.of(new Share("a", 1, 1))),
                            new Beyond(
                                    "all",
                                    1,
                                    2,
                                    4,
                                    2,
                                    Batches.NOW,
                                    2,
                                    List.of(new Share("b", 3, 1), new Share("a", 1, 1))));
            assertThat(survey.beyond().records()).isEqualTo(2);
            assertThat(survey.beyond().entries()).isEqualTo(4);
            assertThat(survey.beyond().oldestReceivedMicros()).isEqualTo(Batches.NOW);
        }
    }

    @Test
    void whoIsAtTheEndOrUnknownHasNothingBeyond() {
        try (OpenJournal open = new OpenJournal(directory)) {
            fill(open);

            assertThat(survey(open.journal, new Reader("done", 3, record -> true))
                            .beyond()
                            .records())
                    .isZero();
            assertThat(survey(open.journal).beyond().records())
                    .as("no reader is known")
                    .isZero();
        }
    }

    @Test
    void executionsComeInPagesWithoutOneLeftOutOrTwice() {
        try (OpenJournal open = new OpenJournal(directory)) {
            for (String id : List.of("b", "a", "ab", "a\u0000", "ü")) {
                open.append(Batches.of(id, "m"));
            }

            List<String> ids = new java.util.ArrayList<>();
            String from = "";
            for (var page = open.journal.executions(from, 2);
                    !page.isEmpty();
                    page = open.journal.executions(from, 2)) {
                page.forEach(state -> ids.add(state.executionId()));
                from = ids.get(ids.size() - 1) + '\0';
            }

            assertThat(ids).containsExactly("a", "a\u0000", "ab", "b", "ü");
        }
    }

    @Test
    void lookingChangesNothingAndSeesWhatOnlyTheLogHolds() throws IOException {
        try (OpenJournal open = new OpenJournal(directory)) {
            fill(open);
        }
        Map<String, Integer> before = contents();

        try (JournalLock lock = JournalLock.take(directory).orElseThrow();
                RocksJournal journal = RocksJournal.openReadOnly(directory)) {
            JournalCheck check = JournalCheck.verify(journal, directory, (done, all) -> {});
            assertThat(Batches.told(journal, "b")).containsExactly("1:m1", "2:for people", "3:m3");
            assertThat(survey(journal, ONLY_A).beyond().entries()).isEqualTo(1);
            assertThat(check.tables()).isGreaterThanOrEqualTo(0);
            assertThatThrownBy(journal::probe).isInstanceOf(JournalUnavailableException.class);
        }

        assertThat(contents()).isEqualTo(before);
    }

    @Test
    void whereThereIsNoJournalNoneIsMade() throws IOException {
        assertThatThrownBy(() -> JournalLock.take(directory))
                .isInstanceOf(JournalUnavailableException.class)
                .hasMessageContaining("There is no journal in " + directory);
        assertThat(contents()).isEmpty();
    }

    private Map<String, Integer> contents() throws IOException {
        Map<String, Integer> contents = new TreeMap<>();
        try (var files = Files.list(directory)) {
            for (Path file : files.toList()) {
                contents.put(file.getFileName().toString(), Arrays.hashCode(Files.readAllBytes(file)));
            }
        }
        return contents;
    }
}
