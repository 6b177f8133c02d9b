package tailrace.http;

import io.vertx.core.MultiMap;
import java.time.DateTimeException;
import java.time.OffsetDateTime;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tailrace.model.EventType;
import tailrace.model.Level;
import tailrace.model.LogCategory;
import tailrace.model.LogFilter;
import tailrace.model.StorableText;
import tailrace.model.TextQuery;
import tailrace.model.Timestamps;
import tailrace.query.Around;
import tailrace.query.HistoryQuery;
import tailrace.query.PageCursor;
import tailrace.query.SearchCursor;
import tailrace.query.SearchQuery;

/**
 * The query parameters that reading has in common (SPEC 6). A parameter that is unknown, given twice or has a value it
 * cannot have is a {@link Problem} that names it: a filter is never ignored.
 */
final class ReadParameters {
    private static final Set<String> FILTERS = Set.of(
            "level",
            "min_level",
            "event_type",
            "category",
            "min_priority",
            "milestone",
            "start_time",
            "end_time",
            "node_id",
            "q");
    private static final Set<String> PAGING = Set.of("limit", "offset", "cursor", "order", "after_seq", "before_seq");
    private static final Set<String> AROUND = Set.of("around_seq", "before", "after");
    private static final Set<String> HISTORY = union(PAGING, AROUND, Set.of("count"));
    private static final Set<String> EXPORT = Set.of("order", "after_seq", "before_seq", "format", "tz", "gzip");
    private static final Set<String> STREAMING =
            Set.of("last_event_id", "tail", "follow", "wait", "after_seq", AuthHandler.TICKET);
    private static final Set<String> STREAMING_MANY = union(STREAMING, Set.of("execution_id", "workflow_id"), Set.of());
    private static final Set<String> SEARCHING = Set.of("limit", "cursor");
    /** Taken by whoever checked the token. */
    private static final String ACCESS_TOKEN = "access_token";

    /** Values of {@code node_id}. */
    private static final int MAX_NODES = 50;

    private static final int MAX_NODE_CHARS = 255;
    private static final Pattern DIGITS = Pattern.compile("-?[0-9]{1,18}");
    /** Matches no entry: what is left where two filters exclude each other. */
    private static final LogFilter NONE = new LogFilter(Set.of(), Set.of(), null, 1, null, 1, 0);

    private final MultiMap parameters;

    private ReadParameters(MultiMap parameters, Set<String> own) {
        this(parameters, own, FILTERS);
    }

    private ReadParameters(MultiMap parameters, Set<String> own, Set<String> filters) {
        this.parameters = parameters;
        for (String name : parameters.names()) {
            if (!filters.contains(name) && !own.contains(name) && !name.equals(ACCESS_TOKEN)) {
                throw Problem.parameter(name, "there is no such parameter here");
            }
        }
    }

    static ReadParameters history(MultiMap parameters) {
        return new ReadParameters(parameters, HISTORY);
    }

    /** Across executions: no seq is common to them. */
    static ReadParameters search(MultiMap parameters) {
        return new ReadParameters(parameters, SEARCHING);
    }

    @SafeVarargs
    private static Set<String> union(Set<String>... sets) {
        return Stream.of(sets).flatMap(Set::stream).collect(Collectors.toUnmodifiableSet());
    }

    /** What stands around one entry, if that is asked for. */
    Optional<Around> around() {
        OptionalLong seq = number("around_seq", 1, Long.MAX_VALUE - 1);
        if (seq.isEmpty()) {
            for (String name : List.of("before", "after")) {
                if (parameters.contains(name)) {
                    throw Problem.parameter(name, "is only for around_seq");
                }
            }
            return Optional.empty();
        }
        for (String name : PAGING) {
            if (parameters.contains(name)) {
                throw Problem.parameter(name, "cannot be combined with around_seq");
            }
        }
        return Optional.of(new Around(
                filter(),
                seq.getAsLong(),
                (int) number("before", 0, Around.MAX_SIDE, Around.DEFAULT_SIDE),
                (int) number("after", 0, Around.MAX_SIDE, Around.DEFAULT_SIDE),
                flag("count").orElse(true)));
    }

