package tailrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.json.JsonObject;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;

class BenchReportTest {
    @Test
    void percentilesOfMicrosecondsArePrintedInMilliseconds() {
        Histogram micros = OpenLoop.histogram();
        for (int i = 1; i <= 1_000; i++) {
            OpenLoop.record(micros, i * 10L);
        }
        BenchReport report = new BenchReport("bench ingest").latency("ingest", micros);

        JsonObject ingest = report.toJson().getJsonObject("ingest");
        assertThat(ingest.getDouble("p50_ms")).isBetween(4.99, 5.02);
        assertThat(ingest.getDouble("p95_ms")).isBetween(9.49, 9.52);
        assertThat(ingest.getDouble("p99_ms")).isBetween(9.89, 9.92);
        assertThat(ingest.getDouble("max_ms")).isBetween(9.99, 10.02);
    }

    @Test
    void latencyOfNothingIsNotZeroButAbsent() {
        assertThat(new BenchReport("x")
                        .latency("ingest", OpenLoop.histogram())
                        .toJson()
                        .containsKey("ingest"))
                .isFalse();
    }

    @Test
    void whatIsLongerThanTheHistogramCountsAsItsMaximumAndIsNotLost() {
        Histogram micros = OpenLoop.histogram();
        OpenLoop.record(micros, Long.MAX_VALUE);
        OpenLoop.record(micros, -5);
        assertThat(micros.getTotalCount()).isEqualTo(2);
    }

    @Test
    void tableAndJsonSayTheSame() {
        BenchReport report = new BenchReport("bench ingest")
                .add("run", "rate_entries_per_second", 10_000.0)
                .add("ingest", "entries_per_second", 9_999.7)
                .add("ingest", "p95_ms", 1.2344)
                .fail("missed its rate");

        assertThat(report.text()).isEqualTo("""
                        tailrace bench ingest

                        run
                          rate_entries_per_second  10,000

                        ingest
                          entries_per_second       10,000
                          p95_ms                   1.234

                        FAILED: missed its rate""");
        JsonObject json = new JsonObject(report.json());
        assertThat(json.getBoolean("ok")).isFalse();
        assertThat(json.getJsonArray("failures")).containsExactly("missed its rate");
        assertThat(json.getJsonObject("ingest").getDouble("p95_ms")).isEqualTo(1.2344);
    }
}
