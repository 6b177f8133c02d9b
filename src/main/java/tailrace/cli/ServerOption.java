package tailrace.cli;

import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Which running server a command talks to, and as whom. */
final class ServerOption {
    @Option(
            names = "--url",
            paramLabel = "URL",
            description = "The running server; without it TAILRACE_URL is taken from the environment, or"
                    + " http://127.0.0.1:8080.")
    private String url = "";

    @Option(
            names = "--token",
            paramLabel = "JWT",
            description = "A token; without it TAILRACE_TOKEN is taken from the environment.")
    private String token = "";

    @Option(
            names = "--ca",
            paramLabel = "FILE",
            description = "For an https URL: a PEM file of certificates to trust instead of the JVM's own.")
    private @Nullable Path ca;

    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // picocli sets it before any command runs
    private CommandSpec spec;

    /**
     * The server, without a slash at its end.
     *
     * @throws ParameterException if what was given is no such URL; picocli exits with 2
     */
    String base() {
        String text = url.isEmpty() ? System.getenv().getOrDefault("TAILRACE_URL", "http://127.0.0.1:8080") : url;
        URI uri;
        try {
            uri = URI.create(text);
        } catch (IllegalArgumentException e) {
            uri = null;
        }
        if (uri == null
                || uri.getHost() == null
                || uri.getUserInfo() != null
                || uri.getRawQuery() != null
                || !("http".equals(uri.getScheme()) || "https".equals(uri.getScheme()))) {
            throw wrong("--url must look like http://127.0.0.1:8080, not " + text);
        }
        return text.replaceAll("/+$", "");
    }

    /**
     * @param kind what is needed, such as {@code a service token}
     * @throws ParameterException if there is none; picocli exits with 2
     */
    String token(String kind) {
        String bearer = token.isEmpty() ? System.getenv().getOrDefault("TAILRACE_TOKEN", "") : token;
        if (!bearer.matches("[\\x21-\\x7e]+")) {
            throw wrong(kind + " is needed: give --token or set TAILRACE_TOKEN (`tailrace token` makes one)");
        }
        return bearer;
    }

    /**
     * What a server's certificate is checked with.
     *
     * @throws ParameterException if the file that was given cannot be used; picocli exits with 2
     */
    SSLContext trust() {
        try {
            return Trust.context(Optional.ofNullable(ca));
        } catch (IllegalArgumentException e) {
            throw wrong(String.valueOf(e.getMessage()));
        }
    }

    /** The path of one execution's entries. */
    static String logsPath(String executionId) {
        return "/v2/executions/" + encoded(executionId) + "/logs";
    }

    /** For a path or a query. */
    static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    private ParameterException wrong(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
