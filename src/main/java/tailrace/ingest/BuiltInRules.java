package tailrace.ingest;

import static tailrace.ingest.PatternRule.around;
import static tailrace.ingest.PatternRule.at;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import tailrace.ingest.SecretNames.Form;
import tailrace.ingest.SecretNames.Kind;

/**
 * The secrets that are known by their form. A prefix that tells whose token it is stays, so that people see what was
 * there. Each repetition is possessive or bounded; {@code MaskingCostTest} sends each rule what was made to slow it down.
 */
final class BuiltInRules {
    private static final String QUOTE = "(?:\\\\{0,7}[\"'`])";
    /** Nothing before it that would make the prefix the end of a word. */
    private static final String ALONE = "(?<![A-Za-z0-9])";
    /** The same for prefixes that words with hyphens end in, but after an escaped line end or a percent code. */
    private static final String START = "(?:(?<![A-Za-z0-9_-])|(?<=%[0-9A-Fa-f]{2})|(?<=\\\\[nrt]))";

    private static final String NOT_MASKED = "(?!\\*{3})";
    private static final String HEADER_VALUE = "(" + NOT_MASKED + "[^\\s\"'`,;<>)}\\]\\\\]{6,}+)";
    private static final String AUTHORIZATION =
            "(?i:authorization)" + QUOTE + "?+\\]?[ \\t]{0,4}+(?:=>|[:=])[ \\t]{0,4}+\\[?" + QUOTE + "?+";
    private static final String COOKIE =
            "(?i:cookie)(?:(?<=--cookie)[ \\t=]|" + QUOTE + "?+\\]?[ \\t]{0,4}+(?:=>|[:=]))[ \\t]{0,4}+\\[?";
    private static final String COOKIE_NAME = "[\\w!#$%&*+.^|~-]{1,100}+=";
    private static final int MIN_MIXED_CHARS = 20;

    private BuiltInRules() {}

    /** @param names with those of the installation */
    static List<MaskRule> all(SecretNames names, List<String> configuredNames) {
        List<MaskRule> rules = new ArrayList<>();
        rules.addAll(headers());
        rules.addAll(urls());
        rules.addAll(tokens());
        rules.addAll(keys());
        List<String> endings = Stream.of(
                        SecretNames.PASSWORDS,
                        SecretNames.SECRETS,
                        SecretNames.TOKENS,
                        List.of("_pass", "-pass"),
                        configuredNames)
                .flatMap(List::stream)
                .flatMap(name -> name.endsWith("pass") ? Stream.of(name) : SecretNames.spellings(name).stream())
                .distinct()
                .toList();
        rules.add(new NamedValueRule(endings, names));
        return List.copyOf(rules);
    }

    private static List<MaskRule> headers() {
        return List.of(
                at(
                        AUTHORIZATION + "(?i:Digest|OAuth|Signature|Hawk)[ \\t]{1,4}+(" + NOT_MASKED
                                + "(?:(?!\\\\[rn])[^\\r\\n])++)",
                        "authorization"),
                at(
                        AUTHORIZATION + "AWS4-[\\w-]{1,30}+[ \\t]{1,4}+(" + NOT_MASKED
                                + "(?:(?!\\\\[rn])[^\\r\\n\"'])++)",
                        "authorization"),
                at(
                                AUTHORIZATION
                                        + "(?i:Bearer|Basic|Token|Api-?Key|Negotiate|NTLM|SSWS|JWT|Key|Splunk|GenieKey|Bot)"
                                        + "[ \\t]{1,4}+" + HEADER_VALUE,
                                "authorization")
                        .checked(value -> !plainWord(value)),
                at(AUTHORIZATION + "(?!AWS4-)" + HEADER_VALUE + "(?![ \\t]{1,4}+\\*{3})", "authorization")
                        .checked(value -> hasDigit(value) && SecretNames.secret(Kind.TOKEN, Form.ASSIGNED, value)),
                // Words alone follow these in prose; a credential has something else in it.
                at(ALONE + "(?i:bearer)[ \\t]{1,4}+([A-Za-z0-9._~+/-]{8,}+=*+)", "bearer ", "bearer\t")
                        .checked(value -> hasDigit(value) || (value.length() >= MIN_MIXED_CHARS && mixed(value))),
                at(ALONE + "(?i:basic)[ \\t]{1,4}+([A-Za-z0-9+/]{8,}+={0,2}+)(?![\\w.-]|\\*{8})", "basic ", "basic\t")
                        .checked(
                                value -> mixed(value) && (hasDigit(value) || value.endsWith("=") || humps(value) >= 2)),
                at(COOKIE + QUOTE + "(" + COOKIE_NAME + "[^\"'\\\\\\r\\n]++)", "cookie"),
                at(
                        COOKIE + "(" + COOKIE_NAME + "(?:\"[^\"\\r\\n]{0,4096}+\"|(?!\\\\[rn])[^\\r\\n\"\\]}])++)",
                        "cookie"));
    }

