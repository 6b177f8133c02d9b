package tailrace.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A defaults test and an explicit-values test for every record, and where values come from. */
class ConfigLoaderTest {
    private static final String SECRET = "0123456789abcdef0123456789abcdef";

    private final Path dir;

    ConfigLoaderTest(@TempDir Path dir) {
        this.dir = dir;
    }

    private static TailraceConfig defaults() {
        return ConfigLoader.load(Map.of(), Optional.empty());
    }

    private static TailraceConfig with(String... keysAndValues) {
        Map<String, String> environment = new HashMap<>();
        for (int i = 0; i < keysAndValues.length; i += 2) {
            environment.put(keysAndValues[i], keysAndValues[i + 1]);
        }
        return ConfigLoader.load(environment, Optional.empty());
    }

    private Optional<Path> file(String... lines) throws IOException {
        return Optional.of(Files.write(dir.resolve("my.yaml"), List.of(lines)));
    }

    @Test
    void everyKeyIsInTheDocumentedFileAndTheOtherWayRound() {
        assertThat(ConfigLoader.defaults().keySet()).containsExactlyInAnyOrder(ConfigKey.values());
    }

    @Test
    void everyKeyOfTheDocumentedFileHasACommentAboveIt() throws IOException {
        List<String> lines = Files.readAllLines(Path.of("src/main/resources/conf/tailrace.yaml"));
        for (int i = 1; i < lines.size(); i++) {
            if (lines.get(i).matches("[a-z].*")) {
                assertThat(lines.get(i - 1)).as("above " + lines.get(i)).matches("# .*|[a-z_]+:.*");
            }
        }
    }

    @Test
    void httpDefaults() {
        assertThat(defaults().http())
                .isEqualTo(new TailraceConfig.Http(
                        "127.0.0.1",
                        8080,
                        Optional.empty(),
                        Duration.ofSeconds(20),
                        false,
                        Optional.empty(),
                        Set.of(),
                        new TailraceConfig.Limits(
                                Duration.ofSeconds(30),
                                12_000,
                                100,
                                new TailraceConfig.IngestRate(
                                        OptionalLong.empty(), OptionalLong.empty(), Duration.ofSeconds(10)))));
    }

    @Test
    void httpExplicit() {
        assertThat(with(
                                "HOST",
                                "0.0.0.0",
                                "PORT",
                                "0",
                                "METRICS_PORT",
                                "9100",
                                "SHUTDOWN_TIMEOUT",
                                "7",
                                "BENCH_ENDPOINT",
                                "on",
                                "TLS_CERT",
                                "c.pem",
                                "TLS_KEY",
                                "k.pem",
                                "TLS_RELOAD_INTERVAL",
                                "1min",
                                "CORS_ORIGINS",
                                "https://a.example.com, http://localhost:5173",
                                "HTTP_REQUEST_TIMEOUT",
                                "5",
                                "MAX_CONNECTIONS",
                                "50",
                                "STREAMS_PER_PRINCIPAL",
                                "7",
                                "INGEST_RATE_ENTRIES",
                                "1000",
                                "INGEST_RATE_BYTES",
                                "1MiB",
                                "INGEST_RATE_BURST",
                                "2s")
                        .http())
                .isEqualTo(new TailraceConfig.Http(
                        "0.0.0.0",
                        0,
                        Optional.of(9100),
                        Duration.ofSeconds(7),
                        true,
                        Optional.of(new TailraceConfig.Tls(Path.of("c.pem"), Path.of("k.pem"), Duration.ofMinutes(1))),
                        Set.of("https://a.example.com", "http://localhost:5173"),
                        new TailraceConfig.Limits(
                                Duration.ofSeconds(5),
                                50,
                                7,
                                new TailraceConfig.IngestRate(
                                        OptionalLong.of(1_000), OptionalLong.of(1 << 20), Duration.ofSeconds(2)))));
    }

    @Test
    void databaseDefaults() {
        assertThat(defaults().database())
                .isEqualTo(new TailraceConfig.Database(
                        Optional.empty(), Optional.empty(), Optional.empty(), 10, "tailrace", Duration.ofSeconds(5)));
    }

