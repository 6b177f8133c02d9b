package tailrace.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

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

/** The command as the user runs it, against a server of which each execution costs a known part of the heap. */
class BenchMemoryTest {
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
                "memory",
                "--url",
                server.url(),
                "--token",
                FakeTailrace.TOKEN,
                "-o",
                "json",
                "--progress",
                "off",
                // Its garbage is collected: this process is the server, too.
                "--pid",
                Long.toString(ProcessHandle.current().pid()),
                "--active",
                "50",
                "--rate",
                "500",
                "--batch",
                "5",
                "--duration",
                "1",
                "--past",
                "200",
                "--past-rate",
                "200",
                "--settle",
                "0"));
        all.addAll(Arrays.asList(options));
        return new CommandLine(new Bench())
                .setOverwrittenOptionsAllowed(true)
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(all.toArray(String[]::new));
    }

    private double figure(String section, String name) {
        return new JsonObject(out.toString()).getJsonObject(section).getDouble(name);
    }

    private String failures() {
        return new JsonObject(out.toString()).getJsonArray("failures").encode();
    }

    @Test
    void itSaysWhatActiveAndSilentExecutionsCost() {
        int exit = run();

        assertThat(failures()).isEqualTo("[]");
        assertThat(exit).isZero();
        assertThat(figure("idle", "heap_after_gc_mib")).isEqualTo(50);
        assertThat(figure("idle", "java_buffers_mib")).isEqualTo(1);
        assertThat(figure("active", "heap_above_idle_mib")).isCloseTo(50 * 10 / 1024.0, within(0.001));
        assertThat(figure("watched", "heap_above_idle_mib")).isCloseTo(50 * 10 / 1024.0, within(0.001));
        assertThat(figure("watched", "delivered")).isEqualTo(1_000);
        assertThat(figure("silent", "heap_above_idle_mib")).isCloseTo(250 * 10 / 1024.0, within(0.001));
        assertThat(figure("silent", "entries")).isEqualTo(1_000);
    }

    @Test
    void eachLimitFailsTheRun() {
        assertThat(run("--max-active", "0.4", "--max-past", "2", "--max-heap", "51", "--pid", "0"))
                .isEqualTo(1);
        assertThat(failures())
                .contains("active executions cost 0.5", "silent executions cost 2.4", "over 2.0")
                .contains("silent: the heap has 52.4 MiB, over 51.0")
                .doesNotContain("idle: ");
    }

    @Test
    void aProcessThatIsNotThereEndsTheRun() {
        assertThat(run("--pid", "2147483647")).isEqualTo(1);
        assertThat(failures()).contains("the run was cut short", "jcmd 2147483647 GC.run");
        assertThat(run("--past", "0")).isEqualTo(2);
        assertThat(err.toString()).contains("--past must be from 1");
    }
}
