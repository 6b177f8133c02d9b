package tailrace.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static tailrace.postgres.TestDatabase.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tailrace.config.RedisUrl;
import tailrace.config.TailraceConfig;
import tailrace.metrics.Metrics;
import tailrace.model.EntryFields;
import tailrace.model.EventType;
import tailrace.model.Level;
import tailrace.model.LogCategory;
import tailrace.model.LogEntry;
import tailrace.model.LogFilter;
import tailrace.model.TextQuery;
import tailrace.query.FakeCold;
import tailrace.query.FakeJournal;
import tailrace.query.History;
import tailrace.query.HistoryPage;
import tailrace.query.HistoryQuery;
import tailrace.query.PostgresColdStore;
import tailrace.query.RedisHotStore;
import tailrace.query.Tiers;
import tailrace.redis.RedisHotTier;
import tailrace.redis.TestRedis;
import tailrace.security.Principal;

/** Every filter of SPEC 6 answers the same whichever tier the entries lie in, and at the seam of two. */
class FilterTableIT {
    private static final TailraceConfig.Writer EVERYTHING =
            new TailraceConfig.Writer(Duration.ofMillis(20), 50, 1_000, 5_000, true, 2);
    private static final long NOW = TestEntries.NOW;

    /** What is asked, and which seqs have to come. */
    private record Row(String name, HistoryQuery query, List<Long> seqs) {}

    private static final class Filter {
        Set<Level> levels = Set.of();
        Set<EventType> types = Set.of();

        @Nullable
        LogCategory category;

        int priority = 1;

        @Nullable
        Boolean milestone;

        long start = Long.MIN_VALUE;
        long end = Long.MAX_VALUE;
        Set<String> nodes = Set.of();

        @Nullable
        TextQuery text;

        LogFilter build() {
            return new LogFilter(levels, types, category, priority, milestone, start, end, nodes, text);
        }
    }

    private static Row row(String name, java.util.function.Consumer<Filter> set, long... seqs) {
        Filter filter = new Filter();
        set.accept(filter);
        return new Row(name, query(filter.build(), true, 100, 0, 0, Long.MAX_VALUE), longs(seqs));
    }

    private static Row q(String q, long... seqs) {
        return row("q=" + q, filter -> filter.text = text(q), seqs);
    }

    private static TextQuery text(String q) {
        try {
            return TextQuery.parse(q);
        } catch (TextQuery.InvalidException e) {
            throw new AssertionError(q, e);
        }
    }

    private static HistoryQuery query(
            LogFilter filter, boolean ascending, int limit, int offset, long afterSeq, long beforeSeq) {
        return new HistoryQuery(filter, ascending, limit, offset, Optional.empty(), afterSeq, beforeSeq);
    }

    private static List<Long> longs(long... values) {
        return java.util.Arrays.stream(values).boxed().toList();
    }

    private static EntryFields entry(int n, String message) {
        EntryFields fields = new EntryFields();
        fields.id = new UUID(0x7000, n);
        fields.message = message;
        fields.receivedAtMicros = NOW + n * 1_000L;
        fields.timestampMicros = NOW + n * 1_000_000L;
        fields.level = Level.values()[n % 5];
        fields.displayPriority = n;
        return fields;
    }

    /** Seqs 1 to 8. */
    private static List<EntryFields> entries() {
        List<EntryFields> all = new ArrayList<>();
        for (String message : List.of(
                "Order 17 was paid",
                "payment of order 18 FAILED: 100% of retries",
                "größer als ÜBERLAUF",
                "plain",
                "C:\\temp\\a_b \"quoted\"\ttab",
                "caption",
                "Ελλάς 注文 17",
                "last\u007f one \u001f between")) {
            all.add(entry(all.size() + 1, message));
        }
        all.get(1).eventType = EventType.STEP_ERROR;
        all.get(2).category = LogCategory.BUSINESS;
        all.get(3).userFriendlyMessage = "Your order is on its way";
        all.get(3).milestone = true;
        all.get(5).errorCode = "E_PAY_1";
        all.get(5).stackTrace = "java.lang.NullPointerException\n\tat a.B(C.java:1)";
        all.get(0).nodeId = "n1";
        all.get(1).nodeId = "N1";
        all.get(2).nodeId = "n\"2\\";
        all.get(6).data = "{\"message\":\"failed inside of data\"}";
        return all;
    }

