package tailrace.cli;

import io.vertx.pgclient.PgConnectOptions;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options every benchmark has: which server, as whom, and how the result is printed. */
final class BenchTarget {
    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // picocli sets it before any command runs
    private CommandSpec spec;

    @Option(
            names = "--url",
            paramLabel = "URL",
            defaultValue = "http://127.0.0.1:8080",
            description = "The running server (default: ${DEFAULT-VALUE}).")
    private String url = "";

    @Option(
            names = "--token",
            paramLabel = "JWT",
            description = "A service token; without it TAILRACE_TOKEN is taken from the environment.")
    private String token = "";

    @Option(
            names = "--ca",
            paramLabel = "FILE",
            description = "For an https URL: a PEM file of certificates to trust instead of the JVM's own.")
    private @Nullable Path ca;

    @Option(
            names = "--allow-remote",
            description = "Load a server that is not on this machine. Only with its owner's consent.")
    private boolean allowRemote;

    @Mixin
    private OutputOption output = new OutputOption();

    @Mixin
    private ProgressOption progressOption = new ProgressOption();

    /**
     * A server as the clients need it.
     *
     * @param address resolved
     * @param authority for the Host header
     * @param basePath "" or a path without a slash at its end
     * @param tls what its certificate is checked with, or empty: plain HTTP
     */
    record Server(
            InetSocketAddress address, String authority, String basePath, String token, Optional<SSLContext> tls) {
        /** One that speaks plain HTTP. */
        Server(InetSocketAddress address, String authority, String basePath, String token) {
            this(address, authority, basePath, token, Optional.empty());
        }

        String path(String path) {
            return basePath + path;
        }

        @Override
        public String toString() {
            return (tls.isPresent() ? "https://" : "http://") + authority + basePath;
        }
    }

    /**
     * Checks what was given.
     *
     * @throws ParameterException naming what is wrong with it; picocli exits with 2
     */
    Server server() {
        URI uri;
        try {
            uri = URI.create(url);
        } catch (IllegalArgumentException e) {
            throw wrong("--url is no URL: " + e.getMessage());
        }
        boolean https = "https".equals(uri.getScheme());
        if ((!https && !"http".equals(uri.getScheme())) || uri.getHost() == null || uri.getUserInfo() != null) {
            throw wrong("--url must look like http://127.0.0.1:8080, not " + url);
        }
        String bearer = token.isEmpty() ? System.getenv().getOrDefault("TAILRACE_TOKEN", "") : token;
        if (!bearer.matches("[\\x21-\\x7e]+")) {
            throw wrong("a service token is needed: give --token or set TAILRACE_TOKEN (`tailrace token` makes one)");
        }
        int usual = https ? 443 : 80;
        int port = uri.getPort() < 0 ? usual : uri.getPort();
        String path = uri.getRawPath() == null ? "" : uri.getRawPath().replaceAll("/+$", "");
        return new Server(
                new InetSocketAddress(address(uri.getHost()), port),
                uri.getRawAuthority(),
                path,
                bearer,
                https ? Optional.of(tls()) : Optional.empty());
    }

    private SSLContext tls() {
        try {
            return Trust.context(Optional.ofNullable(ca));
        } catch (IllegalArgumentException e) {
            throw wrong(String.valueOf(e.getMessage()));
        }
    }

    /**
     * The server for readers of live streams, of which one thread has thousands.
     *
     * @throws ParameterException if it speaks TLS, which they do not
     */
    Server plainServer() {
        Server server = server();
        if (server.tls().isPresent()) {
            throw wrong("--url: the readers of this benchmark speak plain HTTP only; measure a server without TLS");
        }
        return server;
    }

    /**
     * Resolves a host that may be loaded.
     *
     * @throws ParameterException if it is not on this machine and that was not allowed
     */
    InetAddress address(String host) {
        try {
            InetAddress address = InetAddress.getByName(host);
            if (!allowRemote && !address.isLoopbackAddress()) {
                throw wrong(host + " is not this machine: a benchmark floods what it is pointed at."
                        + " Add --allow-remote if that is meant.");
            }
            return address;
        } catch (UnknownHostException e) {
            throw wrong("--url names an unknown host: " + host);
        }
    }

    /**
     * A PostgreSQL that may be loaded, by its URL.
     *
     * @throws ParameterException naming what is wrong with it
     */
    PgConnectOptions postgres(String option, String url) {
        PgConnectOptions options;
        try {
            options = PgConnectOptions.fromUri(url);
        } catch (IllegalArgumentException e) {
            throw wrong(option + " must look like postgresql://user:password@127.0.0.1:5432/database");
        }
        if (!options.isUsingDomainSocket()) {
            address(options.getHost());
        }
        return options;
    }

    /** For a check that picocli cannot make; exits with 2 like its own. */
    ParameterException wrong(String message) {
        return new ParameterException(spec.commandLine(), message);
    }

    /**
     * @throws ParameterException if it is outside; picocli exits with 2
     */
    void within(String option, double value, double min, double max) {
        if (!(value >= min && value <= max)) {
            throw wrong(option + " must be from " + BenchReport.number(min) + " to " + BenchReport.number(max)
                    + ", not " + BenchReport.number(value));
        }
    }

    Progress progress() {
        return progressOption.show();
    }

    /** Prints the report to the command's standard output and returns the exit code: 0, or 1 if something failed. */
    int print(BenchReport report) {
        return output.print(report);
    }
}
