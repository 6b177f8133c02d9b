package tailrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.json.JsonObject;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.junit.jupiter.api.Test;

class BenchMaskingTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int run(String... arguments) {
        return Main.commandLine()
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(arguments);
    }

    @Test
    void everySortOfEntryIsMeasuredWithAndWithout() {
        assertThat(run("bench", "masking", "--seconds", "0", "-o", "json")).isZero();

        JsonObject report = new JsonObject(out.toString());
        for (String section : List.of("typical", "with_secrets", "large", "large_of_triggers")) {
            JsonObject figures = report.getJsonObject(section);
            assertThat(figures.getDouble("on_ns")).isPositive();
            assertThat(figures.getDouble("off_ns")).isPositive();
            assertThat(figures.getDouble("on_to_off_ratio")).isPositive();
        }
        assertThat(report.getJsonObject("large").getInteger("entry_bytes")).isBetween(9_000, 10_240);
    }

    @Test
    void aRatioThatIsMissedFailsTheRun() {
        assertThat(run("bench", "masking", "--seconds", "0", "--max-ratio", "0.001"))
                .isEqualTo(1);
        assertThat(out.toString()).contains("FAILED: a typical entry costs");
    }

    @Test
    void whatCannotBeMeasuredIsSaid() {
        assertThat(run("bench", "masking", "--seconds", "601")).isEqualTo(2);
        assertThat(err.toString()).contains("--seconds must be from 0 to 600, not 601");
    }
}
