package tailrace.config;

import io.vertx.pgclient.PgConnectOptions;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import tailrace.config.TailraceConfig.Backpressure.Strategy;
import tailrace.config.TailraceConfig.Secret;

/**
 * Makes a {@link TailraceConfig} of the environment, over a file, over the defaults in {@code conf/tailrace.yaml}
 * (SPEC 12). It looks at everything before it complains, so that one start shows every problem.
 */
public final class ConfigLoader {
    static final String DEFAULTS = "/conf/tailrace.yaml";

    /** RFC 7518, 3.2: an HS256 key is at least as long as its hash. */
    public static final int MIN_SECRET_BYTES = 32;

    private static final Duration MILLISECOND = Duration.ofMillis(1);
    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final Duration DAY = Duration.ofDays(1);
    private static final long KIB = 1L << 10;
    private static final long MIB = 1L << 20;
    private static final long TIB = 1L << 40;
    /** PostgreSQL cuts longer names; lower case only, because nothing quotes it for those who type SQL. */
    private static final Pattern IDENTIFIER = Pattern.compile("[a-z_][a-z0-9_]{0,62}");

    private final List<String> problems = new ArrayList<>();
    private final SettingReader in;

    private ConfigLoader(Map<String, String> environment, Optional<Path> file) {
        Map<ConfigKey, Setting> settings = new EnumMap<>(defaults());
        file.ifPresent(path -> overlay(settings, ConfigFile.read(path, problems)));
        for (ConfigKey key : ConfigKey.values()) {
            String value = environment.get(key.name());
            if (value != null && !value.isBlank()) {
                settings.put(key, new Setting(key, List.of(value), "environment"));
            }
        }
        in = new SettingReader(settings, problems);
    }

    /**
     * @param environment of the process; variables that are no key are somebody else's and left alone
     * @param file of {@code --config}
     * @throws ConfigException naming every problem at once
     */
    public static TailraceConfig load(Map<String, String> environment, Optional<Path> file) {
        ConfigLoader loader = new ConfigLoader(environment, file);
        TailraceConfig config = loader.config();
        if (!loader.problems.isEmpty()) {
            throw new ConfigException(loader.problems);
        }
        return config;
    }

