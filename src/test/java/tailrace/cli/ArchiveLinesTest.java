package tailrace.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** From a line of an archive to an entry. */
class ArchiveLinesTest {
    private final Path directory;

    private final ArchiveLines lines = new ArchiveLines();

    ArchiveLinesTest(@TempDir Path directory) {
        this.directory = directory;
    }

    private String entry(String line) throws IOException {
        return new String(lines.entry(line.getBytes(StandardCharsets.UTF_8)), StandardCharsets.UTF_8);
    }

    @Test
    void valuesStayAsTheyAre() throws IOException {
        assertThat(entry(
                        "{\"execution_id\":\"é\\\"1\",\"seq\":12 , \"message\":\"für Menschen\\n\",\"raw_message\":\"raw\","
                                + "\"node_name\":null,\"progress_percentage\":12.50,\"is_milestone\":true,\"data\":{\"exact\":0.10,"
                                + "\"huge\":123456789012345678901234567890,\"e\":-1.5E+10},\"clock_skew_ms\":-61000}"))
                .isEqualTo("{\"execution_id\":\"archive:é\\\"1\",\"seq\":12,\"message\":\"raw\",\"node_name\":null,"
                        + "\"progress_percentage\":12.50,\"is_milestone\":true,\"data\":{\"exact\":0.10,"
                        + "\"huge\":123456789012345678901234567890,\"e\":-1.5E+10},\"clock_skew_ms\":-61000,"
                        + "\"user_friendly_message\":\"für Menschen\\n\"}");
    }

    @Test
    void whatIsNoArchiveIsNamed() throws Exception {
        for (String line :
                List.of("[]", "{\"message\":\"m\",\"seq\":1}", "{\"execution_id\":7,\"seq\":1,\"message\":\"m\"}")) {
            assertThatThrownBy(() -> entry(line)).isInstanceOf(IOException.class);
        }
        Path file = Files.writeString(directory.resolve("plain.txt"), "not zipped");
        assertThatThrownBy(() -> lines.read(file, new EntryBuffer(10, 100, 0)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("plain.txt, after line 0: ");
    }

    @Test
    void aFileThatWasCutIsNotWhole() throws Exception {
        Path whole = directory.resolve("whole.gz");
        String line = "{\"execution_id\":\"e\",\"seq\":1,\"message\":\"m\"}\n";
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(whole))) {
            out.write(line.repeat(3).getBytes(StandardCharsets.UTF_8));
        }
        EntryBuffer buffer = new EntryBuffer(10, 10_000, 0);
        lines.read(whole, buffer);
        assertThat(buffer.take())
                .hasSize(3)
                .extracting(EntryBuffer.Entry::place)
                .containsExactly("whole.gz line 1", "whole.gz line 2", "whole.gz line 3");
        assertThat(lines.bytesRead()).isEqualTo(Files.size(whole));

        byte[] bytes = Files.readAllBytes(whole);
        Path cut = Files.write(directory.resolve("cut.gz"), Arrays.copyOf(bytes, bytes.length - 4));
        assertThatThrownBy(() -> lines.read(cut, new EntryBuffer(10, 10_000, 0)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("cut.gz, after line 3: ");
    }
}
