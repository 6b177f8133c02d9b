package tailrace.ingest;

import java.util.ArrayList;
import java.util.List;

/**
 * Finds the triggers of all rules in one pass over a text. Every three characters in a row, five bits each, are an index
 * into a table that is nearly empty; only where it is not, triggers are compared.
 * Immutable.
 */
final class Triggers {
    static final int MIN_CHARS = 3;

    private static final int BITS = 5;
    private static final int CHAR_MASK = (1 << BITS) - 1; // lower and upper case of a letter have these bits in common
    private static final int WINDOW_MASK = (1 << MIN_CHARS * BITS) - 1;

    private record Candidate(String trigger, MaskRule rule) {}

    // By window: 0, or an index into candidates.
    private final short[] windows = new short[WINDOW_MASK + 1];
    private final List<List<Candidate>> candidates = new ArrayList<>();

    Triggers(List<MaskRule> rules) {
        candidates.add(List.of());
        for (MaskRule rule : rules) {
            for (String trigger : rule.triggers()) {
                add(trigger, rule);
            }
        }
    }

    private void add(String trigger, MaskRule rule) {
        if (trigger.length() < MIN_CHARS) {
            throw new IllegalArgumentException("a trigger of fewer than " + MIN_CHARS + " characters: " + trigger);
        }
        int window = 0;
        for (int i = 0; i < MIN_CHARS; i++) {
            window = window << BITS | trigger.charAt(i) & CHAR_MASK;
        }
        if (windows[window] == 0) {
            windows[window] = (short) candidates.size();
            candidates.add(new ArrayList<>());
        }
        candidates.get(windows[window]).add(new Candidate(trigger, rule));
    }

    /** Asks each rule at each of its triggers; what lies within a secret already found is not looked at again. */
    void find(String text, Spans into) {
        int window = 0;
        for (int i = 0; i < text.length(); i++) {
            window = (window << BITS | text.charAt(i) & CHAR_MASK) & WINDOW_MASK;
            int index = windows[window];
            if (index != 0 && i >= MIN_CHARS - 1) {
                ask(text, i - MIN_CHARS + 1, candidates.get(index), into);
            }
        }
    }

    private static void ask(String text, int at, List<Candidate> candidates, Spans into) {
        for (int i = 0; i < candidates.size() && !into.covers(at); i++) {
            String trigger = candidates.get(i).trigger();
            if (stands(text, at, trigger)) {
                candidates.get(i).rule().find(text, at, trigger.length(), into);
            }
        }
    }

    /** Without case; its first characters are known to be right but for the bits that the window leaves out. */
    private static boolean stands(String text, int at, String trigger) {
        int length = trigger.length();
        if (at + length > text.length()) {
            return false;
        }
        for (int i = length - 1; i >= 0; i--) {
            char c = text.charAt(at + i);
            if (c != trigger.charAt(i) && (c < 'A' || c > 'Z' || c + ('a' - 'A') != trigger.charAt(i))) {
                return false;
            }
        }
        return true;
    }
}
