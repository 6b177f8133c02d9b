package tailrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.json.JsonObject;
import io.vertx.pgclient.PgConnectOptions;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.net.InetSocketAddress;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** On a real PostgreSQL with a partitioned table that has a column of every kind the server's own may have. */
class PostgresLimitIT {
    private static final String ID = "bench-000000";
    private static final BatchTemplate TEMPLATE = new BatchTemplate(
            new BenchTarget.Server(new InetSocketAddress("127.0.0.1", 1), "127.0.0.1:1", "", "x"),
            "/",
            100,
            450,
            0.2,
            ID.length());

    private static EmbeddedPostgres postgres;

    @BeforeAll
    static void start() throws Exception {
        postgres = EmbeddedPostgres.start();
        try (Connection connection = postgres.getPostgresDatabase().getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("""
                    CREATE SCHEMA tailrace;
                    CREATE TYPE tailrace.log_level AS ENUM ('debug', 'info');
                    CREATE TABLE tailrace.workflow_execution_logs (
                        execution_id varchar(255) NOT NULL, seq bigint NOT NULL, received_at timestamptz NOT NULL,
                        id uuid NOT NULL, level tailrace.log_level NOT NULL, message text NOT NULL, data jsonb,
                        progress numeric(5,2), step integer, priority smallint NOT NULL DEFAULT 5,
                        milestone boolean NOT NULL DEFAULT false, seconds double precision,
                        length integer GENERATED ALWAYS AS (octet_length(message)) STORED,
                        PRIMARY KEY (execution_id, seq, received_at)
                    ) PARTITION BY RANGE (received_at);
                    CREATE INDEX ON tailrace.workflow_execution_logs (level);
                    CREATE TABLE tailrace.all_days PARTITION OF tailrace.workflow_execution_logs DEFAULT;
                    """);
        }
    }

    @AfterAll
    static void stop() throws Exception {
        postgres.close();
    }

    private static PgConnectOptions options() {
        return new PgConnectOptions()
                .setHost("127.0.0.1")
                .setPort(postgres.getPort())
                .setUser("postgres")
                .setPassword("postgres")
                .setDatabase("postgres");
    }

    /** Every fifth seq, as a server that got 100 batches of 100 would have kept. */
    private static void insertRows(int from, int to) throws Exception {
        try (Connection connection = postgres.getPostgresDatabase().getConnection();
                PreparedStatement insert = connection.prepareStatement("""
                        INSERT INTO tailrace.workflow_execution_logs (execution_id, seq, received_at, id, level, message, data, progress, seconds)
                        SELECT ?, n + 1, now(), gen_random_uuid(), 'info', 'a message of some length', '{"t": 1}', 12.5, NULL
                        FROM generate_series(?, ?) AS n WHERE n % 5 = 4
                        """)) {
            insert.setString(1, ID);
            insert.setInt(2, from);
            insert.setInt(3, to - 1);
            insert.execute();
        }
    }

    @Test
    void waitsForTheRowsAndComparesWithABareInsertOfTheSame() throws Exception {
        AckLedger ledger = new AckLedger(List.of(ID));
        for (int batch = 0; batch < 100; batch++) {
            ledger.acknowledged(new AckLedger.Ack(0, batch * 100L + 1, batch * 100L, 100));
        }
        BenchClock clock = BenchClock.start();
        BenchReport report = new BenchReport("bench ingest");
        insertRows(0, 5_000);
        Thread late = new Thread(() -> {
            try {
                Thread.sleep(2_000);
                insertRows(5_000, 10_000);
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
        late.start();

        try (PostgresLimit limit = new PostgresLimit(options(), "tailrace", ledger)) {
            PostgresLimit.Arrival arrival = limit.arrival(report, TEMPLATE, clock, clock.epochMicros());
            limit.bareInsert(report, arrival, Duration.ofSeconds(1));
        }
        late.join();

        assertThat(report.failures()).isEmpty();
        JsonObject found = report.toJson().getJsonObject("postgres");
        assertThat(found.getLong("rows_expected")).isEqualTo(2_000);
        assertThat(found.getLong("rows")).isEqualTo(2_000);
        assertThat(found.getLong("rows_behind_at_end_of_load")).isEqualTo(1_000);
        assertThat(found.getDouble("caught_up_after_s")).isBetween(0.1, 30.0);
        JsonObject bare = report.toJson().getJsonObject("bare_insert");
        assertThat(bare.getLong("rows")).isGreaterThanOrEqualTo(2_000).satisfies(rows -> assertThat(rows % 1_000)
                .isZero());
        assertThat(bare.getDouble("postgres_to_bare_ratio")).isPositive();
        assertThat(schemas()).as("nothing stays behind").isZero();
    }

    private static int schemas() throws Exception {
        try (Connection connection = postgres.getPostgresDatabase().getConnection();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(
                        "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'tailrace_bench%'")) {
            rows.next();
            return rows.getInt(1);
        }
    }
}
