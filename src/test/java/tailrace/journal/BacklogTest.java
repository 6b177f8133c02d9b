package tailrace.journal;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tailrace.metrics.Metrics;
import tailrace.model.IngestBatch;

/** What cursors still need, in bytes. */
class BacklogTest {
    private final AtomicLong passed = new AtomicLong();

    private Backlog backlog(OpenJournal open) {
        var cursors = new Cursors();
        cursors.add("test", passed::get);
        return new Backlog(open.journal, cursors, open.clock, new Metrics(new SimpleMeterRegistry()));
    }

    @Test
    void itIsTheBytesBehindTheSlowestCursor(@TempDir Path temp) {
        try (var open = new OpenJournal(temp.resolve("journal"))) {
            IngestBatch first = Batches.of("a", "1", "2");
            IngestBatch second = Batches.of("b", "3");
            open.append(first);
            open.append(second);
            Backlog backlog = backlog(open);
            assertThat(backlog.neededBytes()).isZero();

            backlog.refresh();
            assertThat(backlog.neededBytes()).isEqualTo(first.bytes() + second.bytes());
            assertThat(backlog.firstPosition()).isEqualTo(1);
            passed.set(1);
            backlog.refresh();
            assertThat(backlog.neededBytes()).isEqualTo(second.bytes());
            passed.set(2);
            backlog.refresh();
            assertThat(backlog.neededBytes()).isZero();
        }
    }

    @Test
    void afterAStartItIsWhatItWasUntilTheCursorIsKnown(@TempDir Path temp) {
        IngestBatch second = Batches.of("b", "3");
        try (var open = new OpenJournal(temp.resolve("journal"))) {
            open.append(Batches.of("a", "1"));
            passed.set(1);
            backlog(open).refresh();
            open.append(second);
        }
        passed.set(0);
        try (var open = new OpenJournal(temp.resolve("journal"))) {
            Backlog backlog = backlog(open);
            backlog.refresh();

            assertThat(backlog.neededBytes()).isEqualTo(second.bytes());

            // But nothing goes because of it
            open.after(Duration.ofDays(2));
            assertThat(open.trimmer(passed, 10).makeRoom().entries()).isZero();
            assertThat(open.trimmer(passed, 10).expire().entries()).isZero();
        }
    }
}
