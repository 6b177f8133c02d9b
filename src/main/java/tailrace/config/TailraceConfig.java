package tailrace.config;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * The whole configuration, checked. Each key's name, unit and default is documented in {@code conf/tailrace.yaml};
 * {@link ConfigLoader} reads it. {@code toString} never shows a secret.
 */
public record TailraceConfig(
        Http http,
        Database database,
        Redis redis,
        Journal journal,
        Backpressure backpressure,
        Ingest ingest,
        Writer writer,
        Live live,
        Retention retention,
        Security security,
        Logging logging,
        Path dataDir) {

    /**
     * @param metricsPort where {@code /metrics} listens, or empty for the main port
     * @param benchEndpoint whether {@code POST /v2/bench/empty} answers 202 and does nothing, for measuring
     * @param tls what the API is served over, or empty: plain HTTP
     * @param corsOrigins other origins whose pages may use the API, as browsers write them
     */
    public record Http(
            String host,
            int port,
            Optional<Integer> metricsPort,
            Duration shutdownTimeout,
            boolean benchEndpoint,
            Optional<Tls> tls,
            Set<String> corsOrigins,
            Limits limits) {}

    /**
     * @param cert PEM file with the certificate and what leads to its root
     * @param key PEM file with its private key
     * @param reloadInterval how often the files are looked at
     */
    public record Tls(Path cert, Path key, Duration reloadInterval) {}

    /**
     * What clients of the API may take.
     *
     * @param requestTimeout from a request's first byte to its last
     * @param maxConnections open at once
     * @param streamsPerPrincipal live streams that one reader has open at once; services have no such limit
     */
    public record Limits(Duration requestTimeout, int maxConnections, int streamsPerPrincipal, IngestRate ingestRate) {}

    /**
     * What each sender may send in the long run.
     *
     * @param entries a second, or empty: any number
     * @param bytes of bodies, decompressed, a second, or empty: any number
     * @param burst as much as is allowed in this time may come at once
     */
    public record IngestRate(OptionalLong entries, OptionalLong bytes, Duration burst) {}

    /**
     * @param url of PostgreSQL, or empty for the embedded one
     * @param listenUrl for the one connection that LISTENs, where a pooler stands before the database; empty: as url
     * @param readerUrl the login of readers' connections, or empty: one of our own making
     * @param poolSize readers' connections at most
     * @param schema a plain lower-case identifier
     */
    public record Database(
            Optional<Secret> url,
            Optional<Secret> listenUrl,
            Optional<Secret> readerUrl,
            int poolSize,
            String schema,
            Duration connectTimeout) {}

    /**
     * @param url of the hot tier, or empty: the journal's own store is the hot tier
     * @param timeout an answer that takes longer is not waited for
     */
    public record Redis(Optional<Secret> url, Duration timeout) {}

    /**
     * @param maxBytes what the journal's files may take
     * @param sync false gives up promise 1 and is for measuring only
     * @param queueBytes entries waiting for their commit, at most; beyond it 503
     * @param groupBytes one commit holds at most so much
     * @param minFreeBytes below so much free disk nothing is taken
     */
    public record Journal(long maxBytes, boolean sync, long queueBytes, long groupBytes, long minFreeBytes) {}

    /**
     * What is given up first when more comes than can be held (SPEC 9, level 4).
     *
     * @param thresholdPercent of {@code JOURNAL_MAX_BYTES} that cursors still need, or of {@code JOURNAL_QUEUE_BYTES}
     *     that wait for their commit, from which on entries are shed
     */
    public record Backpressure(Strategy strategy, int thresholdPercent) {
        /** How technical entries are chosen; user-friendly ones never are. */
        public enum Strategy {
            /** By level: DEBUG first, then INFO, at last all. */
            DROP_DEBUG_FIRST,
            /** One in so many, of those executions that send most. */
            SAMPLE_HIGH_VOLUME,
            /** All, of those workflows that send most. */
            SHED_LOAD_BY_WORKFLOW,
            /** None; senders that send most get 429. */
            CIRCUIT_BREAK_SOURCES
        }
    }

    /**
     * @param oversizeTruncate cut entries that are too large instead of rejecting them
     * @param mask what is taken out of entries before they are stored
     */
    public record Ingest(
            int maxEntryBytes,
            int maxBatchEntries,
            int maxBatchBytes,
            int maxDataDepth,
            boolean oversizeTruncate,
            Mask mask) {}

    /**
     * Beside the built-in rules.
     *
     * @param on false: entries are stored as they come
     * @param patterns of RE2, each known to compile
     * @param keys names whose values are secrets
     */
    public record Mask(boolean on, List<String> patterns, List<String> keys) {
        /** The built-in rules alone. */
        public static final Mask BUILT_IN = new Mask(true, List.of(), List.of());
    }

    /**
     * @param interval a flush at least so often
     * @param trigger user-friendly entries waiting that start a flush before the interval
     * @param batchSize rows a transaction
     * @param batchMaxSize rows a transaction under backlog
     * @param persistAll keep technical entries too
     * @param lanes transactions in flight at once
     */
    public record Writer(
            Duration interval, int trigger, int batchSize, int batchMaxSize, boolean persistAll, int lanes) {}

    /**
     * @param heartbeat silence after which a comment is sent
     * @param coalesce entries that arrive within it share one socket write
     * @param stuckTimeout a reader whose socket took nothing for so long is closed
     * @param completeDelay between the last entry of a finished execution and COMPLETE
     * @param retry what clients are told to wait before they reconnect
     * @param maxStreams on this process
     */
    public record Live(
            Duration heartbeat,
            Duration coalesce,
            Duration stuckTimeout,
            Duration completeDelay,
            Duration retry,
            int maxStreams) {}

    /**
     * @param logDays that PostgreSQL keeps entries
     * @param hotTtl how long entries stay in the hot tier and ids are remembered
     * @param summaryDays that an execution's row and counts are kept after its last entry
     * @param archiveDir where entries are written before they are removed from PostgreSQL, or empty: nowhere
     */
    public record Retention(
            int logDays, Duration hotTtl, Duration cleanupInterval, int summaryDays, Optional<Path> archiveDir) {}

    /**
     * @param jwtSecret HS256 key, or empty: one is made in the data directory
     * @param jwksUrl where the issuer publishes its RS256 and ES256 keys, or empty; never together with a secret
     * @param issuer required {@code iss}, or empty
     * @param audience required {@code aud}, or empty
     */
    public record Security(
            Optional<Secret> jwtSecret, Optional<URI> jwksUrl, Optional<String> issuer, Optional<String> audience) {
        /** The URL may hold a key in its query. */
        @Override
        public String toString() {
            return "Security[jwtSecret=" + jwtSecret + ", jwksUrl=" + jwksUrl.map(URI::getHost) + ", issuer=" + issuer
                    + ", audience=" + audience + "]";
        }
    }

    /** @param json one JSON object a line instead of text */
    public record Logging(boolean json, String level) {}

    /** A value that must not be printed. */
    public record Secret(String value) {
        @Override
        public String toString() {
            return "***";
        }
    }
}
