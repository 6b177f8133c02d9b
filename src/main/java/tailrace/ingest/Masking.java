package tailrace.ingest;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Takes secrets out of text before anything is stored (SPEC 8). What it finds becomes {@value #MASK}, whatever its length.
 * A pattern runs only on text that holds one of its triggers, which one pass over the characters finds out; text without
 * any costs about a nanosecond a character. Immutable, so safe for any thread.
 */
public final class Masking {
    /** What stands where a secret stood. */
    public static final String MASK = "********";

    /** Text on which configured patterns run, at most: an unlucky pattern must not hold up ingest. */
    private static final int CONFIGURED_MAX_CHARS = 64 << 10;

    /** Members of {@code data} whose text is masked whole; compared without case, {@code _} and {@code -}. */
    private static final Set<String> SECRET_MEMBERS = Set.of(
            "password",
            "passwd",
            "pwd",
            "passphrase",
            "secret",
            "clientsecret",
            "secretkey",
            "token",
            "accesstoken",
            "refreshtoken",
            "authtoken",
            "idtoken",
            "apikey",
            "xapikey",
            "accesskey",
            "secretaccesskey",
            "privatekey",
            "authorization",
            "credentials");

    private static final List<Rule> BUILT_IN = List.of(
            rule("\\b((?:AKIA|ASIA))[0-9A-Z]{16}\\b", "AKIA", "ASIA"),
            rule("\\b(gh[pousr]_)[A-Za-z0-9]{36,255}", "ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
            rule("\\b(github_pat_)[A-Za-z0-9_]{22,255}", "github_pat_"),
            rule("\\b(glpat-)[A-Za-z0-9_-]{20,255}", "glpat-"),
            rule("\\b(xox[abeoprs]-)[A-Za-z0-9-]{10,255}", "xox"),
            rule("\\b(AIza)[0-9A-Za-z_-]{35}", "AIza"),
            rule("\\b((?:sk|rk|pk)_(?:live|test)_)[A-Za-z0-9]{16,255}", "sk_", "rk_", "pk_"),
            rule("\\b(sk-)[A-Za-z0-9_-]{20,255}", "sk-"),
            rule("\\b(eyJ)[A-Za-z0-9_-]{8,}+\\.[A-Za-z0-9_-]{8,}+\\.[A-Za-z0-9_-]++", "eyJ"),
            // Words alone follow "bearer" and "basic" in prose; a credential has something else in it.
            rule("\\b((?i:bearer|basic)[ \\t]++)(?=[a-z-]*[0-9A-Z=._~+/])[A-Za-z0-9._~+/-]{8,}+=*+", "bearer", "basic"),
            rule(
                    "((?i:authorization)[\"']?[ \\t]{0,4}[=:][ \\t]{0,4}[\"']?(?:[A-Za-z]{1,20}[ \\t]++)?)"
                            + "(?!\\*{8})[^\\s\"',;]{8,}+",
                    "authorization"),
            rule(
                    "(?s)(-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----).*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\\z)",
                    "-----BEGIN"),
            rule("(://[^\\s:/@\"']{0,255}:)[^\\s/@\"']{1,255}(?=@)", "://"),
            rule(
                    // The shell's PWD and OLDPWD, found in every dump of an environment, are directories.
                    "(?i)((?:password|passwd|pwd(?!(?<=(?-i:\\bPWD|\\bOLDPWD))[\"']?[ \\t]{0,4}[=:][ \\t]{0,4}[\"']?/)"
                            + "|passphrase|secret|token|api[_-]?key|access[_-]?key|secret[_-]?key"
                            + "|private[_-]?key)[\"']?[ \\t]{0,4}[=:][ \\t]{0,4}[\"']?)(?!\\*{8})[^\\s\"',;&}\\])]{6,}+",
                    "password",
                    "passwd",
                    "pwd",
                    "passphrase",
                    "secret",
                    "token",
                    "api_key",
                    "api-key",
                    "apikey",
                    "access_key",
                    "access-key",
                    "accesskey",
                    "private_key",
                    "private-key",
                    "privatekey"));

    /** Group 1 of the pattern stays, the rest of the match is masked. Triggers are lower case. */
    private record Rule(Pattern pattern, List<String> triggers) {}

    private final List<Rule> rules;
    private final List<Pattern> configured;
    // By the lower-case first two characters of a trigger: 0, or an index into candidates.
    private final byte[] bigrams = new byte[128 * 128];
    private final List<List<Candidate>> candidates = new ArrayList<>();

    private record Candidate(String trigger, int rule) {}

    /** @param configured patterns of the installation, run on all text; a whole match is masked */
    public Masking(List<Pattern> configured) {
        this.rules = BUILT_IN;
        this.configured = List.copyOf(configured);
        candidates.add(List.of());
        for (int rule = 0; rule < rules.size(); rule++) {
            for (String trigger : rules.get(rule).triggers()) {
                int bigram = bigram(trigger.charAt(0), trigger.charAt(1));
                if (bigrams[bigram] == 0) {
                    bigrams[bigram] = (byte) candidates.size();
                    candidates.add(new ArrayList<>());
                }
                candidates.get(bigrams[bigram]).add(new Candidate(trigger, rule));
            }
        }
    }

    private static Rule rule(String pattern, String... triggers) {
        var lower = new ArrayList<String>();
        for (String trigger : triggers) {
            lower.add(trigger.toLowerCase(Locale.ROOT));
        }
        return new Rule(Pattern.compile(pattern), List.copyOf(lower));
    }

    private static int bigram(char first, char second) {
        return lower(first) << 7 | lower(second);
    }

    private static int lower(char c) {
        return c >= 'A' && c <= 'Z' ? c + 32 : c;
    }

    /** Whether the text of a JSON member of this name is a secret as a whole. */
    public boolean secretMember(String name) {
        int length = name.length();
        if (length < 3 || length > 24) {
            return false;
        }
        var folded = new StringBuilder(length);
        for (int i = 0; i < length; i++) {
            char c = name.charAt(i);
            if (c != '_' && c != '-') {
                folded.append((char) lower(c));
            }
        }
        return SECRET_MEMBERS.contains(folded.toString());
    }

    /** The text without its secrets; the same object where there are none. */
    public String mask(String text) {
        int found = triggered(text);
        String masked = text;
        for (int rule = 0; found != 0; rule++, found >>>= 1) {
            if ((found & 1) != 0) {
                Matcher matcher = rules.get(rule).pattern().matcher(masked);
                masked = matcher.replaceAll("$1" + Matcher.quoteReplacement(MASK));
            }
        }
        if (masked.length() <= CONFIGURED_MAX_CHARS) {
            for (Pattern pattern : configured) {
                masked = pattern.matcher(masked).replaceAll(Matcher.quoteReplacement(MASK));
            }
        }
        return masked;
    }

    /** The rules whose trigger the text holds, one bit each. */
    private int triggered(String text) {
        int found = 0;
        int last = text.length() - 1;
        if (last < 1) {
            return 0;
        }
        char previous = text.charAt(0);
        for (int i = 1; i <= last; i++) {
            char c = text.charAt(i);
            if ((previous | c) < 128) {
                int index = bigrams[bigram(previous, c)];
                if (index != 0) {
                    for (Candidate candidate : candidates.get(index)) {
                        String trigger = candidate.trigger();
                        if (text.regionMatches(true, i - 1, trigger, 0, trigger.length())) {
                            found |= 1 << candidate.rule();
                        }
                    }
                }
            }
            previous = c;
        }
        return found;
    }
}
