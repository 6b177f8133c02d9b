package tailrace.ingest;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Which names say that a secret follows, and which values under such a name are one: {@code db.password},
 * {@code X-Api-Key}, {@code accessToken}. A name counts by its end, without case, {@code _}, {@code -}, {@code .} and
 * blanks. Immutable.
 */
final class SecretNames {
    /** How sure a name makes that its value is a secret. */
    enum Kind {
        /** A person's or a database's password: may be short, may be words. */
        PASSWORD,
        /** Keys and other secrets: at least {@value SecretNames#MIN_SECRET_CHARS} characters in running text. */
        SECRET,
        /** A token, or a count or a word of a language: its value must look like one that machines made. */
        TOKEN,
        /** A name of the installation's own: every value. */
        CONFIGURED
    }

    /** How a value stands there. */
    enum Form {
        /** A JSON member's string: nothing else can be meant. */
        MEMBER,
        /** After an equals sign or between quotes. */
        ASSIGNED,
        /** After a colon, as in prose. */
        AFTER_COLON
    }

    static final int MIN_PASSWORD_CHARS = 4;
    static final int MIN_SECRET_CHARS = 6;
    static final int MIN_TOKEN_CHARS = 8;
    /** From here on even letters alone are no word. */
    static final int LONG_CHARS = 16;

    private static final int MAX_URL_CHARS = 300;

    /** Longer names are looked at from their end. */
    private static final int MAX_NAME_CHARS = 64;

    /** Words of a name are parted by a blank here and by anything or nothing there. */
    static final List<String> PASSWORDS =
            List.of("password", "passwords", "passwd", "passwort", "passphrase", "passcode", "pwd");

    static final List<String> SECRETS = List.of(
            "secret",
            "secrets",
            "credential",
            "credentials",
            "api key",
            "api keys",
            "access key",
            "secret key",
            "private key",
            "auth key",
            "account key",
            "master key",
            "signing key",
            "encryption key",
            "subscription key",
            "functions key",
            "storage key",
            "session key",
            "license key",
            "ssh key",
            "hmac key");

    static final List<String> TOKENS = List.of("token", "access tokens", "refresh tokens", "jwt");

    /** Only as names of members: in text other rules know them. */
    private static final List<String> MEMBER_SECRETS = List.of("authorization", "cookie", "cookies");

    /** Too short for an ending. */
    private static final Set<String> WHOLE_PASSWORDS = Set.of(
            "pass", "dbpass", "userpass", "smtppass", "mysqlpass", "pgpass", "redispass", "keypass", "storepass");

    private static final Set<String> WHOLE_TOKENS = Set.of("auth", "sig", "bearer");

    /** What a token is of that nobody needs to hide: places in a list, words of a language. */
    private static final List<String> HARMLESS_TOKENS = List.of(
            "page",
            "next",
            "previous",
            "continuation",
            "sync",
            "cancellation",
            "stop",
            "eos",
            "bos",
            "pad",
            "unk",
            "mask");

    /** What stands in place of a value, or tells of it. */
    private static final Set<String> WORDS = Set.of(
            ("null none nil true false yes no on off empty undefined unset missing required optional invalid incorrect"
                            + " expired expires valid verified wrong unknown changed updated created deleted rotated revoked"
                            + " enabled disabled accepted rejected denied default redacted masked hidden filtered removed"
                            + " omitted omit include same-origin cannot should must"
                            + " needs field option argument parameter header found failed error reset update n/a")
                    .split(" "));

    /** ${X}, $X, $(x), %X%, {{x}}, <x>, [x], (x), ***, xxx, …, %s: what stands where a secret will or did. */
    private static final Pattern PLACEHOLDER = Pattern.compile(
            "\\$\\{[^}]{0,100}+}?|\\$[A-Z_][A-Z0-9_]{0,60}+|\\$\\([^)]{0,100}+\\)?|%[A-Za-z_]{1,60}+%?|\\{\\{?[^}]{0,100}+}{0,2}"
                    + "|<[^>]{0,100}+>?|\\[[A-Za-z _*-]{0,60}+]?|\\([A-Za-z _*-]{0,60}+\\)?|[xX]{3,40}+|[.…•·-]{1,40}+|\\?{1,40}+");

