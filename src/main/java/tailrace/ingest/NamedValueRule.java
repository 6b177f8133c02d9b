package tailrace.ingest;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tailrace.ingest.SecretNames.Form;
import tailrace.ingest.SecretNames.Kind;

/**
 * A secret that can be told by its name: {@code password=…}, {@code "apiKey": "…"}, {@code --token …},
 * {@code <secret>…</secret>}, and JSON within a JSON string, however often its quotes are escaped. What name and value
 * must look like is for {@link SecretNames}.
 */
final class NamedValueRule implements MaskRule {
    private static final int MAX_NAME_CHARS = 40;
    /** Quotes and blanks between a name and what parts it from its value. */
    private static final int MAX_BETWEEN_CHARS = 32;

    private static final String QUOTE = "\\\\{0,7}[\"'`]";
    /** Up to the same quote, escaped as often; or to the end of the line, where the text was cut off. */
    private static final String QUOTED = "(%s)((?!\\*{3})(?:(?!(?<!\\\\)\\%d)[^\\r\\n])++)";
    /** Blanks end it, and what a list, a query or a connection string goes on with. */
    private static final String PLAIN =
            "((?![\"'`]|\\\\++[\"'`]|\\*{3})(?:[^\\s\"'`,;&<>)}\\]\\\\]|\\\\(?![\\\\\"'nrtu]))++)";

    private static final Pattern ASSIGNMENT = Pattern.compile("(" + QUOTE + "|)\\]?[ \\t]{0,8}+"
            + "((?>=>|:=|={1,3}|%3[dDaA]|:))[ \\t]{0,8}+(?:" + QUOTED.formatted(QUOTE, 3) + "|" + PLAIN + ")");

    /** {"name": "DB_PASSWORD", "value": "…"}, and the same as attributes. */
    private static final Pattern VALUE_BESIDE = Pattern.compile(QUOTE + "[\\s,]{0,8}+(?:" + QUOTE + ")?[vV]alue(?:"
            + QUOTE + ")?[ \\t]{0,4}+[:=][ \\t]{0,4}+" + QUOTED.formatted(QUOTE, 1));

    private static final Pattern ELEMENT =
            Pattern.compile("(?:[ \\t][^<>]{0,200}+)?+>[ \\t]{0,8}+((?!\\*{3})[^<>\\r\\n]{1,4096}+)</");

    private static final Pattern ARGUMENT = Pattern.compile(
            "(?:[ \\t]{1,4}+|" + QUOTE + ",[ \\t]{0,4}+)(?:" + QUOTED.formatted(QUOTE, 1) + "|(?!-)" + PLAIN + ")");

    private final List<String> triggers;
    private final SecretNames names;

    /** @param triggers how the names end */
    NamedValueRule(List<String> triggers, SecretNames names) {
        this.triggers = triggers;
        this.names = names;
    }

    @Override
    public List<String> triggers() {
        return triggers;
    }

    @Override
    public void find(String text, int at, int length, Spans into) {
        int end = at + length;
        int start = nameStart(text, at);
        boolean option = text.charAt(start) == '-';
        boolean element = start > 0 && (text.charAt(start - 1) == '<' || text.charAt(start - 1) == ':');
        if (end >= text.length() || !mayFollow(text, end, option || element)) {
            return;
        }
        String name = text.substring(start, end);
        Kind kind = names.kind(name);
        if (kind == null
                || assigned(text, end, name, kind, into)
                || value(VALUE_BESIDE, 2, Form.MEMBER, text, end, kind, into)
                || (element && value(ELEMENT, 1, Form.ASSIGNED, text, end, kind, into))
                || !option) {
            return;
        }
        if (!value(ARGUMENT, 2, Form.ASSIGNED, text, end, kind, into)) {
            value(ARGUMENT, 3, Form.ASSIGNED, text, end, kind, into);
        }
    }

    /**
     * Whether a value may follow: cheaper than the patterns, and after most words of prose none does.
     *
     * @param blank whether blanks may be all that stands between
     */
    private static boolean mayFollow(String text, int end, boolean blank) {
        char first = text.charAt(end);
        if (blank && " \t>\"'`\\".indexOf(first) >= 0) {
            return true;
        }
        int at = end;
        int last = Math.min(text.length(), end + MAX_BETWEEN_CHARS);
        while (at < last && "\\\"'`] \t\r\n,".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
        // What begins the quoted word "value" is looked at by its pattern.
        return at < last && "=:%vV".indexOf(text.charAt(at)) >= 0;
    }

    private static int nameStart(String text, int at) {
        int start = at;
        int least = Math.max(0, at - MAX_NAME_CHARS);
        while (start > least && isNamePart(text.charAt(start - 1))) {
            start--;
        }
        return start;
    }

    private static boolean isNamePart(char c) {
        return c < 128 && (Character.isLetterOrDigit(c) || c == '_' || c == '-' || c == '.');
    }

    private static boolean assigned(String text, int end, String name, Kind kind, Spans into) {
        Matcher matcher = at(ASSIGNMENT, text, end);
        if (!matcher.lookingAt()) {
            return false;
        }
        boolean nameQuoted = matcher.end(1) > matcher.start(1);
        boolean valueQuoted = matcher.start(4) >= 0;
        Form form;
        if (nameQuoted && valueQuoted) {
            form = Form.MEMBER;
        } else {
            boolean colon = text.charAt(matcher.start(2)) == ':' && matcher.end(2) - matcher.start(2) == 1;
            form = colon && !nameQuoted && !valueQuoted ? Form.AFTER_COLON : Form.ASSIGNED;
        }
        int group = valueQuoted ? 4 : 5;
        String value = matcher.group(group);
        if (form == Form.AFTER_COLON
                && inCoordinates(text, end - name.length(), matcher.end(2), matcher.start(group))) {
            return true;
        }
        if (!workingDirectory(name, value) && SecretNames.secret(kind, form, value)) {
            into.add(matcher.start(group), matcher.end(group));
        }
        return true;
    }

    /** A part of group:name:type:version, as a build tool writes what it depends on. */
    private static boolean inCoordinates(String text, int nameStart, int colonEnd, int valueStart) {
        return nameStart > 0 && text.charAt(nameStart - 1) == ':' && valueStart == colonEnd;
    }

    /** The shell's PWD and OLDPWD, found in every dump of an environment, are directories. */
    static boolean workingDirectory(String name, String value) {
        if (!value.startsWith("/") || !name.endsWith("PWD")) {
            return false;
        }
        String last = name.substring(name.lastIndexOf('.') + 1);
        return last.equals("PWD") || last.equals("OLDPWD");
    }

    private static boolean value(Pattern pattern, int group, Form form, String text, int end, Kind kind, Spans into) {
        Matcher matcher = at(pattern, text, end);
        if (!matcher.lookingAt() || matcher.start(group) < 0) {
            return false;
        }
        if (SecretNames.secret(kind, form, matcher.group(group))) {
            into.add(matcher.start(group), matcher.end(group));
        }
        return true;
    }

    private static Matcher at(Pattern pattern, String text, int from) {
        return pattern.matcher(text)
                .region(from, text.length())
                .useTransparentBounds(true)
                .useAnchoringBounds(false);
    }
}
