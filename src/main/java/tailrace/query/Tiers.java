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
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tailrace.journal.Journal;
import tailrace.model.ExecutionState;
import tailrace.model.LogEntry;
import tailrace.model.LogFilter;
import tailrace.query.Coverage.Gap;
import tailrace.query.Coverage.Reason;

/**
 * Joins the journal's store and PostgreSQL by seq: what the journal holds ({@code hotFromSeq} and above) is read there,
 * everything below it in PostgreSQL. The border only moves upwards; it is looked at again after each read, so an entry
 * that was purged in between is asked for in PostgreSQL instead of being overlooked. Safe for any event loop; the
 * journal's files are read on workers.
 */
public final class Tiers implements EntryStore {
    /** Rows of one query to PostgreSQL: of the largest entries 2.5 MiB. */
    static final int MAX_COLD_ROWS = 250;
    /** What a journal may count for an entry beyond its bytes, at most; decides whether a read can have been cut short. */
    private static final long ENTRY_OVERHEAD_BYTES = 1024;

    private static final Logger LOG = LoggerFactory.getLogger(Tiers.class);

    private final Vertx vertx;
    private final Journal journal;
    private final ColdStore cold;
    private final Expired expired;

    public Tiers(Vertx vertx, Journal journal, ColdStore cold) {
        this.vertx = vertx;
        this.journal = journal;
        this.cold = cold;
        this.expired = new Expired(vertx, journal, cold);
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
        return vertx.executeBlocking(
                        () -> {
                            if (fromSeq < hotFrom(executionId)) {
                                return new Hot(hotFrom(executionId), null);
                            }
                            List<LogEntry> entries =
                                    journal.entries(executionId, fromSeq, toSeq, true, maxEntries, maxBytes, filter);
                            long hotFrom = hotFrom(executionId);
                            return new Hot(hotFrom, fromSeq < hotFrom ? null : entries);
                        },
                        false)
                .compose(hot -> {
                    List<LogEntry> entries = hot.entries;
                    if (entries != null) {
                        long to = cut(entries, maxEntries, maxBytes)
                                ? last(entries).seq()
                                : toSeq;
                        return Future.succeededFuture(new Slice(entries, List.of(), to, false));
                    }
                    long coldTo = Math.min(toSeq, hot.hotFromSeq - 1);
                    return exactHoles
                            ? coldExact(executionId, fromSeq, coldTo, maxEntries, filter)
                            : cold(executionId, fromSeq, coldTo, true, maxEntries, filter);
                });
    }

    @Override
    public Future<Slice> descending(
            String executionId, long fromSeq, long toSeq, int maxEntries, long maxBytes, LogFilter filter) {
        return vertx.executeBlocking(
                        () -> {
                            long low = Math.max(fromSeq, hotFrom(executionId));
                            if (toSeq < low) {
                                return new Hot(low, null);
                            }
                            List<LogEntry> entries =
                                    journal.entries(executionId, low, toSeq, false, maxEntries, maxBytes, filter);
                            // What was purged meanwhile may be among them in part: PostgreSQL has all that is kept of
                            // it.
                            long lowNow = Math.max(low, hotFrom(executionId));
                            boolean cut = lowNow == low && cut(entries, maxEntries, maxBytes);
                            List<LogEntry> held = lowNow == low
                                    ? entries
                                    : entries.stream()
                                            .filter(entry -> entry.seq() >= lowNow)
                                            .toList();
                            return toSeq < lowNow
                                    ? new Hot(lowNow, null)
                                    : new Hot(cut ? last(held).seq() : lowNow, held);
                        },
                        false)
                .compose(hot -> {
                    List<LogEntry> entries = hot.entries;
                    return entries == null
                            ? cold(executionId, fromSeq, toSeq, false, maxEntries, filter)
                            : Future.succeededFuture(new Slice(entries, List.of(), hot.hotFromSeq, false));
                });
    }

    @Override
    public Future<Optional<Long>> count(String executionId, long fromSeq, long toSeq, LogFilter filter) {
        if (fromSeq > toSeq) {
            return Future.succeededFuture(Optional.of(0L));
        }
        return vertx.executeBlocking(
                        () -> {
                            long low = Math.max(fromSeq, hotFrom(executionId));
                            if (low > toSeq) {
                                return new Count(low, 0);
                            }
                            return new Count(
                                    low,
                                    filter.all() ? toSeq - low + 1 : journal.count(executionId, low, toSeq, filter));
                        },
                        false)
                .compose(hot -> {
                    long coldTo = Math.min(toSeq, hot.lowSeq - 1);
                    if (coldTo < fromSeq) {
                        return Future.succeededFuture(Optional.of(hot.entries));
                    }
                    return cold.count(executionId, fromSeq, coldTo, filter)
                            .map(entries -> Optional.of(entries + hot.entries))
                            .recover(away -> {
                                LOG.debug("No count of {} by PostgreSQL", executionId, away);
                                return Future.succeededFuture(Optional.<Long>empty());
                            });
                });
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

    private record Hot(long hotFromSeq, @Nullable List<LogEntry> entries) {}

    private record Count(long lowSeq, long entries) {}
}
