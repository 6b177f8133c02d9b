package tailrace.query;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tailrace.config.TailraceConfig;
import tailrace.degradation.Shedder;
import tailrace.journal.CommitLoop;
import tailrace.journal.Cursors;
import tailrace.journal.RocksJournal;
import tailrace.journal.Trimmer;
import tailrace.metrics.Metrics;
import tailrace.model.EntryCodec;
import tailrace.model.EntryFields;
import tailrace.model.IngestBatch;
import tailrace.model.LogEntry;
import tailrace.model.LogFilter;
import tailrace.query.Coverage.Gap;
import tailrace.query.Coverage.Reason;

/** Readers of a real journal that is trimmed under them. */
class TrimmedHistoryTest {
    private static final int ENTRIES = 200;
    private static final String ID = "e";

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path temp;

    private final Vertx vertx = Vertx.vertx();
    private final FakeCold cold = new FakeCold();
    private final AtomicLong passed = new AtomicLong();
    private final Metrics metrics = new Metrics(new SimpleMeterRegistry());

    @SuppressWarnings("NullAway.Init")
    private RocksJournal journal;

    @SuppressWarnings("NullAway.Init")
    private CommitLoop loop;

    @BeforeEach
    void open() throws Exception {
        journal = RocksJournal.open(temp.resolve("journal"), true);
        loop = new CommitLoop(
                        journal,
                        config(10L << 30),
                        Duration.ofDays(1),
                        Clock.systemUTC(),
                        metrics,
                        Shedder.never(Clock.systemUTC()),
                        none -> {})
                .start();
        for (int i = 0; i < ENTRIES / 10; i++) {
            append();
        }
        List<LogEntry> friendly =
                journal.entries(ID, 1, ENTRIES, true, ENTRIES, Long.MAX_VALUE, LogEntry::userFriendly);
        cold.add(journal.execution(ID).orElseThrow(), friendly);
    }

    @AfterEach
    void close() throws Exception {
        loop.close();
        journal.close();
        get(vertx.close());
    }

    private static TailraceConfig.Journal config(long maxBytes) {
        return new TailraceConfig.Journal(maxBytes, true, 64L << 20, 16L << 20, 1L << 20);
    }

    /** Ten entries, every fourth of all for people. */
    private void append() throws Exception {
        var pending = new ArrayList<IngestBatch.PendingEntry>();
        long last = journal.execution(ID).map(state -> state.lastSeq()).orElse(0L);
        for (int i = 0; i < 10; i++) {
            EntryFields fields = FakeJournal.entry("m", 1_000_000);
            fields.displayPriority = friendly(last + i + 1) ? 8 : 3;
            pending.add(new IngestBatch.PendingEntry(i, ID, null, null, null, new EntryCodec().encode(fields)));
        }
        loop.append(new IngestBatch(pending, List.of(), null, 1_000)).get(30, TimeUnit.SECONDS);
    }

    private static boolean friendly(long seq) {
        return seq % 4 == 0;
    }

    /** Removes the first so many tens of entries. */
    private void trim(int tens) {
        passed.set(tens);
        var cursors = new Cursors();
        cursors.add("test", passed::get);
        var retention = new TailraceConfig.Retention(10, Duration.ofDays(1), Duration.ofHours(1), 30, Optional.empty());
        new Trimmer(journal, loop, cursors, config(10), retention, Clock.systemUTC(), metrics).makeRoom();
    }

