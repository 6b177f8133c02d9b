package tailrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.joran.JoranConfigurator;
import io.vertx.core.json.JsonObject;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;
import tailrace.config.TailraceConfig;

/** The lines as they come out, by the configuration that ships. */
class LogsTest {
    private static final Logger LOG = LoggerFactory.getLogger("tailrace.Something");

    private final ByteArrayOutputStream captured = new ByteArrayOutputStream();
    private final PrintStream stderr = System.err;

    @BeforeEach
    void capture() {
        System.setErr(new PrintStream(captured, true, StandardCharsets.UTF_8));
    }

    @AfterEach
    void restore() throws Exception {
        System.setErr(stderr);
        MDC.clear();
        LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
        context.reset();
        JoranConfigurator configurator = new JoranConfigurator();
        configurator.setContext(context);
        configurator.doConfigure(Objects.requireNonNull(LogsTest.class.getResource("/logback-test.xml")));
    }

    private List<String> lines() {
        return captured.toString(StandardCharsets.UTF_8).lines().toList();
    }

    @Test
    void aTextLineBearsTheRequestAndNoControlCharacter() {
        Logs.configure(new TailraceConfig.Logging(false, "info"));
        MDC.put("request_id", "r-1");
        LOG.info("read {} \u001b[2J\nFAKE LINE", 7);
        LOG.debug("not at this level");
        MDC.clear();
        LOG.warn("no request");

        assertThat(lines())
                .satisfiesExactly(
                        first -> assertThat(first)
                                .matches(
                                        "\\d{4}-\\d\\d-\\d\\dT[\\d:.]+\\S+ INFO  Something \\[r-1\\] read 7  \\[2J FAKE LINE"),
                        second -> assertThat(second).endsWith("WARN  Something no request"));
    }

    @Test
    void aStackTraceStaysReadableAndHarmless() {
        Logs.configure(new TailraceConfig.Logging(false, "info"));
        LOG.error("failed", new IllegalStateException("\u001b[31mred"));

        assertThat(lines()).hasSizeGreaterThan(3);
        assertThat(lines().get(1)).isEqualTo("java.lang.IllegalStateException:  [31mred");
        assertThat(lines().get(2)).startsWith("\tat tailrace.cli.LogsTest.");
        assertThat(String.join("\n", lines())).containsOnlyOnce("IllegalStateException");
    }

    @Test
    void nothingFromOutsideMovesTheTerminalOrFakesALine() {
        Logs.configure(new TailraceConfig.Logging(false, "info"));
        String hostile = "a\r\nb\u001b]52;c;eA==\u0007\u009b31m\u0085c\u2028d\u202ee\u2066f\u200bg";
        LOG.error("{}", hostile, new IllegalStateException("x\n2026-01-01T00:00:00.000Z ERROR Root fake\r\n\u009b2J"));

        assertThat(lines().get(0)).endsWith("a  b ]52;c;eA==  31m c d e f g");
        assertThat(lines().get(1))
                .isEqualTo("java.lang.IllegalStateException: x 2026-01-01T00:00:00.000Z ERROR Root fake   2J");
        assertThat(lines().subList(2, lines().size())).allMatch(line -> line.startsWith("\t"));
    }

    @Test
    void aJsonLineIsOneObjectWhateverIsInIt() {
        Logs.configure(new TailraceConfig.Logging(true, "debug"));
        MDC.put("request_id", "r-\"1\"");
        LOG.debug("quote \" backslash \\ newline \n escape \u001b {}", "arg", new IllegalStateException("why\n\""));

        assertThat(lines()).hasSize(1);
        JsonObject line = new JsonObject(lines().get(0));
        assertThat(line.getString("level")).isEqualTo("DEBUG");
        assertThat(line.getString("loggerName")).isEqualTo("tailrace.Something");
        assertThat(line.getString("formattedMessage")).isEqualTo("quote \" backslash \\ newline \n escape \u001b arg");
        assertThat(line.getJsonObject("mdc").getString("request_id")).isEqualTo("r-\"1\"");
        assertThat(line.getJsonObject("throwable").getString("message")).isEqualTo("why\n\"");
        assertThat(line.getLong("timestamp")).isPositive();
    }

    @Test
    void offIsSilent() {
        Logs.configure(new TailraceConfig.Logging(false, "off"));
        LOG.error("nothing");
        LoggerFactory.getLogger("io.netty.Something").error("nothing");
        assertThat(lines()).isEmpty();
    }

    @Test
    void librariesOnlyWarn() {
        Logs.configure(new TailraceConfig.Logging(false, "trace"));
        LoggerFactory.getLogger("io.netty.Something").info("chatter");
        LoggerFactory.getLogger("io.netty.Something").warn("trouble");
        assertThat(lines()).singleElement().asString().endsWith("trouble");
    }
}
