package tailrace.model;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What people look for in an entry's texts (SPEC 6, {@code q}): its message, friendly message, error code and stack
 * trace.
 *
 * <ul>
 *   <li>Words are separated by white space; an entry has to contain all of them, each anywhere in any of the texts: {@code
 *       pointer} finds {@code NullPointerException}.
 *   <li>{@code "a phrase"} stands as it is written, blanks included, within one text; {@code \"} and {@code \\} in it are
 *       a quote and a backslash. A quote within a word is part of the word.
 *   <li>{@code -word} and {@code -"a phrase"} must be in none of the texts. Exclusions alone are allowed.
 *   <li>Case does not count, in the way of {@link CaseFold}.
 * </ul>
 *
 * <p>The same for every tier: on an entry's bytes it is tested here, PostgreSQL gets {@link #patterns}. Immutable.
 */
public final class TextQuery implements Predicate<LogEntry> {
    /** Characters of a query. */
    public static final int MAX_CHARS = 500;
    /** Words, phrases and exclusions: each is looked for in every entry. */
    public static final int MAX_TERMS = 16;
    /** Ranges of one text that {@link #highlights} tells. */
    public static final int MAX_RANGES = 50;

    /** What is searched, by the member's name in what readers get. */
    private enum Searched {
        MESSAGE("message", EntryScan::message),
        RAW_MESSAGE("raw_message", EntryScan::rawMessage),
        ERROR_CODE("error_code", EntryScan::errorCode),
        STACK_TRACE("stack_trace", EntryScan::stackTrace);

        private static final Searched[] ALL = values();

        private final String wire;
        private final Function<EntryScan, @Nullable String> text;

        Searched(String wire, Function<EntryScan, @Nullable String> text) {
            this.wire = wire;
            this.text = text;
        }
    }

    private final List<Term> terms;
    private final int[] trigrams;
    private final String key;

    private TextQuery(List<Term> terms) {
        this.terms = List.copyOf(terms);
        trigrams = terms.stream()
                .filter(term -> !term.excluded)
                .flatMapToInt(term -> IntStream.of(TrigramFilter.slots(Needle.longestPlain(term.folded))))
                .distinct()
                .toArray();
        // No term has a U+001F.
        key = terms.stream()
                .map(term -> (term.excluded ? "-" : "+") + term.folded)
                .collect(Collectors.joining("\u001f"));
    }

    /** A query that cannot be understood; the message says why, to follow the parameter's name. */
    public static final class InvalidException extends Exception {
        private static final long serialVersionUID = 1L;

        InvalidException(String message) {
            super(message);
        }
    }

    /**
     * Something to look for.
     *
     * @param folded as {@link CaseFold} has it
     * @param needle a part of it that an entry's bytes must hold, or null if there is none
     */
    private record Term(
            String folded, boolean excluded, @Nullable Needle needle) {
        static Term of(String text, boolean excluded) {
            String folded = CaseFold.of(text);
            String plain = Needle.longestPlain(folded);
            return new Term(folded, excluded, plain.isEmpty() ? null : new Needle(plain));
        }

        /** Whether the entry's bytes alone say that it is not in there. */
        boolean absent(LogEntry entry) {
            return needle != null && !needle.in(entry.encoded(), entry.tailOffset());
        }

        /** Where it begins from an index on, or -1. */
        int in(String text, int from) {
            int last = text.length() - folded.length();
            char first = folded.charAt(0);
            for (int at = from; at <= last; at++) {
                if (CaseFold.of(text.charAt(at)) == first && matches(text, at)) {
                    return at;
                }
            }
            return -1;
        }

        private boolean matches(String text, int at) {
            for (int i = 1; i < folded.length(); i++) {
                if (CaseFold.of(text.charAt(at + i)) != folded.charAt(i)) {
                    return false;
                }
            }
            return true;
        }
    }

    /** @throws InvalidException if there is nothing to look for, or too much, or what no text can hold */
    public static TextQuery parse(String q) throws InvalidException {
        if (q.length() > MAX_CHARS) {
            throw new InvalidException("may have at most " + MAX_CHARS + " characters");
        }
        List<Term> terms = new ArrayList<>();
        String text = StorableText.of(q);
        for (int at = 0; at < text.length(); ) {
            if (blank(text.charAt(at))) {
                at++;
                continue;
            }
            boolean excluded = text.charAt(at) == '-';
            int begin = excluded ? at + 1 : at;
            boolean phrase = begin < text.length() && text.charAt(begin) == '"';
            var term = new StringBuilder();
            at = phrase ? phrase(text, begin + 1, term) : word(text, begin, term);
            if (term.length() == 0) {
                throw new InvalidException(
                        excluded && !phrase
                                ? "has a - with nothing behind it; put it in quotes to look for it"
                                : "has a phrase with nothing in it");
            }
            terms.add(Term.of(term.toString(), excluded));
        }
        if (terms.isEmpty()) {
            throw new InvalidException("must have at least one word");
        }
        if (terms.size() > MAX_TERMS) {
            throw new InvalidException("may have at most " + MAX_TERMS + " words and phrases");
        }
        return new TextQuery(terms);
    }

    /** White space, but for what are control characters of another kind to people. */
    private static boolean blank(char c) {
        return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c >= 0x80 && Character.isWhitespace(c);
    }

    private static int word(String text, int begin, StringBuilder into) throws InvalidException {
        int at = begin;
        while (at < text.length() && !blank(text.charAt(at))) {
            add(text.charAt(at++), into);
        }
        return at;
    }

    private static int phrase(String text, int begin, StringBuilder into) throws InvalidException {
        for (int at = begin; at < text.length(); at++) {
            char c = text.charAt(at);
            if (c == '"') {
                return at + 1;
            }
            boolean escape =
                    c == '\\' && at + 1 < text.length() && (text.charAt(at + 1) == '"' || text.charAt(at + 1) == '\\');
            add(escape ? text.charAt(++at) : c, into);
        }
        throw new InvalidException("has a quote that is not closed");
    }

    /** U+001F stands between the texts in PostgreSQL, so no term may have it; nobody types the others either. */
    private static void add(char c, StringBuilder into) throws InvalidException {
        if (c < 0x20 && c != '\t' && c != '\n' && c != '\r') {
            throw new InvalidException("has a control character");
        }
        into.append(c);
    }

    /** Whether the entry has every term and none of the excluded ones. Quick where it has not; keeps nothing. */
    @Override
    public boolean test(LogEntry entry) {
        boolean sure = true;
        for (Term term : terms) {
            boolean absent = term.absent(entry);
            if (absent && !term.excluded) {
                return false;
            }
            sure &= absent;
        }
        return sure || test(texts(entry));
    }

    /** What {@link TrigramFilter#mayHold} is to be asked for: no entry without all of them is found. May be none. */
    public int[] trigrams() {
        return trigrams.clone();
    }

    private static EntryScan texts(LogEntry entry) {
        var scan = new EntryScan();
        scan.read(entry);
        return scan;
    }

    private boolean test(EntryScan texts) {
        @Nullable String[] read = new String[Searched.ALL.length];
        for (int i = 0; i < read.length; i++) {
            read[i] = Searched.ALL[i].text.apply(texts);
        }
        for (Term term : terms) {
            boolean found = false;
            for (int i = 0; i < read.length && !found; i++) {
                String text = read[i];
                found = text != null && term.in(text, 0) >= 0;
            }
            if (found == term.excluded) {
                return false;
            }
        }
        return true;
    }

    /** Part of a text; in UTF-16 code units, as JavaScript's slice takes them; the end not included. */
    public record Range(int from, int to) {}

    /**
     * Where the terms stand in the texts that readers get, by the member's name: in order, those that touch joined, the
     * first {@link #MAX_RANGES} of each text.
     */
    public Map<String, List<Range>> highlights(LogEntry entry) {
        EntryScan texts = texts(entry);
        Map<String, List<Range>> found = new LinkedHashMap<>();
        for (Searched field : Searched.ALL) {
            String text = field.text.apply(texts);
            List<Range> ranges = text == null ? List.of() : ranges(text);
            if (!ranges.isEmpty()) {
                found.put(field.wire, ranges);
            }
        }
        return found;
    }

    private List<Range> ranges(String text) {
        List<Range> all = new ArrayList<>();
        for (Term term : terms) {
            int length = term.folded.length();
            int found = 0;
            for (int at = term.excluded ? -1 : term.in(text, 0);
                    at >= 0 && found < MAX_RANGES;
                    at = term.in(text, at + length)) {
                all.add(new Range(at, at + length));
                found++;
            }
        }
        all.sort(Comparator.comparingInt(Range::from).thenComparingInt(Range::to));
        List<Range> joined = new ArrayList<>();
        for (Range range : all) {
            int last = joined.size() - 1;
            if (last >= 0 && range.from <= joined.get(last).to) {
                joined.set(last, new Range(joined.get(last).from, Math.max(joined.get(last).to, range.to)));
            } else {
                joined.add(range);
            }
        }
        return joined.size() > MAX_RANGES ? List.copyOf(joined.subList(0, MAX_RANGES)) : joined;
    }

    /**
     * The same question for PostgreSQL, about {@code log_text(…)}: the texts with U+001F between them and ASCII's letters
     * in lower case. Parameters, never parts of a statement.
     *
     * @param like each has to match
     * @param notLike none may match
     * @param regex each has to match: terms with letters of several cases beyond ASCII
     * @param notRegex none may match
     * @param indexable whether an index over trigrams can find what is looked for
     */
    public record Patterns(
            List<String> like, List<String> notLike, List<String> regex, List<String> notRegex, boolean indexable) {}

    public Patterns patterns() {
        List<String> like = new ArrayList<>();
        List<String> notLike = new ArrayList<>();
        List<String> regex = new ArrayList<>();
        List<String> notRegex = new ArrayList<>();
        boolean indexable = false;
        for (Term term : terms) {
            boolean simple = term.folded
                    .chars()
                    .allMatch(c -> c < 0x80 || CaseFold.variants((char) c).length() == 1);
            if (simple) {
                (term.excluded ? notLike : like).add(like(term.folded));
            } else {
                (term.excluded ? notRegex : regex).add(regex(term.folded));
            }
            indexable |= !term.excluded && trigrams(term.folded);
        }
        return new Patterns(like, notLike, regex, notRegex, indexable);
    }

    private static String like(String folded) {
        return "%" + folded.replaceAll("([\\\\%_])", "\\\\$1") + "%";
    }

    private static String regex(String folded) {
        var regex = new StringBuilder();
        for (int i = 0; i < folded.length(); i++) {
            char c = folded.charAt(i);
            if (c < 0x80) {
                boolean word = c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_' || Character.isWhitespace(c);
                regex.append(word ? "" : "\\").append(c);
            } else {
                String variants = CaseFold.variants(c);
                regex.append(variants.length() == 1 ? variants : "[" + variants + "]");
            }
        }
        return regex.toString();
    }

    /** Whether three letters or digits stand together: of less an index knows nothing. */
    private static boolean trigrams(String folded) {
        int run = 0;
        for (int i = 0; i < folded.length() && run < 3; i++) {
            run = Character.isLetterOrDigit(folded.charAt(i)) ? run + 1 : 0;
        }
        return run >= 3;
    }

    /** Whether it asks for the same: filters are compared to share what was made for one of them. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof TextQuery query && key.equals(query.key);
    }

    @Override
    public int hashCode() {
        return key.hashCode();
    }

    @Override
    public String toString() {
        return key;
    }
}