    private static <T> T get(Future<T> future) throws Exception {
        return future.toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void eachSurvivingEntryIsSeenOnceWhateverGoesBetweenPages(boolean ascending) throws Exception {
        var tiers = new Tiers(vertx, journal, cold);
        var history = new History(tiers);
        var seen = new ArrayList<Long>();
        var gaps = new ArrayList<Gap>();
        Optional<PageCursor> cursor = Optional.empty();
        for (int page = 0; page == 0 || cursor.isPresent(); page++) {
            trim(ascending ? Math.min(18, 3 * page) : Math.min(18, 2 * page + 1));
            var query = new HistoryQuery(LogFilter.ALL, ascending, 17, 0, cursor, 0, Long.MAX_VALUE);
            HistoryPage read = get(history.open(get(tiers.execution(ID)).orElseThrow(), query));
            for (List<LogEntry> piece; !(piece = get(read.next())).isEmpty(); ) {
                piece.forEach(entry -> seen.add(entry.seq()));
                trim(Math.min(18, 3 * page + 1)); // also within a page
            }
            gaps.addAll(read.coverage().missing());
            cursor = read.hasMore() ? Optional.of(read.nextCursor()) : Optional.empty();
        }

        // In order and each once; what is missing is technical, was trimmed, and is told
        assertThat(seen)
                .doesNotHaveDuplicates()
                .isSortedAccordingTo((a, b) -> ascending ? a.compareTo(b) : b.compareTo(a));
        for (long seq = 1; seq <= ENTRIES; seq++) {
            long one = seq;
            boolean told = gaps.stream()
                    .anyMatch(gap ->
                            gap.fromSeq() <= one && gap.toSeq() >= one && gap.reason() == Reason.TECHNICAL_EXPIRED);
            assertThat(seen.contains(seq)).as("seq %d", seq).isNotEqualTo(told);
            if (friendly(seq) || seq > 180) {
                assertThat(seen).contains(seq);
            }
        }
    }

    @Test
    void aStreamThatGoesOnFromATrimmedSeqIsToldExactlyWhatIsGone() throws Exception {
        trim(10);
        var tiers = new Tiers(vertx, journal, cold);

        EntryStore.Slice slice = get(tiers.ascending(ID, 50, ENTRIES, 1_000, 1 << 20, LogFilter.ALL, true));

        assertThat(slice.scannedTo()).isEqualTo(100);
        assertThat(slice.entries())
                .extracting(LogEntry::seq)
                .containsExactly(52L, 56L, 60L, 64L, 68L, 72L, 76L, 80L, 84L, 88L, 92L, 96L, 100L);
        assertThat(slice.gaps()).hasSize(13).first().isEqualTo(new Gap(50, 51, Reason.TECHNICAL_EXPIRED));
        assertThat(slice.gaps()).endsWith(new Gap(97, 99, Reason.TECHNICAL_EXPIRED));
    }

    @Test
    void whatPostgresHasDroppedTooHasExpired() throws Exception {
        trim(10);
        var without = new FakeCold();
        without.keptSince(Long.MAX_VALUE);
        var gone = new Tiers(vertx, journal, without);
        assertThat(get(gone.ascending(ID, 1, ENTRIES, 1_000, 1 << 20, LogFilter.ALL, true))
                        .gaps())
                .containsExactly(new Gap(1, 100, Reason.EXPIRED));

        // Where some rows are left, only what lies below them
        without.add(journal.execution(ID).orElseThrow(), get(cold.entries(ID, 90, 100, true, 10, LogFilter.ALL)));
        assertThat(get(gone.ascending(ID, 80, ENTRIES, 1_000, 1 << 20, LogFilter.ALL, true))
                        .gaps())
                .containsExactly(
                        new Gap(80, 91, Reason.EXPIRED),
                        new Gap(93, 95, Reason.TECHNICAL_EXPIRED),
                        new Gap(97, 99, Reason.TECHNICAL_EXPIRED));
        assertThat(get(gone.descending(ID, 80, 100, 1_000, 1 << 20, LogFilter.ALL))
                        .gaps())
                .contains(new Gap(80, 91, Reason.EXPIRED));
        // A reader of what PostgreSQL keeps is told of it as well, and a younger execution has lost no such thing
        var errors =
                new LogFilter(java.util.Set.of(), java.util.Set.of(), null, 7, null, Long.MIN_VALUE, Long.MAX_VALUE);
        assertThat(get(gone.ascending(ID, 80, ENTRIES, 1_000, 1 << 20, errors, true))
                        .gaps())
                .containsExactly(new Gap(80, 91, Reason.EXPIRED));
        without.keptSince(1);
        assertThat(get(gone.ascending(ID, 80, ENTRIES, 1_000, 1 << 20, errors, true))
                        .gaps())
                .isEmpty();
    }
}