    @Test
    void databaseExplicit() {
        String url = "postgresql://me:p%40ss@db:5433/logs?sslmode=require";
        String direct = "postgresql://me:p%40ss@db:5432/logs";
        String reader = "postgresql://reader:p%40ss@db:5433/logs";
        assertThat(with(
                                "DATABASE_URL", url,
                                "DATABASE_LISTEN_URL", direct,
                                "DATABASE_READER_URL", reader,
                                "DATABASE_POOL_SIZE", "3",
                                "DATABASE_SCHEMA", "logs_2",
                                "DATABASE_CONNECT_TIMEOUT", "250ms",
                                "TAILRACE_EMBEDDED", "off")
                        .database())
                .isEqualTo(new TailraceConfig.Database(
                        Optional.of(new TailraceConfig.Secret(url)),
                        Optional.of(new TailraceConfig.Secret(direct)),
                        Optional.of(new TailraceConfig.Secret(reader)),
                        3,
                        "logs_2",
                        Duration.ofMillis(250)));
    }

    @Test
    void journalDefaults() {
        assertThat(defaults().journal())
                .isEqualTo(new TailraceConfig.Journal(10L << 30, true, 64L << 20, 16L << 20, 256L << 20));
    }

    @Test
    void journalExplicit() {
        assertThat(with(
                                "JOURNAL_MAX_BYTES", "1TiB",
                                "JOURNAL_SYNC", "off",
                                "JOURNAL_QUEUE_BYTES", "20MB",
                                "JOURNAL_GROUP_BYTES", "1048576",
                                "JOURNAL_MIN_FREE_BYTES", "0")
                        .journal())
                .isEqualTo(new TailraceConfig.Journal(1L << 40, false, 20_000_000, 1L << 20, 0));
    }

    @Test
    void redisDefaults() {
        assertThat(defaults().redis()).isEqualTo(new TailraceConfig.Redis(Optional.empty(), Duration.ofMillis(250)));
    }

    @Test
    void backpressureDefaults() {
        assertThat(defaults().backpressure())
                .isEqualTo(new TailraceConfig.Backpressure(TailraceConfig.Backpressure.Strategy.DROP_DEBUG_FIRST, 80));
    }

    @Test
    void backpressureExplicit() {
        assertThat(with("BACKPRESSURE", "Shed_Load_By_Workflow", "BACKPRESSURE_THRESHOLD", "60")
                        .backpressure())
                .isEqualTo(new TailraceConfig.Backpressure(
                        TailraceConfig.Backpressure.Strategy.SHED_LOAD_BY_WORKFLOW, 60));
        assertThat(with("BACKPRESSURE", "circuit_break_sources").backpressure().strategy())
                .isEqualTo(TailraceConfig.Backpressure.Strategy.CIRCUIT_BREAK_SOURCES);
        assertThat(with("BACKPRESSURE", "sample_high_volume").backpressure().strategy())
                .isEqualTo(TailraceConfig.Backpressure.Strategy.SAMPLE_HIGH_VOLUME);
    }

    @Test
    void ingestDefaults() {
        assertThat(defaults().ingest())
                .isEqualTo(
                        new TailraceConfig.Ingest(10 << 10, 5_000, 10 << 20, 32, false, TailraceConfig.Mask.BUILT_IN));
    }

    @Test
    void ingestExplicit() {
        assertThat(with(
                                "LOG_MAX_ENTRY_BYTES", "20KiB",
                                "LOG_MAX_BATCH_ENTRIES", "10",
                                "LOG_MAX_BATCH_BYTES", "1MiB",
                                "LOG_MAX_DATA_DEPTH", "5",
                                "LOG_OVERSIZE", "Truncate",
                                "LOG_MASK_PATTERNS", "card-\\d{4,8}\n\n pin: \\d+ \n",
                                "LOG_MASK_KEYS", "customer_pin\nIBAN")
                        .ingest())
                .isEqualTo(new TailraceConfig.Ingest(
                        20 << 10,
                        10,
                        1 << 20,
                        5,
                        true,
                        new TailraceConfig.Mask(
                                true, List.of("card-\\d{4,8}", "pin: \\d+"), List.of("customer_pin", "IBAN"))));
    }

