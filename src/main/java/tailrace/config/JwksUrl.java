package tailrace.config;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.Optional;
import java.util.regex.Pattern;

/** The address of an issuer's keys, as it may be. */
final class JwksUrl {
    /** Addresses and the one name that mean this machine; other names may be pointed anywhere. */
    private static final Pattern LOOPBACK =
            Pattern.compile("localhost|127(\\.\\d{1,3}){3}|\\[::1]", Pattern.CASE_INSENSITIVE);

    private JwksUrl() {}

    /** The URL, if it is one of https, or of http on loopback, with nothing in it that a request would not carry. */
    static Optional<URI> parse(String text) {
        URI url;
        try {
            url = new URI(text);
        } catch (URISyntaxException e) {
            return Optional.empty(); // whose message quotes the URL
        }
        String host = url.getHost();
        if (host == null || url.getRawUserInfo() != null || url.getRawFragment() != null) {
            return Optional.empty();
        }
        boolean https = "https".equalsIgnoreCase(url.getScheme());
        boolean here = "http".equalsIgnoreCase(url.getScheme())
                && LOOPBACK.matcher(host).matches();
        return https || here ? Optional.of(url) : Optional.empty();
    }
}
