package tailrace.journal;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import tailrace.metrics.Metrics;
import tailrace.model.Bytes;

/**
 * How much of the journal its cursors still need. {@link #refresh} reads files and is for one worker, a few times a
 * second; the figures may be read by any thread at any time.
 */
public final class Backlog {
    private static final byte[] PASSED = Keys.utf8("passed");

    /** Between two notes of how far the cursors are. */
    private static final Duration NOTE_INTERVAL = Duration.ofSeconds(10);

    private final RocksJournal journal;
    private final Cursors cursors;
    private final Clock clock;
    private long noted;
    private Instant notedAt = Instant.EPOCH;
    private volatile long neededBytes;
    private volatile long firstPosition;

    public Backlog(RocksJournal journal, Cursors cursors, Clock clock, Metrics metrics) {
        this.journal = journal;
        this.cursors = cursors;
        this.clock = clock;
        this.noted = journal.noted(PASSED).map(value -> Bytes.getLong(value, 0)).orElse(0L);
        metrics.gauge(
                "tailrace.journal.needed.bytes",
                "Bytes of entries that a cursor still needs",
                this,
                Backlog::neededBytes);
        metrics.gauge("tailrace.journal.first.position", "Position of the oldest record", this, Backlog::firstPosition);
    }

    /** Bytes of encoded entries that a cursor has not passed, as of the last refresh. */
    public long neededBytes() {
        return neededBytes;
    }

    /** Position of the oldest record, as of the last refresh. */
    public long firstPosition() {
        return firstPosition;
    }

    /** Looks where the cursors are. */
    public void refresh() {
        long passed = cursors.passed();
        // After a start a cursor is not known until PostgreSQL answers. It does not go back, so for this figure (not
        // for
        // removing anything) it stands where it stood: an outage then does not look like a journal full of backlog.
        neededBytes = journal.bytesAfter(passed > 0 ? passed : noted);
        firstPosition = journal.firstPosition();
        Instant now = clock.instant();
        if (passed > 0 && passed != noted && now.isAfter(notedAt.plus(NOTE_INTERVAL))) {
            byte[] value = new byte[Long.BYTES];
            Bytes.putLong(value, 0, passed);
            journal.note(PASSED, value);
            noted = passed;
            notedAt = now;
        }
    }
}
