package tailrace.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tailrace.config.TailraceConfig;

/**
 * Text made to hold ingest up costs no more than any other: twice the text, about twice the time. An attack that makes
 * the time grow with the square fails the ratio at the larger sizes, one that makes it grow faster never ends.
 */
class MaskingCostTest {
    private static final int CHARS = 16 << 10;
    /** Between half the text and all of it; two would be linear, four quadratic. The rest is for the compiler at work. */
    private static final double MAX_RATIO = 3.2;
    /** What all of it may cost however the ratio is: some microseconds a character would be the square at work. */
    private static final long MAX_NANOS_A_CHAR = 2_000;

    private static final int ATTEMPTS = 12;

    private final ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    private final Masking masking = new Masking(new TailraceConfig.Mask(
            true, List.of("(a+)+b", "(a|aa)+$", "(x+x+)+y", "(?P<secret>\\w+)@@"), List.of("customer pin")));

    static Stream<String> attacks() {
        List<String> pieces = new ArrayList<>(List.of(
                "a",
                " ",
                ":",
                "=",
                "-",
                "_",
                "\"",
                "'",
                "\\",
                "\\\"",
                "\n",
                "{",
                "<",
                "x@@",
                "aab",
                "eyJ",
                "eyJ-",
                "eyJaaaaaaaa.",
                "eyJaaaaaaaa.eyJa.",
                "eyJaaaaaaaa..",
                "://",
                "://a:",
                "://a:b",
                "://a:b@ ",
                "http://aaaaaaaaaaaaaaaaaaaaaaa1",
                "%3a%2f%2f",
                "%3a%2f%2fa%3ab",
                "password",
                "password=",
                "password=***",
                "password=\"",
                "password='",
                "password: \\\"",
                "password=\"a password='b password=`c ",
                "\"password\"",
                "\"password\", \"value\": ",
                "<password>",
                "<password a=",
                "token=",
                "token=http://",
                "token=/",
                "token=${",
                "token=a.b(",
                "token:\"a b ",
                "--token ",
                "--a",
                "customer pin=",
                "secret:",
                "authorization: ",
                "authorization: Basic ",
                "authorization: Digest\\n",
                "bearer ",
                "basic aB",
                "cookie",
                "cookie: ",
                "cookie: a=",
                "cookie: a=\"",
                "curl ",
                "curl -u ",
                "curl -u a:",
                "-----BEGIN PRIVATE KEY-----",
                "-----BEGIN ",
                "-----BEGIN PRIVATE KEY-----\"",
                "private-lines: 1 a",
                "AKIA",
                "AKIAIOSFODNN7EXAMPLE ",
                "ghp_",
                "ghp_a",
                "sk-",
                "sk-a1",
                "xoxb-",
                "SG.a.",
                "dp.pt.",
                "glsa_",
                "EAA",
                "key-a",
                "8Q~",
                "azdo",
                "-us1",
                "1:AA",
                ".atlasv1.",
                "hooks.slack.com/services/",
                "/api/webhooks/1",
                "sig=",
                "&sig=a",
                "&code=",
                "jdbc:oracle:a:a/",
                "identified by '",
                "password '",
                "sshpass -p",
                "🔑password=🔑",
                "\ud800password=\udc00"));
        return pieces.stream();
    }

    @ParameterizedTest
    @MethodSource("attacks")
    void timeIsLinearInTheText(String piece) {
        String whole = piece.repeat(CHARS / piece.length());
        String half = whole.substring(0, whole.length() / 2);
        masking.mask(half.substring(0, 1_000));

        double best = Double.MAX_VALUE;
        long least = Long.MAX_VALUE;
        long bound = MAX_NANOS_A_CHAR * CHARS;
        // Until it is compiled a rule may take many times as long.
        for (int attempt = 0; attempt < ATTEMPTS && (best > MAX_RATIO || least >= bound || attempt < 2); attempt++) {
            long first = nanos(half);
            long second = nanos(whole);
            least = Math.min(least, second);
            best = Math.min(best, (double) second / Math.max(1, first));
            if (second < Duration.ofMillis(1).toNanos()) {
                best = 0; // too short to be told from noise, and for anybody to mind
            }
        }

        assertThat(least).as("nanoseconds for %d characters", CHARS).isLessThan(bound);
        assertThat(best).as("all to half, at best").isLessThan(MAX_RATIO);
    }

    /** Of this thread's processor time: others on the machine do not count. */
    private long nanos(String text) {
        long start = threads.getCurrentThreadCpuTime();
        String masked = masking.mask(text);
        long nanos = threads.getCurrentThreadCpuTime() - start;
        assertThat(masked.length()).isLessThanOrEqualTo(text.length() * 5 + 8);
        return nanos;
    }
}
