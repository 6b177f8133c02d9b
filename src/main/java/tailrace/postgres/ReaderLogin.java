package tailrace.postgres;

import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The login of readers' connections: it owns nothing, inherits nothing and can become {@code authenticated} and nobody
 * else, so that a query which forgot to do so is refused. It is made where it is missing, with a password that follows
 * from the owner's: any number of processes agree on it and none stores it. What an administrator made by hand is used
 * as it is, if it can do no more. Everything blocks; call it on a worker.
 */
final class ReaderLogin {
    private static final Logger LOG = LoggerFactory.getLogger(ReaderLogin.class);

    private static final String SUFFIX = "_reader";
    private static final int IDENTIFIER_MAX_BYTES = 63;
    /** A role of that name without this comment is somebody else's. */
    private static final String COMMENT = "Tailrace: login of readers' connections";

    private static final String DENIED = "42501";
    private static final String NO_SUCH_ROLE = "22023";

    /** Another process may be at it, on this database or another one of the server. */
    private static final int ATTEMPTS = 5;

    private static final Duration ATTEMPT_DELAY = Duration.ofMillis(200);
    /** While another process is making the schema. */
    private static final int SCHEMA_ATTEMPTS = 60;

    private static final Duration SCHEMA_DELAY = Duration.ofSeconds(1);

    private final String schema;
    private final DatabaseUrl owner;
    private final @Nullable DatabaseUrl configured;

    /** @param configured the login an installation made itself, or null */
    ReaderLogin(String schema, DatabaseUrl owner, @Nullable DatabaseUrl configured) {
        this.schema = schema;
        this.owner = owner;
        this.configured = configured;
    }

    /** What is known of the server. */
    private record Server(String login, boolean role, int version, boolean exists, boolean ours) {}

    /**
     * Where readers log in, unless it is configured.
     *
     * @throws ReaderLoginException if there is nothing to derive it from
     */
    static DatabaseUrl derived(DatabaseUrl owner) {
        String role = owner.user() + SUFFIX;
        if (owner.password().value().isEmpty()) {
            throw new ReaderLoginException("DATABASE_URL has no password from which the readers' could follow: set"
                    + " DATABASE_READER_URL to a login that can become authenticated and nothing else");
        }
        if (role.getBytes(StandardCharsets.UTF_8).length > IDENTIFIER_MAX_BYTES) {
            throw new ReaderLoginException("The role " + role + " would have too long a name: set DATABASE_READER_URL"
                    + " to a login that can become authenticated and nothing else");
        }
        byte[] password = ScramVerifier.hmac(
                owner.password().value().getBytes(StandardCharsets.UTF_8), role.getBytes(StandardCharsets.UTF_8));
        return owner.as(role, Base64.getUrlEncoder().withoutPadding().encodeToString(password));
    }

    /**
     * Sees that readers can log in, and makes the login if need be.
     *
     * @throws ReaderLoginException if they cannot and we may not; says which SQL has to be run
     * @throws SQLException while the database is away
     */
    void prepare() throws SQLException {
        Server server = migrated();
        DatabaseUrl reader = configured == null ? derived(owner) : configured;
        for (int attempt = 1; ; attempt++) {
            Optional<SQLException> failure = tryLogin(reader);
            if (failure.isEmpty()) {
                return;
            }
            SQLException error = failure.get();
            if (away(error)) {
                throw error;
            }
            if (attempt == ATTEMPTS
                    || !mended(error)
                    || configured != null
                    || !server.login.equals(owner.user())
                    || !server.role) {
                throw unusable(reader, server, error);
            }
            if (server.exists && !server.ours) {
                throw new ReaderLoginException("The role " + reader.user() + " cannot be used by readers ("
                        + error.getMessage() + "), and is not Tailrace's to change: set DATABASE_READER_URL to a login"
                        + " that can become authenticated and nothing else");
            }
            try {
                make(reader, server);
            } catch (SQLException e) {
                if (away(e)) {
                    throw e;
                }
                if (DENIED.equals(e.getSQLState())) {
                    throw unusable(reader, server, e);
                }
                LOG.debug("the readers' login is being changed by another process, too", e);
                LockSupport.parkNanos(ATTEMPT_DELAY.toNanos() * attempt);
            }
            server = migrated();
        }
    }

    /** Waits for whoever is making the schema. */
    private Server migrated() throws SQLException {
        for (int attempt = 1; ; attempt++) {
            Optional<Server> found = server();
            if (found.isPresent()) {
                return found.get();
            }
            if (attempt == SCHEMA_ATTEMPTS) {
                throw new ReaderLoginException("The schema " + schema + " is not up to date. Run: tailrace migrate");
            }
            LockSupport.parkNanos(SCHEMA_DELAY.toNanos());
        }
    }

    private Optional<Server> server() throws SQLException {
        try (Connection connection = connect(owner);
                PreparedStatement query = connection.prepareStatement(SERVER)) {
            query.setString(1, schema + ".owns_hot_execution(text, text, text)");
            query.setString(2, owner.user() + SUFFIX);
            try (ResultSet row = query.executeQuery()) {
                row.next();
                return row.getBoolean("migrated")
                        ? Optional.of(new Server(
                                row.getString("login"),
                                row.getBoolean("role"),
                                row.getInt("version"),
                                row.getBoolean("found"),
                                COMMENT.equals(row.getString("comment"))))
                        : Optional.empty();
            }
        }
    }

