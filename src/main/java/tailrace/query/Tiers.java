package tailrace.query;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.journal.Journal;
import tailrace.model.ExecutionState;
import tailrace.model.LogEntry;
import tailrace.model.LogFilter;
import tailrace.query.Coverage.Gap;
import tailrace.query.Coverage.Reason;
import tailrace.query.HotPieces.Found;
import tailrace.security.Principal;

/**
 * Joins the tiers by seq. A hot tier beside the journal is asked first and answers as far as it has seqs without a hole.
 * For the rest, what the journal holds ({@code hotFromSeq} and above) is read there, everything below it in PostgreSQL,
 * up to where the hot tier has entries again. The border only moves upwards; it is looked at again after each read, so an
 * entry that was purged in between is asked for in PostgreSQL instead of being overlooked. Safe for any event loop where
 * its hot tier is; the journal's files are read on workers. Longer than most files, because it is one rule in three
 * directions: up, down, and counting.
 */
public final class Tiers implements EntryStore {
    /** Rows of one query to PostgreSQL: of the largest entries 2.5 MiB. */
    static final int MAX_COLD_ROWS = 250;
    /** What a journal may count for an entry beyond its bytes, at most; decides whether a read can have been cut short. */
    private static final long ENTRY_OVERHEAD_BYTES = 1024;

    /** Entries of the journal that one read looks through at most: some 50 ms of a worker. */
    static final int MAX_JOURNAL_SCAN = 50_000;

    private static final Logger LOG = LoggerFactory.getLogger(Tiers.class);

    private final Vertx vertx;
    private final Journal journal;
    private final ColdStore cold;
    private final HotStore hotStore;
    private final HotPieces hot;
    private final Expired expired;

    /** Without another hot tier than the journal's store. */
    public Tiers(Vertx vertx, Journal journal, ColdStore cold) {
        this(vertx, journal, cold, HotStore.NONE);
    }

    /** @param hot asked first; belongs to the event loop that uses this */
    public Tiers(Vertx vertx, Journal journal, ColdStore cold, HotStore hot) {
        this.vertx = vertx;
        this.journal = journal;
        this.cold = cold;
        this.hotStore = hot;
        this.hot = new HotPieces(hot);
        this.expired = new Expired(vertx, journal, cold);
    }

    @Override
    public Tiers as(Principal principal) {
        return new Tiers(vertx, journal, cold.as(principal), hotStore);
    }

    @Override
    public Future<Optional<ExecutionState>> execution(String executionId) {
        return vertx.executeBlocking(() -> journal.execution(executionId), false)
                .compose(hot -> hot.isPresent()
                        ? Future.succeededFuture(hot)
                        : cold.execution(executionId).map(state -> state.map(Tiers::coldOnly)));
    }

    @Override
    public Future<Map<String, ExecutionState>> hotStates(Collection<String> executionIds) {
        List<String> ids = List.copyOf(executionIds);
        return vertx.executeBlocking(
                () -> {
                    Map<String, ExecutionState> states = new HashMap<>();
                    for (String id : ids) {
                        journal.execution(id).ifPresent(state -> states.put(id, state));
                    }
                    return states;
                },
                false);
    }

    @Override
    public Future<Slice> ascending(
            String executionId,
            long fromSeq,
            long toSeq,
            int maxEntries,
            long maxBytes,
            LogFilter filter,
            boolean exactHoles) {
        long scanTo = filter.reads() ? Math.min(toSeq, fromSeq + MAX_JOURNAL_SCAN - 1) : toSeq;
        Callable<Held> journalHas = () -> journalUp(executionId, fromSeq, scanTo, maxEntries, maxBytes, filter);
        boolean ask = hot.usable();
        return blocking(() -> ask && !journalFirst(executionId, fromSeq, filter) ? Held.ASK_HOT : journalHas.call())
                .compose(held -> !held.askHot()
                        ? Future.succeededFuture(new Answer(held, Found.NOTHING))
                        : hot.read(executionId, fromSeq, toSeq, true, maxEntries, maxBytes, filter)
                                .compose(found -> orJournal(found, journalHas)))
                .compose(answer -> {
                    Slice piece = answer.found.piece();
                    if (piece != null) {
                        return Future.succeededFuture(piece);
                    }
                    List<LogEntry> entries = answer.held.entries;
                    if (entries != null) {
                        long to = cut(entries, maxEntries, maxBytes)
                                ? last(entries).seq()
                                : scanTo;
                        return Future.succeededFuture(new Slice(entries, List.of(), to, false));
                    }
                    long coldTo = answer.found.before(Math.min(toSeq, answer.held.hotFromSeq - 1));
                    return exactHoles
                            ? coldExact(executionId, fromSeq, coldTo, maxEntries, filter)
                            : cold(executionId, fromSeq, coldTo, true, maxEntries, filter);
                });
    }

