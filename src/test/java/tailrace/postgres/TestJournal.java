package tailrace.postgres;

import java.util.List;
import tailrace.bus.BusMessage;
import tailrace.journal.Journal;

/** The in-memory journal for tests of other packages, with the message that an append would publish. */
public final class TestJournal {
    private final InMemoryJournal journal = new InMemoryJournal();

    public Journal journal() {
        return journal;
    }

    /** Appends user-friendly entries. */
    public BusMessage.Appended append(String execution, int count, boolean urgent) {
        long position = journal.append(execution, TestEntries.friendly(count));
        var state = journal.execution(execution).orElseThrow();
        var entries = journal.entries(
                execution, state.lastSeq() - count + 1, state.lastSeq(), true, count, Long.MAX_VALUE, entry -> true);
        return new BusMessage.Appended(position, List.of(new BusMessage.Run(state, entries, count, urgent)));
    }
}
