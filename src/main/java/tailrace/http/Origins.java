package tailrace.http;

import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.HostAndPort;
import java.util.Set;

/**
 * From whose page a request comes. A browser sends a cookie along with whatever page asks for it, and says in
 * {@code Origin}, or else in {@code Sec-Fetch-Site}, whose page that is; nothing but a browser has to.
 */
final class Origins {
    /** Whose page it was. */
    enum Origin {
        /** This server's, or of an origin that the configuration names. */
        OWN,
        FOREIGN,
        /** It does not say: no browser, or a GET of an old one. */
        UNKNOWN
    }

    private static final String SCHEME_END = "://";
    private static final int HTTP_PORT = 80;
    private static final int HTTPS_PORT = 443;

    private final Set<String> allowed;

    /** @param allowed further origins as browsers write them, such as {@code https://app.example.com} */
    Origins(Set<String> allowed) {
        this.allowed = Set.copyOf(allowed);
    }

    Origin of(HttpServerRequest request) {
        String origin = request.getHeader("Origin");
        if (origin != null) {
            return allowed.contains(origin) || same(origin, request) ? Origin.OWN : Origin.FOREIGN;
        }
        String site = request.getHeader("Sec-Fetch-Site");
        if (site == null) {
            return Origin.UNKNOWN;
        }
        // none: a person typed the address.
        return site.equals("same-origin") || site.equals("none") ? Origin.OWN : Origin.FOREIGN;
    }

    /**
     * By host and port, as the client named them: a proxy in front that ends TLS hides the scheme. But where this server
     * speaks TLS itself, a page that came over plain HTTP is not its own.
     */
    private static boolean same(String origin, HttpServerRequest request) {
        int after = origin.indexOf(SCHEME_END);
        if (after < 0) {
            return false; // "null": a page that hides where it is from
        }
        String scheme = origin.substring(0, after);
        int usual = scheme.equals("https") ? HTTPS_PORT : HTTP_PORT;
        HostAndPort page = HostAndPort.parseAuthority(origin.substring(after + SCHEME_END.length()), usual);
        HostAndPort asked = request.authority();
        if (page == null || asked == null || (request.isSSL() && !scheme.equals("https"))) {
            return false;
        }
        int askedPort = asked.port() < 0 ? usual : asked.port();
        return page.port() == askedPort && page.host().equalsIgnoreCase(asked.host());
    }
}