    @Test
    void writerDefaults() {
        assertThat(defaults().writer())
                .isEqualTo(new TailraceConfig.Writer(Duration.ofSeconds(1), 50, 100, 5_000, false, 2));
    }

    @Test
    void writerExplicit() {
        assertThat(with(
                                "LOG_BATCH_INTERVAL", "0.5",
                                "LOG_BATCH_TRIGGER", "1",
                                "LOG_BATCH_SIZE", "7",
                                "LOG_BATCH_MAX_SIZE", "8",
                                "LOG_PERSIST", "all",
                                "LOG_WRITER_LANES", "4")
                        .writer())
                .isEqualTo(new TailraceConfig.Writer(Duration.ofMillis(500), 1, 7, 8, true, 4));
    }

    @Test
    void liveDefaults() {
        assertThat(defaults().live())
                .isEqualTo(new TailraceConfig.Live(
                        Duration.ofSeconds(15),
                        Duration.ofMillis(5),
                        Duration.ofSeconds(60),
                        Duration.ofSeconds(2),
                        Duration.ofMillis(2_000),
                        10_000));
    }

    @Test
    void liveExplicit() {
        assertThat(with(
                                "STREAM_HEARTBEAT", "1s",
                                "STREAM_COALESCE", "0",
                                "STREAM_STUCK_TIMEOUT", "2min",
                                "STREAM_COMPLETE_DELAY", "100ms",
                                "STREAM_RETRY", "750",
                                "STREAM_MAX_OPEN", "2")
                        .live())
                .isEqualTo(new TailraceConfig.Live(
                        Duration.ofSeconds(1),
                        Duration.ZERO,
                        Duration.ofMinutes(2),
                        Duration.ofMillis(100),
                        Duration.ofMillis(750),
                        2));
    }

    @Test
    void retentionDefaults() {
        assertThat(defaults().retention())
                .isEqualTo(new TailraceConfig.Retention(
                        10, Duration.ofHours(24), Duration.ofHours(1), 30, Optional.empty()));
    }

    @Test
    void retentionExplicit() {
        assertThat(with(
                                "LOG_RETENTION_DAYS", "90",
                                "LOG_HOT_TTL", "2h",
                                "LOG_CLEANUP_INTERVAL", "60",
                                "LOG_SUMMARY_DAYS", "400",
                                "RETENTION_ARCHIVE_DIR", "old")
                        .retention())
                .isEqualTo(new TailraceConfig.Retention(
                        90, Duration.ofHours(2), Duration.ofMinutes(1), 400, Optional.of(Path.of("old"))));
    }

    @Test
    void securityDefaults() {
        assertThat(defaults().security())
                .isEqualTo(new TailraceConfig.Security(
                        Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty()));
    }

    @Test
    void securityExplicit() {
        assertThat(with("JWT_SECRET", SECRET, "JWT_ISSUER", "https://issuer", "JWT_AUDIENCE", "logs")
                        .security())
                .isEqualTo(new TailraceConfig.Security(
                        Optional.of(new TailraceConfig.Secret(SECRET)),
                        Optional.empty(),
                        Optional.of("https://issuer"),
                        Optional.of("logs")));
    }

    @Test
    void anIssuersKeysStandInPlaceOfASecret() {
        for (String url : List.of(
                "https://issuer.example.com/.well-known/jwks.json?apikey=k",
                "http://localhost:9/keys",
                "http://127.0.0.1/keys",
                "http://[::1]:9/keys")) {
            TailraceConfig.Security security = with("JWT_JWKS_URL", url).security();
            assertThat(security.jwksUrl()).contains(URI.create(url));
            assertThat(security.jwtSecret()).isEmpty();
            assertThat(security.toString()).doesNotContain("apikey");
        }
    }

    @Test
    void supabasesNameForTheSecretIsTaken() {
        assertThat(with("SUPABASE_JWT_SECRET", SECRET).security().jwtSecret())
                .contains(new TailraceConfig.Secret(SECRET));
        assertThat(with("SUPABASE_JWT_SECRET", SECRET, "JWT_SECRET", SECRET)
                        .security()
                        .jwtSecret())
                .contains(new TailraceConfig.Secret(SECRET));
    }

