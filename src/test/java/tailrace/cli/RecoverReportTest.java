package tailrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.json.JsonObject;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import tailrace.journal.JournalCheck;
import tailrace.journal.JournalSurvey;
import tailrace.journal.JournalSurvey.Beyond;
import tailrace.journal.JournalSurvey.Share;
import tailrace.model.JournalId;
import tailrace.postgres.JournalOverview;
import tailrace.postgres.JournalStanding;

class RecoverReportTest {
    private static final JournalId ID = new JournalId(UUID.fromString("00000000-0000-0000-0000-000000000001"));
    private static final long RECEIVED = 1_772_366_400_000_000L;

    private static RecoverReport report(Beyond beyond, JournalStanding standing, boolean persistAll) {
        return new RecoverReport(
                ID,
                Path.of("/data/journal"),
                3 << 20,
                new JournalCheck(4, 2 << 20),
                new JournalSurvey(5, 1_200, 9_000, 12, 10, List.of(beyond), beyond),
                new JournalOverview(standing, List.of(), 2),
                "",
                persistAll);
    }

    private static Beyond beyond(int executions, Share... top) {
        return new Beyond("postgres lane 0", 1_000, 200, 1_500, 300, RECEIVED, executions, List.of(top));
    }

    @Test
    void peopleAndProgramsAreToldTheSame() {
        RecoverReport report =
                report(beyond(2, new Share("run-1", 1_400, 290)), new JournalStanding.Continue(1), false);

        assertThat(report.text())
                .contains("Journal " + ID + " in /data/journal")
                .contains("positions         5 to 1,200")
                .contains("9,000, of 10 executions (2 more are known)")
                .contains("4 tables of 2.0 MiB")
                .contains("PostgreSQL knows this journal")
                .contains("2 rows that were refused")
                .contains("postgres lane 0   at 1,000; beyond it 200 records, 1,500 entries (300 user-friendly) of 2"
                        + " executions, the oldest received 2026-03-01T12:00:00")
                .contains("run-1: 1,400 entries, 290 user-friendly")
                .contains("`recover --replay` writes it (300 rows, LOG_PERSIST=selective)");
        JsonObject json = report.json();
        assertThat(json.getJsonObject("beyond").getLong("rows_to_write")).isEqualTo(300);
        assertThat(json.getJsonArray("cursors").getJsonObject(0).getLong("position"))
                .isEqualTo(1_000);
        assertThat(json.getJsonObject("postgres").getString("standing")).isEqualTo("continue");
    }

    @Test
    void withLogPersistAllEveryEntryIsToBeWritten() {
        assertThat(report(beyond(1), new JournalStanding.First(), true).text())
                .contains("(1,500 rows, LOG_PERSIST=all)")
                .contains("PostgreSQL knows no journal yet");
    }

    @Test
    void nothingBeyondIsSaid() {
        Beyond nothing = new Beyond("postgres lane 0", 1_200, 0, 0, 0, 0, 0, List.of());

        assertThat(report(nothing, new JournalStanding.Continue(1), false).text())
                .contains("at 1,200; beyond it nothing")
                .contains("Nothing is beyond any cursor.")
                .doesNotContain("--replay");
    }

    @Test
    void anExecutionsIdCannotSteerTheTerminal() {
        String hostile = "\u001b[2J\r\nJournal is fine";

        String text = report(beyond(1, new Share(hostile, 1, 1)), new JournalStanding.Continue(1), false)
                .text();

        assertThat(text).doesNotContain("\u001b").contains("␛[2J␍␊Journal is fine: 1 entries");
    }

    @Test
    void withoutPostgresTheJournalAloneIsShown() {
        RecoverReport whole = report(beyond(1), new JournalStanding.First(), false);
        RecoverReport alone = new RecoverReport(
                ID, whole.directory(), whole.bytes(), whole.check(), whole.survey(), null, "refused", false);

        assertThat(alone.text())
                .contains("9,000, of 10 executions")
                .contains("PostgreSQL cannot be asked: refused")
                .doesNotContain("beyond");
        assertThat(alone.json().getJsonObject("postgres").getString("standing")).isEqualTo("unknown");
        assertThat(alone.json().containsKey("beyond")).isFalse();
    }

    @Test
    void everyStandingSaysWhatItMeans() {
        assertThat(RecoverReport.explain(new JournalStanding.Successor(1, ID)))
                .contains("empty")
                .contains("" + ID);
        assertThat(RecoverReport.explain(new JournalStanding.Foreign(1, ID))).contains("nothing of this one may");
        assertThat(RecoverReport.explain(new JournalStanding.Stale(1, 9, 7)))
                .contains("position 9")
                .contains("at 7");
    }

    @Test
    void theBarShowsShareRateAndWhatIsLeft() {
        assertThat(Progress.bar("replay", "rows", 2_500, 10_000, 1_000_000_000L))
                .isEqualTo("replay [#####...............] 25 %  2,500 of 10,000 rows, 2,500 rows/s, 3 s to go");
        assertThat(Progress.bar("replay", "rows", 0, 10, 1)).contains("] 0 %").contains("… s to go");
        assertThat(Progress.bar("replay", "rows", 12, 10, 1_000_000_000L)).contains("] 100 %");
        assertThat(Progress.bar("verify", "MiB", 0, 0, 1)).contains("] 100 %");
    }
}
