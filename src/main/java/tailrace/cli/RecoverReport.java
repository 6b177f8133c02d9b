package tailrace.cli;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import tailrace.journal.JournalCheck;
import tailrace.journal.JournalSurvey;
import tailrace.journal.JournalSurvey.Beyond;
import tailrace.journal.JournalSurvey.Share;
import tailrace.model.JournalId;
import tailrace.model.Timestamps;
import tailrace.postgres.JournalOverview;
import tailrace.postgres.JournalRegistry.LaneCursor;
import tailrace.postgres.JournalStanding;

/**
 * What {@code recover} found, for people or for programs; both say the same. Execution ids are anybody's text, so none
 * of their control characters reaches a terminal.
 *
 * @param bytes of the journal's files
 * @param postgres or null where it could not be asked
 * @param postgresAway why it could not, "" where it could
 * @param persistAll whether technical entries belong into PostgreSQL, too
 */
record RecoverReport(
        JournalId id,
        Path directory,
        long bytes,
        JournalCheck check,
        JournalSurvey survey,
        @Nullable JournalOverview postgres,
        String postgresAway,
        boolean persistAll) {

    /** What the start of a server, or a replay, makes of it. */
    static String explain(JournalStanding standing) {
        if (standing instanceof JournalStanding.First) {
            return "PostgreSQL knows no journal yet: this one becomes its first, and all of it is to be written.";
        }
        if (standing instanceof JournalStanding.Continue) {
            return "PostgreSQL knows this journal: whoever writes goes on at its cursors.";
        }
        if (standing instanceof JournalStanding.Successor successor) {
            return "this journal is empty, and PostgreSQL belongs to journal " + successor.lost()
                    + ", whose data directory is another one or was lost. Set TAILRACE_DATA_DIR to that one if it is"
                    + " still there; a server that starts here goes on above what PostgreSQL knows.";
        }
        if (standing instanceof JournalStanding.Foreign foreign) {
            return "PostgreSQL belongs to journal " + foreign.current() + ", so nothing of this one may be written to"
                    + " it. Set DATABASE_URL to this journal's database; a server that starts here sets this journal"
                    + " aside, unchanged.";
        }
        JournalStanding.Stale stale = (JournalStanding.Stale) standing;
        return "this is an old copy: PostgreSQL has the journal up to position " + stale.cursor()
                + ", the copy ends at " + stale.lastPosition()
                + ". PostgreSQL has everything it holds; a server that starts here sets it aside, unchanged.";
    }

    private static String name(JournalStanding standing) {
        return standing.getClass().getSimpleName().toLowerCase(Locale.ROOT);
    }

    /** Entries that a replay would write. */
    private long toWrite() {
        return persistAll ? survey.beyond().entries() : survey.beyond().friendlyEntries();
    }

    String text() {
        StringBuilder text = new StringBuilder();
        line(text, "Journal " + id + " in " + directory);
        figure(text, "positions", positions());
        figure(
                text,
                "entries held",
                String.format(
                        Locale.ROOT,
                        "%,d, of %,d executions (%,d more are known)",
                        survey.entriesHeld(),
                        survey.executionsHeld(),
                        survey.executions() - survey.executionsHeld()));
        figure(text, "on disk", size(bytes));
        figure(
                text,
                "sound",
                String.format(Locale.ROOT, "the logs, and %,d tables of %s", check.tables(), size(check.bytes())));
        line(text, "");
        JournalOverview known = postgres;
        if (known == null) {
            line(text, "PostgreSQL cannot be asked: " + HttpConnection.printable(postgresAway));
            line(text, "What it has got of this journal is not known; what is above is what the journal alone says.");
            return text.toString();
        }
        line(text, "PostgreSQL");
        figure(text, "standing", explain(known.standing()));
        figure(text, "log_rejects", String.format(Locale.ROOT, "%,d rows that were refused", known.rejects()));
        survey.readers().forEach(reader -> figure(text, reader.name(), beyond(reader, true)));
        if (known.cursors().stream().anyMatch(LaneCursor::fenced)) {
            line(text, "  Its cursors are closed for good: another journal took over.");
        }
        line(text, "");
        beyond(text);
        return text.toString();
    }

    private void beyond(StringBuilder text) {
        Beyond all = survey.beyond();
        if (all.records() == 0) {
            line(text, "Nothing is beyond any cursor.");
            return;
        }
        line(text, "Beyond the cursors: " + beyond(all, false) + (all.top().isEmpty() ? "" : ". Most of it:"));
        for (Share share : all.top()) {
            line(
                    text,
                    String.format(
                            Locale.ROOT,
                            "  %s: %,d entries, %,d user-friendly",
                            HttpConnection.printable(share.executionId()),
                            share.entries(),
                            share.friendlyEntries()));
        }
        line(
                text,
                String.format(
                        Locale.ROOT,
                        "`recover --replay` writes it (%,d rows, LOG_PERSIST=%s); so does a server that starts here.",
                        toWrite(),
                        persistAll ? "all" : "selective"));
    }

    private String positions() {
        return survey.firstPosition() > survey.lastPosition()
                ? String.format(Locale.ROOT, "none held, the last was %,d", survey.lastPosition())
                : String.format(Locale.ROOT, "%,d to %,d", survey.firstPosition(), survey.lastPosition());
    }

    private static String beyond(Beyond part, boolean cursor) {
        String at = cursor ? String.format(Locale.ROOT, "at %,d; beyond it ", part.position()) : "";
        if (part.records() == 0) {
            return at + "nothing";
        }
        return at
                + String.format(
                        Locale.ROOT,
                        "%,d records, %,d entries (%,d user-friendly) of %,d%s executions%s",
                        part.records(),
                        part.entries(),
                        part.friendlyEntries(),
                        part.executions(),
                        part.moreExecutions() ? " or more" : "",
                        part.oldestReceivedMicros() == 0
                                ? ""
                                : ", the oldest received " + Timestamps.format(part.oldestReceivedMicros()));
    }

    private static String size(long bytes) {
        return String.format(Locale.ROOT, "%,.1f MiB", bytes / (double) (1 << 20));
    }

    private static void figure(StringBuilder text, String name, String value) {
        line(text, "  " + name + " ".repeat(Math.max(1, 18 - name.length())) + value);
    }

    private static void line(StringBuilder text, String line) {
        text.append(line).append(System.lineSeparator());
    }

    JsonObject json() {
        JsonObject json = new JsonObject()
                .put(
                        "journal",
                        new JsonObject()
                                .put("id", id.toString())
                                .put("directory", directory.toString())
                                .put("first_position", survey.firstPosition())
                                .put("last_position", survey.lastPosition())
                                .put("entries", survey.entriesHeld())
                                .put("executions", survey.executionsHeld())
                                .put("executions_known", survey.executions())
                                .put("bytes", bytes))
                .put(
                        "check",
                        new JsonObject()
                                .put("sound", true)
                                .put("tables", check.tables())
                                .put("table_bytes", check.bytes()));
        JournalOverview known = postgres;
        if (known == null) {
            return json.put(
                    "postgres", new JsonObject().put("standing", "unknown").put("detail", postgresAway));
        }
        return json.put(
                        "postgres",
                        new JsonObject()
                                .put("standing", name(known.standing()))
                                .put("detail", explain(known.standing()))
                                .put("rejects", known.rejects()))
                .put(
                        "cursors",
                        new JsonArray(survey.readers().stream()
                                .map(reader ->
                                        json(reader).put("name", reader.name()).put("position", reader.position()))
                                .toList()))
                .put(
                        "beyond",
                        json(survey.beyond()).put("rows_to_write", toWrite()).put("top", top()));
    }

    private static JsonObject json(Beyond part) {
        JsonObject json = new JsonObject()
                .put("records", part.records())
                .put("entries", part.entries())
                .put("user_friendly_entries", part.friendlyEntries())
                .put("executions", part.executions())
                .put("more_executions", part.moreExecutions());
        if (part.oldestReceivedMicros() != 0) {
            json.put("oldest_received_at", Timestamps.format(part.oldestReceivedMicros()));
        }
        return json;
    }

    private JsonArray top() {
        List<JsonObject> top = survey.beyond().top().stream()
                .map(share -> new JsonObject()
                        .put("execution_id", share.executionId())
                        .put("entries", share.entries())
                        .put("user_friendly_entries", share.friendlyEntries()))
                .toList();
        return new JsonArray(top);
    }
}
