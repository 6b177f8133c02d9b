package tailrace.query;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;
import org.jspecify.annotations.Nullable;
import tailrace.model.EntryFields;
import tailrace.model.EventType;
import tailrace.model.Level;
import tailrace.model.LogCategory;
import tailrace.model.LogEntry;
import tailrace.model.LogFilter;
import tailrace.model.TextQuery;
import tailrace.query.Coverage.Gap;
import tailrace.query.Coverage.Reason;

/** History over tiers equals a plain filter over what the tiers hold. */
class HistoryTest {
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

    /** An execution of random entries, some of them in the cold tier. */
    private static final class World {
        final FakeJournal journal = new FakeJournal();
        final FakeCold cold = new FakeCold();
        final Tiers tiers = new Tiers(vertx(), journal, cold);
        final History history = new History(tiers);
        final List<LogEntry> held = new ArrayList<>();
        long hotFrom = 1;

        World(Random random) {
            int commits = random.nextInt(6);
            for (int i = 0; i < commits; i++) {
                append(random, random.nextInt(120));
            }
            long last = held.size();
            if (last > 0 && random.nextInt(4) > 0) {
                hotFrom = 1L + random.nextInt((int) last + 1);
                cold.takeFrom(journal, "e1", hotFrom);
                held.removeIf(entry -> entry.seq() < hotFrom && !entry.userFriendly());
                if (hotFrom > last && random.nextBoolean()) {
                    journal.forget("e1");
                }
            }
        }

        void append(Random random, int count) {
            List<EntryFields> fields = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                EntryFields one = FakeJournal.entry(words(random), 1_000_000L + random.nextInt(1_000_000));
                one.nodeId = random.nextBoolean() ? "n" + random.nextInt(3) : null;
                one.stackTrace = random.nextInt(5) == 0 ? words(random) : null;
                one.level = Level.values()[random.nextInt(5)];
                one.eventType = EventType.values()[random.nextInt(10)];
                one.category = LogCategory.values()[random.nextInt(2)];
                one.displayPriority = 1 + random.nextInt(10);
                one.milestone = random.nextInt(5) == 0;
                fields.add(one);
            }
            journal.append("e1", fields).runs().forEach(run -> held.addAll(run.entries()));
        }

