package tailrace.model;

/** Names as every tier holds them: what JSON and URLs allow and PostgreSQL does not becomes U+FFFD (SPEC 2). */
public final class StorableText {
    private StorableText() {}

    /** The text without NUL and lone surrogates; the same object where it has none. */
    public static String of(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == 0 || Character.isSurrogate(c)) {
                return replaced(text);
            }
        }
        return text;
    }

    private static String replaced(String text) {
        var out = new StringBuilder(text.length());
        text.codePoints()
                .map(point -> point == 0 || (point >= Character.MIN_SURROGATE && point <= Character.MAX_SURROGATE)
                        ? 0xFFFD
                        : point)
                .forEach(out::appendCodePoint);
        return out.toString();
    }
}
