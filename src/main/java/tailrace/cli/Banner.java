package tailrace.cli;

import java.util.Optional;
import tailrace.config.TailraceConfig;

/** What {@code serve} says when it is ready: where it is, and lines to copy that work as they are. */
final class Banner {
    private Banner() {}

    static final String TOKEN_OF_SECRET = "make a token of the configured secret: java -jar target/tailrace.jar token";
    static final String TOKEN_OF_ISSUER = "tokens come from the issuer whose keys JWT_JWKS_URL names";

    /**
     * @param http as configured
     * @param port that was bound
     * @param token to hand out, or empty where tokens come from elsewhere
     * @param otherwise where they come from then
     */
    static String text(TailraceConfig.Http http, int port, Optional<String> token, String otherwise) {
        String url = url(http, port);
        String bearer = token.orElse("$TOKEN");
        // The fragment: browsers send it to nobody, so it is in no access log on the way.
        String link = token.map(text ->
                        "  open   " + url + "/#token=" + text + "\n\n  service token, 30 days\n  " + text + "\n\n")
                .orElse("  " + otherwise + "\n\n");
        return """
                Tailrace %s is ready: %s

                %s  send a line, then watch it arrive
                  curl -X POST %s/v2/executions/hello/logs -H "Authorization: Bearer %s" -H "Content-Type: application/json" -d '[{"message":"Hello from curl"}]'
                  curl -N %s/v2/executions/hello/logs/stream -H "Authorization: Bearer %s"

                """.formatted(Version.text(), url, link, url, bearer, url, bearer);
    }

    /** What {@code demo} prints once it plays. */
    static String demo(String url, String token, String executionId) {
        return """
                Tailrace %s plays a demo: %s

                  open   %s/#token=%s&execution=%s

                It plays until you stop it (Ctrl-C).

                """.formatted(Version.text(), url, url, token, executionId);
    }

    /** A URL that works on this machine: an address for all interfaces is none to connect to. */
    static String url(TailraceConfig.Http http, int port) {
        String host = http.host();
        String reachable =
                switch (host) {
                    case "0.0.0.0", "::", "[::]" -> "127.0.0.1";
                    default -> host.contains(":") && !host.startsWith("[") ? "[" + host + "]" : host;
                };
        return (http.tls().isPresent() ? "https://" : "http://") + reachable + ":" + port;
    }
}
