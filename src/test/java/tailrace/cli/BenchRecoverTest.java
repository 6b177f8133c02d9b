package tailrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BenchRecoverTest {
    @Test
    void whatCannotBeMeasuredIsSaidBeforeAnythingIsMade(@TempDir Path temp) {
        StringWriter err = new StringWriter();

        int exitCode = Main.commandLine()
                .setErr(new PrintWriter(err, true))
                .execute(
                        "bench",
                        "recover",
                        "--entries",
                        "0",
                        "--dir",
                        temp.resolve("d").toString());

        assertThat(exitCode).isEqualTo(2);
        assertThat(err.toString()).contains("--entries must be from 1 to 100,000,000, not 0");
        assertThat(temp.resolve("d")).doesNotExist();
    }
}