    /** A call or a variable of a program, as stack traces and snippets have them. */
    private static final Pattern CODE = Pattern.compile(
            "(?:[A-Za-z_]\\w{0,40}+\\.){0,5}+[A-Za-z_]\\w{0,40}+[(\\[].{0,100}+|(?:process\\.env|os\\.environ"
                    + "|System\\.getenv|secrets|vars|env|self|this|config|settings|request|args)\\.[\\w.]{1,60}+");

    /** Of lower-case names alone; base64 of some length never is. */
    private static final Pattern PATH =
            Pattern.compile("(?:~|\\.{1,2}|[a-z]{2,10}+:/)?(?:/[a-z0-9._-]{1,100}+){1,30}+/?");

    private static final int ENDING_CHARS = 3;
    private static final int ENDING_BITS = 5;
    private static final int ENDING_MASK = (1 << ENDING_BITS) - 1; // of a letter in either case the same

    private final Set<String> configured = new HashSet<>();
    private final BitSet endings = new BitSet(1 << ENDING_CHARS * ENDING_BITS);

    /** @param configured names of the installation's own */
    SecretNames(List<String> configured) {
        configured.forEach(name -> this.configured.add(fold(name)));
        Stream.of(PASSWORDS, SECRETS, TOKENS, MEMBER_SECRETS, WHOLE_PASSWORDS, WHOLE_TOKENS, configured)
                .flatMap(Collection::stream)
                .forEach(name -> endings.set(ending(name)));
    }

    /** What a name says of its value; null for nothing. */
    @Nullable
    Kind kind(String name) {
        if (!mayEndSecret(name)) {
            return null;
        }
        String folded = fold(name);
        if (!configured.isEmpty() && isConfigured(folded)) {
            return Kind.CONFIGURED;
        }
        if (endsWith(folded, PASSWORDS) || WHOLE_PASSWORDS.contains(folded) || name.endsWith("_PASS")) {
            return Kind.PASSWORD;
        }
        if (endsWith(folded, SECRETS) || endsWith(folded, MEMBER_SECRETS)) {
            return Kind.SECRET;
        }
        return (endsWith(folded, TOKENS) && !harmlessToken(folded)) || WHOLE_TOKENS.contains(folded)
                ? Kind.TOKEN
                : null;
    }

    /** Three characters tell most names apart, which are asked for with every member of every entry. */
    private boolean mayEndSecret(String name) {
        return name.length() >= ENDING_CHARS && endings.get(ending(name));
    }

    private static int ending(String name) {
        int ending = 0;
        for (int i = name.length() - ENDING_CHARS; i < name.length(); i++) {
            ending = ending << ENDING_BITS | name.charAt(i) & ENDING_MASK;
        }
        return ending;
    }

    private boolean isConfigured(String folded) {
        for (String name : configured) {
            if (folded.endsWith(name)) {
                return true;
            }
        }
        return false;
    }

    private static boolean endsWith(String folded, List<String> words) {
        for (int i = 0; i < words.size(); i++) {
            if (endsWith(folded, words.get(i))) {
                return true;
            }
        }
        return false;
    }

    /** Passes over the blanks of the word, because the name has none any more. */
    private static boolean endsWith(String folded, String word) {
        int at = folded.length();
        for (int i = word.length() - 1; i >= 0; i--) {
            char c = word.charAt(i);
            if (c != ' ' && (--at < 0 || folded.charAt(at) != c)) {
                return false;
            }
        }
        return true;
    }

    private static boolean harmlessToken(String folded) {
        for (String of : HARMLESS_TOKENS) {
            if (folded.endsWith(of + "token")) {
                return true;
            }
        }
        return false;
    }

