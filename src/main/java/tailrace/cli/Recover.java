package tailrace.cli;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tailrace.config.RedisUrl;
import tailrace.config.TailraceConfig;
import tailrace.journal.JournalCheck;
import tailrace.journal.JournalDamagedException;
import tailrace.journal.JournalHome;
import tailrace.journal.JournalLock;
import tailrace.journal.JournalSurvey;
import tailrace.journal.JournalUnavailableException;
import tailrace.journal.RocksJournal;
import tailrace.model.JournalId;
import tailrace.postgres.Database;
import tailrace.postgres.JournalOverview;
import tailrace.redis.StoredCursor;

/**
 * {@code tailrace recover}: what the journal of a stopped server holds and PostgreSQL has not got. Looking changes
 * nothing of the journal; {@code --replay} and {@code --reselect} write with the server's own writer.
 */
@Command(
        name = "recover",
        description = {
            "Show what the journal holds and PostgreSQL has not got yet, while the server is stopped; put it there.",
            "Without an option it only looks: the journal is verified and opened to be read, and nothing of it changes."
                    + " An embedded PostgreSQL is started for it and stopped again.",
            ""
        },
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        sortOptions = false,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:done; also if nothing is beyond any cursor",
            "1:failed, or refused because PostgreSQL belongs to another journal",
            "2:wrong usage",
            "3:the journal is damaged; it says what is and what to do",
            "4:in use: the server runs, or another process holds the writer's lock",
            "5:PostgreSQL does not answer; shown is what the journal alone says, and nothing is written"
        })
final class Recover implements Callable<Integer> {
    static final int EXIT_DAMAGED = 3;
    static final int EXIT_IN_USE = 4;
    static final int EXIT_POSTGRES_AWAY = 5;

    @Mixin
    private final ConfigOption options = new ConfigOption();

    @Option(
            names = "--replay",
            description = "Write what is beyond the cursors into PostgreSQL, as the server would. May be repeated, and"
                    + " goes on where it was interrupted.")
    private boolean replay;

    @Option(
            names = "--reselect",
            description = "After LOG_PERSIST was changed from selective to all: replay, then write every entry that"
                    + " the hot tier still has and PostgreSQL lacks. May be repeated.")
    private boolean reselect;

    @Mixin
    private OutputOption output = new OutputOption();

    @Mixin
    private ProgressOption progressOption = new ProgressOption();

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before anything runs
    private CommandSpec spec;

    @Override
    public Integer call() throws Exception {
        try {
            TailraceConfig config = options.load();
            if (reselect && !config.writer().persistAll()) {
                throw new CommandFailedException("LOG_PERSIST is selective, so technical entries do not belong into"
                        + " PostgreSQL. Set LOG_PERSIST=all for this command and for the server, and run it again.");
            }
            try (Progress progress = progressOption.show()) {
                return replay || reselect ? write(config, progress) : show(config, progress);
            }
        } catch (JournalDamagedException e) {
            return failed(String.valueOf(e.getMessage()), EXIT_DAMAGED);
        } catch (CommandFailedException e) {
            return failed(String.valueOf(e.getMessage()), e.exitCode());
        } catch (JournalUnavailableException e) {
            return failed(String.valueOf(e.getMessage()), 1);
        }
    }

    private int failed(String why, int exitCode) {
        PrintWriter err = spec.commandLine().getErr();
        err.println("tailrace: " + why);
        err.flush();
        if (output.json()) {
            print(new JsonObject().put("ok", false).put("error", why).put("exit_code", exitCode), "");
        }
        return exitCode;
    }

    private void print(JsonObject json, String text) {
        output.print(output.json() ? json.encodePrettily() + System.lineSeparator() : text);
    }

    /** The journal's lock, so that no server starts behind our back. */
    private static JournalLock lock(Path directory) throws CommandFailedException {
        return JournalLock.take(directory)
                .orElseThrow(() -> new CommandFailedException(
                        "The journal in " + directory + " is in use: a server runs on this data directory. Stop it"
                                + " first; while it runs, GET /v2/logs/stats shows its cursors.",
                        EXIT_IN_USE));
    }

    private int show(TailraceConfig config, Progress progress) throws Exception {
        Path directory = JournalHome.directory(config.dataDir());
        try (JournalLock lock = lock(directory)) {
            progress.show(() -> "reading the journal's logs");
            try (RocksJournal journal = RocksJournal.openReadOnly(directory)) {
                JournalCheck check = verify(journal, directory, progress);
                RecoverReport report = look(config, journal, directory, check, progress);
                JsonObject json = report.json().put("ok", true);
                String text = report.text();
                if (config.redis().url().isPresent()) {
                    JsonObject redis = askRedis(config, journal);
                    json.put("redis", redis);
                    text += "\nRedis\n  " + redis.getString("detail") + "\n";
                }
                progress.close();
                print(json, text);
                return report.postgres() == null ? EXIT_POSTGRES_AWAY : 0;
            }
        }
    }

    /** Its cursor, and what lies beyond it; a server that starts here brings Redis that by itself. */
    private static JsonObject askRedis(TailraceConfig config, RocksJournal journal) throws InterruptedException {
        RedisUrl url = RedisUrl.parse(config.redis().url().orElseThrow().value());
        Vertx vertx = Vertx.vertx();
        try {
            OptionalLong cursor = await(StoredCursor.of(vertx, url, journal.id()));
            if (cursor.isEmpty()) {
                return new JsonObject().put("detail", "has nothing of this journal; a server fills it from the start");
            }
            long beyond = Math.max(0, journal.lastPosition() - cursor.getAsLong());
            return new JsonObject()
                    .put("position", cursor.getAsLong())
                    .put("records_beyond", beyond)
                    .put(
                            "detail",
                            String.format(Locale.ROOT, "at %,d; beyond it %,d records", cursor.getAsLong(), beyond));
        } catch (ExecutionException e) {
            Throwable cause = Optional.ofNullable(e.getCause()).orElse(e);
            return new JsonObject()
                    .put("detail", "cannot be asked: " + HttpConnection.printable(String.valueOf(cause.getMessage())));
        } finally {
            closeQuietly(vertx);
        }
    }

