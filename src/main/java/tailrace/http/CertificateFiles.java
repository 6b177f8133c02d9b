package tailrace.http;

import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.net.PemKeyCertOptions;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import javax.net.ssl.KeyManager;
import javax.net.ssl.X509KeyManager;
import org.jspecify.annotations.Nullable;
import tailrace.config.TailraceConfig;

/**
 * A certificate and its key as the files had them. Blocks; for a worker. Links are followed, so a volume that is exchanged
 * as a whole, as Kubernetes does with secrets, is read as it is now.
 */
record CertificateFiles(Buffer cert, Buffer key) {
    /** A chain has some kilobytes. */
    private static final long MAX_FILE_BYTES = 1 << 20;

    private static final byte[] PROBE = {1, 2, 3, 4};

    /** What was wrong with them, for people: file and reason. */
    static final class UnusableException extends IOException {
        private static final long serialVersionUID = 1L;

        UnusableException(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

    static CertificateFiles read(TailraceConfig.Tls tls) throws UnusableException {
        return new CertificateFiles(read("TLS_CERT", tls.cert()), read("TLS_KEY", tls.key()));
    }

    private static Buffer read(String name, Path file) throws UnusableException {
        try {
            if (Files.size(file) > MAX_FILE_BYTES) {
                throw new UnusableException(name + " (" + file + ") is larger than any PEM file of a server", null);
            }
            return Buffer.buffer(Files.readAllBytes(file));
        } catch (IOException e) {
            if (e instanceof UnusableException unusable) {
                throw unusable;
            }
            throw new UnusableException(
                    name + " (" + file + ") cannot be read: " + e.getClass().getSimpleName(), e);
        }
    }

    /**
     * What the server can use, once it is known that the two belong together: a client would notice otherwise.
     *
     * @throws UnusableException naming the file and what is wrong; nothing of the key is in it
     */
    Usable usable(Vertx vertx, TailraceConfig.Tls tls) throws UnusableException {
        X509Certificate leaf = leaf(tls.cert());
        var options = new PemKeyCertOptions().setCertValue(cert).setKeyValue(key);
        PrivateKey privateKey = privateKey(vertx, options, tls);
        if (!belong(privateKey, leaf.getPublicKey())) {
            throw noKey(tls, null);
        }
        return new Usable(options, leaf.getNotAfter().toInstant());
    }

    /** @param notAfter when the certificate expires */
    record Usable(PemKeyCertOptions options, Instant notAfter) {}

    private X509Certificate leaf(Path file) throws UnusableException {
        try {
            Collection<? extends Certificate> chain = CertificateFactory.getInstance("X.509")
                    .generateCertificates(new ByteArrayInputStream(cert.getBytes()));
            if (!chain.isEmpty() && chain.iterator().next() instanceof X509Certificate leaf) {
                return leaf;
            }
            throw new UnusableException("TLS_CERT (" + file + ") holds no certificate in PEM form", null);
        } catch (CertificateException e) {
            throw new UnusableException("TLS_CERT (" + file + ") holds no certificate in PEM form", e);
        }
    }

    private static PrivateKey privateKey(Vertx vertx, PemKeyCertOptions options, TailraceConfig.Tls tls)
            throws UnusableException {
        try {
            for (KeyManager manager : options.getKeyManagerFactory(vertx).getKeyManagers()) {
                if (manager instanceof X509KeyManager keys) {
                    for (String type : List.of("RSA", "EC", "EdDSA")) {
                        String[] aliases = keys.getServerAliases(type, null);
                        if (aliases != null && aliases.length > 0) {
                            return keys.getPrivateKey(aliases[0]);
                        }
                    }
                }
            }
        } catch (Exception e) { // Vert.x declares it so; whatever it was, the file cannot be used
            throw noKey(tls, e);
        }
        throw noKey(tls, null);
    }

    /** Keys of another kind than the certificate's are refused by the parser already, so it can be either. */
    private static UnusableException noKey(TailraceConfig.Tls tls, @Nullable Throwable cause) {
        return new UnusableException(
                "TLS_KEY (" + tls.key() + ") is not the key of the certificate in TLS_CERT (" + tls.cert()
                        + "), or no key that can be used: it must be PEM, without a passphrase, RSA or EC",
                cause);
    }

    private static boolean belong(PrivateKey privateKey, PublicKey publicKey) {
        String algorithm =
                switch (publicKey.getAlgorithm()) {
                    case "RSA" -> "SHA256withRSA";
                    case "EC" -> "SHA256withECDSA";
                    default -> publicKey.getAlgorithm();
                };
        try {
            Signature signature = Signature.getInstance(algorithm);
            signature.initSign(privateKey);
            signature.update(PROBE);
            byte[] signed = signature.sign();
            signature.initVerify(publicKey);
            signature.update(PROBE);
            return signature.verify(signed);
        } catch (GeneralSecurityException e) {
            return false; // a key of another kind
        }
    }
}