    static Map<ConfigKey, Setting> defaults() {
        List<String> problems = new ArrayList<>();
        try (InputStream stream = ConfigLoader.class.getResourceAsStream(DEFAULTS)) {
            if (stream == null) {
                throw new IllegalStateException(DEFAULTS + " is not on the classpath");
            }
            String yaml = new String(stream.readAllBytes(), StandardCharsets.UTF_8);
            Map<ConfigKey, Setting> settings = ConfigFile.parse("default", yaml, problems);
            if (!problems.isEmpty()) {
                throw new ConfigException(problems);
            }
            return settings;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** An empty value in a file means what it means in the environment: the default. */
    private static void overlay(Map<ConfigKey, Setting> settings, Map<ConfigKey, Setting> file) {
        file.forEach((key, setting) -> {
            if (setting.set()) {
                settings.put(key, setting);
            }
        });
    }

    private TailraceConfig config() {
        return new TailraceConfig(
                new HttpSettings(in).read(),
                database(),
                redis(),
                journal(),
                backpressure(),
                ingest(),
                writer(),
                live(),
                retention(),
                security(),
                logging(),
                dataDir());
    }

    private TailraceConfig.Database database() {
        Optional<String> url = in.text(ConfigKey.DATABASE_URL);
        url.ifPresent(text -> checkUrl(ConfigKey.DATABASE_URL, text));
        Optional<String> listenUrl = in.text(ConfigKey.DATABASE_LISTEN_URL);
        listenUrl.ifPresent(text -> checkUrl(ConfigKey.DATABASE_LISTEN_URL, text));
        if (listenUrl.isPresent() && url.isEmpty()) {
            in.problem(ConfigKey.DATABASE_LISTEN_URL, "needs DATABASE_URL, whose database it must name");
        }
        Optional<String> readerUrl = in.text(ConfigKey.DATABASE_READER_URL);
        readerUrl.ifPresent(text -> checkUrl(ConfigKey.DATABASE_READER_URL, text));
        if (readerUrl.isPresent() && url.isEmpty()) {
            in.problem(ConfigKey.DATABASE_READER_URL, "needs DATABASE_URL, whose database it must name");
        }
        if (!in.flag(ConfigKey.TAILRACE_EMBEDDED) && url.isEmpty()) {
            in.problem(
                    ConfigKey.DATABASE_URL,
                    "must be set, because TAILRACE_EMBEDDED=off forbids the embedded PostgreSQL (the container image"
                            + " sets it); for example postgresql://user:password@host:5432/database");
        }
        String schema = in.text(ConfigKey.DATABASE_SCHEMA).orElse("tailrace");
        if (!IDENTIFIER.matcher(schema).matches() || schema.startsWith("pg_")) {
            in.problem(
                    ConfigKey.DATABASE_SCHEMA,
                    "must be a plain identifier: lower-case letters, digits and _, at most 63, not beginning with a"
                            + " digit or pg_");
        }
        return new TailraceConfig.Database(
                url.map(Secret::new),
                listenUrl.map(Secret::new),
                readerUrl.map(Secret::new),
                in.integer(ConfigKey.DATABASE_POOL_SIZE, 1, 1_000),
                schema,
                in.duration(ConfigKey.DATABASE_CONNECT_TIMEOUT, SECOND, MILLISECOND, Duration.ofMinutes(5)));
    }

    /** What the driver says is not repeated: it quotes the URL, and the URL holds the password. */
    private void checkUrl(ConfigKey key, String url) {
        String form = "must be of the form postgresql://user:password@host:5432/database";
        if (!url.startsWith("postgresql://") && !url.startsWith("postgres://")) {
            in.problem(key, form);
            return;
        }
        try {
            PgConnectOptions.fromUri(url);
        } catch (RuntimeException e) {
            in.problem(key, form + "; what is special in user or password must be percent-encoded");
        }
    }

    private TailraceConfig.Redis redis() {
        in.text(ConfigKey.REDIS_URL).ifPresent(url -> {
            try {
                RedisUrl.parse(url);
            } catch (IllegalArgumentException e) {
                in.problem(ConfigKey.REDIS_URL, String.valueOf(e.getMessage()));
            }
        });
        return new TailraceConfig.Redis(
                in.text(ConfigKey.REDIS_URL).map(Secret::new),
                in.duration(ConfigKey.REDIS_TIMEOUT, MILLISECOND, MILLISECOND, Duration.ofMinutes(1)));
    }

    private TailraceConfig.Backpressure backpressure() {
        return new TailraceConfig.Backpressure(
                in.choice(ConfigKey.BACKPRESSURE, Strategy.class), in.integer(ConfigKey.BACKPRESSURE_THRESHOLD, 1, 99));
    }

    private TailraceConfig.Journal journal() {
        long queue = in.bytes(ConfigKey.JOURNAL_QUEUE_BYTES, MIB, TIB);
        if (queue < in.bytes(ConfigKey.LOG_MAX_BATCH_BYTES, KIB, 1L << 30)) {
            in.problem(ConfigKey.JOURNAL_QUEUE_BYTES, "must be at least LOG_MAX_BATCH_BYTES, or no batch would fit");
        }
        return new TailraceConfig.Journal(
                in.bytes(ConfigKey.JOURNAL_MAX_BYTES, 64 * MIB, 1_024 * TIB),
                in.flag(ConfigKey.JOURNAL_SYNC),
                queue,
                in.bytes(ConfigKey.JOURNAL_GROUP_BYTES, KIB, 1L << 30),
                in.bytes(ConfigKey.JOURNAL_MIN_FREE_BYTES, 0, 1_024 * TIB));
    }

    private enum Oversize {
        REJECT,
        TRUNCATE
    }

    private TailraceConfig.Ingest ingest() {
        int entry = (int) in.bytes(ConfigKey.LOG_MAX_ENTRY_BYTES, KIB, 16 * MIB);
        return new TailraceConfig.Ingest(
                entry,
                in.integer(ConfigKey.LOG_MAX_BATCH_ENTRIES, 1, 1_000_000),
                (int) in.bytes(ConfigKey.LOG_MAX_BATCH_BYTES, KIB, 1L << 30),
                in.integer(ConfigKey.LOG_MAX_DATA_DEPTH, 1, 500),
                in.choice(ConfigKey.LOG_OVERSIZE, Oversize.class) == Oversize.TRUNCATE,
                new MaskSettings(in).read());
    }

    private enum Persist {
        SELECTIVE,
        ALL
    }

    private TailraceConfig.Writer writer() {
        int size = in.integer(ConfigKey.LOG_BATCH_SIZE, 1, 100_000);
        int maxSize = in.integer(ConfigKey.LOG_BATCH_MAX_SIZE, 1, 100_000);
        if (maxSize < size) {
            in.problem(ConfigKey.LOG_BATCH_MAX_SIZE, "must be at least LOG_BATCH_SIZE, which is " + size);
        }
        return new TailraceConfig.Writer(
                in.duration(ConfigKey.LOG_BATCH_INTERVAL, SECOND, Duration.ofMillis(10), Duration.ofHours(1)),
                in.integer(ConfigKey.LOG_BATCH_TRIGGER, 1, 100_000),
                size,
                maxSize,
                in.choice(ConfigKey.LOG_PERSIST, Persist.class) == Persist.ALL,
                in.integer(ConfigKey.LOG_WRITER_LANES, 1, 64));
    }

    private TailraceConfig.Live live() {
        return new TailraceConfig.Live(
                in.duration(ConfigKey.STREAM_HEARTBEAT, SECOND, Duration.ofMillis(100), Duration.ofMinutes(10)),
                in.duration(ConfigKey.STREAM_COALESCE, MILLISECOND, Duration.ZERO, SECOND),
                in.duration(ConfigKey.STREAM_STUCK_TIMEOUT, SECOND, Duration.ofMillis(100), Duration.ofHours(1)),
                in.duration(ConfigKey.STREAM_COMPLETE_DELAY, SECOND, Duration.ZERO, Duration.ofMinutes(5)),
                in.duration(ConfigKey.STREAM_RETRY, MILLISECOND, MILLISECOND, Duration.ofMinutes(10)),
                in.integer(ConfigKey.STREAM_MAX_OPEN, 1, 1_000_000));
    }

    private TailraceConfig.Retention retention() {
        int logDays = in.integer(ConfigKey.LOG_RETENTION_DAYS, 1, 3_650);
        int summaryDays = in.integer(ConfigKey.LOG_SUMMARY_DAYS, 1, 36_500);
        if (summaryDays < logDays) {
            in.problem(ConfigKey.LOG_SUMMARY_DAYS, "must be at least LOG_RETENTION_DAYS, which is " + logDays);
        }
        return new TailraceConfig.Retention(
                logDays,
                in.duration(ConfigKey.LOG_HOT_TTL, SECOND, SECOND, DAY.multipliedBy(365)),
                in.duration(ConfigKey.LOG_CLEANUP_INTERVAL, SECOND, SECOND, DAY.multipliedBy(7)),
                summaryDays,
                in.text(ConfigKey.RETENTION_ARCHIVE_DIR).map(text -> in.path(ConfigKey.RETENTION_ARCHIVE_DIR, text)));
    }

    private TailraceConfig.Security security() {
        Optional<Secret> own = secret(ConfigKey.JWT_SECRET);
        Optional<Secret> supabase = secret(ConfigKey.SUPABASE_JWT_SECRET);
        if (own.isPresent() && supabase.isPresent() && !own.equals(supabase)) {
            in.problem(ConfigKey.SUPABASE_JWT_SECRET, "differs from JWT_SECRET; set one of them");
        }
        Optional<URI> jwks = in.text(ConfigKey.JWT_JWKS_URL).flatMap(this::jwksUrl);
        if (in.setting(ConfigKey.JWT_JWKS_URL).set() && (own.isPresent() || supabase.isPresent())) {
            in.problem(
                    ConfigKey.JWT_JWKS_URL,
                    "cannot stand beside " + (own.isPresent() ? "JWT_SECRET" : "SUPABASE_JWT_SECRET")
                            + ": with both, the token would choose how it is checked; set one of them");
        }
        return new TailraceConfig.Security(
                own.or(() -> supabase), jwks, in.text(ConfigKey.JWT_ISSUER), in.text(ConfigKey.JWT_AUDIENCE));
    }

    /** Whoever can change what comes from there can make any token, so it must come over TLS or from this machine. */
    private Optional<URI> jwksUrl(String text) {
        Optional<URI> url = JwksUrl.parse(text);
        if (url.isEmpty()) {
            in.problem(
                    ConfigKey.JWT_JWKS_URL,
                    "must be of the form https://issuer.example.com/.well-known/jwks.json, without user or fragment;"
                            + " http:// only for this machine itself");
        }
        return url;
    }

    private Optional<Secret> secret(ConfigKey key) {
        Optional<String> text = in.text(key);
        text.map(value -> value.getBytes(StandardCharsets.UTF_8).length)
                .filter(length -> length < MIN_SECRET_BYTES)
                .ifPresent(length -> in.problem(
                        key,
                        "is " + length + " bytes long, and must be at least " + MIN_SECRET_BYTES
                                + "; for example the output of: openssl rand -base64 48"));
        return text.map(Secret::new);
    }

    private enum Format {
        TEXT,
        JSON
    }

    private enum LogLevel {
        OFF,
        ERROR,
        WARN,
        INFO,
        DEBUG,
        TRACE
    }

    private TailraceConfig.Logging logging() {
        return new TailraceConfig.Logging(
                in.choice(ConfigKey.LOG_FORMAT, Format.class) == Format.JSON,
                in.choice(ConfigKey.LOG_LEVEL, LogLevel.class).name().toLowerCase(Locale.ROOT));
    }

    private Path dataDir() {
        return in.path(
                ConfigKey.TAILRACE_DATA_DIR,
                in.text(ConfigKey.TAILRACE_DATA_DIR).orElse("tailrace-data"));
    }
}