    private static List<MaskRule> urls() {
        return List.of(
                // Up to the last @, since passwords hold @ and / unescaped; what is a port and a path is none.
                at(
                                "://[^\\s:/?#@\"'<>\\\\\\[]{0,255}+:(?!\\d{1,5}(?:[/?#,\\s\"'<>]|$))((?:(?!://)[^\\s\"'<>]){1,255})"
                                        + "@(?=[\\w.\\[%-])",
                                "://")
                        .checked(BuiltInRules::password),
                at("(?<=http|https)://([^\\s:/?#@\"'<>\\\\\\[]{20,255}+)@(?=[\\w.\\[-])", "://")
                        .checked(value -> hasDigit(value) && SecretNames.secret(Kind.TOKEN, Form.ASSIGNED, value)),
                at(
                                "(?i)%3a%2f%2f(?:(?!%3a|%40|%2f)[^\\s\"'&<>]){0,255}+%3a(?!\\d{1,5}(?:%2f|%3f|[&\\s]|$))"
                                        + "((?:(?!%40|%3a%2f%2f)[^\\s\"'&<>]){1,255}+)%40",
                                "%3a%2f%2f")
                        .checked(BuiltInRules::password),
                at("(?i:jdbc:oracle):\\w{1,10}+:[^\\s/@:\"']{1,64}+/([^\\s@\"']{1,128}+)@", "jdbc:oracle")
                        .checked(BuiltInRules::password),
                at(
                        "(?i)(?<=[?&;#]|amz-|goog-|client_)(?:sig|signature|assertion|ticket|samlresponse|code_verifier)="
                                + "([^\\s&#\"'<>;*\\\\]{16,}+)",
                        "sig=",
                        "signature=",
                        "assertion=",
                        "ticket=",
                        "samlresponse=",
                        "code_verifier="),
                at("(?i)(?<=[?&#])code=([^\\s&#\"'<>;*\\\\]{20,}+)", "code=").checked(BuiltInRules::hasDigit),
                at("(?i:hooks\\.slack\\.com)/(?:services|workflows|triggers)/([\\w/+-]{20,}+)", "hooks.slack.com"),
                at("/api/webhooks/\\d{10,25}+/([\\w-]{40,}+)", "/api/webhooks/"),
                at("/webhookb2/([^\\s\"'<>*\\\\]{40,}+)", "/webhookb2/"));
    }

