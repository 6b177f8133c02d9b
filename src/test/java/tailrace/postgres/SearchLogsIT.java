package tailrace.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static tailrace.postgres.TestDatabase.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Vertx;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tailrace.metrics.Metrics;
import tailrace.model.LogFilter;
import tailrace.model.TextQuery;
import tailrace.query.LogSearch;
import tailrace.query.SearchCursor;
import tailrace.query.SearchPage;
import tailrace.query.SearchQuery;
import tailrace.security.Principal;

/** Search across executions: every entry once, nobody else's, with and without indexes. */
class SearchLogsIT {
    private static final Principal SERVICE = new Principal("engine", true, Long.MAX_VALUE);
    private static final Principal ANN = new Principal("ann", false, Long.MAX_VALUE);
    private static final Principal BOB = new Principal("bob", false, Long.MAX_VALUE);
    private static final LogFilter EVERYTHING = LogFilter.ALL;

    private static Vertx vertx;
    private static TestDatabase postgres;
    private static Database database;
    private static LogSearch search;

    /** 6 executions over 4 days; ann owns e0, e2 by themselves, and e4 by its workflow. */
    @BeforeAll
    static void open() {
        vertx = Vertx.vertx();
        postgres = TestDatabase.migrated();
        database = postgres.open(vertx);
        search = new LogSearch(
                new SearchReader(new Readers(database), database),
                new ReadGuard(new Metrics(new SimpleMeterRegistry())));
        postgres.execute("SELECT tailrace.make_partition(d::date)"
                + " FROM generate_series('2026-03-01'::date, '2026-03-04', '1 day') d");
        postgres.execute("INSERT INTO tailrace.workflows (workflow_id, user_id) VALUES ('w2', 'ann')");
        postgres.execute("""
                INSERT INTO tailrace.workflow_executions (execution_id, last_seq, total_logs, milestone_count, created_at,
                  last_received_at, generation, last_position, status, workflow_id, user_id, level_counts, event_counts)
                SELECT 'e' || n, 3000, 3000, 0, '2026-03-01', '2026-03-04 23:00', 1, 1, 'RUNNING', 'w' || n / 2,
                  CASE WHEN n IN (0, 2) THEN 'ann' WHEN n = 4 THEN NULL ELSE 'bob' END, '{}', '{}'
                FROM generate_series(0, 5) n""");
        postgres.execute("""
                INSERT INTO tailrace.workflow_execution_logs (execution_id, seq, received_at, timestamp, id, level,
                  event_type, log_category, message, display_priority, is_milestone, node_id)
                SELECT 'e' || n % 6, 1 + n / 6, t, t, gen_random_uuid(),
                  (CASE WHEN n % 10 = 0 THEN 'error' ELSE 'info' END)::tailrace.level, 'log', 'business',
                  'entry ' || n || CASE WHEN n % 1000 = 7 THEN ' Seltenes Wört' ELSE ' usual' END, 5, false, 'n' || n % 3
                FROM (SELECT n, '2026-03-01 01:00'::timestamptz + (n / 40) * interval '10 minutes' AS t
                      FROM generate_series(0, 17999) n) x""");
        postgres.execute("ANALYZE");
    }

    @AfterAll
    static void close() {
        postgres.close();
        await(vertx.close());
    }

    private static LogFilter words(String q) {
        try {
            return new LogFilter(
                    Set.of(), Set.of(), null, 1, null, Long.MIN_VALUE, Long.MAX_VALUE, Set.of(), TextQuery.parse(q));
        } catch (TextQuery.InvalidException e) {
            throw new AssertionError(e);
        }
    }

    /** All entries, page by page, as {@code execution/seq}. */
    private static List<String> walk(Principal who, @Nullable String workflow, LogFilter filter, int limit) {
        List<String> all = new ArrayList<>();
        Optional<SearchCursor> cursor = Optional.empty();
        while (true) {
            Optional<String> of = Optional.ofNullable(workflow);
            SearchPage page = await(search.search(who, new SearchQuery(of, filter, limit, cursor)));
            page.hits()
                    .forEach(
                            hit -> all.add(hit.executionId() + "/" + hit.entry().seq()));
            cursor = SearchCursor.decode(page.next().encode(of), of);
            assertThat(cursor).isPresent();
            if (!page.hasMore()) {
                return all;
            }
        }
    }

