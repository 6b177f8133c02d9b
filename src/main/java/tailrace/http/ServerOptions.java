package tailrace.http;

import io.vertx.core.http.Http2Settings;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.net.KeyCertOptions;
import io.vertx.core.net.ServerSSLOptions;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.config.TailraceConfig;

/** What a client may do before anything of ours has seen its request: sizes, times, protocols. */
public final class ServerOptions {
    /** An idle keep-alive connection is closed after this; live streams are kept open by their heartbeat. */
    private static final int IDLE_SECONDS = 90;

    /** All headers of a request together, however many; beyond it 431. */
    private static final int MAX_HEADER_BYTES = 16 << 10;
    /**
     * Method, path and query; beyond it 414. A stream may name 100 executions in its query, and an id that resumes all of
     * them.
     */
    private static final int MAX_REQUEST_LINE_BYTES = 32 << 10;
    /** What a WebSocket's client sends: nothing but control frames is expected. */
    private static final int MAX_SOCKET_FRAME_BYTES = 4 << 10;

    private static final int HANDSHAKE_SECONDS = 10;
    /** Requests of one connection under way at once. A page has a few streams and a few questions. */
    private static final int MAX_HTTP2_STREAMS = 100;
    /** A client that asks and takes back at once makes work for nothing (rapid reset): so often, and it is cut off. */
    private static final int MAX_RESETS = 200;

    private static final int RESET_WINDOW_SECONDS = 30;
    private static final Set<String> TLS_VERSIONS = Set.of("TLSv1.2", "TLSv1.3");

    private static final Pattern LOOPBACK = Pattern.compile("localhost|127(\\.\\d{1,3}){3}|\\[?::1]?");
    private static final Logger LOG = LoggerFactory.getLogger(ServerOptions.class);

    private ServerOptions() {}

    /** Says at the start what nobody should find out later. */
    public static void warnIfExposed(TailraceConfig.Http config) {
        if (config.tls().isEmpty() && !LOOPBACK.matcher(config.host()).matches()) {
            LOG.warn(
                    "HOST={} is reached from elsewhere over plain HTTP: tokens and logs can be read on the way. Set TLS_CERT"
                            + " and TLS_KEY, or let a proxy that speaks TLS stand in front",
                    config.host());
        }
    }

    /** Over plain HTTP, HTTP/1.1 alone: an upgrade to HTTP/2 there is what gets requests past a proxy unseen. */
    public static HttpServerOptions plain(String host, int port) {
        return new HttpServerOptions()
                .setHost(host)
                .setPort(port)
                .setTcpNoDelay(true)
                .setReuseAddress(true)
                .setMaxHeaderSize(MAX_HEADER_BYTES)
                .setMaxInitialLineLength(MAX_REQUEST_LINE_BYTES)
                .setMaxWebSocketFrameSize(MAX_SOCKET_FRAME_BYTES)
                .setMaxWebSocketMessageSize(MAX_SOCKET_FRAME_BYTES)
                // Compression would cost memory for each connection, and bytes that are shared no more.
                .setPerMessageWebSocketCompressionSupported(false)
                .setPerFrameWebSocketCompressionSupported(false)
                .setIdleTimeout(IDLE_SECONDS)
                .setIdleTimeoutUnit(TimeUnit.SECONDS)
                .setHttp2ClearTextEnabled(false)
                // An idle connection costs less than half of the heap with it.
                .setStrictThreadMode(true);
    }

    /** The same over TLS, if there is a certificate: HTTP/2 and HTTP/1.1, whichever the client prefers. */
    public static HttpServerOptions of(String host, int port, Optional<KeyCertOptions> certificate) {
        HttpServerOptions options = plain(host, port);
        certificate.ifPresent(cert -> options.setSsl(true)
                .setUseAlpn(true)
                .setAlpnVersions(List.of(HttpVersion.HTTP_2, HttpVersion.HTTP_1_1))
                .setSslHandshakeTimeout(HANDSHAKE_SECONDS)
                .setSslHandshakeTimeoutUnit(TimeUnit.SECONDS)
                .setKeyCertOptions(cert)
                .setEnabledSecureTransportProtocols(TLS_VERSIONS)
                .setInitialSettings(new Http2Settings()
                        .setMaxConcurrentStreams(MAX_HTTP2_STREAMS)
                        .setMaxHeaderListSize(MAX_HEADER_BYTES))
                .setHttp2RstFloodMaxRstFramePerWindow(MAX_RESETS)
                .setHttp2RstFloodWindowDuration(RESET_WINDOW_SECONDS)
                .setHttp2RstFloodWindowDurationTimeUnit(TimeUnit.SECONDS));
        return options;
    }

    /** What of it may change while the server runs. */
    static ServerSSLOptions tls(KeyCertOptions certificate) {
        ServerSSLOptions options = new ServerSSLOptions();
        options.setUseAlpn(true)
                .setSslHandshakeTimeout(HANDSHAKE_SECONDS)
                .setSslHandshakeTimeoutUnit(TimeUnit.SECONDS)
                .setKeyCertOptions(certificate)
                .setEnabledSecureTransportProtocols(TLS_VERSIONS);
        return options;
    }
}
