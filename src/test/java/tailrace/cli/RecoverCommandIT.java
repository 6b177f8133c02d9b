package tailrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.f4b6a3.uuid.UuidCreator;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Clock;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tailrace.config.ConfigLoader;
import tailrace.config.TailraceConfig;
import tailrace.degradation.Shedder;
import tailrace.http.Services;
import tailrace.ingest.BatchParser;
import tailrace.journal.CommitLoop;
import tailrace.journal.JournalHome;
import tailrace.metrics.Metrics;
import tailrace.postgres.TestDatabase;

/** What {@code recover} refuses, in this process. */
class RecoverCommandIT {
    private static final int ENTRIES = 200;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path temp;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @SuppressWarnings("NullAway.Init")
    private TestDatabase database;

    @BeforeEach
    void makeDatabase() {
        database = TestDatabase.migrated();
    }

    @AfterEach
    void dropDatabase() {
        database.close();
    }

    private Path journal() {
        return temp.resolve("data").resolve("journal");
    }

    private int run(String... options) throws IOException {
        out.getBuffer().setLength(0);
        err.getBuffer().setLength(0);
        String[] all = new String[options.length + 3];
        all[0] = "recover";
        all[1] = "--config";
        all[2] = config().toString();
        System.arraycopy(options, 0, all, 3, options.length);
        return Main.commandLine()
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(all);
    }

    private Path config() throws IOException {
        return Files.writeString(
                temp.resolve("c.yaml"),
                "tailrace_data_dir: " + temp.resolve("data") + "\ndatabase_url: " + database.urlText() + "\n");
    }

    /** Entries that PostgreSQL has not heard of; every fifth is for it. */
    private void fill() throws Exception {
        TailraceConfig config = ConfigLoader.load(Map.of(), Optional.of(config()));
        Clock clock = Clock.systemUTC();
        StringBuilder body = new StringBuilder();
        for (int i = 1; i <= ENTRIES; i++) {
            body.append("{\"execution_id\":\"e\",\"message\":\"m" + i + "\",\"is_milestone\":" + (i % 5 == 0) + "}\n");
        }
        try (JournalHome home = new JournalHome(config.dataDir(), true, clock);
                CommitLoop loop = new CommitLoop(
                                home.journal(),
                                config.journal(),
                                config.retention().hotTtl(),
                                clock,
                                new Metrics(new SimpleMeterRegistry()),
                                Shedder.never(clock),
                                commit -> {})
                        .start()) {
            var parser = new BatchParser(
                    config.ingest(), Services.masking(config.ingest()), clock, UuidCreator::getTimeOrderedEpoch);
            int accepted = loop.append(parser.parse(body.toString().getBytes(StandardCharsets.UTF_8), true, null, null))
                    .get(30, TimeUnit.SECONDS)
                    .answer()
                    .accepted();
            assertThat(accepted).isEqualTo(ENTRIES);
        }
    }

    private long rows() {
        return database.number("SELECT count(*) FROM tailrace.workflow_execution_logs");
    }

    @Test
    void withoutAJournalNothingIsMade() throws IOException {
        assertThat(run()).isEqualTo(1);
        assertThat(err.toString()).contains("There is no journal in " + journal());
        assertThat(run("--replay", "-o", "json")).isEqualTo(1);
        assertThat(new JsonObject(out.toString()).getString("error")).contains("Set TAILRACE_DATA_DIR");
        assertThat(temp.resolve("data")).doesNotExist();
    }

    @Test
    void reselectIsForThoseWhoSelectAll() throws Exception {
        fill();
        assertThat(run("--reselect")).isEqualTo(1);
        assertThat(err.toString()).contains("Set LOG_PERSIST=all");
        assertThat(rows()).isZero();
    }

    @Test
    void aDamagedLogOrTableIsNamedAndLeftAsItIs() throws Exception {
        fill();
        requireDamageTold(largest(".log"));
        new JournalHome(temp.resolve("data"), true, Clock.systemUTC()).close(); // makes a table of the log
        requireDamageTold(largest(".sst"));
        assertThat(run()).as(err.toString()).isZero();
        assertThat(out.toString()).contains("200 entries (40 user-friendly) of 1 executions");
    }

    private void requireDamageTold(Path damaged) throws IOException {
        flipInTheMiddle(damaged);
        Map<String, Integer> before = contents();
        assertThat(run()).as(err.toString()).isEqualTo(3);
        assertThat(err.toString())
                .contains("is damaged")
                .contains(damaged.getFileName().toString())
                .contains("Restore the directory from a copy");
        assertThat(contents()).isEqualTo(before);
        flipInTheMiddle(damaged);
    }

    private Map<String, Integer> contents() throws IOException {
        Map<String, Integer> contents = new TreeMap<>();
        try (var files = Files.list(journal())) {
            for (Path file : files.toList()) {
                contents.put(file.getFileName().toString(), Arrays.hashCode(Files.readAllBytes(file)));
            }
        }
        return contents;
    }

    private Path largest(String ending) throws IOException {
        try (var files = Files.list(journal())) {
            return files.filter(file -> file.toString().endsWith(ending))
                    .max((x, y) -> Long.compare(x.toFile().length(), y.toFile().length()))
                    .orElseThrow();
        }
    }

    private static void flipInTheMiddle(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length / 2] ^= 0x10;
        Files.write(file, bytes);
    }

    @Test
    void anotherJournalsDatabaseIsNotWrittenTo() throws Exception {
        fill();
        database.execute("INSERT INTO tailrace.journals (journal_id) VALUES (gen_random_uuid())");

        assertThat(run("--replay")).isEqualTo(1);

        assertThat(err.toString()).contains("Nothing was written: PostgreSQL belongs to journal");
        assertThat(rows()).isZero();
        assertThat(database.number("SELECT count(*) FROM tailrace.journals")).isEqualTo(1);
        assertThat(run()).isZero();
        assertThat(out.toString()).contains("so nothing of this one may be written to it");
    }

    @Test
    void whileAnotherHoldsTheWritersLockNothingIsWritten() throws Exception {
        fill();
        try (Connection other = DriverManager.getConnection(
                        "jdbc:postgresql://" + database.url().host() + ":"
                                + database.url().port() + "/" + database.url().database() + "?sslmode=disable",
                        database.url().user(),
                        database.url().password().value());
                Statement statement = other.createStatement()) {
            statement.execute("SELECT pg_advisory_lock(hashtextextended('tailrace writer tailrace', 0))");

            assertThat(run("--replay")).isEqualTo(4);

            assertThat(err.toString()).contains("another Tailrace process writes to this database");
            assertThat(rows()).isZero();
        }
        assertThat(run("--replay")).as(err.toString()).isZero();
        assertThat(out.toString()).contains("Replayed 1 records with 200 entries: 40 rows");
        assertThat(rows()).isEqualTo(ENTRIES / 5);
    }
}
