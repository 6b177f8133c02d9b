package tailrace.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static tailrace.postgres.TestDatabase.await;
import static tailrace.postgres.TestDatabase.eventually;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.pgclient.PgException;
import io.vertx.sqlclient.SqlClient;
import io.vertx.sqlclient.SqlConnection;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tailrace.config.TailraceConfig;
import tailrace.config.TailraceConfig.Secret;
import tailrace.model.LogFilter;
import tailrace.security.Principal;

/** Each query runs as whoever asks, and nothing of them stays behind on the connection, whatever happens. */
class ReadersIT {
    private static final String WHO = "SELECT current_user || ' ' || coalesce(tailrace.subject(), 'nobody')";
    private static final Principal ANN = TwoTenants.ANN;
    private static final Principal BOB = TwoTenants.BOB;

    private static TestDatabase postgres;

    private Vertx vertx;
    private HeldLink link;
    private Database database;
    private Readers readers;

    @BeforeAll
    static void fill() {
        postgres = TestDatabase.migrated();
        TwoTenants.fill(postgres);
    }

    @AfterAll
    static void drop() {
        postgres.close();
    }

    @BeforeEach
    void open() {
        vertx = Vertx.vertx();
        link = new HeldLink(vertx, postgres.url().port());
        var onlyOneConnection = new TailraceConfig.Database(
                Optional.of(new Secret(postgres.text(link.port()))),
                Optional.empty(),
                Optional.empty(),
                1,
                "tailrace",
                Duration.ofSeconds(5));
        database = await(Database.open(vertx, onlyOneConnection, Path.of("target")));
        await(database.prepareReaders());
        readers = new Readers(database, Sql.BECOME_READER, Duration.ofMillis(400));
    }

    @AfterEach
    void close() {
        await(database.close());
        link.close();
        await(vertx.close());
    }

    private static Function<SqlClient, Future<String>> text(String sql) {
        return client -> client.preparedQuery(sql)
                .execute()
                .map(rows -> rows.iterator().next().getValue(0).toString());
    }

    /** What the connection is between two readers. */
    private String leftBehind() {
        SqlConnection connection = await(database.readerPool().getConnection());
        try {
            return await(text("SELECT current_user || '|' || coalesce(current_setting('request.jwt.claims', true), '')"
                            + " || '|' || coalesce(current_setting('tailrace.opened_execution', true), '')")
                    .apply(connection));
        } finally {
            await(connection.close());
        }
    }

    private void assertState(Future<?> failed, String sqlState) {
        assertThatThrownBy(() -> await(failed))
                .isInstanceOfSatisfying(PgException.class, error -> assertThat(error.getSqlState())
                        .as(error.getMessage())
                        .isEqualTo(sqlState));
    }

    @Test
    void aQueryIsOneRoundTrip() throws Exception {
        LogReader reader = new LogReader(database, readers).as(ANN);
        await(reader.entries("ann-own", 1, 3, true, 10, LogFilter.ALL)); // prepares what is prepared
        link.hold();

        Future<?> page = reader.entries("ann-own", 1, 3, true, 10, LogFilter.ALL);

        eventually(() -> link.said().contains("COMMIT"));
        assertThat(page.isComplete()).isFalse();
        assertThat(link.said()).contains("BEGIN READ ONLY", "SET LOCAL ROLE authenticated", "\"sub\":\"ann\"");
        link.release();
        assertThat(await(reader.entries("ann-own", 1, 3, true, 10, LogFilter.ALL)))
                .hasSize(3);
        await(page);
    }

    @Test
    void readersInTurnOnOneConnectionAreNeverTakenForEachOther() {
        List<Future<String>> answers = new ArrayList<>();
        List<String> expected = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            Principal who = i % 2 == 0 ? ANN : BOB;
            switch (i % 5) {
                case 1 -> {
                    answers.add(readers.as(who, text("SELECT 1 / 0")).recover(e -> Future.succeededFuture("failed")));
                    expected.add("failed");
                }
                case 2 -> {
                    answers.add(readers.as(who, who.subject() + "-own", client -> {
                                throw new IllegalArgumentException("of ours");
                            })
                            .map(String::valueOf)
                            .recover(e -> Future.succeededFuture(e.getMessage())));
                    expected.add("of ours");
                }
                default -> {
                    answers.add(readers.as(who, text(WHO)));
                    expected.add("authenticated " + who.subject());
                }
            }
        }

        assertThat(await(Future.all(answers)).<String>list()).isEqualTo(expected);
        assertThat(leftBehind()).isEqualTo(ReaderLogin.derived(postgres.url()).user() + "||");
    }

    @Test
    void aQueryThatTakesTooLongIsEndedAndLeavesNothing() {
        assertState(readers.as(ANN, "ann-own", text("SELECT pg_sleep(20)::text")), "57014");

        assertThat(await(readers.as(BOB, text(WHO)))).isEqualTo("authenticated bob");
        assertThat(leftBehind()).isEqualTo(ReaderLogin.derived(postgres.url()).user() + "||");
    }

    @Test
    void whatIsAskedLaterIsRefused() {
        Future<String> late = readers.as(ANN, client -> text(WHO).apply(client).compose(first -> text(WHO)
                .apply(client)));

        assertThatThrownBy(() -> await(late)).isInstanceOf(IllegalStateException.class);
        assertThat(await(readers.as(BOB, text(WHO)))).isEqualTo("authenticated bob");
    }

    /** No query has a condition of its own to hide behind: without its role it may do nothing at all. */
    @Test
    void withoutItsRoleEveryQueryOfReadersIsRefused() {
        Readers forgetful = new Readers(database, "SELECT 1", Duration.ofSeconds(5));
        LogReader reader = new LogReader(database, forgetful).as(ANN);

        assertState(reader.execution("ann-own"), "42501");
        assertState(reader.entries("ann-own", 1, 3, true, 10, LogFilter.ALL), "42501");
        assertState(reader.entries("ann-own", 1, 3, false, 10, LogFilter.ALL), "42501");
        assertState(reader.count("ann-own", 1, 3, LogFilter.ALL), "42501");
        assertState(new Workflows(database, forgetful, () -> {}).find(ANN, "ann-w"), "42501");
        assertState(
                new Ownership(database, forgetful).owns(ANN, List.of(TestStates.state("ann-own", "ann", null))),
                "42501");
    }

    @Test
    void aQueryOfAReaderCannotWrite() {
        assertState(readers.as(ANN, text("CREATE TEMP TABLE t AS SELECT 1")), "25006");
    }

    @Test
    void aSubjectThatPostgresCannotHoldIsNobody() {
        for (String odd : List.of("ann\0", "\0", "ann\ud800")) {
            assertThat(await(readers.as(new Principal(odd, false, Long.MAX_VALUE), text(WHO))))
                    .isEqualTo("authenticated nobody");
        }
        String quoting = "a\"b\\'; DROP TABLE x; --\u00e9\ud83d\ude00";
        assertThat(await(readers.as(new Principal(quoting, false, Long.MAX_VALUE), text(WHO))))
                .isEqualTo("authenticated " + quoting);
    }

    @Test
    void aServiceReadsAllAndTakesNoReadersConnection() {
        SqlConnection taken = await(database.readerPool().getConnection());
        try {
            assertThat(await(new LogReader(database, readers)
                            .as(Principal.SERVER)
                            .count("bob-own", 1, 3, LogFilter.ALL)))
                    .isEqualTo(3);
        } finally {
            await(taken.close());
        }
    }
}