        HistoryPage page(HistoryQuery query) throws Exception {
            return get(history.open(get(tiers.execution("e1")).orElseThrow(), query));
        }
    }

    private static final List<String> WORDS = List.of("order", "Payment", "größer", "NullPointer", "a_1");

    private static String words(Random random) {
        return WORDS.get(random.nextInt(5)) + " " + WORDS.get(random.nextInt(5));
    }

    private static @Nullable TextQuery text(Random random) {
        try {
            return switch (random.nextInt(6)) {
                case 0 -> TextQuery.parse(WORDS.get(random.nextInt(5)).toLowerCase(Locale.ROOT));
                case 1 -> TextQuery.parse("-" + WORDS.get(random.nextInt(5)));
                case 2 -> TextQuery.parse('"' + words(random).toUpperCase(Locale.ROOT) + '"');
                default -> null;
            };
        } catch (TextQuery.InvalidException e) {
            throw new AssertionError(e);
        }
    }

    private static LogFilter filter(Random random) {
        return new LogFilter(
                random.nextInt(3) == 0 ? Set.copyOf(List.of(Level.values()[random.nextInt(5)], Level.ERROR)) : Set.of(),
                random.nextInt(3) == 0
                        ? Set.copyOf(List.of(EventType.values()[random.nextInt(10)], EventType.LOG))
                        : Set.of(),
                random.nextInt(3) == 0 ? LogCategory.values()[random.nextInt(2)] : null,
                random.nextInt(3) == 0 ? 1 + random.nextInt(10) : 1,
                random.nextInt(3) == 0 ? random.nextBoolean() : null,
                random.nextInt(3) == 0 ? 1_000_000L + random.nextInt(1_000_000) : Long.MIN_VALUE,
                random.nextInt(3) == 0 ? 1_000_000L + random.nextInt(1_000_000) : Long.MAX_VALUE,
                random.nextInt(4) == 0 ? Set.of("n1", "n2") : Set.of(),
                text(random));
    }

    @Property(tries = 400, shrinking = ShrinkingMode.OFF)
    void aPageIsWhatAPlainFilterFinds(@ForAll long seed) throws Exception {
        var random = new Random(seed);
        var world = new World(random);
        if (world.held.isEmpty()) {
            return;
        }
        boolean ascending = random.nextBoolean();
        LogFilter filter = random.nextInt(3) == 0 ? LogFilter.ALL : filter(random);
        long after = random.nextInt(3) == 0 ? random.nextInt(700) : 0;
        long before = random.nextInt(3) == 0 ? random.nextInt(700) : Long.MAX_VALUE;
        int limit = 1 + random.nextInt(random.nextBoolean() ? 1000 : 30);
        int offset = random.nextInt(3) == 0 ? random.nextInt(200) : 0;
        List<LogEntry> matching = world.held.stream()
                .filter(entry -> entry.seq() > after && entry.seq() < before && filter.test(entry))
                .sorted(order(ascending))
                .toList();

        HistoryPage page =
                world.page(new HistoryQuery(filter, ascending, limit, offset, Optional.empty(), after, before));
        List<LogEntry> entries = drain(page);

        assertThat(seqs(entries))
                .isEqualTo(seqs(matching.stream().skip(offset).limit(limit).toList()));
        assertThat(page.total()).hasValue((long) matching.size());
        assertThat(page.hasMore()).isEqualTo(matching.size() > offset + (long) limit);
        for (LogEntry entry : entries) {
            assertThat(page.coverage().missing())
                    .noneMatch(gap -> filter.all() && gap.fromSeq() <= entry.seq() && gap.toSeq() >= entry.seq());
        }
    }

    @Property(tries = 200, shrinking = ShrinkingMode.OFF)
    void aWalkByCursorSeesEachEntryOnceWhileOthersArrive(@ForAll long seed) throws Exception {
        var random = new Random(seed);
        var world = new World(random);
        if (world.held.isEmpty()) {
            return;
        }
        boolean ascending = random.nextBoolean();
        LogFilter filter = random.nextBoolean() ? LogFilter.ALL : filter(random);
        List<LogEntry> atBegin = List.copyOf(world.held);
        List<LogEntry> walked = new ArrayList<>();
        Optional<PageCursor> cursor = Optional.empty();
        boolean arriving = world.journal.execution("e1").isPresent(); // elsewhere seqs would begin again
        int left = 8;
        while (true) {
            HistoryPage page = world.page(
                    new HistoryQuery(filter, ascending, 1 + random.nextInt(50), 0, cursor, 0, Long.MAX_VALUE));
            walked.addAll(drain(page));
            cursor = PageCursor.decode(page.nextCursor().encode("e1"), "e1");
            arriving &= left-- > 0;
            if (arriving) {
                world.append(random, random.nextInt(40));
            } else if (!page.hasMore()) {
                break;
            }
        }
        List<LogEntry> expected = (ascending ? world.held : atBegin)
                .stream().filter(filter).sorted(order(ascending)).toList();
        assertThat(seqs(walked)).isEqualTo(seqs(expected));
    }

    @Property(tries = 300, shrinking = ShrinkingMode.OFF)
    void whatStandsAroundAnEntryIsWhatAPlainFilterFinds(@ForAll long seed) throws Exception {
        var random = new Random(seed);
        var world = new World(random);
        if (world.held.isEmpty()) {
            return;
        }
        LogFilter filter = random.nextBoolean() ? LogFilter.ALL : filter(random);
        long seq = 1 + random.nextInt(700);
        int before = random.nextInt(30);
        int after = random.nextInt(30);
        List<Long> matching = seqs(world.held.stream().filter(filter).toList());
        List<Long> below = matching.stream().filter(one -> one < seq).toList();
        List<Long> expected = new ArrayList<>(below.subList(Math.max(0, below.size() - before), below.size()));
        matching.stream().filter(one -> one == seq).forEach(expected::add);
        List<Long> above = matching.stream().filter(one -> one > seq).toList();
        expected.addAll(above.subList(0, Math.min(after, above.size())));

        HistoryPage page = get(world.history.open(
                get(world.tiers.execution("e1")).orElseThrow(), new Around(filter, seq, before, after, true)));

        assertThat(seqs(drain(page))).isEqualTo(expected);
        assertThat(page.hasBefore()).isEqualTo(below.size() > before);
        assertThat(page.hasMore()).isEqualTo(above.size() > after);
        assertThat(page.total()).hasValue((long) matching.size());
    }

    /** By level or type alone the execution's own counters say it, less what came since. */
    @Property(tries = 200, shrinking = ShrinkingMode.OFF)
    void aCountIsWhatAPlainFilterCountsWhateverCameSince(@ForAll long seed) throws Exception {
        var random = new Random(seed);
        var world = new World(random);
        if (world.journal.execution("e1").isEmpty()) {
            return;
        }
        Set<Level> levels =
                random.nextBoolean() ? Set.copyOf(List.of(Level.ERROR, Level.values()[random.nextInt(5)])) : Set.of();
        Set<EventType> types = random.nextBoolean() ? Set.of(EventType.values()[random.nextInt(10)]) : Set.of();
        var filter = new LogFilter(levels, types, null, 1, null, Long.MIN_VALUE, Long.MAX_VALUE);
        long from = random.nextInt(4) == 0 ? 2 : 1;
        long to = get(world.tiers.execution("e1")).orElseThrow().lastSeq();
        world.append(random, random.nextInt(40));

        assertThat(get(world.tiers.count("e1", from, to, filter)))
                .hasValue(world.held.stream()
                        .filter(entry -> entry.seq() >= from && entry.seq() <= to && filter.test(entry))
                        .count());
    }

    @Property(tries = 200, shrinking = ShrinkingMode.OFF)
    void everySeqOfAWholePageIsReturnedOrMissing(@ForAll long seed) throws Exception {
        var random = new Random(seed);
        var world = new World(random);
        if (world.held.isEmpty()) {
            return;
        }
        boolean ascending = random.nextBoolean();
        boolean away = random.nextBoolean()
                && world.hotFrom > 1
                && world.journal.execution("e1").isPresent();
        world.cold.away(away);
        long last = get(world.tiers.execution("e1")).orElseThrow().lastSeq();
        var query = new HistoryQuery(LogFilter.ALL, ascending, 1000, 0, Optional.empty(), 0, Long.MAX_VALUE);
        if (away && world.hotFrom > last) {
            assertThatThrownBy(() -> world.page(query)).hasCauseInstanceOf(History.UnreadableException.class);
            return;
        }
        HistoryPage page = world.page(query);
        List<Long> seen = new ArrayList<>(seqs(drain(page)));
        for (Gap gap : page.coverage().missing()) {
            LongStream.rangeClosed(gap.fromSeq(), gap.toSeq()).forEach(seen::add);
            assertThat(gap.reason()).isEqualTo(away ? Reason.POSTGRES_UNAVAILABLE : Reason.TECHNICAL_EXPIRED);
        }
        assertThat(seen)
                .containsExactlyInAnyOrderElementsOf(
                        LongStream.rangeClosed(1, last).boxed().toList());
        assertThat(page.total().isEmpty()).isEqualTo(away);
    }

    @Property(tries = 100, shrinking = ShrinkingMode.OFF)
    void aPurgeInTheMiddleOfAWalkLosesNothingThatIsKept(@ForAll long seed) throws Exception {
        var random = new Random(seed);
        var world = new World(random);
        if (world.held.isEmpty() || world.journal.execution("e1").isEmpty()) {
            return;
        }
        boolean ascending = random.nextBoolean();
        HistoryPage page =
                world.page(new HistoryQuery(LogFilter.ALL, ascending, 1000, 0, Optional.empty(), 0, Long.MAX_VALUE));
        List<LogEntry> friendly =
                world.held.stream().filter(LogEntry::userFriendly).toList();
        world.cold.takeFrom(world.journal, "e1", 1 + random.nextInt(world.held.size() + 1));
        assertThat(seqs(drain(page))).containsAll(seqs(friendly));
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
