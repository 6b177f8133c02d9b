package tailrace.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import tailrace.config.TailraceConfig;

/** A dump of an environment names its working directory PWD, which is also short for password. */
class WorkingDirectoryMaskingTest {
    private final Masking masking = new Masking(TailraceConfig.Mask.BUILT_IN);

    @Test
    void aWorkingDirectoryStays() {
        for (String text : List.of("PWD=/home/dev/project", "env.OLDPWD: /home/dev", "\"PWD\": \"/srv/build\"")) {
            assertThat(masking.mask(text)).isSameAs(text);
        }
    }

    @Test
    void aPasswordOfThatNameGoes() {
        for (String text : List.of("PWD=hunter22", "DB_PWD=/hunter22", "pwd=/hunter22", "OLDPWD: hunter22")) {
            assertThat(masking.mask(text)).doesNotContain("hunter22").endsWith(Masking.MASK);
        }
    }
}
