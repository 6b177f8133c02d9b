package tailrace.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Each kind of bad configuration, and that it is told clearly. */
class ConfigProblemsTest {
    private final Path dir;

    ConfigProblemsTest(@TempDir Path dir) {
        this.dir = dir;
    }

    private static List<String> problems(Map<String, String> environment, Optional<Path> file) {
        ConfigException e = catchThrowableOfType(ConfigException.class, () -> ConfigLoader.load(environment, file));
        return e == null ? List.of() : e.problems();
    }

    private List<String> inFile(String... lines) throws IOException {
        return problems(Map.of(), Optional.of(Files.write(dir.resolve("my.yaml"), List.of(lines))));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    PORT | 65536 | whole number
                    PORT | -1 | whole number
                    PORT | 80.5 | whole number
                    PORT | 99999999999999999999 | whole number
                    METRICS_PORT | 8080 | must differ from PORT
                    SHUTDOWN_TIMEOUT | soon | must be a duration
                    SHUTDOWN_TIMEOUT | 0s | must be a duration from 1s to 600s
                    LOG_BATCH_INTERVAL | 1y | must be a duration
                    LOG_BATCH_INTERVAL | -1s | must be a duration
                    LOG_HOT_TTL | 999999999999999999h | must be a duration
                    STREAM_COALESCE | 2s | must be a duration from 0ms to 1s
                    DATABASE_POOL_SIZE | 0 | from 1 to 1000
                    DATABASE_SCHEMA | Logs | plain identifier
                    DATABASE_SCHEMA | a;drop | plain identifier
                    DATABASE_SCHEMA | pg_logs | plain identifier
                    JOURNAL_MAX_BYTES | 10GB! | must be a size
                    JOURNAL_MAX_BYTES | 1MiB | must be a size from 64MiB
                    JOURNAL_QUEUE_BYTES | 5MiB | at least LOG_MAX_BATCH_BYTES
                    JOURNAL_SYNC | maybe | must be one of false, off, on, true
                    LOG_OVERSIZE | cut | must be one of reject, truncate
                    LOG_PERSIST | some | must be one of all, selective
                    LOG_BATCH_MAX_SIZE | 99 | at least LOG_BATCH_SIZE, which is 100
                    LOG_RETENTION_DAYS | 0 | from 1 to
                    LOG_MASK | maybe | must be one of false, off, on, true
                    LOG_MASK_PATTERNS | [a-z | not a regular expression of RE2
                    LOG_MASK_PATTERNS | (a+)+(?=b) | not a regular expression of RE2
                    LOG_MASK_PATTERNS | a* | matches text of no length
                    LOG_MASK_PATTERNS | (?:(?:a{1000}){1000}){1000} | repeats too much
                    LOG_MASK_PATTERNS | (?:abcdefgh){999} | is too large
                    LOG_MASK_KEYS | pi | is not a name
                    LOG_MASK_KEYS | pass*word | is not a name
                    LOG_FORMAT | xml | must be one of json, text
                    TAILRACE_EMBEDDED | off | postgresql://user:password@host
                    DATABASE_URL | jdbc:postgresql://h/d | must be of the form postgresql://
                    DATABASE_URL | postgresql+asyncpg://h/d | must be of the form postgresql://
                    DATABASE_URL | postgresql://u:p@h:port/d | must be of the form postgresql://
                    JWT_JWKS_URL | http://issuer.example.com/jwks | must be of the form https://
                    JWT_JWKS_URL | http://127.0.0.1.example.com/jwks | must be of the form https://
                    JWT_JWKS_URL | https://u:hunter2@h/jwks | must be of the form https://
                    JWT_JWKS_URL | https:///jwks | must be of the form https://
                    JWT_JWKS_URL | file:///etc/jwks | must be of the form https://
                    JWT_JWKS_URL | https://h/jwks#k | must be of the form https://
                    JWT_JWKS_URL | https://h/a b | must be of the form https://
                    BACKPRESSURE | shed_all | must be one of circuit_break_sources, drop_debug_first
                    BACKPRESSURE_THRESHOLD | 100 | from 1 to 99
                    REDIS_URL | http://h:6379 | must be of the form redis://user:password@host:6379/0
                    REDIS_URL | redis://h:port | address that is no host:port
                    REDIS_URL | redis://h1,h2 | names several servers
                    REDIS_URL | redis://user@h | a user without a password
                    REDIS_URL | redis://h/logs | the number of a database
                    REDIS_URL | redis-sentinel://h:26379 | must name the master
                    REDIS_URL | redis-cluster://h:7000/1 | database 0 alone
                    REDIS_URL | redis://h?sslmode=verify-ca | begin it with rediss
                    CORS_ORIGINS | * | every page on the web could act with its visitors' cookies
                    CORS_ORIGINS | null | must be origins as browsers write them
                    CORS_ORIGINS | app.example.com | must be origins as browsers write them
                    CORS_ORIGINS | https://app.example.com/ | no slash at the end
                    CORS_ORIGINS | https://App.example.com | lower case
                    CORS_ORIGINS | https://app.example.com:443 | no :443 or :80
                    CORS_ORIGINS | https://user@app.example.com | must be origins as browsers write them
                    CORS_ORIGINS | https://a.example.com, ftp://b.example.com | must be origins as browsers write them
                    TLS_RELOAD_INTERVAL | 0 | must be a duration from 100ms to 3600s
                    HTTP_REQUEST_TIMEOUT | never | must be a duration from 100ms to 3600s
                    MAX_CONNECTIONS | 0 | from 1 to
                    STREAMS_PER_PRINCIPAL | 0 | from 1 to
                    INGEST_RATE_ENTRIES | 0 | from 1 to
                    INGEST_RATE_BYTES | lots | must be a size
                    INGEST_RATE_BURST | 2h | must be a duration from 1ms to 3600s
                    """)
    void aBadValueIsNamedWithWhatWouldBeRight(String key, String value, String right) {
        List<String> problems = problems(Map.of(key, value), Optional.empty());

        assertThat(problems).singleElement().asString().contains(right);
        if (!key.equals("TAILRACE_EMBEDDED")) {
            assertThat(problems).first().asString().startsWith(key).contains("(environment)");
        }
    }

    @Test
    void noProblemShowsASecret() {
        Map<String, String> secrets = Map.of(
                "DATABASE_URL", "mysql://u:hunter2@h/d",
                "JWT_SECRET", "hunter2",
                "SUPABASE_JWT_SECRET", "hunter2-too",
                "REDIS_URL", "redis://:hunter2@h:x");
        assertThat(problems(secrets, Optional.empty())).hasSize(5).allSatisfy(problem -> assertThat(problem)
                .doesNotContain("hunter2"));
    }

    @Test
    void twoSecretsThatDifferAreNotChosenBetween() {
        Map<String, String> both = Map.of("JWT_SECRET", "a".repeat(32), "SUPABASE_JWT_SECRET", "b".repeat(32));
        assertThat(problems(both, Optional.empty()))
                .singleElement()
                .asString()
                .startsWith("SUPABASE_JWT_SECRET")
                .contains("differs from JWT_SECRET");
    }

    @Test
    void aTokenNeverChoosesBetweenASecretAndAnIssuersKeys() {
        for (String secret : List.of("JWT_SECRET", "SUPABASE_JWT_SECRET")) {
            Map<String, String> both = Map.of(secret, "a".repeat(32), "JWT_JWKS_URL", "https://h/jwks?key=hunter2");
            assertThat(problems(both, Optional.empty()))
                    .singleElement()
                    .asString()
                    .startsWith("JWT_JWKS_URL")
                    .contains("cannot stand beside " + secret)
                    .doesNotContain("hunter2");
        }
    }

    @Test
    void theSecretIsMeasuredInBytes() {
        assertThat(problems(Map.of("JWT_SECRET", "é".repeat(16)), Optional.empty()))
                .isEmpty();
        assertThat(problems(Map.of("JWT_SECRET", "e".repeat(31)), Optional.empty()))
                .hasSize(1);
    }

    @Test
    void theDriversComplaintIsNotRepeatedBecauseItQuotesTheUrl() {
        assertThat(problems(Map.of("DATABASE_URL", "postgresql://u:hunter2@h:x/d"), Optional.empty()))
                .singleElement()
                .asString()
                .contains("percent-encoded")
                .doesNotContain("hunter2");
    }

    @Test
    void unknownKeysInAFileAreProblemsWithTheNearestKey() throws IOException {
        assertThat(inFile("log_batch_intervall: 1s", "log-level: info", "password: hunter2"))
                .satisfiesExactly(
                        first -> assertThat(first).contains(":1): unknown key, did you mean LOG_BATCH_INTERVAL?"),
                        second -> assertThat(second).contains(":2): unknown key, did you mean LOG_LEVEL?"),
                        third -> assertThat(third)
                                .startsWith("password (")
                                .endsWith(":3): unknown key")
                                .doesNotContain("hunter2"));
    }

    @Test
    void aKeyThatStandsTwiceIsAProblemInAnyCase() throws IOException {
        assertThat(inFile("port: 1", "PORT: 2")).singleElement().asString().contains(":2): stands twice, first at");
    }

    @Test
    void nestedKeysAreAProblem() throws IOException {
        assertThat(inFile("port:", "  http: 80")).singleElement().asString().contains("must be a plain value");
        assertThat(inFile("host: [a, b]")).singleElement().asString().contains("must be one value, not a list");
        assertThat(inFile("log_mask_patterns: [[a]]"))
                .singleElement()
                .asString()
                .contains("or a list of them");
        assertThat(inFile("- port")).singleElement().asString().contains("expected lines of the form key: value");
        assertThat(inFile("? [a]", ": b")).singleElement().asString().contains("a key must be plain text");
    }

    @Test
    void brokenYamlIsNamedByLineWithoutQuotingIt() throws IOException {
        assertThat(inFile("port: 1", "jwt_secret: \"hunter2", "host: x"))
                .singleElement()
                .asString()
                .contains("my.yaml:")
                .contains("is not YAML")
                .doesNotContain("hunter2");
        assertThat(inFile("port: 1", "---", "port: 2"))
                .singleElement()
                .asString()
                .contains("is not YAML");
    }

    @Test
    void aFileThatCannotBeReadIsAProblem() throws IOException {
        assertThat(problems(Map.of(), Optional.of(dir.resolve("absent.yaml"))))
                .singleElement()
                .asString()
                .contains("absent.yaml: cannot be read (NoSuchFileException)");
        Path latin = Files.write(dir.resolve("latin.yaml"), new byte[] {'a', ':', ' ', (byte) 0xe9});
        assertThat(problems(Map.of(), Optional.of(latin)))
                .singleElement()
                .asString()
                .contains("is not UTF-8");
        Path large = Files.write(dir.resolve("large.yaml"), new byte[(1 << 20) + 1]);
        assertThat(problems(Map.of(), Optional.of(large)))
                .singleElement()
                .asString()
                .contains("larger than 1MiB");
    }

    @Test
    void valuesAreShownHarmlessAndShort() {
        assertThat(problems(Map.of("LOG_LEVEL", "\u001b[31m" + "x".repeat(500)), Optional.empty()))
                .singleElement()
                .asString()
                .contains("␛[31mxxx")
                .doesNotContain("\u001b")
                .hasSizeLessThan(250);
    }

    @Test
    void octalLookingNumbersAreDecimal() throws IOException {
        Path file = Files.writeString(dir.resolve("my.yaml"), "port: 010\n");
        assertThat(ConfigLoader.load(Map.of(), Optional.of(file)).http().port()).isEqualTo(10);
    }

    @Test
    void oneProblemReadsLikeOne() {
        assertThatThrownBy(() -> ConfigLoader.load(Map.of("PORT", "x"), Optional.empty()))
                .hasMessage("the configuration has a problem:\n"
                        + "  PORT = x (environment): must be a whole number from 0 to 65535");
    }

    @Test
    void aCertificateNeedsItsKeyAndAKeyItsCertificate() {
        assertThat(problems(Map.of("TLS_CERT", "c.pem"), Optional.empty()))
                .singleElement(InstanceOfAssertFactories.STRING)
                .startsWith("TLS_KEY: must be set, too");
        assertThat(problems(Map.of("TLS_KEY", "k.pem"), Optional.empty()))
                .singleElement(InstanceOfAssertFactories.STRING)
                .startsWith("TLS_CERT: must be set, too");
    }
}
