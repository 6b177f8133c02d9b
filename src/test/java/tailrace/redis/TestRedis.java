package tailrace.redis;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.StreamEntryID;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.embedded.core.ExecutableProvider;

/**
 * A real Redis in a process of its own, on a port of its own that it keeps: to be stopped, frozen, killed, emptied and
 * started again. Keeps nothing on disk. Seen here through another client than the server's.
 */
public final class TestRedis implements AutoCloseable {
    /** A node of a cluster listens on its port + 10,000, too. */
    private static final int MAX_PORT = 55_000;

    private static final Duration START_PATIENCE = Duration.ofSeconds(20);

    private final int port;
    private final Path directory;
    private final List<String> arguments;
    private @Nullable Process process;

    private TestRedis(int port, List<String> arguments) {
        this.port = port;
        this.arguments = List.copyOf(arguments);
        try {
            this.directory = Files.createTempDirectory("tailrace-redis");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Started, with these further arguments of {@code redis-server}. */
    public static TestRedis start(String... arguments) {
        return at(freePort(), List.of(arguments)).restart();
    }

    /** One that listens for TLS alone. */
    static TestRedis startTls(Path certificate, Path key) {
        int port = freePort();
        var redis = new TestRedis(
                port,
                List.of(
                        "--port",
                        "0",
                        "--tls-port",
                        Integer.toString(port),
                        "--tls-cert-file",
                        certificate.toString(),
                        "--tls-key-file",
                        key.toString(),
                        "--tls-auth-clients",
                        "no"));
        return redis.launch();
    }

    /** A sentinel that watches a master under the name {@code mymaster}. */
    static TestRedis startSentinel(int masterPort) {
        int port = freePort();
        var sentinel = new TestRedis(port, List.of());
        Path file = sentinel.directory.resolve("sentinel.conf");
        try {
            Files.writeString(
                    file,
                    String.join(
                            "\n",
                            "port " + port,
                            "sentinel monitor mymaster 127.0.0.1 " + masterPort + " 1",
                            "sentinel down-after-milliseconds mymaster 1000",
                            "sentinel failover-timeout mymaster 2000",
                            ""));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return sentinel.launch(List.of(file.toString(), "--sentinel")).ready();
    }

    /** Masters that share all slots between them, each with what it was given. */
    static List<TestRedis> startCluster(int nodes) {
        List<TestRedis> cluster = new ArrayList<>();
        for (int i = 0; i < nodes; i++) {
            cluster.add(start("--cluster-enabled", "yes", "--cluster-node-timeout", "2000"));
        }
        int slots = 16_384;
        for (int i = 0; i < nodes; i++) {
            int first = cluster.get(0).port;
            int[] own = java.util.stream.IntStream.range(slots * i / nodes, slots * (i + 1) / nodes)
                    .toArray();
            cluster.get(i).run(redis -> redis.clusterAddSlots(own));
            cluster.get(i).run(redis -> redis.clusterMeet("127.0.0.1", first));
        }
        for (TestRedis node : cluster) {
            until(() -> node.run(redis -> redis.clusterInfo().contains("cluster_state:ok")
                    && redis.clusterInfo().contains("cluster_known_nodes:" + nodes)));
        }
        return cluster;
    }

    private static TestRedis at(int port, List<String> arguments) {
        List<String> all = new ArrayList<>(List.of("--port", Integer.toString(port)));
        all.addAll(arguments);
        return new TestRedis(port, all);
    }

    private static int freePort() {
        while (true) {
            try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                if (free.getLocalPort() <= MAX_PORT) {
                    return free.getLocalPort();
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** Starts it again, empty. */
    public TestRedis restart() {
        return launch().ready();
    }

    private TestRedis launch() {
        List<String> all = new ArrayList<>(
                List.of("--save", "", "--appendonly", "no", "--bind", "127.0.0.1", "--dir", directory.toString()));
        all.addAll(arguments);
        return launch(all);
    }

    private TestRedis launch(List<String> all) {
        List<String> command = new ArrayList<>();
        try {
            command.add(ExecutableProvider.newJarResourceProvider().get().getAbsolutePath());
            command.addAll(all);
            process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(directory.resolve("log").toFile())
                    .start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return this;
    }

    private TestRedis ready() {
        try {
            until(() -> {
                try {
                    return run(Jedis::ping).equals("PONG");
                } catch (JedisDataException e) {
                    return String.valueOf(e.getMessage()).startsWith("NOAUTH");
                }
            });
        } catch (AssertionError e) {
            close(); // nobody will close what did not start
            throw e;
        }
        return this;
    }

    static void until(java.util.concurrent.Callable<Boolean> condition) {
        until(() -> "a condition of Redis", condition);
    }

    static void until(Supplier<String> what, java.util.concurrent.Callable<Boolean> condition) {
        long deadline = System.nanoTime() + START_PATIENCE.toNanos();
        Exception last = null;
        while (System.nanoTime() < deadline) {
            try {
                if (condition.call()) {
                    return;
                }
            } catch (Exception e) {
                last = e;
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
        }
        throw new AssertionError("not within " + START_PATIENCE.toSeconds() + " s: " + what.get(), last);
    }

    public int port() {
        return port;
    }

    public String url() {
        return "redis://127.0.0.1:" + port;
    }

    /** Asks it something on a connection of its own. */
    public <T> T run(Function<Jedis, T> command) {
        try (Jedis jedis = new Jedis("127.0.0.1", port, 5_000)) {
            return command.apply(jedis);
        }
    }

    /** Seqs of the entries of the execution's stream, in its order; whatever journal's it is. */
    public List<Long> seqs(String executionId) {
        return run(redis -> {
            List<Long> seqs = new ArrayList<>();
            for (String key : keys(redis, "*:log:{" + executionId + "}")) {
                redis.xrange(key, (StreamEntryID) null, (StreamEntryID) null)
                        .forEach(entry -> seqs.add(entry.getID().getTime()));
            }
            return seqs;
        });
    }

    /** How many entries the execution's stream has. */
    public long length(String executionId) {
        return run(redis -> keys(redis, "*:log:{" + executionId + "}").stream()
                .mapToLong(redis::xlen)
                .sum());
    }

    /** The name of the execution's stream. */
    public String stream(String executionId) {
        return run(redis -> keys(redis, "*:log:{" + executionId + "}").get(0));
    }

    /** The name of the cursor's key. */
    public String cursor() {
        return run(redis -> keys(redis, "tailrace:*:cursor").get(0));
    }

    private static List<String> keys(Jedis redis, String pattern) {
        return redis.keys(pattern).stream().sorted().toList();
    }

    public void set(String setting, String value) {
        run(redis -> redis.configSet(setting, value));
    }

    /** A figure of {@code INFO}. */
    public long info(String name) {
        return run(redis -> redis.info()
                .lines()
                .map(line -> line.split(":", 2))
                .filter(parts -> parts[0].equals(name))
                .mapToLong(parts -> Long.parseLong(parts[1].strip()))
                .sum());
    }

    /** SIGSTOP and SIGCONT. */
    public void freeze() {
        signal("STOP");
    }

    public void thaw() {
        signal("CONT");
    }

    private void signal(String name) {
        Process running = process;
        if (running == null) {
            throw new IllegalStateException("not running");
        }
        try {
            new ProcessBuilder("kill", "-" + name, Long.toString(running.pid()))
                    .inheritIO()
                    .start()
                    .waitFor();
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** SIGKILL; everything in it is gone. */
    public void kill() {
        Process running = process;
        if (running != null) {
            try {
                running.destroyForcibly().waitFor();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    @Override
    public void close() {
        kill();
        try (var files = Files.walk(directory)) {
            files.sorted(java.util.Comparator.reverseOrder())
                    .forEach(file -> file.toFile().delete());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
