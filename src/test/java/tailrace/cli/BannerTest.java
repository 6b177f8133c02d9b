package tailrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tailrace.config.TailraceConfig;

class BannerTest {
    private static TailraceConfig.Http http(String host, Optional<TailraceConfig.Tls> tls) {
        return new TailraceConfig.Http(
                host,
                0,
                Optional.empty(),
                Duration.ofSeconds(1),
                false,
                tls,
                Set.of(),
                new TailraceConfig.Limits(
                        Duration.ofSeconds(1),
                        1,
                        1,
                        new TailraceConfig.IngestRate(OptionalLong.empty(), OptionalLong.empty(), Duration.ZERO)));
    }

    @Test
    void overTlsTheLinksSaySo() {
        Optional<TailraceConfig.Tls> tls =
                Optional.of(new TailraceConfig.Tls(Path.of("c.pem"), Path.of("k.pem"), Duration.ofSeconds(5)));
        assertThat(Banner.text(http("127.0.0.1", tls), 4711, Optional.of("a.b.c"), Banner.TOKEN_OF_SECRET))
                .contains("is ready: https://127.0.0.1:4711\n", "open   https://127.0.0.1:4711/#token=a.b.c\n")
                .doesNotContain("http://");
    }

    @ParameterizedTest
    @CsvSource({
        "127.0.0.1,http://127.0.0.1:8080",
        "0.0.0.0,http://127.0.0.1:8080",
        "::,http://127.0.0.1:8080",
        "::1,http://[::1]:8080",
        "logs.example.com,http://logs.example.com:8080"
    })
    void theUrlCanBeOpenedOnThisMachine(String host, String url) {
        assertThat(Banner.url(http(host, Optional.empty()), 8080)).isEqualTo(url);
    }

    @Test
    void aSecretMadeHereComesWithALinkATokenAndLinesToTry() {
        assertThat(Banner.text(http("127.0.0.1", Optional.empty()), 4711, Optional.of("a.b.c"), Banner.TOKEN_OF_SECRET))
                .contains("is ready: http://127.0.0.1:4711\n")
                .contains("http://127.0.0.1:4711/#token=a.b.c\n")
                .contains(
                        "curl -X POST http://127.0.0.1:4711/v2/executions/hello/logs -H \"Authorization: Bearer a.b.c\"");
    }

    @Test
    void aConfiguredSecretIsNobodysToHandOut() {
        assertThat(Banner.text(http("127.0.0.1", Optional.empty()), 4711, Optional.empty(), Banner.TOKEN_OF_SECRET))
                .contains("tailrace.jar token")
                .doesNotContain("#token")
                .contains("Bearer $TOKEN");
    }

    @Test
    void whereAnIssuerMakesTheTokensNobodyIsSentToMakeOne() {
        assertThat(Banner.text(http("127.0.0.1", Optional.empty()), 4711, Optional.empty(), Banner.TOKEN_OF_ISSUER))
                .contains("tokens come from the issuer")
                .doesNotContain("tailrace.jar token")
                .contains("Bearer $TOKEN");
    }
}