    /** Why readers cannot log in, or nothing. */
    private Optional<SQLException> tryLogin(DatabaseUrl reader) {
        try (Connection connection = connect(reader);
                Statement statement = connection.createStatement()) {
            try (PreparedStatement powers = connection.prepareStatement(POWERS)) {
                powers.setString(1, schema);
                try (ResultSet rows = powers.executeQuery()) {
                    if (rows.next()) {
                        throw new ReaderLoginException("Readers must not log in as " + reader.user() + ": "
                                + rows.getString(1) + ". Set DATABASE_READER_URL to a login that can become"
                                + " authenticated and nothing else");
                    }
                }
            }
            statement.execute("SET ROLE authenticated");
            return Optional.empty();
        } catch (SQLException e) {
            return Optional.of(e);
        }
    }

    private void make(DatabaseUrl reader, Server server) throws SQLException {
        try (Connection connection = connect(owner);
                Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            for (String each : statements(reader, server)) {
                statement.execute(each);
            }
            connection.commit();
            LOG.info("made the role {}, as which readers log in", reader.user());
        }
    }

    /** What makes the login, or makes it anew: for us, or for an administrator. */
    private List<String> statements(DatabaseUrl reader, Server server) {
        List<String> statements = new ArrayList<>();
        String role = quoted(reader.user());
        if (!server.role) {
            statements.add("CREATE ROLE authenticated NOLOGIN");
            statements.add("SELECT " + schema + ".grant_to_authenticated()");
        }
        statements.add((server.exists ? "ALTER" : "CREATE") + " ROLE " + role + " LOGIN NOINHERIT PASSWORD '"
                + ScramVerifier.of(reader.password().value()) + "'");
        statements.add("COMMENT ON ROLE " + role + " IS '" + COMMENT.replace("'", "''") + "'");
        statements.add(
                "GRANT authenticated TO " + role + (server.version >= 160_000 ? " WITH INHERIT FALSE, SET TRUE" : ""));
        statements.add("GRANT CONNECT ON DATABASE " + quoted(reader.database()) + " TO " + role);
        return statements;
    }

    private ReaderLoginException unusable(DatabaseUrl reader, Server server, SQLException error) {
        String why = "Readers cannot use PostgreSQL (" + error.getMessage() + "). ";
        if (configured != null) {
            return new ReaderLoginException(why + "Check DATABASE_READER_URL, or have an administrator run in this"
                    + " database: "
                    + (server.role
                            ? ""
                            : "CREATE ROLE authenticated NOLOGIN; SELECT " + schema + ".grant_to_authenticated(); ")
                    + "GRANT authenticated TO " + quoted(reader.user())
                    + (server.version >= 160_000 ? " WITH INHERIT FALSE, SET TRUE" : "")
                    + "; GRANT CONNECT ON DATABASE "
                    + quoted(reader.database()) + " TO " + quoted(reader.user()) + ";");
        }
        if (!server.login.equals(owner.user())) {
            return new ReaderLoginException(why + "DATABASE_URL logs in as " + owner.user() + " and becomes "
                    + server.login + ", so the name under which readers would log in cannot be known: set"
                    + " DATABASE_READER_URL to a login that can become authenticated and nothing else");
        }
        return new ReaderLoginException(why + server.login + " may not make their login. Have an administrator run in"
                + " this database, or set DATABASE_READER_URL: " + String.join("; ", statements(reader, server)) + ";");
    }

    private static Connection connect(DatabaseUrl url) throws SQLException {
        return DriverManager.getConnection(
                url.jdbcUrl(), url.user(), url.password().value());
    }

    /** What making the login anew can help against: no such login or another password, and what was not granted. */
    private static boolean mended(SQLException error) {
        String state = String.valueOf(error.getSQLState());
        return state.startsWith("28") || state.equals(DENIED) || state.equals(NO_SUCH_ROLE);
    }

    private static boolean away(SQLException error) {
        String state = error.getSQLState();
        return state == null || state.startsWith("08") || state.startsWith("53") || state.startsWith("57P");
    }

    private static String quoted(String identifier) {
        return '"' + identifier.replace("\"", "\"\"") + '"';
    }

    private static final String SERVER = """
            SELECT current_user::text AS login, to_regprocedure(?) IS NOT NULL AS migrated,
              to_regrole('authenticated') IS NOT NULL AS role, current_setting('server_version_num')::int AS version,
              r.oid IS NOT NULL AS found, shobj_description(r.oid, 'pg_authid') AS comment
            FROM (SELECT ?::text AS reader) AS wanted LEFT JOIN pg_catalog.pg_roles r ON r.rolname = wanted.reader
            """;

    // What a login for readers must not be. Without a row it is none of it.
    private static final String POWERS = """
            WITH me AS (SELECT * FROM pg_catalog.pg_roles WHERE rolname = current_user),
              readers AS (SELECT * FROM pg_catalog.pg_roles WHERE rolname = 'authenticated')
            SELECT rolname || ' is a superuser, or passes by row-level security'
            FROM (SELECT * FROM me UNION ALL SELECT * FROM readers) AS either WHERE rolsuper OR rolbypassrls
            UNION ALL
            SELECT 'it can make roles' FROM me WHERE rolcreaterole
            UNION ALL
            SELECT 'it may do something without becoming authenticated' FROM me
            WHERE has_schema_privilege(oid, to_regnamespace(?)::oid, 'USAGE')
            UNION ALL
            SELECT 'it can become ' || other.rolname FROM me, readers, pg_catalog.pg_roles other
            WHERE other.oid NOT IN (me.oid, readers.oid) AND pg_has_role(me.oid, other.oid, 'MEMBER')
              AND NOT pg_has_role(readers.oid, other.oid, 'MEMBER')
            """;
}
