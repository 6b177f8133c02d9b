package tailrace.http;

import io.vertx.core.MultiMap;
import java.time.DateTimeException;
import java.time.OffsetDateTime;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tailrace.model.EventType;
import tailrace.model.Level;
import tailrace.model.LogCategory;
import tailrace.model.LogFilter;
import tailrace.model.Timestamps;
import tailrace.query.HistoryQuery;
import tailrace.query.PageCursor;

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
            "after_seq");
    private static final Set<String> PAGING = Set.of("limit", "offset", "cursor", "order", "before_seq");
    private static final Set<String> STREAMING = Set.of("last_event_id", "tail", "follow", "wait", AuthHandler.TICKET);
    private static final Set<String> STREAMING_MANY =
            Set.of("execution_id", "workflow_id", "last_event_id", "tail", "follow", "wait", AuthHandler.TICKET);
    /** Taken by whoever checked the token. */
    private static final String ACCESS_TOKEN = "access_token";

    private static final Set<String> NOT_YET = Set.of("q", "node_id");
    private static final Pattern DIGITS = Pattern.compile("-?[0-9]{1,18}");
    /** Matches no entry: what is left where two filters exclude each other. */
    private static final LogFilter NONE = new LogFilter(Set.of(), Set.of(), null, 1, null, 1, 0);

    private final MultiMap parameters;

    private ReadParameters(MultiMap parameters, Set<String> own) {
        this.parameters = parameters;
        for (String name : parameters.names()) {
            if (NOT_YET.contains(name)) {
                throw Problem.parameter(name, "this version cannot filter by it yet");
            }
            if (!FILTERS.contains(name) && !own.contains(name) && !name.equals(ACCESS_TOKEN)) {
                throw Problem.parameter(name, "there is no such parameter here");
            }
        }
    }

    static ReadParameters history(MultiMap parameters) {
        return new ReadParameters(parameters, PAGING);
    }

    static ReadParameters stream(MultiMap parameters) {
        return new ReadParameters(parameters, STREAMING);
    }

    /** Of a stream of many executions. */
    static ReadParameters streamOfMany(MultiMap parameters) {
        return new ReadParameters(parameters, STREAMING_MANY);
    }

    /** All values of one that may be repeated, in their order. */
    List<String> texts(String name) {
        return parameters.getAll(name);
    }

    HistoryQuery historyQuery(String executionId) {
        LogFilter filter = filter();
        Optional<PageCursor> cursor = text("cursor").map(text -> PageCursor.decode(text, executionId)
                .orElseThrow(() -> Problem.parameter("cursor", "is not one that this execution's pages gave")));
        Optional<Boolean> order = text("order").map(text -> switch (text) {
            case "asc" -> true;
            case "desc" -> false;
            default -> throw Problem.parameter("order", "must be asc or desc");
        });
        boolean ascending = order.or(() -> cursor.map(PageCursor::ascending)).orElse(true);
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
                number("before_seq", 0, Long.MAX_VALUE, Long.MAX_VALUE));
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
        LogFilter filter = new LogFilter(levels, types, category, minPriority, milestone, start, end);
        return impossible ? NONE : filter.all() ? LogFilter.ALL : filter; // one object for the most common case
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
    private Optional<Long> time(String name) {
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
