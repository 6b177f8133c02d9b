package tailrace.postgres;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.net.NetClientOptions;
import io.vertx.pgclient.PgBuilder;
import io.vertx.pgclient.PgConnection;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.PoolOptions;
import io.vertx.sqlclient.SqlConnectOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import tailrace.config.TailraceConfig;

/**
 * The PostgreSQL we use, given by its URL or embedded: a pool for readers, who log in as nobody; and as the owner of the
 * tables a small pool, and connections of their own for the writer.
 * Opening succeeds while a database given by URL is down; {@link #migrate} is what finds out.
 */
public final class Database {
    private static final int WAITING_FOR_CONNECTION_MAX = 10_000;
    private static final Duration IDLE_TIMEOUT = Duration.ofMinutes(10);
    /** Services' reads, what is administered, and what the process asks for itself; the writer's are not among them. */
    static final int OWNER_POOL_SIZE = 4;

    private static final String READERS = "tailrace readers";
    private static final String OWNER = "tailrace";

    private final Vertx vertx;
    private final String schema;
    private final Duration connectTimeout;
    private final Sql sql;
    private final RetentionSql retentionSql;
    private final SummarySql summarySql;
    private final StatsSql statsSql;
    private final Supplier<DatabaseUrl> url;
    private final Supplier<DatabaseUrl> listenUrl;
    private final @Nullable EmbeddedPostgres embedded;
    private final Supplier<DatabaseUrl> readerUrl;
    private final @Nullable DatabaseUrl configuredReader;
    private final Pool pool;
    private final Pool readerPool;
    private volatile boolean readersReady;

    private Database(
            Vertx vertx,
            TailraceConfig.Database config,
            Supplier<DatabaseUrl> url,
            Supplier<DatabaseUrl> listenUrl,
            @Nullable DatabaseUrl reader,
            @Nullable EmbeddedPostgres embedded) {
        this.vertx = vertx;
        this.schema = config.schema();
        this.connectTimeout = config.connectTimeout();
        this.sql = new Sql(schema);
        this.retentionSql = new RetentionSql(schema);
        this.summarySql = new SummarySql(schema);
        this.statsSql = new StatsSql(schema);
        this.url = url;
        this.listenUrl = listenUrl;
        this.embedded = embedded;
        this.configuredReader = reader;
        this.readerUrl = reader == null ? () -> ReaderLogin.derived(url.get()) : () -> reader;
        this.pool = pool(OWNER_POOL_SIZE, url, OWNER);
        this.readerPool = pool(config.poolSize(), readerUrl, READERS);
    }

    private Pool pool(int size, Supplier<DatabaseUrl> target, String applicationName) {
        int timeoutMillis = Math.toIntExact(connectTimeout.toMillis());
        return PgBuilder.pool()
                .with(new PoolOptions()
                        .setMaxSize(size)
                        .setMaxWaitQueueSize(WAITING_FOR_CONNECTION_MAX)
                        .setConnectionTimeout(timeoutMillis)
                        .setConnectionTimeoutUnit(TimeUnit.MILLISECONDS)
                        .setIdleTimeout(Math.toIntExact(IDLE_TIMEOUT.toSeconds()))
                        .setIdleTimeoutUnit(TimeUnit.SECONDS))
                .with(new NetClientOptions().setConnectTimeout(timeoutMillis).setTcpKeepAlive(true))
                .connectingTo(() -> options(target, applicationName))
                .using(vertx)
                .build();
    }

    private static Future<SqlConnectOptions> options(Supplier<DatabaseUrl> target, String applicationName) {
        try {
            return Future.succeededFuture(target.get().options(applicationName));
        } catch (RuntimeException e) {
            return Future.failedFuture(e);
        }
    }

