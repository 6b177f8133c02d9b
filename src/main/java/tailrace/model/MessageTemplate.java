package tailrace.model;

import java.util.regex.Pattern;

/**
 * A message without what changes from run to run: times, UUIDs, hexadecimal and other ids, and numbers all become
 * {@code <*>}. One placeholder for all, because an id may happen to consist of digits alone. Words in quotes stay: they
 * are states and names as often as they are ids.
 */
public final class MessageTemplate {
    /** Characters of a template; what messages say beyond it does not tell them apart. */
    public static final int MAX_CHARS = 200;

    private static final int UUID_START_CHARS = 8;
    private static final String VARIABLE = "<*>";
    /** From here on a word of hexadecimal digits is an id, if it has any digit at all. */
    private static final int MIN_HEX_CHARS = 6;
    /** From here on any word of letters and digits is. */
    private static final int MIN_MIXED_CHARS = 16;
    /** A shorter one is if it goes so often from letters to digits or back. */
    private static final int MIN_CHANGES = 3;

    // Possessive throughout: no input can make them go back.
    private static final Pattern UUID =
            Pattern.compile("[0-9a-fA-F]{8}+-[0-9a-fA-F]{4}+-[0-9a-fA-F]{4}+-[0-9a-fA-F]{4}+-[0-9a-fA-F]{12}+");
    private static final Pattern TIME = Pattern.compile("(?>\\d{4}+[-/]\\d{2}+[-/]\\d{2}+(?>[T ](?=\\d{2}:))?+)?+"
            + "(?>\\d{2}+:\\d{2}+(?>:\\d{2}+(?>[.,]\\d++)?+)?+(?>Z|[+-]\\d{2}+:?+\\d{2}+)?+)?+");
    private static final Pattern NUMBER = Pattern.compile("\\d++(?>[.,]\\d++)*+(?>[eE][+-]?+\\d++)?+");

    private final String text;
    private final StringBuilder out = new StringBuilder();
    private int at;

    private MessageTemplate(String text) {
        this.text = text;
    }

    public static String of(String message) {
        return new MessageTemplate(message).make();
    }

    private String make() {
        while (at < text.length() && out.length() <= MAX_CHARS) {
            char c = text.charAt(at);
            if (!wordChar(c)) {
                if (!sign(c)) {
                    out.append(c);
                }
                at++;
            } else if (take(UUID) || (digit(c) && (take(TIME) || takeNumber()))) {
                out.append(VARIABLE);
            } else {
                word();
            }
        }
        if (out.length() > MAX_CHARS) {
            out.setLength(Character.isHighSurrogate(out.charAt(MAX_CHARS - 1)) ? MAX_CHARS - 1 : MAX_CHARS);
        }
        return out.toString();
    }

    /** A minus before a number, where it cannot be a dash. */
    private boolean sign(char c) {
        return (c == '-' || c == '+')
                && at + 1 < text.length()
                && digit(text.charAt(at + 1))
                && (at == 0 || !(wordChar(text.charAt(at - 1)) || text.charAt(at - 1) == '-'));
    }

    private boolean take(Pattern pattern) {
        var matcher = pattern.matcher(text).region(at, text.length());
        if (!matcher.lookingAt() || matcher.end() == at) {
            return false;
        }
        int end = matcher.end();
        if (end < text.length() && wordChar(text.charAt(end)) && wordChar(text.charAt(end - 1))) {
            return false; // the word goes on: it is something else
        }
        at = end;
        return true;
    }

    /** Also with a unit behind it: {@code 80ms}. Not where it begins an id. */
    private boolean takeNumber() {
        var matcher = NUMBER.matcher(text).region(at, text.length());
        if (!matcher.lookingAt()) {
            return false;
        }
        int end = matcher.end();
        if (end < text.length() && wordChar(text.charAt(end)) && id(at, wordEnd(at))) {
            return false;
        }
        at = end;
        return true;
    }

    private void word() {
        int end = wordEnd(at);
        int glued = end - UUID_START_CHARS;
        if (glued > at && UUID.matcher(text).region(glued, text.length()).lookingAt()) {
            end = glued; // a UUID begins within the word
        }
        if (id(at, end)) {
            out.append(VARIABLE);
            at = end;
            return;
        }
        boolean inDigits = false;
        for (; at < end; at++) {
            char c = text.charAt(at);
            if (!digit(c)) {
                out.append(c);
            } else if (!inDigits) {
                out.append(VARIABLE);
                if (take(TIME)) {
                    return; // a time begins within the word
                }
            }
            inDigits = digit(c);
        }
    }

    private int wordEnd(int from) {
        int end = from;
        while (end < text.length() && wordChar(text.charAt(end))) {
            end++;
        }
        return end;
    }

    /** Whether letters and digits are mixed as nobody would in a word. */
    private boolean id(int start, int to) {
        if (to - start > 2 && text.charAt(start) == '0' && (text.charAt(start + 1) | 0x20) == 'x') {
            return true; // 0x…
        }
        boolean hex = true;
        int digits = 0;
        int changes = 0;
        for (int i = start; i < to; i++) {
            char c = text.charAt(i);
            boolean isDigit = digit(c);
            hex &= isDigit || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
            digits += isDigit ? 1 : 0;
            changes += i > start && isDigit != digit(text.charAt(i - 1)) ? 1 : 0;
        }
        int length = to - start;
        return digits > 0
                && digits < length
                && ((hex && length >= MIN_HEX_CHARS) || length >= MIN_MIXED_CHARS || changes >= MIN_CHANGES);
    }

    private static boolean digit(char c) {
        return c >= '0' && c <= '9';
    }

    private static boolean wordChar(char c) {
        return digit(c) || Character.isLetter(c);
    }
}
