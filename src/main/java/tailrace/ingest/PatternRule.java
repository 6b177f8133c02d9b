package tailrace.ingest;

import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A secret that can be told by its form: whatever the pattern's groups match. The pattern is tried at a trigger only, and
 * must not scan far before it fails: its repetitions are possessive or bounded.
 */
final class PatternRule implements MaskRule {
    private static final int MAX_BEHIND_CHARS = 200;

    private final List<String> triggers;
    private final Pattern pattern;
    private final Predicate<String> check;
    private final int before;
    private final String behind;

    /**
     * @param check what the first group must be, beyond the pattern
     * @param behind a word that must stand before the trigger, or ""
     * @param before characters of the match that stand before its trigger
     */
    private PatternRule(List<String> triggers, Pattern pattern, Predicate<String> check, int before, String behind) {
        this.triggers = triggers;
        this.pattern = pattern;
        this.check = check;
        this.before = before;
        this.behind = behind;
    }

    static PatternRule at(String pattern, String... triggers) {
        return new PatternRule(List.of(triggers), Pattern.compile(pattern), secret -> true, 0, "");
    }

    static PatternRule around(int before, String pattern, String... triggers) {
        return new PatternRule(List.of(triggers), Pattern.compile(pattern), secret -> true, before, "");
    }

    PatternRule checked(Predicate<String> further) {
        return new PatternRule(triggers, pattern, further, before, behind);
    }

    /** Only where this word stands not far before the trigger. */
    PatternRule behind(String word) {
        return new PatternRule(triggers, pattern, check, before, word);
    }

    @Override
    public List<String> triggers() {
        return triggers;
    }

    @Override
    public void find(String text, int at, int length, Spans into) {
        if (at < before || !standsBehind(text, at)) {
            return;
        }
        Matcher matcher = pattern.matcher(text)
                .region(at - before, text.length())
                .useTransparentBounds(true)
                .useAnchoringBounds(false);
        if (!matcher.lookingAt()) {
            return;
        }
        for (int group = 1; group <= matcher.groupCount(); group++) {
            if (matcher.start(group) >= 0 && (group > 1 || check.test(matcher.group(group)))) {
                into.add(matcher.start(group), matcher.end(group));
            }
        }
    }

    private boolean standsBehind(String text, int at) {
        return behind.isEmpty()
                || text.substring(Math.max(0, at - MAX_BEHIND_CHARS), at).contains(behind);
    }
}
