package tailrace.journal;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.model.ExecutionState;
import tailrace.model.Timestamps;

/**
 * Where the journal lives in the data directory, and the steps by which a start makes sure that it is the right one
 * (SPEC 9, promise 7). Blocking; used by one thread at a time, before entries are taken.
 */
public final class JournalHome implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(JournalHome.class);
    private static final DateTimeFormatter STAMP =
            DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss").withZone(ZoneOffset.UTC);

    private final Path directory;
    private final boolean sync;
    private final long maxBytes;
    private final Clock clock;
    private RocksJournal journal;

    /** Opens the journal in the data directory, or makes one; throws as {@link RocksJournal#open}. */
    public JournalHome(Path dataDir, boolean sync, Clock clock) {
        this(dataDir, sync, Long.MAX_VALUE, clock);
    }

    /** @param maxBytes its files shall not become larger */
    public JournalHome(Path dataDir, boolean sync, long maxBytes, Clock clock) {
        this.directory = directory(dataDir);
        this.sync = sync;
        this.maxBytes = maxBytes;
        this.clock = clock;
        this.journal = RocksJournal.open(directory, sync, maxBytes);
    }

    /** Where the journal of a data directory is, whether there is one or not. */
    public static Path directory(Path dataDir) {
        return dataDir.resolve("journal");
    }

    public RocksJournal journal() {
        return journal;
    }

    /** Whether PostgreSQL has ever registered this journal; only such a one takes entries. */
    public boolean registered() {
        return journal.registeredGeneration() > 0;
    }

    /** The number PostgreSQL registered it under, 0 while it has not. */
    public long generation() {
        return journal.registeredGeneration();
    }

    /** Keeps a journal that must not be used under another name, and starts an empty one. */
    public void setAside(String why) {
        Path aside = directory.resolveSibling("journal.aside-" + STAMP.format(clock.instant()) + "-" + journal.id());
        journal.close();
        try {
            Files.move(directory, aside);
        } catch (IOException e) {
            throw new JournalUnavailableException(
                    "The journal in " + directory + " does not belong to this database (" + why
                            + ") and cannot be moved aside; move it away by hand.",
                    e);
        }
        LOG.warn("The journal found was set aside as {}: {}. It is not changed and not used.", aside, why);
        journal = RocksJournal.open(directory, sync, maxBytes);
    }

    /** Takes in a page of the executions that PostgreSQL knows; see {@link RocksJournal#adopt}. */
    public void adopt(long generation, List<ExecutionState> known) {
        journal.adopt(Math.toIntExact(generation), known);
    }

    /** Takes in summaries of executions that were adopted. */
    public void adoptSummaries(List<SummaryStore.Kept> known) {
        journal.summaries().adopt(known);
    }

    /** All of them are adopted: from here on no execution is given a seq that the lost journal may have given. */
    public void succeed(long generation) {
        journal.succeed(Math.toIntExact(generation), Timestamps.micros(clock.instant()));
    }

    /** PostgreSQL has registered the journal under this number. */
    public void registered(long generation) {
        if (journal.registeredGeneration() != generation) {
            journal.registered(generation);
        }
    }

    @Override
    public void close() {
        journal.close();
    }
}