    private static final List<Row> TABLE = List.of(
            row("nothing", filter -> {}, 1, 2, 3, 4, 5, 6, 7, 8),
            row("level", filter -> filter.levels = Set.of(Level.INFO, Level.CRITICAL), 1, 4, 6),
            row("event_type", filter -> filter.types = Set.of(EventType.STEP_ERROR), 2),
            row("category", filter -> filter.category = LogCategory.BUSINESS, 3),
            row("min_priority", filter -> filter.priority = 7, 7, 8),
            row("milestone", filter -> filter.milestone = true, 4),
            row("no milestone", filter -> filter.milestone = false, 1, 2, 3, 5, 6, 7, 8),
            row("start_time", filter -> filter.start = NOW + 6_000_000, 6, 7, 8),
            row("end_time", filter -> filter.end = NOW + 2_000_000, 1, 2),
            row("node_id", filter -> filter.nodes = Set.of("n1"), 1),
            row("node_ids", filter -> filter.nodes = Set.of("N1", "n\"2\\", "none"), 2, 3),
            row("no such node", filter -> filter.nodes = Set.of("n"), new long[0]),
            q("order", 1, 2, 4),
            q("ORDER paid", 1),
            q("paid order", 1),
            q("\"order 17\"", 1),
            q("\"17 order\""),
            q("17", 1, 7),
            q("order -paid", 2, 4),
            q("-order", 3, 5, 6, 7, 8),
            q("-order -\"last\"", 3, 5, 6, 7),
            q("failed", 2),
            q("pay", 2, 6),
            q("e_pay_1", 6),
            q("e-pay"),
            q("pointer", 6),
            q("\"exception\n\tat\"", 6),
            q("caption pointer e_pay", 6),
            q("way plain", 4),
            q("waye"),
            q("100%", 2),
            q("a_b", 5),
            q("aXb"),
            q("c:\\temp", 5),
            q("\\\\"),
            q("\"\\\\temp\\\\a\"", 5),
            q("\"\\\"QUOTED\\\"\"", 5),
            q("\"\tTAB\"", 5),
            q("überlauf", 3),
            q("GRÖSSER"),
            q("GRÖßER", 3),
            q("GRÖẞER", 3),
            q("\"größer als Ü\"", 3),
            q("-größer", 1, 2, 4, 5, 6, 7, 8),
            q("ΕΛΛΆΣ", 7),
            q("ελλάσ 注文", 7),
            q("注", 7),
            q("last\u007f", 8),
            q("between -last"),
            q("p.id"),
            q("(", 6),
            q("ö.*", new long[0]),
            new Row(
                    "q and level and node",
                    query(
                            new LogFilter(
                                    Set.of(Level.WARNING),
                                    Set.of(),
                                    null,
                                    1,
                                    null,
                                    Long.MIN_VALUE,
                                    Long.MAX_VALUE,
                                    Set.of("N1"),
                                    text("order")),
                            true,
                            100,
                            0,
                            0,
                            Long.MAX_VALUE),
                    List.of(2L)),
            new Row("desc", query(with("order"), false, 100, 0, 0, Long.MAX_VALUE), List.of(4L, 2L, 1L)),
            new Row("limit", query(with("order"), true, 2, 0, 0, Long.MAX_VALUE), List.of(1L, 2L)),
            new Row("offset", query(with("order"), true, 100, 2, 0, Long.MAX_VALUE), List.of(4L)),
            new Row("after_seq", query(with("order"), true, 100, 0, 1, Long.MAX_VALUE), List.of(2L, 4L)),
            new Row("before_seq", query(with("order"), true, 100, 0, 0, 4), List.of(1L, 2L)));

    private static LogFilter with(String q) {
        Filter filter = new Filter();
        filter.text = text(q);
        return filter.build();
    }

    private static Vertx vertx;
    private static TestDatabase postgres;
    private static TestRedis redis;
    private static Context context;
    private static PostgresColdStore cold;
    private static RedisHotTier hot;
    private static RedisHotStore hotStore;
    private static final FakeJournal FULL = new FakeJournal();

