package tailrace.postgres;

import io.vertx.pgclient.SslMode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.config.TailraceConfig.Secret;

/**
 * The PostgreSQL of a machine that has none: its programs come out of a jar, its files stay in {@code postgres} of the
 * data directory and are used again at the next start. It is durable (fsync on), asks for a password that only the data
 * directory knows, and listens on loopback alone. It is watched: a postmaster that dies is started again. Nothing here
 * ever deletes a database.
 *
 * <p>{@link #start} and {@link #close} block for seconds: call them on a worker. Not thread-safe, but {@link #url} may
 * be read by any thread.
 */
public final class EmbeddedPostgres implements AutoCloseable {
    static final String DATABASE = "tailrace";
    static final String ROLE = "tailrace";
    private static final String SUPERUSER = "postgres";
    private static final String MAJOR_VERSION = "18";

    private static final Logger LOG = LoggerFactory.getLogger(EmbeddedPostgres.class);
    private static final Duration WATCH_INTERVAL = Duration.ofMillis(250);
    private static final Duration RESTART_DELAY_MIN = Duration.ofMillis(250);
    private static final Duration RESTART_DELAY_MAX = Duration.ofSeconds(10);
    private static final int START_ATTEMPTS = 8;
    private static final int PASSWORD_BYTES = 24;

    private final Path dataDir;
    private final Path cluster;
    private @Nullable FileChannel lockFile;
    private volatile @Nullable PostgresProcess process;
    private @Nullable Thread watch;
    private volatile boolean closing;
    private volatile @Nullable DatabaseUrl url;

    /** @param dataDir ours; made if it is missing */
    public EmbeddedPostgres(Path dataDir) {
        this.dataDir = dataDir.toAbsolutePath().normalize();
        this.cluster = this.dataDir.resolve("postgres");
    }

    /** Where it listens; changes if its port was taken while it was down. */
    public DatabaseUrl url() {
        DatabaseUrl now = url;
        if (now == null) {
            throw new IllegalStateException("the embedded PostgreSQL is not started");
        }
        return now;
    }

    /** Its process, for tests that kill it. */
    long pid() {
        PostgresProcess running = process;
        return running == null ? -1 : running.pid();
    }

    /**
     * Makes the database if there is none, ends what a crash of ours left running, starts it, and returns once it
     * answers: 0.2 s, or 4 s the first time.
     *
     * @throws EmbeddedPostgresException if it cannot run here; says what to do
     */
    public void start() {
        try {
            PostgresBinaries.privateDirectory(dataDir);
            lock();
            List<String> asUser = PostgresProcess.privilegePrefix();
            Path programs = PostgresBinaries.unpack(dataDir);
            PostgresProcess server = new PostgresProcess(programs.resolve("bin"), cluster, asUser, dataDir);
            String password = password();
            create(server);
            checkVersion();
            server.endOrphan();
            process = server;
            startServer(server, freePort());
            prepare(server.port(), password);
            url = new DatabaseUrl(
                    "127.0.0.1", server.port(), DATABASE, ROLE, new Secret(password), SslMode.DISABLE, null);
            startWatch(server);
        } catch (IOException e) {
            unlock();
            throw new EmbeddedPostgresException("the embedded PostgreSQL cannot be set up: " + e, e);
        } catch (RuntimeException e) {
            stopQuietly();
            unlock();
            throw e;
        }
    }