    SearchQuery searchQuery(Optional<String> workflowId) {
        return new SearchQuery(
                workflowId,
                filter(),
                (int) number("limit", 1, HistoryQuery.MAX_LIMIT, HistoryQuery.DEFAULT_LIMIT),
                text("cursor").map(text -> SearchCursor.decode(text, workflowId)
                        .orElseThrow(() -> Problem.parameter("cursor", "is not one that this search's pages gave"))));
    }

    static ReadParameters stream(MultiMap parameters) {
        return new ReadParameters(parameters, STREAMING);
    }

    static ReadParameters export(MultiMap parameters) {
        return new ReadParameters(parameters, EXPORT);
    }

    /** Of a stream of many executions. */
    static ReadParameters streamOfMany(MultiMap parameters) {
        return new ReadParameters(parameters, STREAMING_MANY);
    }

    /** Where nothing is filtered. */
    static ReadParameters only(MultiMap parameters, Set<String> own) {
        return new ReadParameters(parameters, own, Set.of());
    }

    /** All values of one that may be repeated, in their order. */
    List<String> texts(String name) {
        return parameters.getAll(name);
    }

    /** Everything that the filters of a history request accept, in one go. */
    HistoryQuery exportQuery() {
        return new HistoryQuery(
                filter(),
                ascending().orElse(true),
                HistoryQuery.NO_LIMIT,
                0,
                Optional.empty(),
                afterSeq(),
                beforeSeq(),
                false);
    }

    HistoryQuery historyQuery(String executionId) {
        LogFilter filter = filter();
        Optional<PageCursor> cursor = text("cursor").map(text -> PageCursor.decode(text, executionId)
                .orElseThrow(() -> Problem.parameter("cursor", "is not one that this execution's pages gave")));
        boolean ascending =
                ascending().or(() -> cursor.map(PageCursor::ascending)).orElse(true);
        if (cursor.isPresent() && cursor.get().ascending() != ascending) {
            throw Problem.parameter("cursor", "belongs to the other order");
        }
        int offset = (int) number("offset", 0, HistoryQuery.MAX_OFFSET, 0);
        if (cursor.isPresent() && offset > 0) {
            throw Problem.parameter("offset", "cannot be combined with cursor");
        }
        return new HistoryQuery(
                filter,
                ascending,
                (int) number("limit", 1, HistoryQuery.MAX_LIMIT, HistoryQuery.DEFAULT_LIMIT),
                offset,
                cursor,
                afterSeq(),
                beforeSeq(),
                flag("count").orElse(true));
    }

    private Optional<Boolean> ascending() {
        return text("order").map(text -> switch (text) {
            case "asc" -> true;
            case "desc" -> false;
            default -> throw Problem.parameter("order", "must be asc or desc");
        });
    }

    private long beforeSeq() {
        return number("before_seq", 0, Long.MAX_VALUE, Long.MAX_VALUE);
    }

    LogFilter filter() {
        Set<Level> levels = all("level", Level.class, Level::parse);
        Optional<Level> minLevel = text("min_level").map(text -> value("min_level", text, Level.class, Level::parse));
        boolean impossible = false;
        if (minLevel.isPresent()) {
            Set<Level> atLeast = EnumSet.range(minLevel.get(), Level.CRITICAL);
            if (!levels.isEmpty()) {
                atLeast.retainAll(levels);
            }
            impossible = atLeast.isEmpty();
            levels = atLeast;
        }
        Set<EventType> types = all("event_type", EventType.class, EventType::parse);
        LogCategory category = text("category")
                .map(text -> value("category", text, LogCategory.class, LogCategory::parse))
                .orElse(null);
        Boolean milestone = flag("milestone").orElse(null);
        int minPriority = (int) number("min_priority", 1, 10, 1);
        long start = time("start_time").orElse(Long.MIN_VALUE);
        long end = time("end_time").orElse(Long.MAX_VALUE);
        if (levels.size() == Level.values().length) {
            levels = Set.of(); // all of them: no filter, and cheaper
        }
        LogFilter filter =
                new LogFilter(levels, types, category, minPriority, milestone, start, end, nodeIds(), textQuery());
        return impossible ? NONE : filter.all() ? LogFilter.ALL : filter; // one object for the most common case
    }

