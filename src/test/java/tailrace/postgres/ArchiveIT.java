package tailrace.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static tailrace.postgres.TestDatabase.await;

import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tailrace.config.TailraceConfig;
import tailrace.model.EntryFields;

/** What is removed is in a file first, or it is not removed. */
class ArchiveIT {
    private static final LocalDate TODAY = LocalDate.of(2026, 7, 15);
    private static final Instant NOW = Instant.parse("2026-07-15T09:00:00Z");
    private static final Clock CLOCK = Clock.fixed(NOW, ZoneOffset.UTC);
    private static final LocalDate OLD = TODAY.minusDays(11);
    private static final Retention.Limits LIMITS =
            new Retention.Limits(Duration.ofMillis(200), 2, 100, 1_000, Duration.ZERO);

    private final Path archive;
    private Vertx vertx;
    private TestDatabase postgres;
    private Database database;
    private ColdData data;

    ArchiveIT(@TempDir Path directory) {
        archive = directory.resolve("made/by/the/run");
    }

    @BeforeEach
    void open() {
        vertx = Vertx.vertx();
        postgres = TestDatabase.migrated();
        database = postgres.open(vertx);
        data = new ColdData(postgres);
    }

    @AfterEach
    void close() {
        postgres.close();
        await(vertx.close());
    }

    private RetentionReport run() {
        var config =
                new TailraceConfig.Retention(10, Duration.ofDays(1), Duration.ofHours(1), 30, Optional.of(archive));
        return new Retention(vertx, database, new Partitions(database, CLOCK), config, CLOCK, LIMITS).run(false);
    }

    private List<String> files() throws IOException {
        try (Stream<Path> files = Files.list(archive)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    private List<JsonObject> lines(String file) throws IOException {
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(
                new GZIPInputStream(Files.newInputStream(archive.resolve(file))), StandardCharsets.UTF_8))) {
            return reader.lines().map(JsonObject::new).toList();
        }
    }

    @Test
    void aLineIsWhatReadersGetAndTheExecution() throws Exception {
        EntryFields full = TestEntries.full();
        InMemoryJournal journal = new InMemoryJournal();
        journal.append("an \"execution\"", List.of(full, TestEntries.friendly("second")));
        new WriterFixture(vertx, database, journal, WriterFixture.CONFIG).close();
        List<JsonObject> readers = await(new LogReader(database, new Readers(database))
                        .as(tailrace.security.Principal.SERVER)
                        .entries("an \"execution\"", 1, 2, true, 10, tailrace.model.LogFilter.ALL))
                .stream()
                .map(entry -> new JsonObject(entry.toString()))
                .toList();

        RetentionReport report = run();

        assertThat(report.errors()).isEmpty();
        assertThat(report.archivedFiles()).isEqualTo(1);
        assertThat(files()).containsExactly("tailrace-2026-03-01.ndjson.gz");
        assertThat(report.archivedBytes()).isEqualTo(Files.size(archive.resolve(files().get(0))));
        List<JsonObject> lines = lines(files().get(0));
        assertThat(lines).hasSize(2).allSatisfy(line -> assertThat(line.remove("execution_id"))
                .isEqualTo("an \"execution\""));
        assertThat(lines).isEqualTo(readers);
        assertThat(report.partitions()).singleElement().satisfies(day -> {
            assertThat(day.rows()).isEqualTo(2);
            assertThat(day.exact()).isTrue();
        });
    }

    @Test
    void whereNothingCanBeWrittenNothingIsRemoved() throws Exception {
        data.day(OLD, 20, 1).day(TODAY, 20, 1);
        data.execution("e0-" + TODAY, "w", 20, NOW).policy("few", "w", null, null, 5L);
        Files.createDirectories(archive.resolveSibling("."));
        Files.writeString(archive, "a file where the directory should be");

        RetentionReport report = run();

        assertThat(report.errors())
                .hasSize(2)
                .anySatisfy(error -> assertThat(error).contains(ColdData.name(OLD) + " stays"))
                .anySatisfy(error -> assertThat(error).contains("policy few lets go stays"));
        assertThat(report.partitions()).isEmpty();
        assertThat(report.rows()).isZero();
        assertThat(data.rows()).isEqualTo(40);
        assertThat(data.rows(OLD)).as("still there for readers").isEqualTo(20);

        // And once it can be written, it goes
        Files.delete(archive);
        assertThat(run().errors()).isEmpty();
        assertThat(data.rows()).isEqualTo(5);
        assertThat(lines("tailrace-2026-07-15-policy-few.ndjson.gz")).hasSize(15);
        assertThat(lines("tailrace-" + OLD + ".ndjson.gz")).hasSize(20);
    }

    @Test
    void aWholeFileIsNotWrittenTwiceAndNeverOver() throws Exception {
        data.day(OLD, 20, 3);
        postgres.execute("CREATE TABLE copy AS SELECT * FROM tailrace.workflow_execution_logs");
        run();
        String name = files().get(0);
        byte[] first = Files.readAllBytes(archive.resolve(name));

        // The same day again, as after a crash between file and drop
        data.partition(OLD);
        postgres.execute("INSERT INTO tailrace.workflow_execution_logs SELECT * FROM copy");
        assertThat(run().errors()).isEmpty();
        assertThat(files()).containsExactly(name);

        // Other rows of the day, as from a backlog
        data.day(OLD, 5, 1);
        assertThat(run().errors()).isEmpty();
        assertThat(files()).containsExactly("tailrace-" + OLD + ".2.ndjson.gz", name);
        assertThat(lines("tailrace-" + OLD + ".2.ndjson.gz")).hasSize(5);
        assertThat(Files.readAllBytes(archive.resolve(name))).isEqualTo(first);
        assertThat(data.table(OLD)).isFalse();
    }

    @Test
    void aPolicyArchivesExactlyWhatItDeletesInSeveralRounds() throws Exception {
        data.day(TODAY.minusDays(1), 2_500, 1);
        data.execution("e0-" + TODAY.minusDays(1), "w", 2_500, NOW).policy("few", "w", null, null, 100L);

        RetentionReport report = run();

        assertThat(report.errors()).isEmpty();
        assertThat(report.policies()).containsExactly(new RetentionReport.ByPolicy("few", 2_400));
        assertThat(report.archivedFiles()).isEqualTo(3);
        int archived = 0;
        for (String file : files()) {
            archived += lines(file).size();
        }
        assertThat(archived).isEqualTo(2_400);
        assertThat(postgres.number("SELECT min(seq) FROM tailrace.workflow_execution_logs"))
                .isEqualTo(2_401);
    }
}
