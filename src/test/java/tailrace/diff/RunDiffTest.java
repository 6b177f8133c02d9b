package tailrace.diff;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.jspecify.annotations.Nullable;
import tailrace.model.EntryCodec;
import tailrace.model.EntryFields;
import tailrace.model.EventType;
import tailrace.model.Level;
import tailrace.model.LogEntry;
import tailrace.query.Coverage;
import tailrace.query.FakeJournal;

/** What is the same is not told, what differs is. */
class RunDiffTest {
    private static final class World {
        final List<EntryFields> entries = new ArrayList<>();
        private final Random ids;
        private long micros;

        World(long idSeed) {
            ids = new Random(idSeed);
        }

        String id() {
            return new UUID(ids.nextLong(), ids.nextLong()).toString();
        }

        World log(Level level, String message) {
            return add(level, EventType.LOG, null, null, message, null);
        }

        World step(String id, String name, EventType type, @Nullable Double seconds) {
            return add(Level.INFO, type, id, name, name + " " + type + " " + ids.nextInt(1_000), seconds);
        }

        private World add(
                Level level,
                EventType type,
                @Nullable String id,
                @Nullable String name,
                String message,
                @Nullable Double seconds) {
            var fields = new EntryFields();
            fields.id = new UUID(ids.nextLong(), ids.nextLong());
            fields.level = level;
            fields.eventType = type;
            fields.nodeId = id;
            fields.nodeName = name;
            fields.message = message;
            fields.durationSeconds = seconds;
            fields.timestampMicros = micros += 1_000;
            entries.add(fields);
            return this;
        }

        RunReader.Run run(String id) {
            var tally = new RunTally();
            var encoded = new ArrayList<LogEntry>();
            entries.forEach(fields -> encoded.add(new LogEntry(encoded.size() + 1L, new EntryCodec().encode(fields))));
            tally.add(encoded.subList(0, encoded.size() / 2));
            tally.add(encoded.subList(encoded.size() / 2, encoded.size()));
            return new RunReader.Run(FakeJournal.fresh(id), tally, Coverage.COMPLETE);
        }
    }

    private static JsonObject diff(World here, World there) {
        // As it is sent
        return new JsonObject(RunDiff.json(here.run("a"), there.run("b")).encode());
    }

    private static World random(long shapeSeed, long idSeed) {
        var shape = new Random(shapeSeed);
        var world = new World(idSeed);
        int steps = shape.nextInt(8);
        for (int i = 0; i < steps; i++) {
            String id = world.id();
            String name = List.of("Fetch", "Parse item", "Store").get(shape.nextInt(3));
            world.step(id, name, EventType.STEP_STARTED, null);
            for (int j = shape.nextInt(5); j > 0; j--) {
                world.log(
                        Level.values()[shape.nextInt(5)],
                        List.of("read ", "wrote ", "retry ").get(shape.nextInt(3)) + world.ids.nextInt() + " of "
                                + world.id());
            }
            if (shape.nextBoolean()) {
                boolean failed = shape.nextInt(3) == 0;
                world.step(id, name, failed ? EventType.STEP_ERROR : EventType.STEP_COMPLETED, shape.nextDouble());
            }
        }
        return world;
    }

    @Property(tries = 300)
    void nothingDiffersFromItself(@ForAll long shape, @ForAll long ids) {
        JsonObject diff = diff(random(shape, ids), random(shape, ids));
        assertThat(diff.getBoolean("identical")).as(diff.encode()).isTrue();
        assertThat(diff.getBoolean("truncated")).isFalse();
    }

    @Property(tries = 300)
    void otherIdsAndNumbersAreNoDifference(@ForAll long shape, @ForAll long ids, @ForAll long others) {
        JsonObject diff = diff(random(shape, ids), random(shape, others));
        assertThat(diff.getBoolean("identical")).as(diff.encodePrettily()).isTrue();
    }

