package tailrace.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tailrace.postgres.TestDatabase;

/**
 * The verbose output of this project's own Maven build, as an engine would post it: thousands of lines with colours,
 * stack traces, blank lines and lines beyond what an entry may hold. {@code real/capture.sh} made it; with {@code -Psoak}
 * it is made anew where Maven is at hand.
 */
class RealInputIT {
    private static final Path CAPTURE = Path.of("src", "test", "resources", "real", "capture.sh");
    private static final int MAX_ENTRY_BYTES = 10 << 10;
    private static final int BATCH_LINES = 200;

    @TempDir
    private static Path directory;

    private static List<String> lines;

    @BeforeAll
    static void read() throws Exception {
        try (InputStream log = Soak.on() && mavenIsThere() ? Files.newInputStream(capture()) : fixture();
                GZIPInputStream plain = new GZIPInputStream(log)) {
            lines = List.of(new String(plain.readAllBytes(), StandardCharsets.UTF_8).split("\n", -1));
        }
        // What makes it worth its while
        assertThat(lines).hasSizeGreaterThan(2_000).contains("");
        assertThat(lines).anyMatch(line -> line.contains("\u001b[1;31mERROR"));
        assertThat(lines).anyMatch(line -> line.contains("MojoExecutor.java"));
        assertThat(lines).anyMatch(line -> line.length() > MAX_ENTRY_BYTES);
    }

    private static InputStream fixture() {
        return RealInputIT.class.getResourceAsStream("/real/maven-build.log.gz");
    }

    private static boolean mavenIsThere() {
        return Arrays.stream(System.getenv("PATH").split(java.io.File.pathSeparator))
                .anyMatch(path -> Files.isExecutable(Path.of(path, "mvn")));
    }

