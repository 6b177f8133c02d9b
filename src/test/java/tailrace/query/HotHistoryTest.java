package tailrace.query;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;
import org.jspecify.annotations.Nullable;
import tailrace.model.EntryFields;
import tailrace.model.EventType;
import tailrace.model.Level;
import tailrace.model.LogEntry;
import tailrace.model.LogFilter;
import tailrace.query.Coverage.Gap;

/** Whatever a hot tier beside the journal holds, loses or answers, history is what a plain filter finds. */
class HotHistoryTest {
    private static @Nullable Vertx vertx;

    @BeforeContainer
    static void open() {
        vertx = Vertx.vertx();
    }

    @AfterContainer
    static void close() throws Exception {
        get(vertx().close());
    }

    private static Vertx vertx() {
        Vertx open = vertx;
        if (open == null) {
            throw new IllegalStateException("not open");
        }
        return open;
    }

    /** An execution whose entries are in the journal, in PostgreSQL, in the hot tier, or in several of them. */
    private static final class World {
        final FakeJournal journal = new FakeJournal();
        final FakeCold cold = new FakeCold();
        final FakeHot hot = new FakeHot();
        final Tiers tiers = new Tiers(vertx(), journal, cold, hot);
        final History history = new History(tiers);
        final List<LogEntry> all = new ArrayList<>();
        final Set<Long> inHot = new TreeSet<>();
        long hotFrom = 1;

        World(Random random) {
            int commits = 1 + random.nextInt(6);
            for (int i = 0; i < commits; i++) {
                append(random, 1 + random.nextInt(200));
            }
            int last = all.size();
            for (int runs = random.nextInt(4); runs > 0; runs--) {
                // Nothing, a beginning, an end, a middle, all, or some of these
                int from = random.nextBoolean() ? 0 : random.nextInt(last);
                int to = random.nextBoolean() ? last : from + random.nextInt(last - from + 1);
                hot.hold(all.subList(from, to));
                all.subList(from, to).forEach(entry -> inHot.add(entry.seq()));
            }
            hot.given(random.nextBoolean() ? journal.lastPosition() : 0);
            if (random.nextInt(4) > 0) {
                hotFrom = 1L + random.nextInt(last + 1);
                cold.takeFrom(journal, "e1", hotFrom);
            }
        }

        void append(Random random, int count) {
            List<EntryFields> fields = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                EntryFields one = FakeJournal.entry("m", 1_000_000L + random.nextInt(1_000_000));
                one.level = Level.values()[random.nextInt(5)];
                one.eventType = EventType.values()[random.nextInt(10)];
                fields.add(one);
            }
            journal.append("e1", fields).runs().forEach(run -> all.addAll(run.entries()));
        }

        /** What can be had without the hot tier. */
        List<LogEntry> without() {
            return all.stream()
                    .filter(entry -> entry.seq() >= hotFrom || entry.userFriendly())
                    .toList();
        }

        /** What can be had with it. */
        List<LogEntry> held() {
            return all.stream()
                    .filter(entry -> entry.seq() >= hotFrom || entry.userFriendly() || inHot.contains(entry.seq()))
                    .toList();
        }

