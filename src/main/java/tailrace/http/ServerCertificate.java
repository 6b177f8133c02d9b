package tailrace.http;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.core.net.KeyCertOptions;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.config.TailraceConfig;
import tailrace.metrics.Metrics;

/**
 * The certificate that the server shows. Its files are looked at again and again; when what they hold has changed and
 * certificate and key belong together, new connections get the new one and open ones go on. While they do not (one file has
 * been exchanged and the other not yet, or a bad one was put there), the old one stays. Belongs to the context that made it.
 */
public final class ServerCertificate {
    private static final Logger LOG = LoggerFactory.getLogger(ServerCertificate.class);

    private final Vertx vertx;
    private final TailraceConfig.Tls tls;
    private final Metrics metrics;
    private final AtomicLong expiresAt = new AtomicLong();
    private CertificateFiles seen;
    private CertificateFiles.Usable used;
    private long timer = -1;
    private boolean looking;
    private @Nullable String complaint;

    private ServerCertificate(
            Vertx vertx, TailraceConfig.Tls tls, Metrics metrics, CertificateFiles seen, CertificateFiles.Usable used) {
        this.vertx = vertx;
        this.tls = tls;
        this.metrics = metrics;
        this.seen = seen;
        this.used = used;
        metrics.gauge(
                "tailrace.tls.certificate.expires", "When it expires, in epoch seconds", expiresAt, AtomicLong::get);
        use(used);
    }

    /** Reads the files, if any are configured; fails with a clear message if they cannot be used. */
    public static Future<Optional<ServerCertificate>> open(
            Vertx vertx, Optional<TailraceConfig.Tls> configured, Metrics metrics) {
        if (configured.isEmpty()) {
            return Future.succeededFuture(Optional.empty());
        }
        TailraceConfig.Tls tls = configured.get();
        return vertx.executeBlocking(
                () -> {
                    CertificateFiles files = CertificateFiles.read(tls);
                    return Optional.of(new ServerCertificate(vertx, tls, metrics, files, files.usable(vertx, tls)));
                },
                false);
    }

    KeyCertOptions options() {
        return used.options();
    }

    /** Looks at the files from now on. One server is enough: those that listen on one port have one certificate. */
    public void watch(HttpServer server) {
        timer = vertx.setPeriodic(tls.reloadInterval().toMillis(), id -> look(server));
    }

    public void close() {
        vertx.cancelTimer(timer);
    }

    /** What a look found: what the files hold, if that is new, and what it can be used for. */
    private record Found(CertificateFiles files, CertificateFiles.Usable usable) {}

    private void look(HttpServer server) {
        if (looking) {
            return;
        }
        looking = true;
        CertificateFiles known = seen;
        vertx.executeBlocking(
                        () -> {
                            CertificateFiles files = CertificateFiles.read(tls);
                            return files.equals(known)
                                    ? Optional.<Found>empty()
                                    : Optional.of(new Found(files, files.usable(vertx, tls)));
                        },
                        false)
                .compose(found -> found.map(each -> exchange(server, each)).orElseGet(() -> {
                    complaint = null; // back to what is in use
                    return Future.succeededFuture();
                }))
                .onFailure(this::complain)
                .onComplete(done -> looking = false);
    }

    private Future<Void> exchange(HttpServer server, Found found) {
        return server.updateSSLOptions(ServerOptions.tls(found.usable.options()))
                .onSuccess(changed -> {
                    seen = found.files;
                    complaint = null;
                    use(found.usable);
                    metrics.certificateLoaded();
                    LOG.info("A new certificate is in use, valid until {}", found.usable.notAfter());
                })
                .mapEmpty();
    }

    private void use(CertificateFiles.Usable usable) {
        used = usable;
        expiresAt.set(usable.notAfter().getEpochSecond());
    }

    /** Once for each state of the files: it stays until somebody puts others there. */
    private void complain(Throwable failure) {
        String message = String.valueOf(failure.getMessage());
        if (!message.equals(complaint)) {
            complaint = message;
            metrics.certificateFailed();
            LOG.warn("The TLS files have changed and cannot be used; the certificate before stays: {}", message);
        }
    }
}
