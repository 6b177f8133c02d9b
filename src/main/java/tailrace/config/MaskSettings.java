package tailrace.config;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import java.util.List;
import java.util.Optional;
import java.util.regex.MatchResult;

/**
 * Reads what is masked. Patterns are those of RE2: its time is linear in the text whatever the pattern, where a
 * backtracking engine can be held up for ever by a line made for it. What it does not know (look-around, back-references)
 * is refused here, by name.
 */
final class MaskSettings {
    /** Each costs time with every text of every entry. */
    private static final int MAX_PATTERNS = 50;

    private static final int MAX_PATTERN_CHARS = 1_000;
    private static final int MAX_KEYS = 100;
    /** Instructions of a compiled pattern: what a character costs at worst. */
    private static final int MAX_PROGRAM = 2_000;
    /** Repetitions within repetitions are written out when a pattern is compiled. */
    private static final long MAX_REPEATS = 10_000;

    private static final java.util.regex.Pattern REPEAT = java.util.regex.Pattern.compile("\\{(?:\\d+,)?(\\d{1,9})");
    private static final java.util.regex.Pattern KEY =
            java.util.regex.Pattern.compile("(?=.{3,64}$)[A-Za-z0-9]+(?:[ _.-][A-Za-z0-9]+)*");

    private final SettingReader in;

    MaskSettings(SettingReader in) {
        this.in = in;
    }

    TailraceConfig.Mask read() {
        boolean on = in.flag(ConfigKey.LOG_MASK);
        List<String> patterns = lines(ConfigKey.LOG_MASK_PATTERNS, MAX_PATTERNS);
        patterns.forEach(pattern -> problem(pattern)
                .ifPresent(why -> in.problem(ConfigKey.LOG_MASK_PATTERNS, Setting.shown(pattern) + " " + why)));
        List<String> keys = lines(ConfigKey.LOG_MASK_KEYS, MAX_KEYS);
        keys.stream()
                .filter(key -> !KEY.matcher(key).matches())
                .forEach(key -> in.problem(
                        ConfigKey.LOG_MASK_KEYS,
                        Setting.shown(key)
                                + " is not a name: 3 to 64 letters and digits, parted by one _ - . or blank"));
        if (!on && !(patterns.isEmpty() && keys.isEmpty())) {
            in.problem(
                    ConfigKey.LOG_MASK,
                    "masks nothing, but LOG_MASK_PATTERNS or LOG_MASK_KEYS is set; take one of them away");
        }
        return new TailraceConfig.Mask(on, patterns, keys);
    }

    private List<String> lines(ConfigKey key, int max) {
        List<String> lines = in.list(key).stream()
                .flatMap(String::lines)
                .map(String::strip)
                .filter(line -> !line.isEmpty())
                .toList();
        if (lines.size() > max) {
            in.problem(key, "has " + lines.size() + " lines; at most " + max);
        }
        return lines;
    }

    private static Optional<String> problem(String pattern) {
        if (pattern.length() > MAX_PATTERN_CHARS) {
            return Optional.of("has more than " + MAX_PATTERN_CHARS + " characters");
        }
        if (repeats(pattern) > MAX_REPEATS) {
            return Optional.of("repeats too much: its {n} multiply to more than " + MAX_REPEATS);
        }
        try {
            Pattern compiled = Pattern.compile(pattern);
            if (compiled.programSize() > MAX_PROGRAM) {
                return Optional.of("is too large; make its repetitions smaller, or use several patterns");
            }
            return compiled.matcher("").find()
                    ? Optional.of("matches text of no length, so it would match everywhere")
                    : Optional.empty();
        } catch (PatternSyntaxException e) {
            return Optional.of("is not a regular expression of RE2: " + Setting.shown(String.valueOf(e.getMessage())));
        }
    }

    private static long repeats(String pattern) {
        long all = 1;
        for (MatchResult repeat :
                (Iterable<MatchResult>) REPEAT.matcher(pattern).results()::iterator) {
            all = Math.min(Integer.MAX_VALUE, all * Math.max(1, Long.parseLong(repeat.group(1))));
        }
        return all;
    }
}
