package tailrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.json.JsonObject;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import tailrace.security.JwksServer;
import tailrace.security.TestIssuer;

/** Exit codes, and what goes to which stream. */
class MainTest {
    private final Path dir;
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    MainTest(@TempDir Path dir) {
        this.dir = dir;
    }

    private int run(String... args) {
        return Main.commandLine()
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(args);
    }

    private String config(String... lines) throws Exception {
        return Files.write(
                        dir.resolve("c.yaml"),
                        (String.join("\n", lines) + "\ntailrace_data_dir: '" + dir + "/data'\n").getBytes("UTF-8"))
                .toString();
    }

    @Test
    void helpAndVersionEverywhere() {
        for (CommandLine command : Main.commandLine().getSubcommands().values()) {
            assertThat(run(command.getCommandName(), "--help")).isZero();
            assertThat(run(command.getCommandName(), "--version")).isZero();
        }
        assertThat(run("--help")).isZero();
        assertThat(run("--version")).isZero();
        assertThat(out.toString()).contains("Usage: tailrace serve").contains("tailrace development");
        assertThat(err.toString()).isEmpty();
    }

    @Test
    void wrongUsageIsTwo() {
        assertThat(run()).isEqualTo(2);
        assertThat(run("sreve")).isEqualTo(2);
        assertThat(run("serve", "--prot", "1")).isEqualTo(2);
        assertThat(run("token", "--ttl", "soon")).isEqualTo(2);
        assertThat(run("token", "--role", "root")).isEqualTo(2);
        assertThat(out.toString()).isEmpty();
        assertThat(err.toString()).contains("'soon' is no duration such as");
    }

    @Test
    void aBadConfigurationIsOneWithAllItsProblems() throws Exception {
        assertThat(run("serve", "--config", config("port: x", "log_level: y"))).isEqualTo(1);
        assertThat(err.toString())
                .startsWith("tailrace: the configuration has 2 problems:")
                .contains("c.yaml:1")
                .contains("c.yaml:2")
                .doesNotContain("\tat ");
    }

    @Test
    void tokensArePrintedAloneAndAcceptedAfterwards() throws Exception {
        String config = config();
        assertThat(run("token", "--config", config, "--role", "authenticated", "--sub", "u1", "--ttl", "5min"))
                .isZero();
        String token = out.toString().strip();
        assertThat(token).matches("[\\w-]+\\.[\\w-]+\\.[\\w-]+");
        assertThat(err.toString()).startsWith("made a new secret in ");

        assertThat(run("token", "inspect", "--config", config, token)).isZero();
        assertThat(out.toString()).contains("\"role\" : \"authenticated\"").contains("\"sub\" : \"u1\"");
        assertThat(err.toString()).endsWith("accepted" + System.lineSeparator());
        String secret = Files.readString(dir.resolve("data/jwt-secret")).strip();
        assertThat(out.toString() + err).doesNotContain(secret);
    }

    @Test
    void aForeignTokenIsOneAndSaysWhy() throws Exception {
        assertThat(run("token", "--config", config())).isZero();
        assertThat(run("token", "inspect", "--config", config(), "a.b.c")).isEqualTo(1);
        assertThat(err.toString()).contains("tailrace: not accepted: the token is not a");
    }

    @Test
    void inspectMakesNoSecret() throws Exception {
        assertThat(run("token", "inspect", "--config", config(), "a.b.c")).isEqualTo(1);
        assertThat(err.toString()).contains("there is no secret yet");
        assertThat(dir.resolve("data")).doesNotExist();
    }

    @Test
    void withAnIssuerTokensAreInspectedByItsKeysAndNotMade() throws Exception {
        TestIssuer key = TestIssuer.rsa("one");
        long exp = Clock.systemUTC().instant().getEpochSecond() + 600;
        JsonObject claims = new JsonObject().put("role", "service_role").put("exp", exp);
        try (JwksServer issuer = new JwksServer()) {
            String config = config("jwt_jwks_url: " + issuer.url() + "?key=hunter2");
            assertThat(run("token", "--config", config)).isEqualTo(1);
            assertThat(err.toString()).contains("only the issuer can make tokens");
            assertThat(run("demo", "--config", config)).isEqualTo(1);
            assertThat(err.toString()).contains("the demo makes its own tokens");
            assertThat(run("token", "inspect", "--config", config, key.token(claims)))
                    .isEqualTo(1);
            assertThat(err.toString()).contains("cannot tell: the keys at JWT_JWKS_URL cannot be had");

            issuer.publish(key);
            assertThat(run("token", "inspect", "--config", config, key.token(claims)))
                    .isZero();
            assertThat(out.toString()).contains("\"role\" : \"service_role\"");
            assertThat(err.toString()).endsWith("accepted" + System.lineSeparator());
            assertThat(run(
                            "token",
                            "inspect",
                            "--config",
                            config,
                            TestIssuer.rsa("one").token(claims)))
                    .isEqualTo(1);
            assertThat(run("token", "inspect", "--config", config, key.token(claims.put("exp", 1))))
                    .isEqualTo(1);
            assertThat(out.toString()).as("what it says is shown").contains("\"exp\" : 1");
        }
        assertThat(err.toString()).endsWith("not accepted: the token has expired" + System.lineSeparator());
        assertThat(out.toString() + err).doesNotContain("hunter2");
        assertThat(dir.resolve("data")).doesNotExist();
    }

    @Test
    void anAuthenticatedTokenNeedsASub() throws Exception {
        assertThat(run("token", "--config", config(), "--role", "authenticated"))
                .isEqualTo(2);
        assertThat(err.toString()).contains("needs a sub");
    }
}