    private static JournalCheck verify(RocksJournal journal, Path directory, Progress progress) {
        long began = System.nanoTime();
        return JournalCheck.verify(
                journal,
                directory,
                (done, all) -> progress.show(
                        () -> Progress.bar("verify", "MiB", done >> 20, all >> 20, System.nanoTime() - began)));
    }

    private static RecoverReport look(
            TailraceConfig config, RocksJournal journal, Path directory, JournalCheck check, Progress progress)
            throws InterruptedException {
        progress.show(() -> "asking PostgreSQL");
        Known known = ask(config, journal.id(), journal.lastPosition());
        JournalOverview overview = known.overview();
        JournalSurvey survey = JournalSurvey.take(
                journal,
                overview == null ? List.of() : overview.readers(),
                position -> progress.show(() ->
                        String.format(Locale.ROOT, "counting: position %,d of %,d", position, journal.lastPosition())));
        return new RecoverReport(
                journal.id(),
                directory,
                journal.sizeBytes(),
                check,
                survey,
                overview,
                known.away(),
                config.writer().persistAll());
    }

    /** @param away why it could not be asked, "" where it could */
    private record Known(@Nullable JournalOverview overview, String away) {}

    private static Known ask(TailraceConfig config, JournalId id, long lastPosition) throws InterruptedException {
        boolean embedded = config.database().url().isEmpty();
        if (embedded && !Files.isDirectory(config.dataDir().resolve("postgres"))) {
            return new Known(null, "DATABASE_URL is not set, and there is no embedded one in " + config.dataDir());
        }
        Vertx vertx = Vertx.vertx();
        try {
            return new Known(
                    await(Database.open(vertx, config.database(), config.dataDir())
                            .compose(database -> JournalOverview.of(database, id, lastPosition)
                                    .eventually(database::close))),
                    "");
        } catch (ExecutionException e) {
            Throwable cause = Optional.ofNullable(e.getCause()).orElse(e);
            return new Known(null, Optional.ofNullable(cause.getMessage()).orElse(cause.toString()));
        } finally {
            closeQuietly(vertx);
        }
    }

    private static <T> T await(Future<T> future) throws ExecutionException, InterruptedException {
        return future.toCompletionStage().toCompletableFuture().get();
    }

    private static void closeQuietly(Vertx vertx) throws InterruptedException {
        try {
            await(vertx.close());
        } catch (ExecutionException e) {
            throw new IllegalStateException("closing Vert.x", e);
        }
    }

    private int write(TailraceConfig config, Progress progress) throws Exception {
        lock(JournalHome.directory(config.dataDir())).close(); // in use, or none at all: said before anything is opened
        progress.show(() -> "verifying and opening the journal");
        try (Recovery recovery = new Recovery(config)) {
            Recovery.Replayed replayed = recovery.replay(progress);
            Recovery.Reselected reselected =
                    reselect ? recovery.reselect(progress, replayed.before().entriesHeld()) : null;
            progress.close();
            long last = recovery.home().journal().lastPosition();
            print(json(replayed, reselected, last), text(replayed, reselected, last));
            return 0;
        }
    }

    private static JsonObject json(Recovery.Replayed replayed, Recovery.@Nullable Reselected reselected, long last) {
        JsonObject json = new JsonObject()
                .put("ok", true)
                .put("last_position", last)
                .put(
                        "replay",
                        new JsonObject()
                                .put("records", replayed.before().beyond().records())
                                .put("entries", replayed.before().beyond().entries())
                                .put("rows", replayed.rows())
                                .put("refused", replayed.refused())
                                .put("seconds", replayed.seconds())
                                .put("rows_per_second", replayed.rowsPerSecond()));
        if (reselected != null) {
            json.put(
                    "reselect",
                    new JsonObject()
                            .put("entries", reselected.looked())
                            .put("inserted", reselected.inserted())
                            .put("refused", reselected.refused())
                            .put("seconds", reselected.seconds()));
        }
        return json;
    }

    private static String text(Recovery.Replayed replayed, Recovery.@Nullable Reselected reselected, long last) {
        StringBuilder text = new StringBuilder();
        if (replayed.before().beyond().records() == 0) {
            text.append("Nothing was beyond any cursor.\n");
        } else {
            text.append(String.format(
                    Locale.ROOT,
                    "Replayed %,d records with %,d entries: %,d rows in %,.1f s, %,.0f rows/s%s.%n",
                    replayed.before().beyond().records(),
                    replayed.before().beyond().entries(),
                    replayed.rows(),
                    replayed.seconds(),
                    replayed.rowsPerSecond(),
                    refused(replayed.refused())));
        }
        text.append(String.format(Locale.ROOT, "Every cursor is at the journal's end, position %,d.%n", last));
        if (reselected != null) {
            text.append(String.format(
                    Locale.ROOT,
                    "Reselected: PostgreSQL has all %,d entries of the hot tier; %,d of them were missing (%,.1f s)%s.%n",
                    reselected.looked(),
                    reselected.inserted(),
                    reselected.seconds(),
                    refused(reselected.refused())));
        }
        return text.toString();
    }

    private static String refused(long rows) {
        return rows == 0 ? "" : String.format(Locale.ROOT, "; PostgreSQL refused %,d, see log_rejects", rows);
    }
}
