package tailrace.model;

import java.util.HashMap;
import java.util.Map;

/**
 * Which characters are the same letter when case does not count. One rule for every tier: Java applies it, and what is
 * sent to PostgreSQL spells it out character by character ({@link #variants}), so neither its locale nor its version of
 * Unicode has a say. A letter of ASCII is the same as its other case and as nothing else (not as the Kelvin sign); other
 * characters go by Unicode's simple mappings, one character for one; those beyond U+FFFF count as they are.
 */
final class CaseFold {
    private static final Map<Character, String> VARIANTS = classes();

    private CaseFold() {}

    /** The one character that stands for all that are the same. */
    static char of(char c) {
        if (c < 0x80) {
            return c >= 'A' && c <= 'Z' ? (char) (c + ('a' - 'A')) : c;
        }
        if (Character.isSurrogate(c)) {
            return c;
        }
        char folded = Character.toLowerCase(Character.toUpperCase(c));
        return folded < 0x80 ? c : folded;
    }

    /** The text with each character replaced by {@link #of}; of the same length. */
    static String of(String text) {
        char[] folded = text.toCharArray();
        for (int i = 0; i < folded.length; i++) {
            folded[i] = of(folded[i]);
        }
        return new String(folded);
    }

    /** All characters that are the same as a folded one, itself among them. */
    static String variants(char folded) {
        return VARIANTS.getOrDefault(folded, String.valueOf(folded));
    }

    private static Map<Character, String> classes() {
        Map<Character, String> classes = new HashMap<>();
        for (int c = 0; c <= Character.MAX_VALUE; c++) {
            char folded = of((char) c);
            if (folded != c) {
                classes.merge(folded, String.valueOf((char) c), String::concat);
            }
        }
        classes.replaceAll((folded, others) -> folded + others);
        return Map.copyOf(classes);
    }
}
