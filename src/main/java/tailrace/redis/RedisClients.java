package tailrace.redis;

import io.vertx.core.Vertx;
import io.vertx.core.net.NetClientOptions;
import io.vertx.core.net.PemTrustOptions;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.RedisClientType;
import io.vertx.redis.client.RedisOptions;
import java.time.Duration;
import tailrace.config.RedisUrl;

/** Makes clients of the Redis that is configured. Immutable; safe for any thread. */
final class RedisClients {
    /** For one attempt to connect, the greeting included. */
    static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(2);
    /** Requests on the way on one connection; beyond it a request fails at once. */
    private static final int MAX_WAITING_HANDLERS = 8_192;
    /** One for each node of a cluster; a client here is used through a single connection. */
    private static final int MAX_NODES = 64;

    private final RedisUrl url;

    RedisClients(RedisUrl url) {
        this.url = url;
    }

    /** A client that has not connected yet. */
    Redis create(Vertx vertx) {
        return Redis.createClient(vertx, options());
    }

    RedisOptions options() {
        RedisOptions options = new RedisOptions()
                .setType(type(url.topology()))
                .setNetClientOptions(network())
                .setMaxWaitingHandlers(MAX_WAITING_HANDLERS)
                .setMaxPoolSize(MAX_NODES)
                .setMaxPoolWaiting(MAX_NODES)
                .setPoolName("tailrace-redis");
        // Connections stay as long as they work; there is nobody to share them with.
        options.setPoolRecycleTimeout(-1);
        String scheme = url.tls() ? "rediss://" : "redis://";
        String path = url.topology() == RedisUrl.Topology.CLUSTER ? "" : "/" + url.database();
        for (RedisUrl.Server server : url.servers()) {
            // Without user and password: the client puts an address that fails into its messages.
            String host = server.host().indexOf(':') >= 0 ? "[" + server.host() + "]" : server.host();
            options.addConnectionString(scheme + host + ":" + server.port() + path);
        }
        url.master().ifPresent(options::setMasterName);
        url.user().ifPresent(options::setUser);
        url.password().ifPresent(password -> options.setPassword(password.value()));
        return options;
    }

    private NetClientOptions network() {
        NetClientOptions network = new NetClientOptions()
                .setTcpNoDelay(true)
                .setConnectTimeout(Math.toIntExact(CONNECT_TIMEOUT.toMillis()));
        if (url.tls()) {
            network.setSsl(true).setHostnameVerificationAlgorithm(url.verifyHost() ? "HTTPS" : "");
            url.rootCertificate().ifPresent(file -> network.setTrustOptions(new PemTrustOptions().addCertPath(file)));
        }
        return network;
    }

    private static RedisClientType type(RedisUrl.Topology topology) {
        return switch (topology) {
            case STANDALONE -> RedisClientType.STANDALONE;
            case SENTINEL -> RedisClientType.SENTINEL;
            case CLUSTER -> RedisClientType.CLUSTER;
        };
    }
}