    @BeforeAll
    static void open() throws Exception {
        vertx = Vertx.vertx();
        context = vertx.getOrCreateContext();
        postgres = TestDatabase.migrated();
        redis = TestRedis.start();
        Metrics metrics = new Metrics(new SimpleMeterRegistry());
        Database database = postgres.open(vertx);
        Clock clock = Clock.fixed(Instant.ofEpochSecond(NOW / 1_000_000), ZoneOffset.UTC);
        cold = new PostgresColdStore(
                new LogReader(database, new Readers(database)).as(Principal.SERVER), new ReadGuard(metrics), clock, 10);
        var journal = new InMemoryJournal();
        for (String execution : List.of("table", "random")) {
            journal.append(execution, of(execution));
            FULL.append(execution, of(execution));
        }
        new WriterFixture(vertx, database, journal, EVERYTHING).close();
        hot = new RedisHotTier(
                vertx,
                RedisUrl.parse(redis.url()),
                new TailraceConfig.Redis(Optional.empty(), Duration.ofSeconds(5)),
                Duration.ofDays(1),
                FULL,
                clock,
                metrics);
        hotStore = on(() -> {
            hot.start();
            return Future.succeededFuture(new RedisHotStore(hot));
        });
        TestDatabase.eventually(() -> hot.available() && hot.position() == FULL.lastPosition() && hotStore.usable());
    }

    @AfterAll
    static void close() throws Exception {
        await(hot.stop(Duration.ofSeconds(2)));
        redis.close();
        postgres.close();
        await(vertx.close());
    }

    private static <T> T on(Callable<Future<T>> work) {
        Promise<T> done = Promise.promise();
        context.runOnContext(none -> {
            try {
                work.call().onComplete(done);
            } catch (Exception e) {
                done.fail(e);
            }
        });
        return await(done.future());
    }

    private static List<EntryFields> of(String execution) {
        return execution.equals("table") ? entries() : random(new Random(5), 400);
    }

    /** The same entries, each time in another tier. */
    private static Map<String, Tiers> worlds(String execution, long seam) {
        Map<String, Tiers> worlds = new LinkedHashMap<>();
        worlds.put("journal", new Tiers(vertx, journal(execution, 1), new FakeCold()));
        worlds.put("redis", new Tiers(vertx, journal(execution, Long.MAX_VALUE), new FakeCold(), hotStore));
        worlds.put("postgres", new Tiers(vertx, journal(execution, Long.MAX_VALUE), cold));
        worlds.put("postgres and journal", new Tiers(vertx, journal(execution, seam), cold));
        worlds.put("redis and journal", new Tiers(vertx, journal(execution, seam), new FakeCold(), hotStore));
        return worlds;
    }

    /** One that holds what is from a seq on. */
    private static FakeJournal journal(String execution, long fromSeq) {
        var journal = new FakeJournal();
        journal.append(execution, of(execution));
        long last = journal.state(execution).lastSeq();
        journal.purgeBelow(execution, Math.min(fromSeq, last + 1));
        return journal;
    }

    private static List<Long> seqs(HistoryPage page) {
        List<Long> seqs = new ArrayList<>();
        for (List<LogEntry> piece = on(page::next); !piece.isEmpty(); piece = on(page::next)) {
            piece.forEach(entry -> seqs.add(entry.seq()));
        }
        return seqs;
    }

    private static HistoryPage page(Tiers tiers, String execution, HistoryQuery query) {
        return on(
                () -> tiers.execution(execution).compose(state -> new History(tiers).open(state.orElseThrow(), query)));
    }

    @Test
    void everyTierAnswersTheTable() {
        worlds("table", 4).forEach((name, tiers) -> {
            for (Row row : TABLE) {
                HistoryPage page = page(tiers, "table", row.query());
                assertThat(seqs(page)).as("%s by %s", row.name(), name).isEqualTo(row.seqs());
                if (row.query().limit() == 100 && row.query().offset() == 0) {
                    assertThat(page.total()).as("%s by %s", row.name(), name).hasValue((long)
                            row.seqs().size());
                }
            }
        });
    }

    private static final List<String> WORDS =
            List.of("order", "Payment", "ÄRGER", "ärger", "a%b", "NullPointer", "x_y", "\"q\"", "\\d", "straße", "17");

