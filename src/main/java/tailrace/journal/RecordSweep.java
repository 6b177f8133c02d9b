package tailrace.journal;

import java.util.ArrayList;
import java.util.List;
import tailrace.model.ExecutionState;
import tailrace.model.JournalRecord;

/**
 * Finds records that nobody needs: passed by every cursor, their entries gone. An execution's last record is kept as
 * long as the execution is hot, so that whoever goes through the records meets it; the journal's last, for ever: positions
 * and bytes are counted on from it. Once this can be said of a record it stays so. Blocks; for workers.
 */
final class RecordSweep {
    private static final int PAGE = 1_000;

    private final RocksJournal journal;
    private final long passed;
    private final long hotSinceMicros;

    /**
     * @param passed by every cursor
     * @param hotSinceMicros executions that changed before it are not hot any more
     */
    RecordSweep(RocksJournal journal, long passed, long hotSinceMicros) {
        this.journal = journal;
        this.passed = passed;
        this.hotSinceMicros = hotSinceMicros;
    }

    /**
     * Ranges of such records, ascending; each as long as what lies between allows.
     *
     * @param afterPosition only records behind it
     * @param lastPosition none behind it
     */
    List<Removal.Records> between(long afterPosition, long lastPosition) {
        var found = new ArrayList<Removal.Records>();
        long from = 0;
        long to = 0;
        long after = afterPosition;
        while (after < lastPosition) {
            List<JournalRecord> records = journal.records(after, PAGE, Integer.MAX_VALUE);
            for (JournalRecord record : records) {
                if (record.position() <= lastPosition && dead(record)) {
                    from = from == 0 ? record.position() : from;
                    to = record.position();
                } else if (from > 0) {
                    found.add(new Removal.Records(from, to));
                    from = 0;
                }
            }
            after = records.isEmpty()
                    ? lastPosition
                    : records.get(records.size() - 1).position();
        }
        if (from > 0) {
            found.add(new Removal.Records(from, to));
        }
        return found;
    }

    private boolean dead(JournalRecord record) {
        if (record.position() > passed || record.position() >= journal.lastPosition()) {
            return false;
        }
        StoredState stored = journal.peek(record.executionId()).orElse(null);
        ExecutionState state = stored == null ? null : stored.state();
        if (stored == null || state == null) {
            return true;
        }
        if (record.count() > 0 && record.lastSeq() >= state.hotFromSeq()) {
            return false;
        }
        return record.position() != state.lastPosition() || stored.lastChangeMicros() < hotSinceMicros;
    }
}
