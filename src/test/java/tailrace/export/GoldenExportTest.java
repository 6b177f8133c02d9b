package tailrace.export;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import tailrace.query.Coverage;

/** Every format, byte for byte, in two zones, across both changes of the clock. */
class GoldenExportTest {
    private static final Path GOLDEN = Path.of("src/test/resources/export");

    @ParameterizedTest
    @CsvSource({
        "NDJSON, UTC, utc.ndjson",
        "NDJSON, Europe/Berlin, berlin.ndjson",
        "JSON, UTC, utc.json",
        "JSON, Europe/Berlin, berlin.json",
        "CSV, UTC, utc.csv",
        "CSV, Europe/Berlin, berlin.csv",
        "TXT, UTC, utc.txt",
        "TXT, Europe/Berlin, berlin.txt"
    })
    void isAsItWas(ExportFormat format, String zone, String file) throws IOException {
        String made = Samples.text(format, zone, Samples.entries(), Samples.INCOMPLETE);
        assertThat(made).isEqualTo(Files.readString(GOLDEN.resolve(file)));
    }

    @ParameterizedTest
    @EnumSource
    void whatIsCompleteSaysNothingBeyondItsEntries(ExportFormat format) throws IOException {
        String whole = Samples.text(format, "UTC", Samples.entries(), Coverage.COMPLETE);
        if (format == ExportFormat.JSON) {
            assertThat(whole).endsWith("\n],\"coverage\":{\"complete\":true}}\n");
        } else {
            assertThat(whole).doesNotContain("coverage").doesNotContain("not complete");
            assertThat(Samples.text(format, "UTC", Samples.entries(), Samples.INCOMPLETE))
                    .startsWith(whole)
                    .isNotEqualTo(whole);
        }
    }

    @ParameterizedTest
    @EnumSource
    void compressedItIsTheSameHoweverItIsCut(ExportFormat format) throws IOException {
        for (int piece : List.of(1, 2, 10)) {
            byte[] compressed = Samples.export(format, "UTC", true, Samples.entries(), piece, Samples.INCOMPLETE);
            try (var in = new GZIPInputStream(new ByteArrayInputStream(compressed))) {
                assertThat(new String(in.readAllBytes(), StandardCharsets.UTF_8))
                        .isEqualTo(Samples.text(format, "UTC", Samples.entries(), Samples.INCOMPLETE));
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void nothingIsSomethingToo(ExportFormat format) throws IOException {
        String nothing = Samples.text(format, "UTC", List.of(), Coverage.COMPLETE);
        switch (format) {
            case NDJSON, TXT -> assertThat(nothing).isEmpty();
            case JSON ->
                assertThat(nothing)
                        .isEqualTo("{\"execution_id\":\"run/1\",\"logs\":[\n],\"coverage\":{\"complete\":true}}\n");
            case CSV -> assertThat(nothing).isEqualTo(String.join(",", CsvFormat.COLUMNS) + "\r\n");
        }
    }
}
