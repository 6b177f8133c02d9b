package tailrace.postgres;

import tailrace.model.JournalId;

/** What PostgreSQL says of the journal we found in the data directory (SPEC 9, promise 7). */
public sealed interface JournalStanding {
    /** PostgreSQL's journal is ours and not ahead of it: go on. */
    record Continue(long generation) implements JournalStanding {}

    /** PostgreSQL never saw a journal: ours is the first, its cursors start at 0. */
    record First() implements JournalStanding {}

    /**
     * Ours is new and PostgreSQL knows another: the data directory was lost. Executions that PostgreSQL knows go on above
     * what it knows.
     */
    record Successor(long generation, JournalId lost) implements JournalStanding {}

    /** Ours holds entries and PostgreSQL belongs to another journal: to be set aside, never written. */
    record Foreign(long generation, JournalId current) implements JournalStanding {}

    /** Ours is an old copy: PostgreSQL has more of it than it holds itself. To be set aside like a foreign one. */
    record Stale(long generation, long cursor, long lastPosition) implements JournalStanding {}
}