    @Example
    void tellsStepsApart() {
        var there = new World(1)
                .step("n1", "Fetch", EventType.STEP_STARTED, null)
                .step("n1", "Fetch", EventType.STEP_COMPLETED, 1.0)
                .step("n2", "Parse", EventType.STEP_STARTED, null)
                .step("n2", "Parse", EventType.STEP_COMPLETED, 4.0)
                .step("n3", "Gone", EventType.STEP_COMPLETED, 0.5)
                .step("n4", "Tiny", EventType.STEP_COMPLETED, 0.001)
                .step("n5", "Same", EventType.STEP_COMPLETED, 10.0);
        var here = new World(2)
                .step("n1", "Fetch", EventType.STEP_STARTED, null)
                .step("n1", "Fetch", EventType.STEP_ERROR, 1.5)
                .step("n1", "Fetch", EventType.STEP_STARTED, null)
                .step("n1", "Fetch", EventType.STEP_COMPLETED, 1.5)
                .step("n2", "Parse", EventType.STEP_STARTED, null)
                .step("n2", "Parse", EventType.STEP_ERROR, 1.0)
                .step("n4", "Tiny", EventType.STEP_COMPLETED, 0.09)
                .step("n5", "Same", EventType.STEP_COMPLETED, 12.0)
                .step("n6", "Fresh", EventType.STEP_STARTED, null);
        JsonObject steps = diff(here, there).getJsonObject("steps");
        assertThat(names(steps.getJsonArray("new"))).containsExactly("Fresh");
        assertThat(steps.getJsonArray("new").getJsonObject(0).getString("status"))
                .isEqualTo("running");
        assertThat(names(steps.getJsonArray("missing"))).containsExactly("Gone");
        JsonArray changed = steps.getJsonArray("changed");
        assertThat(names(changed)).containsExactly("Fetch", "Parse");
        JsonObject fetch = changed.getJsonObject(0);
        assertThat(fetch.getJsonArray("changes").getList()).isEqualTo(List.of("attempts", "slower"));
        assertThat(fetch.getInteger("attempts")).isEqualTo(2);
        assertThat(fetch.getInteger("against_attempts")).isEqualTo(1);
        assertThat(fetch.getDouble("duration_seconds")).isEqualTo(3.0);
        assertThat(fetch.getDouble("ratio")).isEqualTo(3.0);
        JsonObject parse = changed.getJsonObject(1);
        assertThat(parse.getJsonArray("changes").getList()).isEqualTo(List.of("status", "faster"));
        assertThat(parse.getString("status")).isEqualTo("failed");
        assertThat(parse.getString("against_status")).isEqualTo("completed");
    }

    private static List<String> names(JsonArray steps) {
        return steps.stream()
                .map(step -> ((JsonObject) step).getString("node_name"))
                .toList();
    }

    @Example
    void tellsMessagesApart() {
        var there = new World(1)
                .log(Level.INFO, "read 5 rows")
                .log(Level.INFO, "read 6 rows")
                .log(Level.INFO, "connected to db1")
                .log(Level.WARNING, "slow: 3 s");
        var here = new World(2)
                .log(Level.INFO, "read 9 rows")
                .log(Level.ERROR, "cannot write 17")
                .log(Level.ERROR, "cannot write 18")
                .log(Level.INFO, "new thing")
                .log(Level.WARNING, "slow: 9 s");
        JsonObject messages = diff(here, there).getJsonObject("messages");
        assertThat(messages.getJsonArray("new").encode())
                .isEqualTo("[{\"level\":\"error\",\"template\":\"cannot write <*>\",\"count\":2,\"example_seq\":2},"
                        + "{\"level\":\"info\",\"template\":\"new thing\",\"count\":1,\"example_seq\":4}]");
        assertThat(messages.getJsonArray("missing").encode())
                .isEqualTo("[{\"level\":\"info\",\"template\":\"connected to db<*>\",\"count\":1,\"example_seq\":3}]");
        assertThat(messages.getJsonArray("changed").encode())
                .isEqualTo("[{\"level\":\"info\",\"template\":\"read <*> rows\",\"count\":1,\"example_seq\":1,"
                        + "\"against_count\":2,\"against_example_seq\":1}]");
    }

    @Example
    void stepsKeepTheirNamesWhereTheirIdsMove() {
        var there = new World(1)
                .step("1", "Fetch", EventType.STEP_COMPLETED, 1.0)
                .step("2", "Store", EventType.STEP_COMPLETED, 9.0);
        var here = new World(2)
                .step("2", "Fetch", EventType.STEP_COMPLETED, 1.0)
                .step("3", "Store", EventType.STEP_COMPLETED, 9.0);
        assertThat(diff(here, there).getBoolean("identical")).isTrue();
    }

    @Example
    void whatIsTooMuchIsSaid() {
        var here = new World(1);
        for (int i = 0; i < RunTally.MAX_MESSAGES + 10; i++) {
            here.log(Level.INFO, "word" + letters(i));
        }
        JsonObject diff = diff(here, new World(2));
        assertThat(diff.getBoolean("truncated")).isTrue();
        assertThat(diff.getJsonObject("messages").getJsonArray("new")).hasSize(RunDiff.MAX_LISTED);
    }

    private static String letters(int number) {
        StringBuilder letters = new StringBuilder();
        for (int rest = number; rest > 0; rest /= 20) {
            letters.append((char) ('g' + rest % 20));
        }
        return letters.toString();
    }
}
