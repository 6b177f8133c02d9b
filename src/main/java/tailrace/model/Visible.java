package tailrace.model;

/**
 * Text from outside as people see it on a terminal or in a line of log: what would move a cursor, end a line, turn the
 * direction of text around or not be seen at all is shown, and does nothing. {@code ESC} becomes {@code ␛}, a line feed
 * {@code ␊}; what has no picture becomes {@code \}{@code u202e}.
 */
public final class Visible {
    private static final char PICTURES = '\u2400';
    private static final char DELETE = 0x7f;
    private static final char DELETE_PICTURE = '\u2421';

    private Visible() {}

    /** As one line; the same object where there is nothing to be shown. */
    public static String line(String text) {
        return shown(text, false);
    }

    /** Line feeds and tabs stay; carriage returns do not, because they overwrite what stands before them. */
    public static String lines(String text) {
        return shown(text, true);
    }

    /**
     * On as many lines as it has, be they separated by LF, CR or both.
     *
     * @param indent what each line but the first begins with, so that none can pass for a line of ours
     */
    public static String block(String text, String indent) {
        return lines(text.replace("\r\n", "\n").replace('\r', '\n')).replace("\n", "\n" + indent);
    }

    private static String shown(String text, boolean lines) {
        for (int i = 0; i < text.length(); i++) {
            if (unseen(text, i) && !(lines && stays(text.charAt(i)))) {
                return replaced(text, i, lines);
            }
        }
        return text;
    }

    private static boolean stays(char c) {
        return c == '\n' || c == '\t';
    }

    private static String replaced(String text, int from, boolean lines) {
        var out = new StringBuilder(text.length() + 16).append(text, 0, from);
        for (int i = from; i < text.length(); i++) {
            char c = text.charAt(i);
            if (!unseen(text, i) || (lines && stays(c))) {
                out.append(c);
            } else if (c < ' ') {
                out.append((char) (PICTURES + c));
            } else if (c == DELETE) {
                out.append(DELETE_PICTURE);
            } else {
                out.append("\\u").append(String.format("%04x", (int) c));
            }
        }
        return out.toString();
    }

    private static boolean unseen(String text, int at) {
        char c = text.charAt(at);
        if (c < DELETE) {
            return c < ' ';
        }
        return switch (Character.getType(c)) {
            // FORMAT holds the marks of direction and what has no width.
            case Character.CONTROL, Character.FORMAT, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR -> true;
            case Character.SURROGATE -> !Character.isSurrogatePair(high(text, at), low(text, at));
            default -> false;
        };
    }

    private static char high(String text, int at) {
        char c = text.charAt(at);
        return Character.isHighSurrogate(c) ? c : at > 0 ? text.charAt(at - 1) : 0;
    }

    private static char low(String text, int at) {
        char c = text.charAt(at);
        return Character.isLowSurrogate(c) ? c : at + 1 < text.length() ? text.charAt(at + 1) : 0;
    }
}