    /**
     * Starts the embedded PostgreSQL if no URL is configured, and makes the pool. Fails with
     * {@link EmbeddedPostgresException} or, for a URL that is none, {@link IllegalArgumentException}.
     */
    public static Future<Database> open(Vertx vertx, TailraceConfig.Database config, Path dataDir) {
        if (config.url().isPresent()) {
            try {
                DatabaseUrl fixed = DatabaseUrl.parse(config.url().get().value());
                DatabaseUrl listen = config.listenUrl()
                        .map(own -> DatabaseUrl.parse(own.value()))
                        .orElse(fixed);
                DatabaseUrl reader = config.readerUrl()
                        .map(own -> DatabaseUrl.parse(own.value()))
                        .orElse(null);
                return Future.succeededFuture(new Database(vertx, config, () -> fixed, () -> listen, reader, null));
            } catch (IllegalArgumentException e) {
                return Future.failedFuture(e);
            }
        }
        return vertx.executeBlocking(
                () -> {
                    EmbeddedPostgres embedded = new EmbeddedPostgres(dataDir);
                    embedded.start();
                    return new Database(vertx, config, embedded::url, embedded::url, null, embedded);
                },
                false);
    }

    /** Applies {@code sql/} on a worker; the number of migrations applied. Fails while the database is away. */
    public Future<Integer> migrate() {
        return vertx.executeBlocking(() -> new Migrations(schema).apply(url.get()), false);
    }

    /**
     * Sees that readers can log in, once the schema is there, and makes their login if it is missing; on a worker. Fails
     * with {@link ReaderLoginException} if they cannot, and otherwise while the database is away.
     */
    public Future<Void> prepareReaders() {
        if (readersReady) {
            return Future.succeededFuture();
        }
        return vertx.executeBlocking(
                () -> {
                    new ReaderLogin(schema, url.get(), configuredReader).prepare();
                    readersReady = true;
                    return null;
                },
                false);
    }

    /** As the owner of the tables, who may do all: for what the process itself asks, any thread. */
    Pool pool() {
        return pool;
    }

    /** As a login that may do nothing; for {@link Readers} alone. */
    Pool readerPool() {
        return readerPool;
    }

    /** Where the database is now. */
    public DatabaseUrl url() {
        return url.get();
    }

    public boolean embedded() {
        return embedded != null;
    }

    public String schema() {
        return schema;
    }

    Sql sql() {
        return sql;
    }

    SummarySql summarySql() {
        return summarySql;
    }

    StatsSql statsSql() {
        return statsSql;
    }

    RetentionSql retentionSql() {
        return retentionSql;
    }

    /**
     * A connection outside of the pool, pipelined, for the caller to close. On the caller's context.
     *
     * @param applicationName how it is called in {@code pg_stat_activity}
     */
    public Future<PgConnection> connect(String applicationName) {
        return connect(url, applicationName);
    }

    /** The same past any pooler, which has no sessions to LISTEN in: to {@code DATABASE_LISTEN_URL} where it is set. */
    Future<PgConnection> connectToListen(String applicationName) {
        return connect(listenUrl, applicationName);
    }

    private Future<PgConnection> connect(Supplier<DatabaseUrl> target, String applicationName) {
        Future<PgConnection> connecting;
        try {
            connecting = PgConnection.connect(vertx, target.get().options(applicationName));
        } catch (RuntimeException e) {
            return Future.failedFuture(e);
        }
        // One that arrives after its time is nobody's: it must not stay open.
        Future<PgConnection> inTime = connecting.timeout(connectTimeout.toMillis(), TimeUnit.MILLISECONDS);
        inTime.onFailure(late -> connecting.onSuccess(PgConnection::close));
        return inTime;
    }

    /** Whether it answers a trivial query. Never fails. */
    public Future<Boolean> answers() {
        return pool.query("SELECT 1").execute().map(true).otherwise(false);
    }

    /** Closes the pools and stops the embedded server. */
    public Future<Void> close() {
        Future<Void> closed = readerPool.close().eventually(pool::close);
        EmbeddedPostgres server = embedded;
        if (server == null) {
            return closed;
        }
        return closed.eventually(() -> vertx.executeBlocking(
                () -> {
                    server.close();
                    return null;
                },
                false));
    }
}