    private static Path capture() throws IOException, InterruptedException {
        // In a place of its own, so that a test run changes no fixture.
        Path own = directory.resolve("project");
        for (String part : List.of("pom.xml", "src", "sql")) {
            assertThat(new ProcessBuilder(
                                    "cp",
                                    "-r",
                                    "--parents",
                                    part,
                                    Files.createDirectories(own).toString())
                            .inheritIO()
                            .start()
                            .waitFor())
                    .isZero();
        }
        Process capture = new ProcessBuilder("sh", own.resolve(CAPTURE).toString())
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("capture.log").toFile())
                .start();
        assertThat(capture.waitFor(10, TimeUnit.MINUTES)).isTrue();
        assertThat(capture.exitValue()).isZero();
        return own.resolve(CAPTURE).resolveSibling("maven-build.log.gz");
    }

    /** An entry of a line; a blank one as the line break it is, because a message must not be empty. */
    private static String entry(String text, int line, int part) {
        ObjectNode entry = Api.JSON.createObjectNode();
        entry.put("message", text.isEmpty() ? "\n" : text);
        entry.put("level", level(text));
        entry.putObject("data").put("line", line).put("part", part);
        return entry.toString();
    }

    private static String level(String text) {
        String start = text.replaceAll("\u001b\\[[0-9;]*m", "");
        for (String level : List.of("DEBUG", "WARNING", "ERROR")) {
            if (start.startsWith("[" + level + "]")) {
                return level;
            }
        }
        return "INFO";
    }

    private static int bytes(String json) {
        return json.getBytes(StandardCharsets.UTF_8).length;
    }

    /** The entries of all lines; a line that is too long for one is split, as a sender would. */
    private static List<String> entries() {
        List<String> entries = new ArrayList<>();
        for (int number = 0; number < lines.size(); number++) {
            int part = 0;
            for (String rest = lines.get(number); part == 0 || !rest.isEmpty(); part++) {
                int end = rest.length();
                while (bytes(entry(rest.substring(0, end), number, part)) > MAX_ENTRY_BYTES) {
                    end = end * 3 / 4;
                }
                end -= end < rest.length() && Character.isHighSurrogate(rest.charAt(end - 1)) ? 1 : 0;
                entries.add(entry(rest.substring(0, end), number, part));
                rest = rest.substring(end);
            }
        }
        return entries;
    }

    /** The lines, from what a reader got. */
    private static List<String> joined(List<JsonNode> logs) {
        List<StringBuilder> read = new ArrayList<>();
        for (JsonNode log : logs) {
            JsonNode data = log.get("data");
            assertThat(data.get("line").asInt())
                    .isEqualTo(read.size() - (data.get("part").asInt() == 0 ? 0 : 1));
            if (data.get("part").asInt() == 0) {
                read.add(new StringBuilder());
            }
            String text = log.get("message").asText();
            read.get(read.size() - 1).append(text.equals("\n") ? "" : text);
            assertThat(log.get("level").asText()).isEqualTo(level(text).toLowerCase(Locale.ROOT));
        }
        return read.stream().map(StringBuilder::toString).toList();
    }

    private static Api.Answer post(Api service, String execution, List<String> entries) throws Exception {
        return service.send(service.request("/v2/executions/" + execution + "/logs")
                .header("Content-Type", "application/x-ndjson")
                .POST(BodyPublishers.ofString(String.join("\n", entries) + "\n")));
    }

    @Test
    void aBuildIsReadBackAsItWas() throws Exception {
        try (TestDatabase database = TestDatabase.empty();
                ServerProcess server = ServerProcess.in(directory.resolve("data"))
                        .env("DATABASE_URL", database.urlText())
                        .start()) {
            // Given somebody who watches from before the first line
            Api service = new Api(server.base(), ServerProcess.serviceToken());
            try (Api.Stream stream = service.stream("build", "?wait=60")) {
                CompletableFuture<List<Api.Event>> watched = CompletableFuture.supplyAsync(() -> {
                    try {
                        return stream.until(event -> event.type().equals("COMPLETE"));
                    } catch (IOException e) {
                        throw new IllegalStateException(e);
                    }
                });

                // When the build's output is posted line by line
                List<String> entries = entries();
                for (int from = 0; from < entries.size(); from += BATCH_LINES) {
                    List<String> batch = entries.subList(from, Math.min(entries.size(), from + BATCH_LINES));
                    Api.Answer answer = post(service, "build", batch);
                    assertThat(answer.status()).as(answer.body().toString()).isEqualTo(202);
                    assertThat(answer.body().get("accepted").asInt()).isEqualTo(batch.size());
                }
                service.put("/v2/executions/build", "{\"status\":\"FAILED\"}");

                // Then it is the same live, and from history; nothing in it looks like a secret
                List<Api.Event> events = watched.get(60, TimeUnit.SECONDS);
                List<JsonNode> live = events.subList(0, events.size() - 1).stream()
                        .map(event -> event.data().get("data"))
                        .toList();
                assertThat(live).hasSameSizeAs(entries);
                assertThat(joined(live)).isEqualTo(lines);
                assertThat(joined(service.history("build"))).isEqualTo(lines);

                // And its errors are in PostgreSQL, colours and all
                List<String> errors = lines.stream()
                        .filter(line -> level(line).equals("ERROR"))
                        .toList();
                assertThat(errors).isNotEmpty();
                String rows = "SELECT count(*) FROM tailrace.workflow_execution_logs";
                AwaitCondition.until("the rows are written", () -> database.number(rows) == errors.size());
                assertThat(database.text("SELECT string_agg(message, E'\\n' ORDER BY seq)"
                                + " FROM tailrace.workflow_execution_logs"))
                        .isEqualTo(String.join("\n", errors));
            }

            // And a line that is posted whole though it is too long is refused alone
            List<String> three = List.of(entry("before", 0, 0), entry(longest(), 1, 0), entry("after", 2, 0));
            Api.Answer answer = post(service, "refused", three);
            assertThat(answer.status()).isEqualTo(202);
            assertThat(answer.body().get("accepted").asInt()).isEqualTo(2);
            assertThat(answer.body().get("rejected").get(0).get("index").asInt())
                    .isEqualTo(1);
            assertThat(service.history("refused"))
                    .extracting(log -> log.get("message").asText())
                    .containsExactly("before", "after");
        }
    }

    private static String longest() {
        return lines.stream()
                .max(java.util.Comparator.comparingInt(String::length))
                .orElseThrow();
    }

    @Test
    void linesThatAreTooLongAreCutAndMarkedWhereThatIsConfigured() throws Exception {
        try (TestDatabase database = TestDatabase.empty();
                ServerProcess server = ServerProcess.in(directory.resolve("truncating"))
                        .env("DATABASE_URL", database.urlText())
                        .env("LOG_OVERSIZE", "truncate")
                        .start()) {
            Api service = new Api(server.base(), ServerProcess.serviceToken());
            List<String> sent = new ArrayList<>();
            for (int number = 0; number < lines.size(); number++) {
                sent.add(entry(lines.get(number), number, 0));
            }

            Api.Answer answer = post(service, "build", sent);
            assertThat(answer.body().get("accepted").asInt()).isEqualTo(lines.size());

            List<JsonNode> logs = service.history("build");
            assertThat(logs).hasSameSizeAs(lines);
            int cut = 0;
            for (int i = 0; i < logs.size(); i++) {
                String message = logs.get(i).get("message").asText();
                if (bytes(sent.get(i)) > MAX_ENTRY_BYTES) {
                    cut++;
                    assertThat(logs.get(i).get("truncated").asBoolean()).isTrue();
                    assertThat(logs.get(i).get("original_bytes").asInt()).isEqualTo(bytes(sent.get(i)));
                    assertThat(message).endsWith("…").hasSizeGreaterThan(1_000);
                    assertThat(lines.get(i)).startsWith(message.substring(0, message.length() - 1));
                } else {
                    assertThat(logs.get(i).has("truncated")).isFalse();
                    assertThat(message).isEqualTo(lines.get(i).isEmpty() ? "\n" : lines.get(i));
                }
            }
            assertThat(cut).isPositive();
        }
    }
}