    /** What the journal's store has from a seq upwards. Blocks. */
    private Held journalUp(
            String executionId, long fromSeq, long toSeq, int maxEntries, long maxBytes, LogFilter filter) {
        if (fromSeq < hotFrom(executionId)) {
            return new Held(hotFrom(executionId), null);
        }
        List<LogEntry> entries = journal.entries(executionId, fromSeq, toSeq, true, maxEntries, maxBytes, filter);
        long hotFrom = hotFrom(executionId);
        return new Held(hotFrom, fromSeq < hotFrom ? null : entries);
    }

    @Override
    public Future<Slice> descending(
            String executionId, long fromSeq, long toSeq, int maxEntries, long maxBytes, LogFilter filter) {
        long scanFrom = filter.reads() ? Math.max(fromSeq, toSeq - MAX_JOURNAL_SCAN + 1) : fromSeq;
        Callable<Held> journalHas = () -> journalDown(executionId, scanFrom, toSeq, maxEntries, maxBytes, filter);
        boolean ask = hot.usable();
        return blocking(() -> ask && !journalFirst(executionId, toSeq, filter) ? Held.ASK_HOT : journalHas.call())
                .compose(held -> !held.askHot()
                        ? Future.succeededFuture(new Answer(held, Found.NOTHING))
                        : hot.read(executionId, fromSeq, toSeq, false, maxEntries, maxBytes, filter)
                                .compose(found -> orJournal(found, journalHas)))
                .compose(answer -> {
                    Slice piece = answer.found.piece();
                    if (piece != null) {
                        return Future.succeededFuture(piece);
                    }
                    List<LogEntry> entries = answer.held.entries;
                    return entries == null
                            ? cold(executionId, answer.found.behind(fromSeq), toSeq, false, maxEntries, filter)
                            : Future.succeededFuture(new Slice(entries, List.of(), answer.held.hotFromSeq, false));
                });
    }

    /** What the journal's store has from a seq downwards, and how far that reaches. Blocks. */
    private Held journalDown(
            String executionId, long fromSeq, long toSeq, int maxEntries, long maxBytes, LogFilter filter) {
        long low = Math.max(fromSeq, hotFrom(executionId));
        if (toSeq < low) {
            return new Held(low, null);
        }
        List<LogEntry> entries = journal.entries(executionId, low, toSeq, false, maxEntries, maxBytes, filter);
        // What was purged meanwhile may be among them in part: PostgreSQL has all that is kept of it.
        long lowNow = Math.max(low, hotFrom(executionId));
        boolean cut = lowNow == low && cut(entries, maxEntries, maxBytes);
        List<LogEntry> held = lowNow == low
                ? entries
                : entries.stream().filter(entry -> entry.seq() >= lowNow).toList();
        return toSeq < lowNow
                ? new Held(lowNow, null)
                : new Held(cut ? last(held).seq() : lowNow, held);
    }

    private Future<Answer> orJournal(Found found, Callable<Held> journalHas) {
        return found.piece() != null
                ? Future.succeededFuture(new Answer(Held.ASK_HOT, found))
                : blocking(journalHas).map(held -> new Answer(held, found));
    }

    /**
     * Whether the journal holds a seq and answers sooner: where entries have to be read through, since nothing need travel
     * then; and among an execution's last, which the hot tier has not been given yet, and where most likely a live reader
     * reads. Blocks.
     */
    private boolean journalFirst(String executionId, long seq, LogFilter filter) {
        return journal.execution(executionId)
                .filter(state -> seq >= state.hotFromSeq()
                        && (filter.reads()
                                || (seq > state.lastSeq() - HotPieces.MAX_ENTRIES && !hot.given(state.lastPosition()))))
                .isPresent();
    }

    @Override
    public Future<Optional<Long>> count(String executionId, long fromSeq, long toSeq, LogFilter filter) {
        if (fromSeq > toSeq) {
            return Future.succeededFuture(Optional.of(0L));
        }
        return blocking(() -> Math.max(fromSeq, hotFrom(executionId)))
                .compose(low -> countHeld(executionId, low, toSeq, filter).map(held -> new Count(low, held)))
                .compose(counted -> {
                    long belowTo = Math.min(toSeq, counted.lowSeq - 1);
                    if (belowTo < fromSeq) {
                        return Future.succeededFuture(Optional.of(counted.entries));
                    }
                    return new HotCount(hotStore, hot, cold, executionId, filter)
                            .count(fromSeq, belowTo)
                            .map(entries -> Optional.of(entries + counted.entries))
                            .recover(away -> {
                                LOG.debug("No count of {} by PostgreSQL", executionId, away);
                                return Future.succeededFuture(Optional.<Long>empty());
                            });
                });
    }

