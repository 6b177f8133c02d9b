package tailrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.json.JsonObject;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import tailrace.model.JsonWriter;

/** The command as the user runs it, against a server whose faults are known. */
class BenchSeedTest {
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
        Stream<String> all = Stream.concat(
                Stream.of("seed", "--url", server.url(), "--token", FakeTailrace.TOKEN, "-o", "json"),
                Stream.of(options));
        return new CommandLine(new Bench())
                .setOverwrittenOptionsAllowed(true)
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(all.toArray(String[]::new));
    }

    private int small(String... more) {
        return run(Stream.concat(
                        Stream.of("--large-entries", "2500", "--executions", "3", "--entries", "40"), Stream.of(more))
                .toArray(String[]::new));
    }

    @Test
    void fillsEveryExecutionInOrderAndWaitsForPostgres() throws Exception {
        server.lag = 2;

        assertThat(small()).as(out.toString()).isZero();

        Map<String, List<JsonObject>> entries = server.entries();
        assertThat(entries.keySet())
                .containsExactlyInAnyOrder("seed-large", "seed-000000", "seed-000001", "seed-000002");
        assertThat(entries.get("seed-large")).hasSize(2500);
        assertThat(entries.get("seed-000001"))
                .hasSize(40)
                .allMatch(entry -> entry.getString("workflow_id").equals("seed"))
                .extracting(entry -> entry.getJsonObject("data").getInteger("n"))
                .isSorted();
        assertThat(entries.get("seed-000001"))
                .extracting(entry -> entry.getString("event_type"))
                .startsWith("workflow_started")
                .endsWith("workflow_completed");
        assertThat(server.lag).isZero();
        assertThat(new JsonObject(out.toString()).getJsonObject("seed").getLong("entries"))
                .isEqualTo(2620);
    }

    @Test
    void addsNothingASecondTime() throws Exception {
        small();
        small();

        assertThat(server.entries().values()).extracting(List::size).containsExactlyInAnyOrder(2500, 40, 40, 40);
    }

    @Test
    void goesOnAfterARefusalThatPasses() throws Exception {
        server.status = post -> post == 2 ? 503 : 202;

        assertThat(small("--connections", "1")).as(out.toString()).isZero();

        assertThat(server.entries().get("seed-large")).hasSize(2500);
    }

    @Test
    void saysWhatTheServerSaidWhenABatchIsNotTaken() {
        server.status = post -> 403;

        assertThat(small()).isEqualTo(1);

        assertThat(out.toString()).contains("status 403");
    }

    @Test
    void refusesANameThatIsNoPartOfAPath() {
        assertThat(small("--prefix", "a/b")).isEqualTo(2);

        assertThat(err.toString()).contains("--prefix may have letters, digits, - and _, not a/b");
    }

    @Test
    void makesTheSameTextsEachTimeWithItsWordsAsOftenAsItSays() {
        var workload = new SeedWorkload("seed", 0.5);
        var first = new JsonWriter();
        var second = new JsonWriter();

        workload.batch(first, "e", 0, 0, 5_000, 1_000_000);
        workload.batch(second, "e", 0, 0, 5_000, 1_000_000);

        assertThat(first.toByteArray()).isEqualTo(second.toByteArray());
        var entries = new JsonObject(new String(first.toByteArray(), java.nio.charset.StandardCharsets.UTF_8))
                .getJsonArray("entries");
        assertThat(entries).hasSize(5_000);
        assertThat(entries.stream()
                        .filter(entry ->
                                ((JsonObject) entry).getString("message").contains(SeedWorkload.UNCOMMON_WORD)))
                .hasSize(5);
        assertThat(entries.stream().filter(entry -> ((JsonObject) entry).containsKey("user_friendly_message")))
                .hasSizeBetween(2_300, 2_700);
    }
}