    @Test
    void loggingDefaults() {
        assertThat(defaults().logging()).isEqualTo(new TailraceConfig.Logging(false, "info"));
    }

    @Test
    void loggingExplicit() {
        assertThat(with("LOG_FORMAT", "json", "LOG_LEVEL", "WARN").logging())
                .isEqualTo(new TailraceConfig.Logging(true, "warn"));
    }

    @Test
    void dataDirectory() {
        assertThat(defaults().dataDir()).isEqualTo(Path.of("./tailrace-data"));
        assertThat(with("TAILRACE_DATA_DIR", "/var/lib/tailrace").dataDir()).isEqualTo(Path.of("/var/lib/tailrace"));
    }

    @Test
    void theEnvironmentGoesOverTheFileAndTheFileOverTheDefaults() throws IOException {
        TailraceConfig config = ConfigLoader.load(
                Map.of("PORT", "1"), file("port: 2", "HOST: localhost", "Log_Retention_Days: 3", "log_hot_ttl:"));

        assertThat(config.http().port()).isEqualTo(1);
        assertThat(config.http().host()).isEqualTo("localhost");
        assertThat(config.retention().logDays()).isEqualTo(3);
        assertThat(config.retention().hotTtl()).isEqualTo(Duration.ofHours(24));
    }

    @Test
    void emptyMeansDefaultAndOtherPeoplesVariablesAreLeftAlone() {
        assertThat(with("PORT", "", "JWT_SECRET", "  ", "TAILRACE_SERVICE_HOST", "10.0.0.1", "LOG_STUFF", "x"))
                .isEqualTo(defaults());
    }

    @Test
    void listsComeFromYamlAsTheyAreWritten() throws IOException {
        assertThat(ConfigLoader.load(Map.of(), file("log_mask_patterns:", "  - 'card-\\d{4,8}'", "  - 'a,b'"))
                        .ingest()
                        .mask()
                        .patterns())
                .containsExactly("card-\\d{4,8}", "a,b");
    }

    @Test
    void anEmptyFileIsNoProblem() throws IOException {
        assertThat(ConfigLoader.load(Map.of(), file("# nothing"))).isEqualTo(defaults());
        assertThat(ConfigLoader.load(Map.of(), file(""))).isEqualTo(defaults());
    }

    @Test
    void theDocumentedFileAsItIsGivesTheDefaults() {
        assertThat(ConfigLoader.load(Map.of(), Optional.of(Path.of("src/main/resources/conf/tailrace.yaml"))))
                .isEqualTo(defaults());
    }

    @Test
    void noSecretIsEverPrinted() {
        String url = "postgresql://me:hunter2@db/logs";
        assertThat(with("JWT_SECRET", SECRET, "DATABASE_URL", url).toString())
                .doesNotContain(SECRET)
                .doesNotContain("hunter2");
        assertThat(Arrays.stream(ConfigKey.values()).filter(key -> !key.printable()))
                .contains(ConfigKey.JWT_SECRET, ConfigKey.SUPABASE_JWT_SECRET, ConfigKey.DATABASE_URL);
    }

    @Test
    void everyProblemIsReportedAtOnce() throws IOException {
        Optional<Path> file = file("prot: 80", "log_level: loud", "tls_cert: x.pem");
        assertThatThrownBy(() -> ConfigLoader.load(Map.of("PORT", "80a", "JWT_SECRET", "short"), file))
                .isInstanceOfSatisfying(
                        ConfigException.class, e -> assertThat(e.problems()).hasSize(5))
                .hasMessageContaining("5 problems")
                .hasMessageContaining("prot (" + dir.resolve("my.yaml") + ":1): unknown key, did you mean PORT?")
                .hasMessageContaining("LOG_LEVEL = loud (" + dir.resolve("my.yaml") + ":2)")
                .hasMessageContaining("TLS_KEY: must be set, too")
                .hasMessageContaining("PORT = 80a (environment): must be a whole number from 0 to 65535")
                .hasMessageContaining("JWT_SECRET (environment): is 5 bytes long, and must be at least 32");
    }
}
