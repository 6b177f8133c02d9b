package tailrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class DemoWorkflowTest {
    private static final Clock CLOCK = Clock.fixed(Instant.parse("2026-03-01T12:00:00Z"), ZoneOffset.UTC);

    private final Vertx vertx = Vertx.vertx();
    private FakeTailrace server;

    @BeforeEach
    void start() throws Exception {
        server = new FakeTailrace();
    }

    @AfterEach
    void stop() throws Exception {
        vertx.close().toCompletionStage().toCompletableFuture().get(10, TimeUnit.SECONDS);
        server.close();
    }

    private DemoWorkflow play(long seed) {
        DemoWorkflow demo =
                new DemoWorkflow(vertx, URI.create(server.url()), FakeTailrace.TOKEN, new Random(seed), CLOCK, 1_000);
        demo.start();
        return demo;
    }

    private static void stop(DemoWorkflow demo) throws Exception {
        demo.stop().toCompletionStage().toCompletableFuture().get(10, TimeUnit.SECONDS);
    }

    private static void eventually(Callable<Boolean> condition) throws Exception {
        long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
        while (!condition.call()) {
            assertThat(System.nanoTime()).as("in time").isLessThan(deadline);
            Thread.sleep(10);
        }
    }

    private static String last(List<JsonObject> entries, String member) {
        return entries.get(entries.size() - 1).getString(member);
    }

    @Test
    void playsOneRunAfterTheOtherEachWithABeginningAndAnEnd() throws Exception {
        DemoWorkflow demo = play(7);
        eventually(() -> server.entries().size() >= 4);
        stop(demo);

        Map<String, List<JsonObject>> executions = server.entries();
        Set<String> workflows = new HashSet<>();
        int number = 0;
        for (List<JsonObject> entries : executions.values()) {
            workflows.add(entries.get(0).getString("workflow_id"));
            assertThat(entries.get(0).getString("event_type")).isEqualTo("workflow_started");
            assertThat(entries).allSatisfy(entry -> assertThat(entry.getString("timestamp"))
                    .isEqualTo("2026-03-01T12:00:00Z"));
            if (++number < executions.size()) {
                assertThat(last(entries, "event_type")).isEqualTo("workflow_completed");
                assertThat(entries).hasSizeGreaterThan(15);
            }
        }
        assertThat(workflows).as("in rotation").hasSizeGreaterThanOrEqualTo(3);
    }

    @Test
    void aServerThatIsAwayDelaysThePlayAndDoublesNothing() throws Exception {
        // Some batches are stored although the answer says otherwise: what a cut connection looks like to the sender.
        server.status = post -> post % 3 == 0 ? 503 : post % 7 == 0 ? 500 : 202;
        server.storesRefused = true;
        DemoWorkflow demo = play(3);
        eventually(() -> server.entries().size() >= 2);
        server.status = post -> 202;
        stop(demo);

        List<JsonObject> first = server.entries().values().iterator().next();
        assertThat(first).extracting(entry -> entry.getString("id")).doesNotHaveDuplicates();
        List<DemoScript.Moment> script = new DemoScript(new Random(3)).next().moments();
        assertThat(first.get(0).getString("message"))
                .isEqualTo(script.get(0)
                        .entries()
                        .get(0)
                        .posted(new java.util.UUID(0, 0), CLOCK.instant())
                        .getString("message"));
        assertThat(first)
                .as("nothing left out")
                .filteredOn(entry -> entry.getString("event_type").equals("workflow_completed"))
                .hasSize(1);
    }

    @Test
    void aSeedPlaysTheSameAgain() throws Exception {
        DemoScript one = new DemoScript(new Random(11));
        DemoScript two = new DemoScript(new Random(11));
        for (int i = 0; i < 20; i++) {
            assertThat(texts(one.next())).isEqualTo(texts(two.next()));
        }
        assertThat(texts(new DemoScript(new Random(12)).next()))
                .isNotEqualTo(texts(new DemoScript(new Random(11)).next()));
    }

    private static List<String> texts(DemoScript.Run run) {
        return run.moments().stream()
                .flatMap(moment -> moment.entries().stream())
                .map(entry ->
                        entry.posted(new java.util.UUID(0, 0), CLOCK.instant()).encode())
                .toList();
    }

    @Test
    void overManyRunsEverythingHappensThatHappensInLife() {
        DemoScript script = new DemoScript(new Random(1));
        Set<String> seen = new HashSet<>();
        for (int i = 0; i < 60; i++) {
            DemoScript.Run run = script.next();
            seen.add(run.finished());
            for (String text : texts(run)) {
                JsonObject entry = new JsonObject(text);
                assertThat(text.length()).isLessThan(10_240);
                assertThat(entry.getString("message")).isNotEmpty().doesNotContain("%");
                assertThat(entry.getString("user_friendly_message", "")).doesNotContain("%");
                assertThat(entry.getDouble("progress_percentage", 0.0)).isBetween(0.0, 100.0);
                seen.add(entry.getString("level"));
                seen.add(entry.getString("event_type"));
                entry.fieldNames().forEach(seen::add);
            }
        }
        assertThat(seen)
                .contains("SUCCEEDED", "FAILED", "DEBUG", "INFO", "WARNING", "ERROR")
                .contains("workflow_started", "workflow_completed", "workflow_progress", "log")
                .contains("step_started", "step_input", "step_output", "step_completed", "step_error")
                .contains("is_milestone", "attempt", "stack_trace", "error_code", "duration_seconds", "node_name");
    }

    @Test
    void stoppedInTheMiddleItSaysSo() throws Exception {
        server.delayMs = post -> 20;
        DemoWorkflow demo =
                new DemoWorkflow(vertx, URI.create(server.url()), FakeTailrace.TOKEN, new Random(5), CLOCK, 50);
        String execution =
                demo.start().toCompletionStage().toCompletableFuture().get(10, TimeUnit.SECONDS);
        stop(demo);

        List<JsonObject> entries = server.entries().get(execution);
        assertThat(entries).anySatisfy(entry -> assertThat(
                        entry.getJsonObject("data", new JsonObject()).getString("status"))
                .isEqualTo("STOPPED"));
    }
}
