package tailrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.json.JsonObject;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** The command as the user runs it, against a server whose faults are known. */
class BenchIngestTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private FakeTailrace server;

    @BeforeEach
    void start() throws Exception {
        server = new FakeTailrace();
    }

    @AfterEach
    void stop() throws Exception {
        server.close();
    }

    private int run(String... options) {
        List<String> all = new ArrayList<>(List.of(
                "ingest",
                "--url",
                server.url(),
                "--token",
                FakeTailrace.TOKEN,
                "-o",
                "json",
                "--progress",
                "off",
                "--batch",
                "10",
                "--executions",
                "3",
                "--connections",
                "4",
                "--warm-up",
                "0",
                "--duration",
                "2"));
        all.addAll(Arrays.asList(options));
        return new CommandLine(new Bench())
                .setOverwrittenOptionsAllowed(true)
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(all.toArray(String[]::new));
    }

    private JsonObject report() {
        return new JsonObject(out.toString());
    }

    @Test
    void aRunThatReachesItsRateAndLosesNothingIsFine() throws Exception {
        server.emptyEndpoint = true;

        int exit = run("--rate", "300", "--verify", "full", "--warm-up", "1", "--empty-seconds", "1");

        assertThat(report().getJsonArray("failures")).isEmpty();
        assertThat(exit).isZero();
        JsonObject ingest = report().getJsonObject("ingest");
        assertThat(ingest.getDouble("entries_per_second")).isBetween(297.0, 300.0);
        assertThat(ingest.getLong("acknowledged_with_warm_up")).isEqualTo(900);
        assertThat(ingest.getDouble("p99_ms")).isPositive();
        assertThat(report().getJsonObject("verify").getLong("entries_read_back"))
                .isEqualTo(900);
        assertThat(report().getJsonObject("empty").getDouble("ingest_to_empty_ratio"))
                .isBetween(0.5, 2.0);
        assertThat(server.entries().values().stream().mapToInt(List::size).sum())
                .isEqualTo(900);
    }

    @Test
    void saturationHasNoRateToMiss() {
        int exit = run("--rate", "0", "--duration", "1");

        assertThat(exit).isZero();
        assertThat(report().getJsonObject("ingest").getDouble("entries_per_second"))
                .isGreaterThan(100);
        assertThat(report().getJsonObject("empty").getString("skipped")).contains("404");
    }

    @Test
    void aServerThatStallsShowsInP99EvenIfItAnswersQuicklyOtherwise() {
        // All four connections wait for half a second once, in 2 s: a quarter of the schedule is due meanwhile.
        server.delayMs = post -> post > 100 && post <= 104 ? 500 : 0;

        run("--rate", "1000");

        JsonObject ingest = report().getJsonObject("ingest");
        assertThat(ingest.getDouble("p50_ms")).isLessThan(200);
        assertThat(ingest.getDouble("p95_ms")).isGreaterThan(200);
        assertThat(ingest.getDouble("p99_ms")).isGreaterThan(350);
    }

    @Test
    void aRunThatMissesItsRateSaysSoAndFails() {
        server.delayMs = post -> 100; // four connections: 40 requests/s, 400 entries/s

        int exit = run("--rate", "800");

        assertThat(exit).isEqualTo(1);
        assertThat(report().getBoolean("ok")).isFalse();
        assertThat(report().getJsonArray("failures").getString(0)).startsWith("missed its rate: ");
        assertThat(report().getJsonObject("ingest").getDouble("entries_per_second"))
                .isBetween(200.0, 600.0);
    }

    @Test
    void aLatencyLimitFailsTheRunToo() {
        server.delayMs = post -> 30;

        assertThat(run("--rate", "500", "--duration", "1", "--max-p95", "20")).isEqualTo(1);
        assertThat(report().getJsonArray("failures").getString(0)).startsWith("p95 is ");
    }

    @Test
    void anAcknowledgedEntryThatCannotBeReadFailsTheRun() {
        server.losesEvery = 500;

        assertThat(run("--rate", "1000", "--verify", "full")).isEqualTo(1);
        assertThat(report().getJsonArray("failures").getString(0)).contains("where seq 500 ");
    }

    @Test
    void refusalsMissTheRateAndTheFirstIsQuoted() {
        server.status = post -> post % 2 == 0 ? 503 : 202;

        assertThat(run("--rate", "1000", "--duration", "1")).isEqualTo(1);
        assertThat(report().getJsonObject("ingest").getLong("requests_refused")).isEqualTo(50);
        assertThat(report().getJsonArray("failures").getString(0)).contains("missed its rate", "First: status 503");
    }

    @Test
    void whatHadNoProperAnswerMayBeThereAndIsNotCalledALoss() {
        server.status = post -> post == 20 ? 500 : 202;
        server.storesRefused = true;

        assertThat(run("--rate", "1000", "--duration", "1", "--verify", "full")).isEqualTo(1);
        assertThat(report().getJsonArray("failures"))
                .noneMatch(failure -> failure.toString().contains("where seq"));
        assertThat(report().getJsonObject("ingest").getLong("requests_failed")).isEqualTo(1);
    }

    @Test
    void anotherMachineNeedsToBeMeant() {
        assertThat(run("--url", "http://192.0.2.1:8080")).isEqualTo(2);
        assertThat(err.toString()).contains("not this machine", "--allow-remote");
        assertThat(run("--postgres", "postgresql://u:hunter2@192.0.2.1/db")).isEqualTo(2);
        assertThat(err.toString()).doesNotContain("hunter2");
    }

    @Test
    void badOptionsExitWith2AndSayWhatWouldBeRight() {
        assertThat(run("--batch", "0")).isEqualTo(2);
        assertThat(err.toString()).contains("--batch must be from 1 to 5,000, not 0");
        assertThat(run("--url", "ftp://127.0.0.1")).isEqualTo(2);
        assertThat(run("--token", "two words")).isEqualTo(2);
        assertThat(new CommandLine(new Bench()).setErr(new PrintWriter(err)).execute())
                .isEqualTo(2);
    }
}