        HistoryPage page(HistoryQuery query) throws Exception {
            return get(history.open(get(tiers.execution("e1")).orElseThrow(), query));
        }
    }

    private static LogFilter filter(Random random) {
        return random.nextBoolean()
                ? LogFilter.ALL
                : new LogFilter(
                        random.nextBoolean() ? Set.of(Level.INFO, Level.ERROR) : Set.of(Level.DEBUG),
                        Set.of(),
                        null,
                        1,
                        null,
                        Long.MIN_VALUE,
                        Long.MAX_VALUE);
    }

    private static HistoryQuery query(Random random, LogFilter filter, boolean ascending, int limit, int offset) {
        long after = random.nextInt(3) == 0 ? random.nextInt(700) : 0;
        long before = random.nextInt(3) == 0 ? random.nextInt(1_000) : Long.MAX_VALUE;
        return new HistoryQuery(filter, ascending, limit, offset, Optional.empty(), after, before);
    }

    @Property(tries = 500, shrinking = ShrinkingMode.OFF)
    void aPageIsWhatAPlainFilterFinds(@ForAll long seed) throws Exception {
        var random = new Random(seed);
        var world = new World(random);
        LogFilter filter = filter(random);
        boolean ascending = random.nextBoolean();
        int limit = 1 + random.nextInt(random.nextBoolean() ? 1000 : 30);
        int offset = random.nextInt(3) == 0 ? random.nextInt(200) : 0;
        HistoryQuery query = query(random, filter, ascending, limit, offset);
        List<LogEntry> matching = world.held().stream()
                .filter(entry ->
                        entry.seq() > query.afterSeq() && entry.seq() < query.beforeSeq() && filter.test(entry))
                .sorted(order(ascending))
                .toList();

        HistoryPage page = world.page(query);
        List<LogEntry> entries = drain(page);

        assertThat(seqs(entries))
                .isEqualTo(seqs(matching.stream().skip(offset).limit(limit).toList()));
        assertThat(page.total()).hasValue((long) matching.size());
        assertThat(page.hasMore()).isEqualTo(matching.size() > offset + (long) limit);
    }

    @Property(tries = 200, shrinking = ShrinkingMode.OFF)
    void everySeqIsReturnedOrMissing(@ForAll long seed) throws Exception {
        var random = new Random(seed);
        var world = new World(random);
        boolean ascending = random.nextBoolean();
        HistoryPage page =
                world.page(new HistoryQuery(LogFilter.ALL, ascending, 10_000, 0, Optional.empty(), 0, Long.MAX_VALUE));
        List<Long> seen = new ArrayList<>(seqs(drain(page)));
        List<Long> missing = new ArrayList<>();
        for (Gap gap : page.coverage().missing()) {
            LongStream.rangeClosed(gap.fromSeq(), gap.toSeq()).forEach(missing::add);
        }
        seen.addAll(missing);
        assertThat(seen)
                .containsExactlyInAnyOrderElementsOf(
                        LongStream.rangeClosed(1, world.all.size()).boxed().toList());
    }

    @Property(tries = 200, shrinking = ShrinkingMode.OFF)
    void aHotTierThatFailsOrIsNotUsableIsNotMissed(@ForAll long seed) throws Exception {
        var random = new Random(seed);
        var world = new World(random);
        if (random.nextBoolean()) {
            world.hot.failing(true);
        } else {
            world.hot.usable(false);
        }
        LogFilter filter = filter(random);
        boolean ascending = random.nextBoolean();
        HistoryPage page =
                world.page(new HistoryQuery(filter, ascending, 10_000, 0, Optional.empty(), 0, Long.MAX_VALUE));
        List<LogEntry> expected =
                world.without().stream().filter(filter).sorted(order(ascending)).toList();
        assertThat(seqs(drain(page))).isEqualTo(seqs(expected));
        assertThat(page.total()).hasValue((long) expected.size());
        assertThat(world.hot.hits()).isZero();
    }

    @Property(tries = 300, shrinking = ShrinkingMode.OFF)
    void whatExpiresBetweenPiecesIsNotAHoleInWhatIsKept(@ForAll long seed) throws Exception {
        var random = new Random(seed);
        var world = new World(random);
        boolean ascending = random.nextBoolean();
        world.hot.emptyAfter(random.nextInt(6));
        HistoryPage page =
                world.page(new HistoryQuery(LogFilter.ALL, ascending, 10_000, 0, Optional.empty(), 0, Long.MAX_VALUE));
        List<Long> seen = seqs(drain(page));
        assertThat(seen).isSortedAccordingTo(ascending ? Comparator.naturalOrder() : Comparator.reverseOrder());
        assertThat(seen).doesNotHaveDuplicates().containsAll(seqs(world.without()));
        for (Gap gap : page.coverage().missing()) {
            assertThat(seen).noneMatch(one -> one >= gap.fromSeq() && one <= gap.toSeq());
        }
    }

    @Property(tries = 200, shrinking = ShrinkingMode.OFF)
    void aWalkByCursorSeesEachEntryOnceWhileOthersArrive(@ForAll long seed) throws Exception {
        var random = new Random(seed);
        var world = new World(random);
        Optional<PageCursor> cursor = Optional.empty();
        List<LogEntry> walked = new ArrayList<>();
        int arriving = 8;
        while (true) {
            HistoryPage page = world.page(
                    new HistoryQuery(LogFilter.ALL, true, 1 + random.nextInt(80), 0, cursor, 0, Long.MAX_VALUE));
            walked.addAll(drain(page));
            cursor = PageCursor.decode(page.nextCursor().encode("e1"), "e1");
            if (arriving-- > 0) {
                int before = world.all.size();
                world.append(random, 1 + random.nextInt(40));
                if (random.nextBoolean()) {
                    // The hot tier gets some of it, in order, a little later than the journal
                    int upTo = before + random.nextInt(world.all.size() - before + 1);
                    world.hot.hold(world.all.subList(before, upTo));
                }
            } else if (!page.hasMore()) {
                break;
            }
        }
        assertThat(seqs(walked)).isEqualTo(seqs(world.held()));
    }

    @Example
    void theHotTierAnswersWhatItHasAndTheJournalTheEndThatItWasNotGiven() throws Exception {
        var journal = new FakeJournal();
        List<EntryFields> fields = new ArrayList<>();
        for (int i = 0; i < 600; i++) {
            fields.add(FakeJournal.entry("m", i));
        }
        List<LogEntry> entries = journal.append("e1", fields).runs().get(0).entries();
        var hot = new FakeHot();
        hot.hold(entries.subList(0, 500));
        hot.given(0);
        var tiers = new Tiers(vertx(), journal, new FakeCold(), hot);

        assertThat(get(tiers.ascending("e1", 1, 600, 100, 1 << 20, LogFilter.ALL, true))
                        .entries())
                .hasSize(100);
        assertThat(hot.hits()).isEqualTo(1);
        assertThat(get(tiers.ascending("e1", 520, 600, 100, 1 << 20, LogFilter.ALL, true))
                        .entries())
                .hasSize(81);
        assertThat(hot.fallbacks()).as("not asked for the end").isZero();
        hot.given(journal.lastPosition());
        assertThat(get(tiers.ascending("e1", 520, 600, 100, 1 << 20, LogFilter.ALL, true))
                        .entries())
                .hasSize(81);
        assertThat(hot.fallbacks()).as("asked, and had it not").isEqualTo(1);
    }

    private static List<LogEntry> drain(HistoryPage page) throws Exception {
        List<LogEntry> all = new ArrayList<>();
        for (List<LogEntry> piece = get(page.next()); !piece.isEmpty(); piece = get(page.next())) {
            all.addAll(piece);
        }
        return all;
    }

    private static Comparator<LogEntry> order(boolean ascending) {
        Comparator<LogEntry> bySeq = Comparator.comparingLong(LogEntry::seq);
        return ascending ? bySeq : bySeq.reversed();
    }

    private static List<Long> seqs(List<LogEntry> entries) {
        return entries.stream().map(LogEntry::seq).toList();
    }

    private static <T> T get(Future<T> future) throws ExecutionException, InterruptedException {
        try {
            return future.toCompletionStage().toCompletableFuture().get(20, TimeUnit.SECONDS);
        } catch (java.util.concurrent.TimeoutException e) {
            throw new AssertionError(e);
        }
    }
}