    /** The same by a plain query. */
    private static List<String> plain(String where) throws SQLException {
        List<String> all = new ArrayList<>();
        try (Connection connection = TestDatabase.connect(postgres.url());
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT execution_id || '/' || seq"
                        + " FROM tailrace.workflow_execution_logs WHERE " + where
                        + " ORDER BY received_at DESC, execution_id DESC, seq DESC")) {
            while (rows.next()) {
                all.add(rows.getString(1));
            }
        }
        return all;
    }

    @Test
    void aWalkSeesEveryEntryOnceNewestFirst() throws Exception {
        assertThat(walk(SERVICE, null, EVERYTHING, 1000)).isEqualTo(plain("true"));
        assertThat(walk(SERVICE, "w1", EVERYTHING, 997)).isEqualTo(plain("execution_id IN ('e2', 'e3')"));
        assertThat(walk(SERVICE, null, words("seltenes"), 3)).isEqualTo(plain("message LIKE '%Seltenes%'"));
        assertThat(walk(SERVICE, null, words("WÖRT -2007"), 5))
                .isEqualTo(plain("message LIKE '%Wört%' AND message NOT LIKE '%2007%'"));
        assertThat(walk(SERVICE, null, words("nowhere"), 5)).isEmpty();
        var some = new LogFilter(
                Set.of(tailrace.model.Level.ERROR),
                Set.of(tailrace.model.EventType.LOG),
                tailrace.model.LogCategory.BUSINESS,
                5,
                false,
                1_772_409_600_000_000L,
                1_772_496_000_000_000L,
                Set.of("n1", "n2"),
                null);
        assertThat(walk(SERVICE, null, some, 100))
                .isEqualTo(plain("level = 'error' AND node_id IN ('n1', 'n2')"
                        + " AND timestamp BETWEEN '2026-03-02 00:00Z' AND '2026-03-03 00:00Z'"));
    }

    @Test
    void nobodyFindsWhatIsNotTheirs() throws Exception {
        assertThat(walk(ANN, null, EVERYTHING, 1000)).isEqualTo(plain("execution_id IN ('e0', 'e2', 'e4')"));
        assertThat(walk(BOB, null, words("seltenes"), 2))
                .isEqualTo(plain("message LIKE '%Seltenes%' AND execution_id IN ('e1', 'e3', 'e5')"));
        assertThat(walk(ANN, "w0", EVERYTHING, 1000)).isEqualTo(plain("execution_id = 'e0'"));
        assertThat(walk(new Principal("eve", false, 0), "w0", EVERYTHING, 1000)).isEmpty();
        assertThat(walk(new Principal("", false, 0), null, words("usual"), 100)).isEmpty();
        assertThat(await(search.ownsAnyOf(ANN, "w2"))).isTrue();
        assertThat(await(search.ownsAnyOf(new Principal("eve", false, 0), "w2")))
                .isFalse();
        assertThat(await(search.ownsAnyOf(SERVICE, "none"))).isFalse();
    }

    /** By SQL of one's own, with arguments that the server never sends. */
    @Test
    void theFunctionCannotBeTalkedIntoMore() throws Exception {
        try (Connection connection = TestDatabase.connect(postgres.url());
                Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute("SET LOCAL ROLE authenticated");
            statement.execute(
                    "SELECT set_config('request.jwt.claims', '{\"sub\":\"ann\",\"role\":\"service_role\"}', true)");
            List<String> odd = List.of(
                    "NULL, NULL, NULL, NULL, 1001, NULL, NULL, NULL, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, true",
                    "'w0'' OR true --', NULL, NULL, NULL, 1001, NULL, NULL, NULL, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL",
                    "NULL, 'infinity', ''' OR true --', 0, 1001, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{}', '{}', '{}', '{}', '{}', NULL",
                    "NULL, NULL, NULL, NULL, 1001, NULL, NULL, NULL, 1, NULL, NULL, NULL, NULL, '{\"%'' OR true --\",%}', '{\"%x\"}', '{.*}', '{x}', true",
                    "NULL, NULL, NULL, NULL, 1001, NULL, NULL, NULL, 1, NULL, NULL, NULL, NULL, '[5:6]={%e%,%u%}', NULL, NULL, NULL, true");
            for (String arguments : odd) {
                try (ResultSet rows = statement.executeQuery("SELECT count(*) FILTER (WHERE (log).execution_id NOT IN"
                        + " ('e0', 'e2', 'e4')), count((log).seq) FROM tailrace.search_logs(" + arguments + ")")) {
                    assertThat(rows.next()).isTrue();
                    assertThat(rows.getLong(1)).as(arguments).isZero();
                }
            }
            assertThatThrownBy(() -> statement.executeQuery(
                            "SELECT * FROM tailrace.search_logs(NULL, NULL, NULL, NULL, 100000, NULL, NULL, NULL, 1,"
                                    + " NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, true)"))
                    .hasMessageContaining("max_rows");
            connection.rollback();
        }
    }

    /** Entries come while somebody walks, late ones among them; those that were there are seen once. */
    @Test
    void aWalkWhileEntriesComeSeesEachOnce() throws Exception {
        postgres.execute(
                "INSERT INTO tailrace.workflow_executions SELECT 'walk-' || n, 1, 1, 0, now(), null, null, null,"
                        + " null, '2026-03-04 20:00Z', 1, 1, 'RUNNING', null, 'walk', 'walker', '{}', '{}'"
                        + " FROM generate_series(0, 2) n");
        Random random = new Random(7);
        int next = insert(1, 300, random);
        List<String> there = plain("execution_id LIKE 'walk-%'");
        List<String> seen = new ArrayList<>();
        Optional<SearchCursor> cursor = Optional.empty();
        Optional<String> workflow = Optional.of("walk");
        SearchPage page;
        do {
            page = await(search.search(SERVICE, new SearchQuery(workflow, EVERYTHING, 20, cursor)));
            page.hits()
                    .forEach(hit ->
                            seen.add(hit.executionId() + "/" + hit.entry().seq()));
            cursor = Optional.of(page.next());
            next = insert(next, 15, random);
        } while (page.hasMore() && seen.size() < 5_000);
        assertThat(seen).doesNotHaveDuplicates().containsAll(there);
        assertThat(seen.stream().filter(Set.copyOf(there)::contains).toList()).isEqualTo(there);
    }

    private static int insert(int from, int count, Random random) {
        StringBuilder rows = new StringBuilder();
        for (int n = from; n < from + count; n++) {
            rows.append(n == from ? "" : ",")
                    .append("('walk-" + n % 3 + "', " + n
                            + ", '2026-03-04 10:00Z'::timestamptz + interval '1 second' * " + random.nextInt(50)
                            + ", now(), gen_random_uuid(), 'info', 'log', 'business', 'w', 5, false)");
        }
        postgres.execute("INSERT INTO tailrace.workflow_execution_logs (execution_id, seq, received_at, timestamp, id,"
                + " level, event_type, log_category, message, display_priority, is_milestone) VALUES " + rows);
        return from + count;
    }

    @Test
    void theCleanupIndexesTheDaysThatAreOverAndSearchFindsTheSame() throws Exception {
        String valid = "SELECT string_agg(c.relname, ',' ORDER BY c.relname) FROM pg_index i JOIN pg_class c"
                + " ON c.oid = i.indexrelid WHERE i.indisvalid AND c.relname ~ '_text$'";
        List<String> before = walk(SERVICE, null, words("wört"), 5);
        clean("2026-03-03");
        assertThat(postgres.text(valid))
                .isEqualTo("workflow_execution_logs_20260301_text,workflow_execution_logs_20260302_text");
        // One that was broken off is made anew.
        postgres.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid ="
                + " 'tailrace.workflow_execution_logs_20260302_text'::regclass");
        clean("2026-03-04");
        assertThat(postgres.text(valid))
                .isEqualTo("workflow_execution_logs_20260301_text,workflow_execution_logs_20260302_text,"
                        + "workflow_execution_logs_20260303_text");
        assertThat(walk(SERVICE, null, words("wört"), 5)).isEqualTo(before).isNotEmpty();
        assertThat(walk(SERVICE, null, words("\"entry 2007 seltenes\""), 5)).hasSize(1);
        assertThat(walk(SERVICE, null, words("nowhere"), 5)).isEmpty();
        // Frequent ones, which are read; and a rare one beside them, which is not
        assertThat(walk(SERVICE, null, words("usual -2007"), 997))
                .isEqualTo(plain("message LIKE '%usual%' AND message NOT LIKE '%2007%'"));
        assertThat(walk(ANN, null, words("ENTRY usual"), 1000))
                .isEqualTo(plain("message LIKE '%usual%' AND execution_id IN ('e0', 'e2', 'e4')"));
        assertThat(walk(BOB, "w0", words("entry seltenes"), 2))
                .isEqualTo(plain("message LIKE '%Seltenes%' AND execution_id = 'e1'"));
        clean("2026-03-04");
    }

    /** As the cleanup does in the end; the days of a test are too small for it. */
    private static void clean(String today) {
        RetentionNotes notes = new RetentionNotes();
        try (BlockingSession session = BlockingSession.open(vertx, database, "test")) {
            new SearchIndexes(session, database, notes, 1).build(LocalDate.parse(today));
        }
        assertThat(notes.report(Instant.EPOCH, Duration.ZERO, false, "").errors())
                .isEmpty();
    }

    @Test
    void aCursorOfAnotherSearchIsNone() {
        String text = new SearchCursor(5, "e", 7).encode(Optional.of("w"));
        assertThat(SearchCursor.decode(text, Optional.of("w"))).contains(new SearchCursor(5, "e", 7));
        assertThat(SearchCursor.decode(text, Optional.of("v"))).isEmpty();
        assertThat(SearchCursor.decode(text, Optional.empty())).isEmpty();
        assertThat(SearchCursor.decode("x" + text, Optional.of("w"))).isEmpty();
        assertThat(SearchCursor.decode(new SearchCursor(-5, "e", 7).encode(Optional.empty()), Optional.empty()))
                .isEmpty();
    }
}