    private void lock() throws IOException {
        FileChannel channel =
                FileChannel.open(dataDir.resolve("postgres.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock lock;
        try {
            lock = channel.tryLock();
        } catch (OverlappingFileLockException e) {
            lock = null;
        }
        if (lock == null) {
            channel.close();
            throw new EmbeddedPostgresException("another Tailrace process uses the data directory " + dataDir);
        }
        lockFile = channel;
    }

    private void unlock() {
        FileChannel channel = lockFile;
        lockFile = null;
        if (channel != null) {
            try {
                channel.close();
            } catch (IOException e) {
                LOG.warn("closing {} failed", dataDir.resolve("postgres.lock"), e);
            }
        }
    }

    /** The password in the data directory; one is made before there is a database. */
    private String password() throws IOException {
        Path file = dataDir.resolve("postgres.password");
        if (Files.exists(file)) {
            return Files.readString(file, StandardCharsets.US_ASCII).strip();
        }
        if (Files.exists(cluster)) {
            throw new EmbeddedPostgresException("the password file " + file + " is gone, but not its database "
                    + cluster + "; put the file back from a backup, or move " + cluster + " away");
        }
        byte[] random = new byte[PASSWORD_BYTES];
        new SecureRandom().nextBytes(random);
        String password = Base64.getUrlEncoder().withoutPadding().encodeToString(random);
        Path partial = dataDir.resolve("postgres.password.partial");
        Files.deleteIfExists(partial);
        Files.createFile(partial, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        try (FileChannel out = FileChannel.open(partial, StandardOpenOption.WRITE)) {
            out.write(StandardCharsets.US_ASCII.encode(password));
            out.force(true);
        }
        Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE);
        return password;
    }

    private void create(PostgresProcess server) throws IOException {
        if (Files.exists(cluster, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        // Made beside and renamed: a directory of the final name is always a whole database.
        Path partial = dataDir.resolve("postgres.partial");
        PostgresBinaries.deleteTree(partial);
        server.initdb(partial, SUPERUSER, dataDir.resolve("postgres.password"));
        Files.writeString(partial.resolve("postgresql.conf"), SETTINGS, StandardOpenOption.APPEND);
        Files.move(partial, cluster, StandardCopyOption.ATOMIC_MOVE);
        LOG.info("made a PostgreSQL database in {}", cluster);
    }

    private void checkVersion() throws IOException {
        String version = Files.readString(cluster.resolve("PG_VERSION")).strip();
        if (!version.equals(MAJOR_VERSION)) {
            throw new EmbeddedPostgresException("the database in " + cluster + " was made by PostgreSQL " + version
                    + " and this is " + MAJOR_VERSION + ": dump it with the old version and restore it into a new one");
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    /** The children of a killed postmaster hold its shared memory for a moment, so one attempt is not enough. */
    private void startServer(PostgresProcess server, int firstPort) throws IOException {
        int port = firstPort;
        for (int attempt = 1; ; attempt++) {
            try {
                server.start(port);
                return;
            } catch (EmbeddedPostgresException e) {
                if (attempt == START_ATTEMPTS || closing) {
                    throw e;
                }
                LockSupport.parkNanos(RESTART_DELAY_MIN.toNanos() * attempt);
                port = attempt % 2 == 0 ? freePort() : port;
            }
        }
    }

    /** Our role is no superuser: what may be injected into a statement of ours can run no program. */
    private static void prepare(int port, String password) {
        String server = "jdbc:postgresql://127.0.0.1:" + port + "/postgres?sslmode=disable";
        try (Connection connection = DriverManager.getConnection(server, SUPERUSER, password);
                Statement statement = connection.createStatement()) {
            if (missing(statement, "SELECT 1 FROM pg_roles WHERE rolname = '" + ROLE + "'")) {
                statement.execute("CREATE ROLE " + ROLE + " LOGIN CREATEROLE PASSWORD '" + password + "'");
            }
            if (missing(statement, "SELECT 1 FROM pg_database WHERE datname = '" + DATABASE + "'")) {
                statement.execute("CREATE DATABASE " + DATABASE + " OWNER " + ROLE);
            }
            statement.execute("REVOKE ALL ON DATABASE " + DATABASE + " FROM PUBLIC");
        } catch (SQLException e) {
            throw new EmbeddedPostgresException("the embedded PostgreSQL cannot be prepared: " + e.getMessage(), e);
        }
    }

    private static boolean missing(Statement statement, String query) throws SQLException {
        try (ResultSet rows = statement.executeQuery(query)) {
            return !rows.next();
        }
    }

    private void startWatch(PostgresProcess server) {
        Thread thread = new Thread(() -> watch(server), "tailrace-postgres-watch");
        thread.setDaemon(true);
        watch = thread;
        thread.start();
    }

    private void watch(PostgresProcess server) {
        Duration delay = RESTART_DELAY_MIN;
        while (!closing) {
            LockSupport.parkNanos(WATCH_INTERVAL.toNanos());
            if (closing || server.alive()) {
                continue;
            }
            LOG.error("the embedded PostgreSQL died; starting it again");
            try {
                server.endOrphan();
                startServer(server, server.port());
                DatabaseUrl old = url();
                url = new DatabaseUrl(old.host(), server.port(), DATABASE, ROLE, old.password(), SslMode.DISABLE, null);
                delay = RESTART_DELAY_MIN;
                LOG.info("the embedded PostgreSQL runs again");
            } catch (IOException | RuntimeException e) {
                LOG.error("the embedded PostgreSQL cannot be started again; next attempt in {}", delay, e);
                LockSupport.parkNanos(delay.toNanos());
                delay = delay.multipliedBy(2).compareTo(RESTART_DELAY_MAX) < 0
                        ? delay.multipliedBy(2)
                        : RESTART_DELAY_MAX;
            }
        }
    }

    /** Ends it in order: sessions are cut, a checkpoint is written. */
    @Override
    public void close() {
        closing = true;
        Thread watching = watch;
        if (watching != null) {
            LockSupport.unpark(watching);
            try {
                watching.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        stopQuietly();
        unlock();
    }

    /** For tests: what a crash of ours leaves, a server that runs and nobody who watches it. */
    void abandon() {
        process = null;
        close();
    }

    private void stopQuietly() {
        PostgresProcess server = process;
        process = null;
        if (server != null) {
            try {
                server.stop();
            } catch (IOException | RuntimeException e) {
                LOG.error("the embedded PostgreSQL did not stop; the next start will end it", e);
            }
        }
    }

    // What must hold (durability, where it listens) is on the command line; this is for its owner to change.
    private static final String SETTINGS = """

            # --- Tailrace: written once, when this database was made; yours to change ---
            max_connections = 60
            shared_buffers = 256MB
            max_wal_size = 2GB
            checkpoint_timeout = 15min
            jit = off
            timezone = 'UTC'
            log_timezone = 'UTC'
            logging_collector = on
            log_directory = 'log'
            log_filename = 'postgresql-%a.log'
            log_truncate_on_rotation = on
            log_rotation_age = 1d
            log_rotation_size = 0
            log_min_messages = warning
            """;
}
