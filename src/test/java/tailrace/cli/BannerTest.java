package tailrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BannerTest {
    @ParameterizedTest
    @CsvSource({
        "127.0.0.1,http://127.0.0.1:8080",
        "0.0.0.0,http://127.0.0.1:8080",
        "::,http://127.0.0.1:8080",
        "::1,http://[::1]:8080",
        "logs.example.com,http://logs.example.com:8080"
    })
    void theUrlCanBeOpenedOnThisMachine(String host, String url) {
        assertThat(Banner.url(host, 8080)).isEqualTo(url);
    }

    @Test
    void aSecretMadeHereComesWithALinkATokenAndLinesToTry() {
        assertThat(Banner.text("127.0.0.1", 4711, Optional.of("a.b.c"), Banner.TOKEN_OF_SECRET))
                .contains("is ready: http://127.0.0.1:4711\n")
                .contains("http://127.0.0.1:4711/#token=a.b.c\n")
                .contains(
                        "curl -X POST http://127.0.0.1:4711/v2/executions/hello/logs -H \"Authorization: Bearer a.b.c\"");
    }

    @Test
    void aConfiguredSecretIsNobodysToHandOut() {
        assertThat(Banner.text("127.0.0.1", 4711, Optional.empty(), Banner.TOKEN_OF_SECRET))
                .contains("tailrace.jar token")
                .doesNotContain("#token")
                .contains("Bearer $TOKEN");
    }

    @Test
    void whereAnIssuerMakesTheTokensNobodyIsSentToMakeOne() {
        assertThat(Banner.text("127.0.0.1", 4711, Optional.empty(), Banner.TOKEN_OF_ISSUER))
                .contains("tokens come from the issuer")
                .doesNotContain("tailrace.jar token")
                .contains("Bearer $TOKEN");
    }
}