    private static String fold(String name) {
        int from = Math.max(0, name.length() - MAX_NAME_CHARS);
        var folded = new StringBuilder(name.length() - from);
        for (int i = from; i < name.length(); i++) {
            char c = name.charAt(i);
            if (c != '_' && c != '-' && c != '.' && c != ' ') {
                folded.append(c >= 'A' && c <= 'Z' ? (char) (c + 32) : c);
            }
        }
        return folded.toString();
    }

    /** Whether a value under a name of this kind is to be masked. */
    static boolean secret(Kind kind, Form form, String value) {
        if (value.isBlank() || value.startsWith("***")) {
            return false;
        }
        if (kind == Kind.CONFIGURED) {
            return true;
        }
        if (value.contains(Masking.MASK)) {
            return false; // what was a secret in it is gone, and the mask must not make it long enough for one
        }
        if (WORDS.contains(word(value)) || PLACEHOLDER.matcher(value).matches()) {
            return false;
        }
        int length = value.length();
        return switch (kind) {
            case PASSWORD ->
                switch (form) {
                    case MEMBER -> true;
                    case ASSIGNED ->
                        length >= MIN_PASSWORD_CHARS && !CODE.matcher(value).matches();
                    case AFTER_COLON ->
                        length >= MIN_SECRET_CHARS && !CODE.matcher(value).matches();
                };
            case SECRET ->
                !PATH.matcher(value).matches()
                        && switch (form) {
                            case MEMBER -> true;
                            case ASSIGNED ->
                                length >= MIN_SECRET_CHARS
                                        && !CODE.matcher(value).matches();
                            case AFTER_COLON ->
                                length >= MIN_SECRET_CHARS
                                        && !CODE.matcher(value).matches()
                                        && (length >= LONG_CHARS || !lettersOnly(value));
                        };
            case TOKEN ->
                looksMade(value)
                        && !PATH.matcher(value).matches()
                        && !CODE.matcher(value).matches();
            case CONFIGURED -> true;
        };
    }

    /** A number is a password of so many digits, or it is a count. */
    static boolean secretNumber(Kind kind, String number) {
        return switch (kind) {
            case PASSWORD -> number.length() >= MIN_PASSWORD_CHARS;
            case SECRET -> number.length() >= MIN_SECRET_CHARS;
            case TOKEN -> number.length() >= MIN_TOKEN_CHARS && number.indexOf('.') < 0;
            case CONFIGURED -> true;
        };
    }

    /** Without white space, and long, or with a digit in it. */
    private static boolean looksMade(String value) {
        if (value.length() < MIN_TOKEN_CHARS || plainUrl(value)) {
            return false;
        }
        boolean digit = false;
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
                return false;
            }
            digit |= c >= '0' && c <= '9';
        }
        return digit || value.length() >= LONG_CHARS;
    }

    /** A longer one is looked through no further, so that text made of nothing else costs no more than other text. */
    private static boolean plainUrl(String value) {
        return value.length() <= MAX_URL_CHARS && (value.startsWith("http://") || value.startsWith("https://"));
    }

    private static boolean lettersOnly(String value) {
        for (int i = 0; i < value.length(); i++) {
            if (!Character.isLetter(value.charAt(i))) {
                return false;
            }
        }
        return true;
    }

    /** In lower case and without the punctuation that ends a sentence. */
    private static String word(String value) {
        if (value.length() > LONG_CHARS) {
            return "";
        }
        int end = value.length();
        while (end > 0 && ".!?:,".indexOf(value.charAt(end - 1)) >= 0) {
            end--;
        }
        return value.substring(0, end).toLowerCase(Locale.ROOT);
    }

    /** The spellings of a name as text has them: its words joined by nothing, or by one character. */
    static List<String> spellings(String words) {
        String plain = words.replaceAll("(?<=[a-z0-9])(?=[A-Z])|[_. -]", " ").toLowerCase(Locale.ROOT);
        if (plain.indexOf(' ') < 0) {
            return List.of(plain);
        }
        List<String> spellings = new ArrayList<>();
        for (String joint : List.of("", "_", "-", ".", " ")) {
            spellings.add(plain.replace(" ", joint));
        }
        return spellings;
    }
}
