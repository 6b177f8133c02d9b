package tailrace.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** Whose certificates the commands believe when they talk to a server over TLS. */
final class Trust {
    private Trust() {}

    /**
     * @param ca PEM file of certificates to trust instead of the JVM's own, or empty: those
     * @throws IllegalArgumentException naming the file, if it cannot be used
     */
    static SSLContext context(Optional<Path> ca) {
        try {
            if (ca.isEmpty()) {
                return SSLContext.getDefault();
            }
            KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
            trusted.load(null, null);
            int number = 0;
            try (InputStream in = Files.newInputStream(ca.get())) {
                for (Certificate each : CertificateFactory.getInstance("X.509").generateCertificates(in)) {
                    trusted.setCertificateEntry("ca-" + number++, each);
                }
            }
            if (number == 0) {
                throw new IllegalArgumentException("--ca: " + ca.get() + " holds no certificate in PEM form");
            }
            TrustManagerFactory managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            managers.init(trusted);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, managers.getTrustManagers(), null);
            return context;
        } catch (IOException | GeneralSecurityException e) {
            throw new IllegalArgumentException(
                    "--ca: " + ca.map(Path::toString).orElse("the JVM's trust store") + " cannot be used: "
                            + e.getMessage(),
                    e);
        }
    }
}