    private Future<Long> countHeld(String executionId, long fromSeq, long toSeq, LogFilter filter) {
        return blocking(() -> counted(executionId, fromSeq, toSeq, filter))
                .compose(counted -> counted.isPresent()
                        ? Future.succeededFuture(counted.getAsLong())
                        : countHeld(executionId, fromSeq, toSeq, filter, 0));
    }

    /**
     * What the execution's own counters say, if they are of these entries: then only what came since need be read. Blocks.
     */
    private OptionalLong counted(String executionId, long fromSeq, long toSeq, LogFilter filter) {
        ExecutionState state = journal.execution(executionId).orElse(null);
        if (state == null || fromSeq != 1 || state.hotFromSeq() != 1 || state.totalLogs() != state.lastSeq()) {
            return OptionalLong.empty();
        }
        OptionalLong all = filter.counted(state);
        return all.isEmpty()
                ? all
                : OptionalLong.of(all.getAsLong() - journal.count(executionId, toSeq + 1, state.lastSeq(), filter));
    }

    /** Counts what the journal holds, a worker's share at a time. */
    private Future<Long> countHeld(String executionId, long fromSeq, long toSeq, LogFilter filter, long before) {
        if (fromSeq > toSeq) {
            return Future.succeededFuture(before);
        }
        if (filter.all()) {
            return Future.succeededFuture(before + toSeq - fromSeq + 1);
        }
        long to = filter.reads() ? Math.min(toSeq, fromSeq + MAX_JOURNAL_SCAN - 1) : toSeq;
        return blocking(() -> journal.count(executionId, fromSeq, to, filter))
                .compose(counted -> countHeld(executionId, to + 1, toSeq, filter, before + counted));
    }

    private <T> Future<T> blocking(Callable<T> read) {
        return vertx.executeBlocking(read, false);
    }

    /** The lowest seq the journal's store holds; above all while it does not know the execution. Blocks. */
    private long hotFrom(String executionId) {
        return journal.execution(executionId).map(ExecutionState::hotFromSeq).orElse(Long.MAX_VALUE);
    }

    /** Reads everything PostgreSQL has of a range and filters here, so that every hole shows. */
    private Future<Slice> coldExact(String executionId, long fromSeq, long toSeq, int maxEntries, LogFilter filter) {
        int rows = Math.min(maxEntries, MAX_COLD_ROWS);
        return cold.entries(executionId, fromSeq, toSeq, true, rows, LogFilter.ALL)
                .compose(entries -> {
                    long to = entries.size() >= rows ? last(entries).seq() : toSeq;
                    List<LogEntry> accepted = filter.all()
                            ? entries
                            : entries.stream().filter(filter).toList();
                    return expired.named(executionId, Holes.between(entries, fromSeq, to))
                            .map(gaps -> new Slice(accepted, Holes.told(gaps, filter), to, false));
                })
                .recover(away -> Future.succeededFuture(away(executionId, fromSeq, toSeq, true, away)));
    }

    /** Lets PostgreSQL filter. Holes are exact if it had nothing to filter. */
    private Future<Slice> cold(
            String executionId, long fromSeq, long toSeq, boolean ascending, int maxEntries, LogFilter filter) {
        if (!filter.reads() || toSeq - fromSeq < ColdStore.MAX_SCAN_ROWS) {
            return coldPiece(executionId, fromSeq, toSeq, ascending, maxEntries, filter);
        }
        return cold.nthSeq(executionId, fromSeq, toSeq, ascending, ColdStore.MAX_SCAN_ROWS - 1)
                .compose(end -> ascending
                        ? coldPiece(executionId, fromSeq, end, true, maxEntries, filter)
                        : coldPiece(executionId, end, toSeq, false, maxEntries, filter))
                .recover(away -> Future.succeededFuture(away(executionId, fromSeq, toSeq, ascending, away)));
    }

    private Future<Slice> coldPiece(
            String executionId, long fromSeq, long toSeq, boolean ascending, int maxEntries, LogFilter filter) {
        int rows = Math.min(maxEntries, MAX_COLD_ROWS);
        return cold.entries(executionId, fromSeq, toSeq, ascending, rows, filter)
                .compose(entries -> {
                    boolean cut = entries.size() >= rows;
                    long low = ascending || !cut ? fromSeq : last(entries).seq();
                    long high = ascending && cut ? last(entries).seq() : toSeq;
                    Future<List<Gap>> gaps = filter.all()
                            ? Future.succeededFuture(Holes.between(upwards(entries, ascending), low, high))
                            : filteredHoles(executionId, low, high);
                    return gaps.compose(holes -> expired.named(executionId, holes))
                            .map(found -> new Slice(entries, Holes.told(found, filter), ascending ? high : low, false));
                })
                .recover(away -> Future.succeededFuture(away(executionId, fromSeq, toSeq, ascending, away)));
    }