    private static List<EntryFields> random(Random random, int count) {
        List<EntryFields> all = new ArrayList<>();
        for (int i = 1; i <= count; i++) {
            EntryFields fields = entry(i, sentence(random));
            fields.displayPriority = 1 + random.nextInt(10);
            fields.level = Level.values()[random.nextInt(5)];
            fields.eventType = EventType.values()[random.nextInt(10)];
            fields.category = LogCategory.values()[random.nextInt(2)];
            fields.milestone = random.nextBoolean();
            fields.userFriendlyMessage = random.nextInt(3) == 0 ? sentence(random) : null;
            fields.errorCode = random.nextInt(5) == 0 ? WORDS.get(random.nextInt(WORDS.size())) : null;
            fields.stackTrace = random.nextInt(5) == 0 ? sentence(random) + "\n\tat " + sentence(random) : null;
            fields.nodeId = random.nextInt(3) == 0 ? "n" + random.nextInt(4) : null;
            fields.nodeName = "order Payment 17";
            all.add(fields);
        }
        return all;
    }

    private static String sentence(Random random) {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(4); i >= 0; i--) {
            text.append(WORDS.get(random.nextInt(WORDS.size()))).append(i == 0 ? "" : " ");
        }
        return text.toString();
    }

    /** A term as typed, and as a plain search knows it. */
    private record Asked(String typed, String plain, boolean excluded) {}

    private static Asked asked(Random random) {
        String term = random.nextBoolean() ? WORDS.get(random.nextInt(WORDS.size())) : sentence(random);
        int from = random.nextInt(Math.max(1, term.length() / 2));
        String plain = term.substring(from);
        boolean excluded = random.nextInt(4) == 0;
        String quoted = '"' + plain.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
        return new Asked((excluded ? "-" : "") + quoted, plain.toLowerCase(Locale.ROOT), excluded);
    }

    private static boolean has(EntryFields fields, String plain) {
        for (String text :
                new String[] {fields.message, fields.userFriendlyMessage, fields.errorCode, fields.stackTrace}) {
            if (text != null && text.toLowerCase(Locale.ROOT).contains(plain)) {
                return true;
            }
        }
        return false;
    }

    @Test
    void randomQuestionsAreAnsweredAsAPlainSearchWould() {
        List<EntryFields> entries = of("random");
        Map<String, Tiers> worlds = worlds("random", 200);
        long seed = Long.getLong("tailrace.seed", System.nanoTime());
        Random random = new Random(seed);
        for (int round = 0; round < 60; round++) {
            Filter filter = new Filter();
            List<Asked> terms = new ArrayList<>();
            for (int i = random.nextInt(3); i > 0; i--) {
                terms.add(asked(random));
            }
            filter.text = terms.isEmpty()
                    ? null
                    : text(String.join(" ", terms.stream().map(Asked::typed).toList()));
            filter.nodes = random.nextInt(4) == 0 ? Set.of("n1", "n3") : Set.of();
            filter.levels = random.nextInt(3) == 0 ? Set.of(Level.ERROR, Level.INFO) : Set.of();
            filter.milestone = random.nextInt(4) == 0 ? Boolean.TRUE : null;
            filter.priority = random.nextInt(4) == 0 ? 4 : 1;
            filter.start = random.nextInt(4) == 0 ? NOW + 100_000_000L : Long.MIN_VALUE;
            LogFilter built = filter.build();
            List<Long> expected = new ArrayList<>();
            for (int i = 0; i < entries.size(); i++) {
                EntryFields fields = entries.get(i);
                if (terms.stream().allMatch(term -> has(fields, term.plain()) != term.excluded())
                        && (filter.nodes.isEmpty() || (fields.nodeId != null && filter.nodes.contains(fields.nodeId)))
                        && (filter.levels.isEmpty() || filter.levels.contains(fields.level))
                        && (filter.milestone == null || fields.milestone)
                        && fields.displayPriority >= filter.priority
                        && fields.timestampMicros >= filter.start) {
                    expected.add(i + 1L);
                }
            }
            worlds.forEach((name, tiers) -> {
                HistoryPage page = page(tiers, "random", query(built, true, 1000, 0, 0, Long.MAX_VALUE));
                assertThat(seqs(page))
                        .as("%s by %s, seed %d", built, name, seed)
                        .isEqualTo(expected);
                assertThat(page.total())
                        .as("%s by %s, seed %d", built, name, seed)
                        .hasValue((long) expected.size());
            });
        }
    }

    @Test
    void whatReadersSendIsShortEnoughToStayPrepared() {
        Sql sql = new Sql("a_schema_of_thirty_characters_");
        // The client prepares longer ones anew for each query.
        assertThat(List.of(
                        sql.entriesAscending, sql.entriesDescending, sql.countEntries, sql.search, sql.nthSeqAscending))
                .allSatisfy(text -> assertThat(text.length()).isLessThan(2_048));
    }
}
