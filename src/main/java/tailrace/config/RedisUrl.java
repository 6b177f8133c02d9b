package tailrace.config;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tailrace.config.TailraceConfig.Secret;

/**
 * Where Redis is and who we are there. {@code toString} shows no password.
 *
 * @param servers one for {@link Topology#STANDALONE}, else one at least
 * @param master what the sentinels call it; empty elsewhere
 * @param rootCertificate PEM file to trust, or empty: the JVM's trust store
 * @param verifyHost whether a certificate must name the host it is shown by
 */
public record RedisUrl(
        Topology topology,
        boolean tls,
        List<Server> servers,
        Optional<String> master,
        int database,
        Optional<String> user,
        Optional<Secret> password,
        Optional<String> rootCertificate,
        boolean verifyHost) {

    /** What stands at the addresses. */
    public enum Topology {
        STANDALONE,
        /** The addresses are those of the sentinels; they say where the master is. */
        SENTINEL,
        CLUSTER
    }

    /** @param host a name or an address, IPv6 without brackets */
    public record Server(String host, int port) {}

    /** The forms that are understood, for people. */
    public static final String FORM = "must be of the form redis://user:password@host:6379/0,"
            + " redis-sentinel://host:26379,host:26379/master/0 or redis-cluster://host:6379,host:6379,"
            + " with rediss for TLS";

    private static final Pattern SCHEME = Pattern.compile("(rediss?)(-sentinel|-cluster)?://(.*)", Pattern.DOTALL);
    private static final Pattern SERVER = Pattern.compile("(?:([A-Za-z0-9._-]+)|\\[([0-9A-Fa-f:.]+)])(?::(\\d{1,5}))?");
    private static final Pattern DATABASE = Pattern.compile("\\d{1,5}");
    private static final int PORT = 6379;
    private static final int SENTINEL_PORT = 26379;
    private static final int PORT_MAX = 65_535;

    public RedisUrl {
        servers = List.copyOf(servers);
    }

    /**
     * Reads a URL.
     *
     * @throws IllegalArgumentException completing a sentence about the key; it quotes nothing, because a password that is
     *     not encoded may stand anywhere
     */
    public static RedisUrl parse(String url) {
        Matcher scheme = SCHEME.matcher(url);
        if (!scheme.matches()) {
            throw new IllegalArgumentException(FORM);
        }
        boolean tls = scheme.group(1).equals("rediss");
        Topology topology = scheme.group(2) == null
                ? Topology.STANDALONE
                : scheme.group(2).equals("-sentinel") ? Topology.SENTINEL : Topology.CLUSTER;
        String rest = scheme.group(3);
        if (rest.indexOf('#') >= 0) {
            throw new IllegalArgumentException(encode("contains a #"));
        }
        int query = rest.indexOf('?');
        Map<String, String> parameters = query < 0 ? Map.of() : parameters(rest.substring(query + 1), tls);
        String place = query < 0 ? rest : rest.substring(0, query);
        int slash = place.indexOf('/');
        String authority = slash < 0 ? place : place.substring(0, slash);
        List<String> path =
                slash < 0 ? List.of() : List.of(place.substring(slash + 1).split("/", -1));
        if (path.equals(List.of(""))) {
            path = List.of();
        }
        int at = authority.lastIndexOf('@');
        String[] login = at < 0 ? new String[0] : login(authority.substring(0, at));
        boolean sentinel = topology == Topology.SENTINEL;
        return new RedisUrl(
                topology,
                tls,
                servers(authority.substring(at + 1), topology),
                sentinel ? Optional.of(master(path)) : Optional.empty(),
                database(sentinel ? path.subList(1, path.size()) : path, topology),
                login.length == 0 || login[0].isEmpty() ? Optional.empty() : Optional.of(decode(login[0])),
                login.length == 0 ? Optional.empty() : Optional.of(new Secret(decode(login[1]))),
                Optional.ofNullable(parameters.get("sslrootcert")),
                !"verify-ca".equals(parameters.get("sslmode")));
    }

    private static String[] login(String text) {
        String[] parts = text.split(":", 2);
        if (parts.length < 2 || parts[1].isEmpty()) {
            throw new IllegalArgumentException("names a user without a password; write user:password@ or :password@");
        }
        if (text.indexOf('@') >= 0) {
            throw new IllegalArgumentException(encode("contains more than one @"));
        }
        return parts;
    }

    private static List<Server> servers(String text, Topology topology) {
        List<Server> servers = new ArrayList<>();
        for (String one : text.split(",", -1)) {
            Matcher server = SERVER.matcher(one);
            int defaultPort = topology == Topology.SENTINEL ? SENTINEL_PORT : PORT;
            int port = server.matches() && server.group(3) != null ? Integer.parseInt(server.group(3)) : defaultPort;
            if (!server.matches() || port < 1 || port > PORT_MAX) {
                throw new IllegalArgumentException(encode("has an address that is no host:port"));
            }
            servers.add(new Server(server.group(1) != null ? server.group(1) : server.group(2), port));
        }
        if (topology == Topology.STANDALONE && servers.size() > 1) {
            throw new IllegalArgumentException(
                    "names several servers; use redis-sentinel:// or redis-cluster:// for those");
        }
        return servers;
    }

    private static String master(List<String> path) {
        if (path.isEmpty() || path.get(0).isEmpty()) {
            throw new IllegalArgumentException(
                    "must name the master the sentinels watch, as in redis-sentinel://host:26379/mymaster");
        }
        return decode(path.get(0));
    }

    private static int database(List<String> path, Topology topology) {
        if (path.isEmpty()) {
            return 0;
        }
        if (path.size() > 1 || !DATABASE.matcher(path.get(0)).matches()) {
            throw new IllegalArgumentException(encode("must end with the number of a database or with the address"));
        }
        int database = Integer.parseInt(path.get(0));
        if (topology == Topology.CLUSTER && database != 0) {
            throw new IllegalArgumentException("names a database; a Redis cluster has database 0 alone");
        }
        return database;
    }

    private static Map<String, String> parameters(String query, boolean tls) {
        Map<String, String> parameters = new HashMap<>();
        for (String pair : query.split("&", -1)) {
            String[] parts = pair.split("=", 2);
            boolean known = parts[0].equals("sslrootcert") || parts[0].equals("sslmode");
            if (!known || parts.length < 2 || parts[1].isEmpty()) {
                throw new IllegalArgumentException(
                        encode("has a parameter that is neither sslrootcert=FILE nor sslmode=MODE"));
            }
            parameters.put(parts[0], decode(parts[1]));
        }
        if (!tls) {
            throw new IllegalArgumentException("has parameters for TLS; begin it with rediss to use TLS");
        }
        if (!List.of("verify-full", "verify-ca").contains(parameters.getOrDefault("sslmode", "verify-full"))) {
            throw new IllegalArgumentException("has an sslmode that is neither verify-full nor verify-ca");
        }
        return parameters;
    }

    private static String encode(String what) {
        return what + "; what is special in user or password must be percent-encoded";
    }

    private static String decode(String text) {
        try {
            // URLDecoder reads forms, where '+' is a blank; in a URL it is itself.
            return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            // Not the cause: it quotes what may be the password.
            throw new IllegalArgumentException(encode("has a % that begins no encoded character"));
        }
    }
}
