package tailrace.ingest;

import com.google.re2j.Matcher;
import com.google.re2j.Pattern;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tailrace.config.TailraceConfig;
import tailrace.ingest.SecretNames.Form;
import tailrace.ingest.SecretNames.Kind;

/**
 * Takes secrets out of text before anything is stored (SPEC 8). What it finds becomes {@value #MASK}, whatever its length.
 * Rules look at the text as it came, never at each other's masks, so their order does not matter; masking twice changes
 * nothing more. A rule is asked only where one of its {@link Triggers} stands, so text without any costs about a
 * nanosecond a character. Time is linear in the text's length, also for text that was made to cost time: configured
 * patterns run on an engine that cannot backtrack. Immutable, so safe for any thread.
 */
public final class Masking {
    /** What stands where a secret stood. */
    public static final String MASK = "********";

    /** The group of a configured pattern that is masked instead of the whole match. */
    private static final String SECRET_GROUP = "secret";

    private final boolean on;
    private final SecretNames names;
    private final Triggers triggers;
    private final List<Configured> configured;

    /** @param group what is masked of a match; 0 for all of it */
    private record Configured(Pattern pattern, int group) {}

    /** @param config patterns that were checked when it was read */
    public Masking(TailraceConfig.Mask config) {
        this.on = config.on();
        this.names = new SecretNames(config.keys());
        this.triggers = new Triggers(BuiltInRules.all(names, config.keys()));
        this.configured = config.patterns().stream()
                .map(Pattern::compile)
                .map(pattern -> new Configured(pattern, pattern.namedGroups().getOrDefault(SECRET_GROUP, 0)))
                .toList();
    }

    /** The text without its secrets; the same object where there are none. */
    public String mask(String text) {
        if (!on) {
            return text;
        }
        var spans = new Spans();
        triggers.find(text, spans);
        for (Configured each : configured) {
            Matcher matcher = each.pattern().matcher(text);
            while (matcher.find()) {
                if (matcher.start(each.group()) >= 0) {
                    spans.add(matcher.start(each.group()), matcher.end(each.group()));
                }
            }
        }
        return spans.isEmpty() ? text : spans.masked(text, MASK);
    }

    /** What the name of a JSON member says of its value; null for nothing. */
    @Nullable
    Kind kind(String name) {
        return on ? names.kind(name) : null;
    }

    /** The text of a member whose name, or that of an object around it, says that it is a secret. */
    String member(Kind kind, String name, String value) {
        return SecretNames.secret(kind, Form.MEMBER, value) && !NamedValueRule.workingDirectory(name, value)
                ? MASK
                : mask(value);
    }
}
