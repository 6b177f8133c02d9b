package tailrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the command makes of an export, and of one that goes wrong. */
class ExportTest {
    private static final String TWO = "{\"seq\":1,\"message\":\"a\"}\n{\"seq\":2,\"message\":\"b\"}\n";

    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it before any test runs
    private Path directory;

    private HttpServer server;
    private final List<String> asked = new CopyOnWriteArrayList<>();
    private volatile int status = 200;
    private volatile byte[] body = TWO.getBytes(StandardCharsets.UTF_8);
    private volatile boolean breaksOff;
    private final StringWriter err = new StringWriter();

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            asked.add(exchange.getRequestURI().toString() + " "
                    + exchange.getRequestHeaders().getFirst("Authorization"));
            exchange.sendResponseHeaders(status, 0); // chunked
            exchange.getResponseBody().write(body);
            if (breaksOff) {
                exchange.getResponseBody().flush();
                throw new IOException("the test breaks the connection");
            }
            exchange.close();
        });
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    private int run(String... arguments) {
        String[] all = Stream.concat(
                        Stream.of(
                                "export",
                                "--url",
                                "http://127.0.0.1:" + server.getAddress().getPort(),
                                "--token",
                                "t"),
                        Arrays.stream(arguments))
                .toArray(String[]::new);
        return Main.commandLine().setErr(new PrintWriter(err)).execute(all);
    }

    private Path file() {
        return directory.resolve("out");
    }

    private boolean nothingLeft() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.findAny().isEmpty();
        }
    }

    @Test
    void theFileIsWhatTheServerSends() throws IOException {
        int code = run(
                "run/1 ü",
                "--format",
                "ndjson",
                "--tz",
                "+02:00",
                "--min-level",
                "warning",
                "--level",
                "error",
                "--level",
                "critical",
                "--from",
                "2026-01-01T00:00:00Z",
                "--filter",
                "after_seq=7",
                "-o",
                file().toString());
        assertThat(code).as(err.toString()).isZero();
        assertThat(file()).hasContent(TWO);
        assertThat(err.toString()).contains("2 entries in");
        assertThat(asked)
                .containsExactly("/v2/executions/run%2F1%20%C3%BC/logs/export?format=ndjson&tz=%2B02%3A00"
                        + "&level=error&level=critical&after_seq=7&min_level=warning"
                        + "&start_time=2026-01-01T00%3A00%3A00Z Bearer t");
        try (Stream<Path> files = Files.list(directory)) {
            assertThat(files).containsExactly(file());
        }
    }

    @Test
    void whatBrokeOffIsNotThere() throws IOException {
        breaksOff = true;
        assertThat(run("e", "-o", file().toString())).isEqualTo(1);
        assertThat(err.toString()).contains("broke off after 2 entries").contains("nothing was written");
        assertThat(nothingLeft()).isTrue();

        Files.writeString(file(), "the last one");
        assertThat(run("e", "-o", file().toString())).isEqualTo(1);
        assertThat(file()).hasContent("the last one");
    }

    @Test
    void compressedItIsCheckedAndKeptAsItCame() throws IOException {
        var compressed = new ByteArrayOutputStream();
        try (OutputStream gzip = new GZIPOutputStream(compressed)) {
            gzip.write(body);
        }
        body = compressed.toByteArray();
        assertThat(run("e", "--gzip", "-o", file().toString())).isZero();
        assertThat(file()).hasBinaryContent(body);
        assertThat(err.toString()).contains("2 entries in");
        assertThat(asked).allMatch(request -> request.contains("&gzip=true"));

        Files.delete(file());
        body = Arrays.copyOf(body, body.length - 6);
        assertThat(run("e", "--gzip", "-o", file().toString())).isEqualTo(1);
        assertThat(nothingLeft()).isTrue();
    }

    @ParameterizedTest
    @CsvSource({"400, 2", "401, 1", "404, 1", "429, 1", "503, 1"})
    void aRefusalIsTold(int refused, int code) throws IOException {
        status = refused;
        body = "{\"detail\":\"no, because \\u001b[31m\"}".getBytes(StandardCharsets.UTF_8);
        assertThat(run("e", "-o", file().toString())).isEqualTo(code);
        assertThat(err.toString()).contains("answers " + refused + ": no, because ␛[31m");
        assertThat(nothingLeft()).isTrue();
    }

    @Test
    void whatCannotBeHadIsInTheExitCode() {
        body = (TWO + "{\"coverage\":{\"complete\":false,\"missing\":[]}}\n").getBytes(StandardCharsets.UTF_8);
        assertThat(run("e", "-o", file().toString())).isEqualTo(3);
        assertThat(err.toString()).contains("could not be had").contains("2 entries in");
    }

    @Test
    void progressCountsAgainstTheTotal() {
        assertThat(run("e", "--progress", "plain", "--level", "info", "-o", file().toString()))
                .isZero();
        assertThat(asked).hasSize(2);
        assertThat(asked.get(0)).startsWith("/v2/workflows/executions/e/logs?limit=1&level=info ");
    }

    @Test
    void wrongUsageIsTold() {
        assertThat(run()).isEqualTo(2);
        assertThat(run("e", "--format", "xml")).isEqualTo(2);
        assertThat(run("")).isEqualTo(2);
        assertThat(asked).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "ndjson|{\"seq\":1}~{\"seq\":2}~|2|false",
                "ndjson|{\"seq\":1}~{\"coverage\":{\"complete\":false}}~|1|true",
                "json|{\"execution_id\":\"e\",\"logs\":[~{\"seq\":1},~{\"seq\":2}~],\"coverage\":{\"complete\":true}}~|2|false",
                "json|{\"execution_id\":\"e\",\"logs\":[~],\"coverage\":{\"complete\":false,\"missing\":[]}}~|0|true",
                "csv|execution_id,seq~e,1,\"a~b\"\"~c\"~e,2,~|2|false",
                "csv|execution_id,seq~e,1,~,,,coverage,~|1|true",
                "txt|2026-01-01 a~    2026 b~2026-01-01 c~|2|false",
                "txt|2026-01-01 a~# not complete~# 1 to 2~|1|true"
            })
    void entriesAreCountedAsTheyPass(Export.Format format, String text, long entries, boolean incomplete) {
        byte[] bytes = text.replace('~', '\n').getBytes(StandardCharsets.UTF_8);
        for (int piece : new int[] {1, 7, 1_000}) {
            var counter = new RecordCounter(format);
            for (int from = 0; from < bytes.length; from += piece) {
                byte[] part = Arrays.copyOfRange(bytes, from, Math.min(bytes.length, from + piece));
                counter.add(part, part.length);
            }
            assertThat(counter.entries()).isEqualTo(entries);
            assertThat(counter.incomplete()).isEqualTo(incomplete);
        }
    }

    @Test
    void aTerminalObeysNothing() throws IOException {
        var shown = new ByteArrayOutputStream();
        try (var terminal = new TerminalOutput(new PrintStream(shown, true, StandardCharsets.UTF_8))) {
            terminal.write("a,\u009b31m\u001b[2J東\r\nb".getBytes(StandardCharsets.UTF_8));
            terminal.flush();
        }
        assertThat(shown.toString(StandardCharsets.UTF_8)).isEqualTo("a,\\u009b31m␛[2J東\nb");
    }
}
