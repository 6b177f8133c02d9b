package tailrace.postgres;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.pgclient.SslMode;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.postgresql.PostgreSQLContainer;
import tailrace.config.TailraceConfig;
import tailrace.config.TailraceConfig.Secret;

/**
 * A fresh, migrated database on one real PostgreSQL per JVM: Testcontainers' where Docker answers, else the embedded
 * one. Dropped by {@link #close}.
 */
public final class TestDatabase implements AutoCloseable {
    private static final AtomicInteger NUMBER = new AtomicInteger();
    private static final int TIMEOUT_SECONDS = 60;
    /** Several JVMs run tests at a time, each with a PostgreSQL of its own. */
    static final Path EMBEDDED = Path.of("target", "test-postgres" + System.getProperty("tailrace.fork", ""));

    private final String name;
    private final DatabaseUrl url;
    private final List<Database> opened = new ArrayList<>();

    private TestDatabase(String name, DatabaseUrl url) {
        this.name = name;
        this.url = url;
    }

    /** One server for all tests of this JVM. */
    private static final class Server {
        static final DatabaseUrl SUPERUSER = start();

        private static DatabaseUrl start() {
            if (DockerClientFactory.instance().isDockerAvailable()) {
                PostgreSQLContainer container = new PostgreSQLContainer("postgres:18");
                container.start();
                return new DatabaseUrl(
                        container.getHost(),
                        container.getMappedPort(5432),
                        container.getDatabaseName(),
                        container.getUsername(),
                        new Secret(container.getPassword()),
                        SslMode.DISABLE,
                        null);
            }
            // Kept between runs: a test run then saves the making of a database.
            EmbeddedPostgres embedded = new EmbeddedPostgres(EMBEDDED);
            embedded.start();
            Runtime.getRuntime().addShutdownHook(new Thread(embedded::close));
            DatabaseUrl ours = embedded.url();
            return new DatabaseUrl(
                    ours.host(), ours.port(), "postgres", "postgres", ours.password(), SslMode.DISABLE, null);
        }
    }

    /** An empty database without our schema. */
    public static TestDatabase empty() {
        DatabaseUrl server = Server.SUPERUSER;
        String name = "t" + ProcessHandle.current().pid() + "_" + NUMBER.incrementAndGet();
        execute(server, "CREATE DATABASE " + name);
        return new TestDatabase(name, in(server, name));
    }

    /** A database with our schema {@code tailrace}. */
    public static TestDatabase migrated() {
        TestDatabase database = empty();
        new Migrations("tailrace").apply(database.url());
        return database;
    }

    private static DatabaseUrl in(DatabaseUrl server, String database) {
        return new DatabaseUrl(
                server.host(),
                server.port(),
                database,
                server.user(),
                server.password(),
                server.sslMode(),
                server.rootCertificate());
    }

    public DatabaseUrl url() {
        return url;
    }

    /** As configuration has it. */
    public String urlText() {
        return text(url.port());
    }

    /** The same through another port of this machine. */
    public String text(int port) {
        return "postgres://" + url.user() + ":" + url.password().value() + "@" + url.host() + ":" + port + "/" + name
                + "?sslmode=disable";
    }

    public TailraceConfig.Database config() {
        return config(url.port());
    }

    /** The same through another port of this machine. */
    public TailraceConfig.Database config(int port) {
        return new TailraceConfig.Database(
                Optional.of(new Secret(text(port))),
                Optional.empty(),
                Optional.empty(),
                4,
                "tailrace",
                Duration.ofSeconds(5));
    }

    /** Closed with this. */
    public Database open(Vertx vertx) {
        return open(vertx, url.port());
    }

    /** Closed with this. */
    public Database open(Vertx vertx, int port) {
        Database database = await(Database.open(vertx, config(port), Path.of("target")));
        opened.add(database);
        return database;
    }

    public void execute(String sql) {
        execute(url, sql);
    }

    /** The first column of the first row. */
    public long number(String query) {
        return Long.parseLong(text(query));
    }

    /** The first column of the first row. */
    public String text(String query) {
        try (Connection connection = connect(url);
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(query)) {
            return rows.next() ? String.valueOf(rows.getString(1)) : "";
        } catch (SQLException e) {
            throw new IllegalStateException(query, e);
        }
    }

    private static void execute(DatabaseUrl url, String sql) {
        try (Connection connection = connect(url);
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(sql, e);
        }
    }

    static Connection connect(DatabaseUrl url) throws SQLException {
        return DriverManager.getConnection(
                url.jdbcUrl(), url.user(), url.password().value());
    }

    /** The result, or the failure thrown. */
    public static <T> T await(Future<T> future) {
        try {
            return future.await(TIMEOUT_SECONDS, TimeUnit.SECONDS);
        } catch (java.util.concurrent.TimeoutException e) {
            throw new IllegalStateException("no answer within " + TIMEOUT_SECONDS + " s", e);
        }
    }

    /** Waits until it holds. */
    public static void eventually(java.util.concurrent.Callable<Boolean> condition) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(TIMEOUT_SECONDS);
        try {
            while (!condition.call()) {
                if (System.nanoTime() > deadline) {
                    throw new AssertionError("not within " + TIMEOUT_SECONDS + " s");
                }
                Thread.sleep(20);
            }
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        opened.forEach(database -> await(database.close()));
        execute(Server.SUPERUSER, "DROP DATABASE " + name + " WITH (FORCE)");
    }
}
