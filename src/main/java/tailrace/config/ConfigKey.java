package tailrace.config;

import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Every configuration key by its name; {@code conf/tailrace.yaml} documents each with its unit and default. An
 * environment variable bears the name as it stands here, a file may write it in any case.
 */
enum ConfigKey {
    HOST,
    PORT,
    METRICS_PORT,
    SHUTDOWN_TIMEOUT,
    BENCH_ENDPOINT,
    TLS_CERT,
    TLS_KEY,
    TLS_RELOAD_INTERVAL,
    CORS_ORIGINS,
    HTTP_REQUEST_TIMEOUT,
    MAX_CONNECTIONS,
    STREAMS_PER_PRINCIPAL,
    INGEST_RATE_ENTRIES,
    INGEST_RATE_BYTES,
    INGEST_RATE_BURST,
    TAILRACE_DATA_DIR,
    TAILRACE_EMBEDDED,
    DATABASE_URL(Kind.SECRET),
    DATABASE_LISTEN_URL(Kind.SECRET),
    DATABASE_READER_URL(Kind.SECRET),
    DATABASE_POOL_SIZE,
    DATABASE_SCHEMA,
    DATABASE_CONNECT_TIMEOUT,
    REDIS_URL(Kind.SECRET),
    REDIS_TIMEOUT,
    JOURNAL_MAX_BYTES,
    JOURNAL_SYNC,
    JOURNAL_QUEUE_BYTES,
    JOURNAL_GROUP_BYTES,
    JOURNAL_MIN_FREE_BYTES,
    BACKPRESSURE,
    BACKPRESSURE_THRESHOLD,
    LOG_MAX_ENTRY_BYTES,
    LOG_MAX_BATCH_ENTRIES,
    LOG_MAX_BATCH_BYTES,
    LOG_MAX_DATA_DEPTH,
    LOG_OVERSIZE,
    LOG_MASK,
    LOG_MASK_PATTERNS,
    LOG_MASK_KEYS,
    LOG_BATCH_INTERVAL,
    LOG_BATCH_TRIGGER,
    LOG_BATCH_SIZE,
    LOG_BATCH_MAX_SIZE,
    LOG_PERSIST,
    LOG_WRITER_LANES,
    STREAM_HEARTBEAT,
    STREAM_COALESCE,
    STREAM_STUCK_TIMEOUT,
    STREAM_COMPLETE_DELAY,
    STREAM_RETRY,
    STREAM_MAX_OPEN,
    LOG_RETENTION_DAYS,
    LOG_HOT_TTL,
    LOG_CLEANUP_INTERVAL,
    LOG_SUMMARY_DAYS,
    RETENTION_ARCHIVE_DIR,
    JWT_SECRET(Kind.SECRET),
    SUPABASE_JWT_SECRET(Kind.SECRET),
    JWT_JWKS_URL(Kind.SECRET),
    JWT_ISSUER,
    JWT_AUDIENCE,
    LOG_FORMAT,
    LOG_LEVEL;

    private enum Kind {
        PLAIN,
        /** Never printed. */
        SECRET
    }

    /** Beyond so many edits a name is another name, not a slip of the finger. */
    private static final int TYPO_EDITS = 3;

    private final Kind kind;

    ConfigKey() {
        this(Kind.PLAIN);
    }

    ConfigKey(Kind kind) {
        this.kind = kind;
    }

    /** Whether a value of this key may be shown. */
    boolean printable() {
        return kind == Kind.PLAIN;
    }

    /** Whether a file may give a list of values. */
    boolean list() {
        return this == LOG_MASK_PATTERNS || this == LOG_MASK_KEYS || this == CORS_ORIGINS;
    }

    /** The key of that name in any case, or null. */
    static @Nullable ConfigKey named(String name) {
        for (ConfigKey key : values()) {
            if (key.name().equalsIgnoreCase(name)) {
                return key;
            }
        }
        return null;
    }

    /** The key a mistyped name is nearest to, if any is near. */
    static Optional<ConfigKey> nearest(String name) {
        ConfigKey best = null;
        int bestEdits = TYPO_EDITS + 1;
        for (ConfigKey key : values()) {
            int edits = edits(name.toUpperCase(Locale.ROOT).replace('-', '_').replace('.', '_'), key.name());
            if (edits < bestEdits) {
                best = key;
                bestEdits = edits;
            }
        }
        return Optional.ofNullable(best);
    }

    /** Levenshtein distance; gives up beyond {@link #TYPO_EDITS} by length alone. */
    private static int edits(String a, String b) {
        if (Math.abs(a.length() - b.length()) > TYPO_EDITS) {
            return Integer.MAX_VALUE;
        }
        int[] above = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            above[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int[] row = new int[b.length() + 1];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int replaced = above[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                row[j] = Math.min(replaced, Math.min(above[j], row[j - 1]) + 1);
            }
            above = row;
        }
        return above[b.length()];
    }
}
