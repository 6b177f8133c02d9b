package tailrace.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tailrace.config.TailraceConfig;
import tailrace.degradation.Shedder;
import tailrace.journal.CommitLoop;
import tailrace.journal.RocksJournal;
import tailrace.metrics.Metrics;
import tailrace.model.EntryCodec;
import tailrace.model.IngestBatch;
import tailrace.model.IngestBatch.PendingEntry;
import tailrace.postgres.HotPages.Page;
import tailrace.postgres.HotPages.Place;

class HotPagesTest {
    private static final int LANES = 2;
    private static final TailraceConfig.Journal CONFIG =
            new TailraceConfig.Journal(10L << 30, false, 64L << 20, 16L << 20, 1L << 20);

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path directory;

    private static IngestBatch batch(String execution, int entries) {
        EntryCodec codec = new EntryCodec();
        List<PendingEntry> pending = new ArrayList<>();
        for (int i = 0; i < entries; i++) {
            pending.add(new PendingEntry(i, execution, null, null, null, codec.encode(TestEntries.technical("m"))));
        }
        return new IngestBatch(pending, List.of(), null, 0);
    }

    @Test
    void pagesTogetherHoldEveryEntryOnceAndInOrder() throws Exception {
        Map<String, Integer> expected = new HashMap<>(Map.of("large", 2 * HotPages.PAGE_ENTRIES + 7, "small", 3));
        for (int i = 0; i < 1_300; i++) {
            expected.put("run-" + i, 1 + i % 3);
        }
        try (RocksJournal journal = RocksJournal.open(directory, false)) {
            try (CommitLoop loop = new CommitLoop(
                            journal,
                            CONFIG,
                            Duration.ofDays(1),
                            Clock.systemUTC(),
                            new Metrics(new SimpleMeterRegistry()),
                            Shedder.never(Clock.systemUTC()),
                            commit -> {})
                    .start()) {
                for (var each : expected.entrySet()) {
                    loop.append(batch(each.getKey(), each.getValue())).get(30, TimeUnit.SECONDS);
                }
            }

            Map<String, Integer> seen = new HashMap<>();
            for (int lane = 0; lane < LANES; lane++) {
                HotPages pages = new HotPages(journal, lane, LANES);
                Place place = Place.START;
                for (boolean end = false; !end; ) {
                    Page page = pages.read(place);
                    assertThat(page.entries()).isLessThanOrEqualTo(HotPages.PAGE_ENTRIES);
                    page.spans().forEach(span -> span.entries().forEach(entry -> {
                        String execution = span.state().executionId();
                        assertThat((int) entry.seq()).as(execution).isEqualTo(seen.merge(execution, 1, Integer::sum));
                    }));
                    place = page.next();
                    end = page.end();
                }
            }

            assertThat(seen).isEqualTo(expected);
        }
    }
}