    private static List<MaskRule> tokens() {
        return List.of(
                at(
                        START + "eyJ([\\w-]{8,}+\\.(?:eyJ[\\w-]{4,}+(?:\\.[\\w-]*+){0,3}"
                                + "|[\\w-]{8,}+\\.[\\w-]++(?:\\.[\\w-]*+){0,2}|\\.[\\w-]{8,}+\\.[\\w-]{8,}+\\.[\\w-]++))",
                        "eyj"),
                at(
                        START
                                + "sk-([0-9a-f]{32,64}+(?![\\w-])|(?=[\\w-]{0,200}?[0-9])(?=[\\w-]{0,200}?[A-Z])[\\w-]{20,255}+)",
                        "sk-"),
                prefixed("\\w{36,255}+", "ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
                prefixed("\\w{22,255}+", "github_pat_"),
                prefixed(
                        "[\\w-]{20,255}+",
                        "glpat-",
                        "gldt-",
                        "glrt-",
                        "glcbt-",
                        "glptt-",
                        "glft-",
                        "glsoat-",
                        "glimt-",
                        "glagent-",
                        "gloas-",
                        "GR1348941"),
                at(ALONE + "xox[abeoprs](?:\\.xox[bp])?-([A-Za-z0-9-]{10,255}+)", "xox"),
                prefixed("[A-Za-z0-9-]{20,255}+", "xapp-", "tskey-"),
                at(ALONE + "AIza([\\w-]{35})(?![\\w-])", "aiza"),
                prefixed("[\\w.-]{20,512}+", "ya29."),
                prefixed("[\\w-]{20,255}+", "GOCSPX-", "dckr_pat_", "dckr_oat_", "CCIPAT_", "sb_secret_", "npat_"),
                at(ALONE + "1//0([\\w-]{35,255}+)", "1//0"),
                at(ALONE + "(?:sk|rk|pk)_(?:live|test)_([A-Za-z0-9]{16,255}+)", "sk_", "rk_", "pk_"),
                at(ALONE + "sk_([0-9a-f]{48})(?![0-9a-z])", "sk_"),
                prefixed("[A-Za-z0-9+/=_]{24,255}+", "whsec_", "sntrys_", "sntryu_"),
                prefixed(
                        "[A-Za-z0-9]{34,128}+",
                        "npm_",
                        "lin_api_",
                        "gsk_",
                        "r8_",
                        "pplx-",
                        "xai-",
                        "nfp_",
                        "ntn_",
                        "secret_"),
                prefixed("[A-Za-z0-9]{30,40}+(?![A-Za-z0-9])", "hf_"),
                prefixed("[\\w-]{50,512}+", "pypi-AgE"),
                prefixed(
                        "[0-9a-f]{40,64}+(?![0-9A-Za-z])",
                        "rubygems_",
                        "doo_v1_",
                        "dop_v1_",
                        "dor_v1_",
                        "sbp_",
                        "pul-",
                        "bkua_"),
                prefixed("[0-9a-f]{32}(?![0-9A-Za-z])", "dapi", "shpat_", "shpca_", "shppa_", "shpss_"),
                at(START + "key-([0-9a-f]{32})(?![\\w-])", "key-"),
                at(
                        ALONE + "SK([0-9a-f]{32})(?![0-9A-Za-z])",
                        "0123456789abcdef"
                                .chars()
                                .mapToObj(c -> "sk" + (char) c)
                                .toArray(String[]::new)),
                at(ALONE + "SG\\.([\\w-]{16,32}+\\.[\\w-]{16,64}+)", "sg."),
                prefixed("[\\w-]{20,255}+", "sq0atp-", "sq0csp-", "figd_"),
                prefixed("[\\w.-]{24,255}+", "hvs.", "hvb.", "hvr."),
                prefixed("[A-Za-z0-9+/=_]{32,512}+", "glsa_", "glc_"),
                prefixed("[\\w.=-]{30,255}+", "pscale_tkn_", "pscale_pw_", "pscale_oauth_", "ATATT3", "ATCTT3"),
                prefixed("[0-9A-Za-z-]{26,80}+", "NRAK-", "PMAK-", "HRKU-"),
                at(ALONE + "dp\\.(?:pt|st|ct|sa|scim|audit)\\.((?:[a-z0-9_-]{1,30}\\.)?[A-Za-z0-9]{40,44})", "dp."),
                at("\\.atlasv1\\.([\\w=-]{40,255}+)", ".atlasv1."),
                prefixed("[A-Za-z0-9]{14,64}+", "rzp_live_"),
                prefixed("[A-Za-z0-9]{16,26}+(?![A-Za-z0-9])", "LTAI"),
                at(ALONE + "EAA([\\w-]{60,512}+)", "eaa"),
                at("(?<!\\d)AGE-SECRET-KEY-1([0-9A-Z]{58})", "age-secret-key-1"),
                at("(?<=\\d{8,10}):(AA[\\w-]{33})(?![\\w-])", ":aa"),
                around(3, ALONE + "([A-Za-z0-9_~.]{3}[78]Q~[\\w~.-]{31,34})(?![\\w~.-])", "7q~", "8q~"),
                around(76, ALONE + "([A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4})(?![A-Za-z0-9])", "azdo"),
                around(32, ALONE + "([0-9a-f]{32})-us\\d{1,2}(?!\\w)", "-us"));
    }

    private static List<MaskRule> keys() {
        return List.of(
                // The secret key often stands right beside its id, and has no form of its own.
                at(
                        ALONE + "(?:AKIA|ASIA|ABIA|ACCA)([0-9A-Z]{16})(?![0-9A-Za-z])"
                                + "(?:[\\s:/,;|\"'=]{1,5}+([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=]))?",
                        "akia",
                        "asia",
                        "abia",
                        "acca"),
                // To its end, or where it was cut off; line ends may be escaped.
                at(
                        "-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----([^\"`<]*?)(?:(?=-----END)|(?=[\"`<])|\\z)",
                        "-----begin "),
                at("(?i:private-lines): \\d{1,4}+\\s{1,4}+((?:[A-Za-z0-9+/=]{1,80}+\\s{0,4}+)++)", "private-lines:"),
                at("(?i:identified by) (?i:password )?'(" + NOT_MASKED + "[^'\\r\\n]{1,255}+)'", "identified by")
                        .checked(BuiltInRules::password),
                at("(?i:password) '(" + NOT_MASKED + "[^'\\r\\n]{1,255}+)'", "password '")
                        .checked(BuiltInRules::password),
                at("(?i:sshpass) -p ?[\"']?(" + NOT_MASKED + "[^\\s\"']{1,255}+)", "sshpass -p")
                        .checked(BuiltInRules::password),
                at(
                                " (?:-u|--user|--proxy-user)[ =][\"']?[^\\s:\"']{1,100}+:(" + NOT_MASKED
                                        + "[^\\s\"']{3,255}+)",
                                " -u",
                                " --user",
                                " --proxy-user")
                        .behind("curl")
                        .checked(BuiltInRules::password));
    }

    private static PatternRule prefixed(String secret, String... prefixes) {
        String any = Arrays.stream(prefixes)
                .map(prefix -> prefix.replace(".", "\\."))
                .collect(Collectors.joining("|"));
        return at(
                ALONE + "(?:" + any + ")(" + secret + ")",
                Arrays.stream(prefixes)
                        .map(prefix -> prefix.toLowerCase(Locale.ROOT))
                        .toArray(String[]::new));
    }

    private static boolean password(String value) {
        return SecretNames.secret(Kind.PASSWORD, Form.MEMBER, value);
    }

    private static boolean plainWord(String value) {
        return value.length() < SecretNames.LONG_CHARS && value.chars().allMatch(c -> c >= 'a' && c <= 'z');
    }

    private static boolean hasDigit(String value) {
        return value.chars().anyMatch(c -> c >= '0' && c <= '9');
    }

    private static boolean mixed(String value) {
        return value.chars().anyMatch(Character::isUpperCase) && value.chars().anyMatch(Character::isLowerCase);
    }

    /** Changes from lower to upper case: CamelCase has some, base64 more. */
    private static int humps(String value) {
        int humps = 0;
        for (int i = 1; i < value.length(); i++) {
            if (Character.isLowerCase(value.charAt(i - 1)) && Character.isUpperCase(value.charAt(i))) {
                humps++;
            }
        }
        return humps;
    }
}
