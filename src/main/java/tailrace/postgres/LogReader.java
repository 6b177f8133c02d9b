package tailrace.postgres;

import io.vertx.core.Future;
import io.vertx.sqlclient.Tuple;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tailrace.model.EntryCodec;
import tailrace.model.EntryFields;
import tailrace.model.ExecutionState;
import tailrace.model.LogCategory;
import tailrace.model.LogEntry;
import tailrace.model.LogFilter;
import tailrace.model.TextQuery;
import tailrace.model.TextQuery.Patterns;
import tailrace.security.Principal;

/**
 * What the cold tier knows, as the journal would tell it: the same entries, the same JSON but for the order of keys
 * inside data. Paged by seq. Each reader sees what is theirs; nobody sees anything. A future fails while PostgreSQL is
 * away; the caller says so in its coverage. Any thread.
 */
public final class LogReader {
    private static final Patterns NO_PATTERNS = new Patterns(List.of(), List.of(), List.of(), List.of(), false);

    private final Readers readers;
    private final Sql sql;
    private final Principal principal;

    /** For nobody, until {@link #as}. */
    public LogReader(Database database, Readers readers) {
        this(readers, database.sql(), Principal.NOBODY);
    }

    private LogReader(Readers readers, Sql sql, Principal principal) {
        this.readers = readers;
        this.sql = sql;
        this.principal = principal;
    }

    /** The same for this reader. */
    public LogReader as(Principal reader) {
        return new LogReader(readers, sql, reader);
    }

    /** The execution as of the last flush, or nothing; its {@code hotFromSeq} says that no other tier has it. */
    public Future<Optional<ExecutionState>> execution(String executionId) {
        return readers.as(principal, executionId, client -> client.preparedQuery(sql.execution)
                .execute(Tuple.of(executionId))
                .map(rows -> rows.size() == 0
                        ? Optional.empty()
                        : Optional.of(Rows.execution(rows.iterator().next()))));
    }

    /**
     * Entries between two seqs (both included), in order of seq.
     *
     * @param ascending false for the newest first
     * @param maxEntries at most so many
     */
    public Future<List<LogEntry>> entries(
            String executionId, long fromSeq, long toSeq, boolean ascending, int maxEntries, LogFilter filter) {
        Tuple parameters = parameters(executionId, fromSeq, toSeq, filter).addInteger(maxEntries);
        return readers.as(principal, executionId, client -> client.preparedQuery(
                        ascending ? sql.entriesAscending : sql.entriesDescending)
                .execute(parameters)
                .map(rows -> {
                    EntryCodec codec = new EntryCodec();
                    EntryFields fields = new EntryFields();
                    List<LogEntry> entries = new ArrayList<>(rows.size());
                    rows.forEach(row -> {
                        Rows.entry(row, fields);
                        entries.add(new LogEntry(row.getLong(0), codec.encode(fields)));
                    });
                    return entries;
                }));
    }

    /** How many entries between two seqs (both included) the filter accepts. */
    public Future<Long> count(String executionId, long fromSeq, long toSeq, LogFilter filter) {
        return readers.as(principal, executionId, client -> client.preparedQuery(sql.countEntries)
                .execute(parameters(executionId, fromSeq, toSeq, filter))
                .map(rows -> rows.iterator().next().getLong(0)));
    }

    /**
     * The seq that stands at a place between two seqs (both included), filtered by nothing; the end of the range if there
     * are not so many.
     *
     * @param place 0 for the first in the order of reading
     */
    public Future<Long> nthSeq(String executionId, long fromSeq, long toSeq, boolean ascending, int place) {
        return readers.as(principal, executionId, client -> client.preparedQuery(
                        ascending ? sql.nthSeqAscending : sql.nthSeqDescending)
                .execute(Tuple.of(executionId, fromSeq, toSeq, (long) place))
                .map(rows -> rows.size() == 0
                        ? ascending ? toSeq : fromSeq
                        : rows.iterator().next().getLong(0)));
    }

    private static Tuple parameters(String executionId, long fromSeq, long toSeq, LogFilter filter) {
        return withFilter(Tuple.of(executionId, fromSeq, toSeq), filter);
    }

    /** Twelve parameters, in the order of {@link Sql#countEntries} and {@link Sql#search}. */
    static Tuple withFilter(Tuple parameters, LogFilter filter) {
        LogCategory category = filter.category();
        TextQuery text = filter.text();
        Patterns patterns = text == null ? NO_PATTERNS : text.patterns();
        return parameters
                .addArrayOfString(names(filter.levels()))
                .addArrayOfString(names(filter.eventTypes()))
                .addString(category == null ? null : category.wire())
                .addInteger(filter.minPriority())
                .addBoolean(filter.milestone())
                .addOffsetDateTime(filter.startMicros() == Long.MIN_VALUE ? null : Rows.time(filter.startMicros()))
                .addOffsetDateTime(filter.endMicros() == Long.MAX_VALUE ? null : Rows.time(filter.endMicros()))
                .addArrayOfString(array(filter.nodeIds()))
                .addArrayOfString(array(patterns.like()))
                .addArrayOfString(array(patterns.notLike()))
                .addArrayOfString(array(patterns.regex()))
                .addArrayOfString(array(patterns.notRegex()));
    }

    private static String @Nullable [] array(Collection<String> values) {
        return values.isEmpty() ? null : values.toArray(String[]::new);
    }

    private static String @Nullable [] names(Set<? extends Enum<?>> values) {
        return values.isEmpty()
                ? null
                : values.stream()
                        .map(value -> value.name().toLowerCase(java.util.Locale.ROOT))
                        .toArray(String[]::new);
    }
}
