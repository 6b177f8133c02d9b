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

class BenchStreamTest {
    private final StringWriter out = new StringWriter();
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
                "stream",
                "--url",
                server.url(),
                "--token",
                FakeTailrace.TOKEN,
                "-o",
                "json",
                "--progress",
                "off",
                "--readers",
                "20",
                "--executions",
                "3",
                "--rate",
                "100",
                "--warm-up",
                "1",
                "--duration",
                "1",
                "--drain",
                "1"));
        all.addAll(Arrays.asList(options));
        return new CommandLine(new Bench())
                .setOverwrittenOptionsAllowed(true)
                .setOut(new PrintWriter(out, true))
                .execute(all.toArray(String[]::new));
    }

    private JsonObject delivery() {
        return new JsonObject(out.toString()).getJsonObject("delivery");
    }

    private List<?> failures() {
        return new JsonObject(out.toString()).getJsonArray("failures").getList();
    }

    @Test
    void everyReaderGetsEveryEntryOnceAndInOrder() {
        int exit = run();

        assertThat(failures()).isEmpty();
        assertThat(exit).isZero();
        // 200 entries in turn over three executions with 7, 7 and 6 readers
        assertThat(delivery().getLong("delivered")).isEqualTo(67 * 7 + 67 * 7 + 66 * 6);
        assertThat(delivery().getLong("delivered")).isEqualTo(delivery().getLong("expected"));
        assertThat(delivery().getDouble("deliveries_per_second")).isPositive();
        assertThat(delivery().getDouble("p99_ms")).isPositive();
    }

    @Test
    void latencyCountsFromTheScheduleNotFromThePost() {
        server.delayMs = post -> post > 120 && post <= 124 ? 400 : 0; // all four publishers wait once

        run("--executions", "1");

        assertThat(delivery().getDouble("p99_ms")).isGreaterThan(250);
    }

    @Test
    void aRepeatedEntryFailsTheRun() {
        server.repeatsEvery = 50;

        assertThat(run()).isEqualTo(1);
        assertThat(delivery().getLong("repeated_or_out_of_order")).isEqualTo(7 + 7 + 6);
        assertThat(failures().get(0).toString()).startsWith("not exactly once and in order");
    }

    @Test
    void aSkippedEntryFailsTheRun() {
        server.skipsEvery = 50;

        assertThat(run("--executions", "1")).isEqualTo(1);
        assertThat(delivery().getLong("ids_skipped")).isEqualTo(3 * 20); // the 200th has none after it
        assertThat(failures()).hasSize(1);
    }

    @Test
    void aRateThatIsNotReachedFailsTheRun() {
        server.delayMs = post -> 50; // four publishers: 80 a second

        assertThat(run("--warm-up", "0", "--rate", "400")).isEqualTo(1);
        assertThat(failures().get(0).toString()).startsWith("missed its rate: published");
    }
}
