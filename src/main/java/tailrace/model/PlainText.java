package tailrace.model;

import org.jspecify.annotations.Nullable;

/**
 * Log content as people may see it on a terminal or in a text file. What would be obeyed rather than shown (control
 * sequences, marks that turn the direction of writing round, line breaks of other alphabets) becomes its number, such as
 * <code>&#92;u001b</code>; everything else stays as it is.
 */
public final class PlainText {
    private static final String HEX = "0123456789abcdef";

    private PlainText() {}

    /** On one line: its own line breaks become their numbers, too. */
    public static String line(String text) {
        return shown(text, null);
    }

    /**
     * On as many lines as it has, be they separated by LF, CR or both.
     *
     * @param indent what each line but the first begins with, so that none can pass for a line of ours
     */
    public static String block(String text, String indent) {
        return shown(text, indent);
    }

    private static String shown(String text, @Nullable String indent) {
        int first = 0;
        while (first < text.length() && !obeyed(text.charAt(first))) {
            first++;
        }
        if (first == text.length()) {
            return text;
        }
        StringBuilder out = new StringBuilder(text.length() + 16).append(text, 0, first);
        for (int i = first; i < text.length(); i++) {
            char c = text.charAt(i);
            if (!obeyed(c)) {
                out.append(c);
            } else if (indent == null || (c != '\n' && c != '\r')) {
                number(out, c);
            } else {
                out.append('\n').append(indent);
                if (c == '\r' && i + 1 < text.length() && text.charAt(i + 1) == '\n') {
                    i++;
                }
            }
        }
        return out.toString();
    }

    /** Whether a terminal or a text widget does something at it instead of showing it. A tab is only wide. */
    private static boolean obeyed(char c) {
        return (c < 0x20 && c != '\t')
                || (c >= 0x7f && c <= 0x9f)
                || c == '\u061c'
                || c == '\u200e'
                || c == '\u200f'
                || (c >= '\u2028' && c <= '\u202e')
                || (c >= '\u2066' && c <= '\u2069')
                || c == '\ufeff';
    }

    private static void number(StringBuilder out, char c) {
        out.append("\\u");
        for (int shift = 12; shift >= 0; shift -= 4) {
            out.append(HEX.charAt(c >> shift & 0xf));
        }
    }
}
