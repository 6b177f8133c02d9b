package tailrace.postgres;

import io.vertx.core.net.ClientSSLOptions;
import io.vertx.core.net.PemTrustOptions;
import io.vertx.pgclient.PgConnectOptions;
import io.vertx.pgclient.SslMode;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tailrace.config.TailraceConfig.Secret;

/**
 * Where PostgreSQL is and who we are there. {@code toString} shows no password.
 *
 * @param sslMode as in libpq; where a URL names none it is {@code prefer}, as there
 * @param rootCertificate PEM file that {@code verify-ca} and {@code verify-full} trust, or null for the JVM's trust store
 */
public record DatabaseUrl(
        String host,
        int port,
        String database,
        String user,
        Secret password,
        SslMode sslMode,
        @Nullable String rootCertificate) {
    private static final int DEFAULT_PORT = 5432;
    private static final int STATEMENT_CACHE_SIZE = 64;
    private static final int STATEMENT_CACHE_SQL_LIMIT = 16_384;

    /**
     * Reads {@code postgres://user:password@host:port/database?sslmode=…&sslrootcert=…}.
     *
     * @throws IllegalArgumentException saying what is wrong, without the password
     */
    public static DatabaseUrl parse(String url) {
        URI uri;
        try {
            uri = new URI(url);
        } catch (URISyntaxException e) {
            // Not the cause: its message repeats the URL with the password.
            throw new IllegalArgumentException(
                    "DATABASE_URL is no URL (character " + e.getIndex() + "): " + e.getReason());
        }
        String scheme = uri.getScheme();
        if (!"postgres".equals(scheme) && !"postgresql".equals(scheme)) {
            throw new IllegalArgumentException("DATABASE_URL must begin with postgres:// or postgresql://");
        }
        String host = uri.getHost();
        String path = uri.getRawPath();
        if (host == null || path == null || path.length() < 2) {
            throw new IllegalArgumentException("DATABASE_URL must name a host and a database");
        }
        String[] userInfo = (uri.getRawUserInfo() == null ? "" : uri.getRawUserInfo()).split(":", 2);
        if (userInfo[0].isEmpty()) {
            throw new IllegalArgumentException("DATABASE_URL must name a user");
        }
        Map<String, String> parameters = parameters(uri.getRawQuery());
        String sslMode = parameters.getOrDefault("sslmode", "prefer");
        return new DatabaseUrl(
                host.startsWith("[") ? host.substring(1, host.length() - 1) : host,
                uri.getPort() < 0 ? DEFAULT_PORT : uri.getPort(),
                decode(path.substring(1)),
                decode(userInfo[0]),
                new Secret(userInfo.length == 2 ? decode(userInfo[1]) : ""),
                sslMode(sslMode),
                parameters.get("sslrootcert"));
    }

    private static SslMode sslMode(String name) {
        try {
            return SslMode.of(name);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("DATABASE_URL: sslmode " + name
                    + " is none of disable, allow, prefer, require, verify-ca, verify-full");
        }
    }

    private static Map<String, String> parameters(@Nullable String query) {
        Map<String, String> parameters = new HashMap<>();
        if (query != null && !query.isEmpty()) {
            for (String pair : query.split("&")) {
                String[] parts = pair.split("=", 2);
                parameters.put(decode(parts[0]), parts.length == 2 ? decode(parts[1]) : "");
            }
        }
        for (String name : parameters.keySet()) {
            if (!name.equals("sslmode") && !name.equals("sslrootcert")) {
                throw new IllegalArgumentException(
                        "DATABASE_URL: " + name + " is not known; sslmode and sslrootcert are");
            }
        }
        return parameters;
    }

    private static String decode(String text) {
        // URLDecoder reads forms, where '+' is a blank; in a URL it is itself.
        return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
    }

    /** The same database as somebody else. */
    DatabaseUrl as(String otherUser, String otherPassword) {
        return new DatabaseUrl(host, port, database, otherUser, new Secret(otherPassword), sslMode, rootCertificate);
    }

    /** For JDBC, without user and password. */
    public String jdbcUrl() {
        StringBuilder url = new StringBuilder("jdbc:postgresql://")
                .append(host.indexOf(':') >= 0 ? "[" + host + "]" : host)
                .append(':')
                .append(port)
                .append('/')
                .append(encode(database))
                .append("?ApplicationName=tailrace-migrations&sslmode=")
                .append(wire(sslMode));
        if (rootCertificate != null) {
            url.append("&sslrootcert=").append(encode(rootCertificate));
        } else if (sslMode == SslMode.VERIFY_CA || sslMode == SslMode.VERIFY_FULL) {
            url.append("&sslfactory=org.postgresql.ssl.DefaultJavaSSLFactory");
        }
        return url.toString();
    }

    /** For the Vert.x client, under this application name. */
    PgConnectOptions options(String applicationName) {
        PgConnectOptions options = new PgConnectOptions()
                .setHost(host)
                .setPort(port)
                .setDatabase(database)
                .setUser(user)
                .setPassword(password.value())
                .setSslMode(sslMode)
                .setCachePreparedStatements(true)
                .setPreparedStatementCacheMaxSize(STATEMENT_CACHE_SIZE)
                .setPreparedStatementCacheSqlLimit(STATEMENT_CACHE_SQL_LIMIT)
                .addProperty("application_name", applicationName)
                .addProperty("TimeZone", "UTC");
        if (sslMode != SslMode.DISABLE) {
            options.setSslOptions(ssl());
        }
        return options;
    }

    private ClientSSLOptions ssl() {
        ClientSSLOptions ssl = new ClientSSLOptions();
        boolean verifies = sslMode == SslMode.VERIFY_CA || sslMode == SslMode.VERIFY_FULL;
        if (!verifies) {
            return ssl.setTrustAll(true).setHostnameVerificationAlgorithm("");
        }
        if (rootCertificate != null) {
            ssl.setTrustOptions(new PemTrustOptions().addCertPath(rootCertificate));
        }
        return ssl.setHostnameVerificationAlgorithm(sslMode == SslMode.VERIFY_FULL ? "HTTPS" : "");
    }

    private static String wire(SslMode mode) {
        return mode.name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
    }

    private static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }
}