    private Set<String> nodeIds() {
        List<String> values = parameters.getAll("node_id");
        if (values.size() > MAX_NODES) {
            throw Problem.parameter("node_id", "may be given at most " + MAX_NODES + " times");
        }
        Set<String> ids = new HashSet<>();
        for (String value : values) {
            if (value.isEmpty() || value.length() > MAX_NODE_CHARS) {
                throw Problem.parameter("node_id", "must have 1 to " + MAX_NODE_CHARS + " characters");
            }
            ids.add(StorableText.of(value));
        }
        return ids;
    }

    private @Nullable TextQuery textQuery() {
        Optional<String> q = text("q");
        if (q.isEmpty()) {
            return null;
        }
        try {
            return TextQuery.parse(q.get());
        } catch (TextQuery.InvalidException e) {
            throw Problem.parameter("q", String.valueOf(e.getMessage()));
        }
    }

    long afterSeq() {
        return number("after_seq", 0, Long.MAX_VALUE - 1, 0);
    }

    /** One value, or nothing; an empty one counts as a value. */
    Optional<String> text(String name) {
        List<String> values = parameters.getAll(name);
        if (values.size() > 1) {
            throw Problem.parameter(name, "may be given only once");
        }
        return values.stream().findFirst();
    }

    OptionalLong number(String name, long min, long max) {
        Optional<String> text = text(name);
        if (text.isEmpty()) {
            return OptionalLong.empty();
        }
        if (!DIGITS.matcher(text.get()).matches()) {
            throw Problem.parameter(name, "must be a whole number");
        }
        long value = Long.parseLong(text.get());
        if (value < min || value > max) {
            throw Problem.parameter(
                    name, max > Integer.MAX_VALUE ? "must be at least " + min : "must be from " + min + " to " + max);
        }
        return OptionalLong.of(value);
    }

    private long number(String name, long min, long max, long fallback) {
        return number(name, min, max).orElse(fallback);
    }

    Optional<Boolean> flag(String name) {
        return text(name).map(text -> switch (text) {
            case "true" -> true;
            case "false" -> false;
            default -> throw Problem.parameter(name, "must be true or false");
        });
    }

    /** Epoch microseconds of ISO 8601 with offset, or of epoch milliseconds. */
    Optional<Long> time(String name) {
        return text(name).map(text -> {
            try {
                if (DIGITS.matcher(text).matches()) {
                    return Math.multiplyExact(Long.parseLong(text), 1_000L);
                }
                // A plus sign that was not encoded arrives as a space, which ISO 8601 has nowhere.
                return Timestamps.micros(
                        OffsetDateTime.parse(text.replace(' ', '+')).toInstant());
            } catch (DateTimeException | ArithmeticException e) {
                throw Problem.parameter(name, "must be ISO 8601 with an offset, or epoch milliseconds");
            }
        });
    }

    private <E extends Enum<E>> Set<E> all(String name, Class<E> type, Function<String, @Nullable E> parse) {
        Set<E> values = EnumSet.noneOf(type);
        for (String text : parameters.getAll(name)) {
            values.add(value(name, text, type, parse));
        }
        return values;
    }

    private static <E extends Enum<E>> E value(
            String name, String text, Class<E> type, Function<String, @Nullable E> parse) {
        E value = parse.apply(text);
        if (value == null) {
            throw Problem.parameter(
                    name,
                    "must be one of "
                            + String.join(
                                    ", ",
                                    EnumSet.allOf(type).stream()
                                            .map(one -> one.name().toLowerCase(java.util.Locale.ROOT))
                                            .toList()));
        }
        return value;
    }
}
