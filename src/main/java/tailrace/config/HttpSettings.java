package tailrace.config;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import tailrace.config.TailraceConfig.IngestRate;
import tailrace.config.TailraceConfig.Limits;
import tailrace.config.TailraceConfig.Tls;

/** The settings of the HTTP server: where it listens, over what, and what its clients may take. */
final class HttpSettings {
    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final Duration MILLISECOND = Duration.ofMillis(1);
    /** Beside the live streams: services that send, pages that look things up. */
    private static final int CONNECTIONS_BESIDE_STREAMS = 2_000;

    private static final int MAX_CONNECTIONS = 2_000_000;
    /** One a nanosecond is what the buckets can count. */
    private static final int MAX_RATE = 1_000_000_000;

    private final SettingReader in;

    HttpSettings(SettingReader in) {
        this.in = in;
    }

    TailraceConfig.Http read() {
        int port = in.integer(ConfigKey.PORT, 0, 65_535);
        Optional<Integer> metricsPort = in.optionalInteger(ConfigKey.METRICS_PORT, 0, 65_535);
        if (port != 0 && metricsPort.filter(other -> other == port).isPresent()) {
            in.problem(ConfigKey.METRICS_PORT, "must differ from PORT, or be left out to serve /metrics there");
        }
        return new TailraceConfig.Http(
                in.text(ConfigKey.HOST).orElse("127.0.0.1"),
                port,
                metricsPort,
                in.duration(ConfigKey.SHUTDOWN_TIMEOUT, SECOND, SECOND, Duration.ofMinutes(10)),
                in.flag(ConfigKey.BENCH_ENDPOINT),
                tls(),
                origins(),
                limits());
    }

    private Optional<Tls> tls() {
        Optional<Path> cert = in.text(ConfigKey.TLS_CERT).map(text -> in.path(ConfigKey.TLS_CERT, text));
        Optional<Path> key = in.text(ConfigKey.TLS_KEY).map(text -> in.path(ConfigKey.TLS_KEY, text));
        if (cert.isPresent() != key.isPresent()) {
            in.problem(
                    cert.isPresent() ? ConfigKey.TLS_KEY : ConfigKey.TLS_CERT,
                    "must be set, too: TLS needs the certificate and its key");
        }
        Duration interval =
                in.duration(ConfigKey.TLS_RELOAD_INTERVAL, SECOND, Duration.ofMillis(100), Duration.ofHours(1));
        return cert.flatMap(file -> key.map(keyFile -> new Tls(file, keyFile, interval)));
    }

    private Set<String> origins() {
        List<String> given = in.list(ConfigKey.CORS_ORIGINS).stream()
                .flatMap(text -> List.of(text.split("[\\s,]+")).stream())
                .filter(text -> !text.isEmpty())
                .toList();
        for (String origin : given) {
            if (origin.equals("*")) {
                in.problem(
                        ConfigKey.CORS_ORIGINS,
                        "must name the origins: with *, every page on the web could act with its visitors' cookies");
            } else if (!isOrigin(origin)) {
                in.problem(
                        ConfigKey.CORS_ORIGINS,
                        "must be origins as browsers write them, such as https://app.example.com or"
                                + " http://localhost:5173: lower case, no path, no slash at the end, and no :443 or :80"
                                + " that goes without saying");
            }
        }
        return new LinkedHashSet<>(given);
    }

    /** They are compared as text, so only what a browser would write can ever be equal. */
    private static boolean isOrigin(String text) {
        try {
            URI uri = new URI(text);
            String host = uri.getHost();
            boolean https = "https".equals(uri.getScheme());
            int port = uri.getPort();
            return host != null
                    && (https || "http".equals(uri.getScheme()))
                    && port != (https ? 443 : 80)
                    && text.equals(
                            (uri.getScheme() + "://" + host + (port < 0 ? "" : ":" + port)).toLowerCase(Locale.ROOT));
        } catch (URISyntaxException e) {
            return false;
        }
    }

    private Limits limits() {
        int streams = in.integer(ConfigKey.STREAM_MAX_OPEN, 1, 1_000_000);
        return new Limits(
                in.duration(ConfigKey.HTTP_REQUEST_TIMEOUT, SECOND, Duration.ofMillis(100), Duration.ofHours(1)),
                in.optionalInteger(ConfigKey.MAX_CONNECTIONS, 1, MAX_CONNECTIONS)
                        .orElse(streams + CONNECTIONS_BESIDE_STREAMS),
                in.integer(ConfigKey.STREAMS_PER_PRINCIPAL, 1, 1_000_000),
                ingestRate());
    }

    private IngestRate ingestRate() {
        Optional<Integer> entries = in.optionalInteger(ConfigKey.INGEST_RATE_ENTRIES, 1, MAX_RATE);
        return new IngestRate(
                entries.map(OptionalLong::of).orElseGet(OptionalLong::empty),
                in.optionalBytes(ConfigKey.INGEST_RATE_BYTES, 1, MAX_RATE),
                in.duration(ConfigKey.INGEST_RATE_BURST, SECOND, MILLISECOND, Duration.ofHours(1)));
    }
}