    /** The holes of a range of which only some entries were read: where they lie by jumps, whether there are any by count. */
    private Future<List<Gap>> filteredHoles(String executionId, long fromSeq, long toSeq) {
        return splitAtJumps(executionId, fromSeq, toSeq, new ArrayList<>()).compose(gaps -> {
            long technical = gaps.stream()
                    .filter(gap -> gap.reason() == Reason.TECHNICAL_EXPIRED)
                    .mapToLong(gap -> gap.toSeq() - gap.fromSeq() + 1)
                    .sum();
            return cold.count(executionId, fromSeq, toSeq, LogFilter.ALL)
                    .map(held -> held < technical
                            ? gaps
                            : gaps.stream()
                                    .filter(gap -> gap.reason() == Reason.LOST)
                                    .toList());
        });
    }

    private Future<List<Gap>> splitAtJumps(String executionId, long fromSeq, long toSeq, List<Gap> gaps) {
        long jump = Holes.nextJump(fromSeq - 1);
        if (jump == fromSeq) {
            jump += Holes.JUMP;
        }
        if (fromSeq > toSeq || jump - 1 > toSeq) {
            if (fromSeq <= toSeq) {
                gaps.add(new Gap(fromSeq, toSeq, Reason.TECHNICAL_EXPIRED));
            }
            return Future.succeededFuture(gaps);
        }
        long next = jump;
        return cold.entries(executionId, fromSeq, next - 1, false, 1, LogFilter.ALL)
                .compose(below -> {
                    long held = below.isEmpty() ? fromSeq - 1 : below.get(0).seq();
                    if (held >= fromSeq) {
                        gaps.add(new Gap(fromSeq, held, Reason.TECHNICAL_EXPIRED));
                    }
                    if (held < next - 1) {
                        Holes.append(gaps, new Gap(held + 1, next - 1, Reason.LOST));
                    }
                    return splitAtJumps(executionId, next, toSeq, gaps);
                });
    }

    private static Slice away(String executionId, long fromSeq, long toSeq, boolean ascending, Throwable cause) {
        LOG.debug("PostgreSQL does not answer for {} {}–{}", executionId, fromSeq, toSeq, cause);
        Gap gap = new Gap(fromSeq, toSeq, Reason.POSTGRES_UNAVAILABLE);
        return new Slice(List.of(), List.of(gap), ascending ? toSeq : fromSeq, true);
    }

    /** Whether a read of the journal can have stopped at one of its limits. */
    private static boolean cut(List<LogEntry> entries, int maxEntries, long maxBytes) {
        if (entries.isEmpty()) {
            return false;
        }
        long bytes = 0;
        for (LogEntry entry : entries) {
            bytes += entry.encoded().length + ENTRY_OVERHEAD_BYTES;
        }
        return entries.size() >= maxEntries || bytes >= maxBytes;
    }

    private static LogEntry last(List<LogEntry> entries) {
        return entries.get(entries.size() - 1);
    }

    private static List<LogEntry> upwards(List<LogEntry> entries, boolean ascending) {
        if (ascending) {
            return entries;
        }
        var turned = new ArrayList<>(entries);
        Collections.reverse(turned);
        return turned;
    }

    /** A state of which the journal holds nothing: all its entries are in PostgreSQL, whatever the row remembers. */
    private static ExecutionState coldOnly(ExecutionState state) {
        return new ExecutionState(
                state.executionId(),
                state.workflowId(),
                state.userId(),
                state.status(),
                state.lastSeq() + 1,
                state.lastSeq(),
                state.totalLogs(),
                state.levelCounts(),
                state.eventCounts(),
                state.milestoneCount(),
                state.progressHundredths(),
                state.createdAtMicros(),
                state.startedAtMicros(),
                state.finishedAtMicros(),
                state.firstEntryAtMicros(),
                state.lastEntryAtMicros(),
                state.lastReceivedAtMicros(),
                0); // whatever this journal says of it is newer
    }

    /** What the journal's store has, or null where another has to answer; and from where on it holds all. */
    private record Held(long hotFromSeq, @Nullable List<LogEntry> entries) {
        /** The journal was not looked at: the hot tier first. */
        static final Held ASK_HOT = new Held(-1, null);

        boolean askHot() {
            return hotFromSeq < 0;
        }
    }

    private record Answer(Held held, Found found) {}

    private record Count(long lowSeq, long entries) {}
}
