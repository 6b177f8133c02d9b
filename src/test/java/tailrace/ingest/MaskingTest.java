package tailrace.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tailrace.config.TailraceConfig;

/** What is masked and what is not, sample by sample. Between « and » stands what must become a mask. */
class MaskingTest {
    private static final String HEX32 = "0123456789abcdef0123456789abcdef";
    private static final String ALNUM40 = "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dE3fG5hJ7k";
    private static final String JWT = "eyJ«hbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJl»";

    private final Masking masking = new Masking(TailraceConfig.Mask.BUILT_IN);

    static Stream<String> secrets() {
        List<String> samples = new ArrayList<>();
        tokens(samples);
        keys(samples);
        urls(samples);
        headers(samples);
        named(samples);
        return samples.stream();
    }

    private static void tokens(List<String> to) {
        to.add("pushed with ghp_«" + ALNUM40 + "».");
        to.add("gho_«" + ALNUM40 + "» and ghs_«" + ALNUM40 + "»");
        to.add("github_pat_«11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz0123456789»");
        to.add("glpat-«abcdEFGH1234ijklMNOP»");
        to.add("https://gitlab.example.com/?x=gldt-«abcdEFGH1234ijklMNOP»");
        to.add("slack xoxb-«123456789012-1234567890123-AbCdEfGhIjKlMnOpQrStUvWx»");
        to.add("xapp-«1-A0123456789-1234567890123-abcdef»");
        to.add("POST https://hooks.slack.com/services/«T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX»");
        to.add("https://discord.com/api/webhooks/123456789012345678/«" + ALNUM40 + ALNUM40 + "»");
        to.add("charge with sk_live_«4eC39HqLyjWDarjtT1zdp7dc»");
        to.add("whsec_«MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw»");
        to.add("OPENAI sk-«proj-abcdEFGHijkl1234mnopQRST»");
        to.add("anthropic sk-«ant-api03-abcdEFGHijkl1234mnopQRSTuvwxyz»");
        to.add("deepseek sk-«" + HEX32 + "»");
        to.add("npm_«" + ALNUM40.substring(0, 36) + "»");
        to.add("pypi-AgE«IcHlwaS5vcmcCJGFiY2RlZmdoLWlqa2wtbW5vcC1xcnN0LXV2d3h5ejAxMjM0NQ»");
        to.add("rubygems_«" + HEX32 + "0123456789abcdef»");
        to.add("docker login -p dckr_pat_«abcdefghij1234567890ABCDEFG»");
        to.add("hf_«abcdefghijklmnopqrstuvwxyzABCDEFGH»");
        to.add("databricks dapi«" + HEX32 + "»");
        to.add("dop_v1_«" + HEX32 + HEX32 + "»");
        to.add("SG.«abcdefghijklmnopqrstuv.abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG»");
        to.add("twilio SK«" + HEX32 + "»");
        to.add("mailgun key-«" + HEX32 + "»");
        to.add("mailchimp «" + HEX32 + "»-us14");
        to.add("shopify shpat_«" + HEX32 + "»");
        to.add("vault hvs.«CAESIJ1234567890abcdefghijklmnop»");
        to.add("grafana glsa_«abcdefghijklmnopqrstuvwxyz012345_0a1b2c3d»");
        to.add("NRAK-«ABCDEFGHIJKLMNOPQRSTUVWXYZ0»");
        to.add("sbp_«0123456789abcdef0123456789abcdef01234567»");
        to.add("tskey-«auth-kABCDEF1CNTRL-abcdefghijklmnop»");
        to.add("telegram 123456789:«AAabcdefghijklmnopqrstuvwxyz0123456»");
        to.add("azure «abc8Q~abcdefghijklmnopqrstuvwxyz0123456»");
        to.add("terraform abcdefghijklmn.atlasv1.«" + ALNUM40 + ALNUM40 + "»");
        to.add("the token was " + JWT + ", refused");
        to.add("cut off: eyJ«hbGciOiJIUzI1NiJ9.eyJzdWIi»");
        to.add("next%3DeyJ«hbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJl»%26x");
        to.add("escaped\\neyJ«hbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJl»");
        to.add("google AIza«SyA1234567890abcdefghijklmnopqrstuv»");
        to.add("ya29.«a0AfH6SMBabcdefghijklmnop-qrstuvwxyz»");
        to.add("GOCSPX-«abcdEFGHijklMNOPqrst1234»");
    }

    private static void keys(List<String> to) {
        to.add("id AKIA«IOSFODNN7EXAMPLE» refused");
        to.add("AKIA«IOSFODNN7EXAMPLE» / «wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY»");
        to.add("aws_secret_access_key = «wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY»");
        to.add("\"SecretAccessKey\": \"«wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY»\"");
        to.add(
                "-----BEGIN RSA PRIVATE KEY-----«\nMIIEpAIBAAKCAQEA\nabcd+/==\n»-----END RSA PRIVATE KEY-----\nnext line");
        to.add("-----BEGIN OPENSSH PRIVATE KEY-----«\nb3BlbnNzaC1rZXktdjEAAAAA»");
        to.add("\"key\": \"-----BEGIN PRIVATE KEY-----«\\nMIIEvQIBADANBg\\n»-----END PRIVATE KEY-----\\n\"");
        to.add("\"key\": \"-----BEGIN EC PRIVATE KEY-----«\\nMHcCAQEEIB»\", \"more\": 1");
        to.add("-----BEGIN PGP PRIVATE KEY BLOCK-----«\n\nlQOYBF»-----END PGP PRIVATE KEY BLOCK-----");
        to.add("DefaultEndpointsProtocol=https;AccountName=a;AccountKey=«" + ALNUM40 + "+/abcd==»;EndpointSuffix=x");
        to.add("Endpoint=sb://x/;SharedAccessKeyName=Root;SharedAccessKey=«abcdefghijklmnop+/0123456789=»");
        to.add("https://a.blob.core.windows.net/c?sv=2022-11-02&sr=b&sig=«abcdEFGH%2Fijkl1234%2BmnopQRST%3D»&se=2026");
        to.add("https://s3.example.com/o?X-Amz-Signature=«" + HEX32 + HEX32 + "»&x=1");
    }

    private static void urls(List<String> to) {
        to.add("postgres://app:«hunter2»@db:5432/app");
        to.add("redis://:«hunter2»@cache/0");
        to.add("https://ghp_«" + ALNUM40 + "»:«x-oauth-basic»@github.com/o/r.git");
        to.add("curl -u sk_live_«4eC39HqLyjWDarjtT1zdp7dc»: https://api.example.com");
        to.add("postgres://app:«p@ss/w:ord#1»@db.example.com/app?sslmode=require");
        to.add("amqp://guest:«p%40ss»@mq//");
        to.add("mongodb+srv://u:«pw»@h1.example.com:27017,h2:27017/db");
        to.add("url=postgres%3A%2F%2Fapp%3A«hunter%232»%40db%3A5432%2Fapp");
        to.add("git clone https://«abcdefghijklmnopqrst1234»@git.example.com/x.git");
        to.add("jdbc:oracle:thin:scott/«tiger»@//db:1521/x");
        to.add("jdbc:postgresql://db/app?user=app&password=«hunter2»&ssl=true");
        to.add("GET /x?api_key=«abcdef123456»&page=2");
        to.add("GET /cb?code=«4/0AX4XfWabcdefghijklmnop»&scope=x");
        to.add("https://h/p#access_token=«abcdef1234567890»&token_type=bearer");
        to.add("Server=db;Database=app;User Id=sa;Password=«Str0ng!Pass»;Encrypt=true;");
        to.add("Server=db;Uid=sa;Pwd=«Str0ng»;");
    }

    private static void headers(List<String> to) {
        to.add("Authorization: Bearer «abcdefghijklmnop»");
        to.add("curl -H 'Authorization: Basic «dXNlcjpwYXNzd29yZA==»' https://h");
        to.add("{\"authorization\":\"Token «abcdef123456»\"}");
        to.add("Authorization=[Bearer «abc123def456»], Host=[h]");
        to.add("Authorization: AWS4-HMAC-SHA256 «Credential=AKIA/20260101/eu/s3/aws4_request, Signature=abc»");
        to.add("Authorization: Digest «username=\"joe\", response=\"6629fae49393a05397450978507c4ef1\"»");
        to.add("Authorization: «abcdef0123456789»");
        to.add("sent bearer «abc123def456» to it");
        to.add("Proxy-Authorization: Basic «dXNlcjpwYXNzd29yZA==»");
        to.add("X-Api-Key: «abcdef123456»");
        to.add("X-Vault-Token: «abcdef123456»");
        to.add("Ocp-Apim-Subscription-Key: «" + HEX32 + "»");
        to.add("Cookie: «sid=abc; theme=dark»\nHost: h");
        to.add("Set-Cookie: «sid=abc; Path=/; HttpOnly»");
        to.add("{'Cookie': '«sid=abc; a=b»', 'Host': 'h'}");
        to.add("curl --cookie \"«sid=abc»\" https://h");
    }

    private static void named(List<String> to) {
        to.add("password=«hunter2»");
        to.add("password=«abcd», next");
        to.add("password: «hunter2»");
        to.add("Password : «correct-horse»");
        to.add("password: \"«a b c»\"");
        to.add("passwd='«it is long»' ok");
        to.add("PGPPASSWORD=«hunter2» psql");
        to.add("MYSQL_PASS=«hunter2»");
        to.add("spring.datasource.password=«hunter2»");
        to.add("-Djavax.net.ssl.keyStorePassword=«changeit»");
        to.add("run --password «hunter2» --verbose");
        to.add("run --db-password '«a b»' x");
        to.add("args [\"--api-key\", \"«abcdef123456»\"]");
        to.add("{\"password\":\"«x»\"}");
        to.add("{\\\"password\\\":\\\"«x y»\\\",\\\"a\\\":1}");
        to.add("\"{\\\\\\\"apiKey\\\\\\\":\\\\\\\"«k-1»\\\\\\\"}\"");
        to.add("{'client_secret': '«s3cr3t»'}");
        to.add("{\"password\":«123456»,\"a\":1}");
        to.add("{\"name\": \"DB_PASSWORD\", \"value\": \"«hunter2»\"}");
        to.add("<add key=\"ApiKey\" value=\"«abcdef»\"/>");
        to.add("<password>«hunter2»</password>");
        to.add("<wsse:Password Type=\"x#PasswordText\">«hunter2»</wsse:Password>");
        to.add("secret => «abcdef»");
        to.add("clientSecret := \"«abcdef»\"");
        to.add("client_secret: «abc-def-1»");
        to.add("token=«abc12345»");
        to.add("session token: «abcdefghijklmnop»");
        to.add("//registry.npmjs.org/:_authToken=«abcdef123456»");
        to.add("API key: «abcdef123456»");
        to.add("private_key=«MIIEvQIBADANBg»");
        to.add("password%3D«hunter2»");
        to.add("ALTER ROLE app PASSWORD '«hunter2»'");
        to.add("CREATE USER x IDENTIFIED BY '«hunter2»'");
        to.add("curl -s -u joe:«hunter2» https://h");
        to.add("sshpass -p «hunter2» ssh h");
        to.add("pässwörd 🔑 password=«hüñter🔑2» 🔑");
    }

    @ParameterizedTest
    @MethodSource("secrets")
    void aSecretIsMasked(String sample) {
        String text = sample.replace("«", "").replace("»", "");
        String expected = sample.replaceAll("(?s)«.*?»", Masking.MASK);

        assertThat(masking.mask(text)).isEqualTo(expected);
        assertThat(masking.mask(expected)).as("again").isEqualTo(expected);
    }

    static Stream<String> ordinary() {
        return Stream.of(
                "the token is fine",
                "token=abc",
                "token: 3",
                "token count: 512",
                "io.vertx:vertx-auth-jwt:jar:5.0.10:compile",
                "max_tokens=4096",
                "prompt_tokens: 123456, completion_tokens: 654321",
                "{\"total_tokens\":1234567890}",
                "next_page_token=CAUQAA1234567890",
                "pageToken: abcdef0123456789",
                "token_type=bearer_token_12",
                "unexpected token: 'function'",
                "Unexpected token: SELECT",
                "password: short",
                "password=abc",
                "password: null",
                "password=none",
                "password=true",
                "\"password\": \"\"",
                "\"password\": null",
                "password: required",
                "Invalid password: incorrect",
                "password=<password>",
                "password=${DB_PASSWORD}",
                "password=$DB_PASSWORD",
                "password=$(cat /run/secrets/x)",
                "password=%DB_PASSWORD%",
                "password: {{ vault_password }}",
                "password=***",
                "password=********",
                "password=xxxxxxxx",
                "password=[REDACTED]",
                "password: [FILTERED]",
                "\"password\": \"<hidden>\"",
                "password=getPassword()",
                "password = request.getParameter(\"x\")",
                "api_key=process.env.API_KEY",
                "password_hash=0123456789abcdef",
                "password_changed_at=2026-01-01T00:00:00Z",
                "secret santa: bring a gift",
                "secret of success",
                "secret: something",
                "secret=/run/secrets/db",
                "token_path: /var/run/secrets/token",
                "token=/var/run/secrets/kubernetes.io/serviceaccount/token",
                "key=value and name=thing",
                "primary key: customer_id_12345",
                "foreign key=orders_customer_fk_2024",
                "partition key: 2026-01-01-eu",
                "public_key=MFkwEwYHKoZIzj0CAQYI",
                "cache key: user:12345678",
                "Idempotency-Key: 018f6b1e-7c1a-7000-8000-000000000000",
                "id 550e8400-e29b-41d4-a716-446655440000",
                "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                "commit 0123456789abcdef0123456789abcdef01234567",
                "md5=" + HEX32,
                "trace 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                "see http://host:8080/path",
                "http://host:8080/path?email=joe@example.com",
                "http://host:8080?x=a@b",
                "mail joe@example.com at 12:30",
                "https://joe@example.com/x",
                "scp file deploy@host:/srv",
                "kafka://h1:9092,h2:9092/t?x=a@b",
                "docker run -u 1000 x",
                "basic training",
                "Basic Authentication failed",
                "Basic JavaScript",
                "Bearer authentication is required",
                "the bearer capability",
                "authorization: required",
                "Authorization failed for user joe",
                "Authorization: Basic authentication",
                "Cookie: chocolate",
                "cookie consent: accepted",
                "task sk-12 done",
                "risk-assessment-for-the-customer-2026-A",
                "sk-learn-pipeline-with-many-steps",
                "AKIA is a prefix",
                "ghp_short",
                "/usr/lib/jvm/java-17-openjdk-amd64/bin/java",
                "at com.example.auth.TokenService.validate(TokenService.java:42)",
                "java.lang.IllegalStateException: password must not be empty",
                "class PasswordEncoder: com.example.security.BcryptEncoder",
                "<password>" + Masking.MASK + "</password>",
                "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
                "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
                "PWD=/home/dev/project",
                "eyJ is how a JWT begins",
                "eyJhbGciOiJIUzI1NiJ9",
                "--password-stdin",
                "--token is an option",
                "first_pass=completed-1234",
                "bypass=enabled, compass: north-west",
                "signature=int foo(String a)",
                "?sig=short",
                "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk",
                "日本語のログ 🔑 ok",
                "");
    }

    @ParameterizedTest
    @MethodSource("ordinary")
    void ordinaryTextStays(String text) {
        assertThat(masking.mask(text)).isSameAs(text);
    }

    @Test
    void aMaskNeverTellsTheLengthOfWhatItHides() {
        for (int length : new int[] {8, 20, 100, 9_000}) {
            assertThat(masking.mask("a password=" + "x1".repeat(length / 2) + " b"))
                    .isEqualTo("a password=******** b");
        }
        // Two that touch are one
        Masking two = new Masking(new TailraceConfig.Mask(true, List.of("\\d"), List.of()));
        assertThat(two.mask("a 12345 b")).isEqualTo("a ******** b");
    }

    @Test
    void aConfiguredPatternMasksItsMatchOrItsGroupNamedSecret() {
        Masking own = new Masking(
                new TailraceConfig.Mask(true, List.of("ACME-(\\d)+", "pin (?P<secret>\\d+) of (\\w+)"), List.of()));

        assertThat(own.mask("card ACME-123, pin 4711 of joe")).isEqualTo("card ********, pin ******** of joe");
    }

    @Test
    void aConfiguredPatternLooksAtLongTextToo() {
        Masking own = new Masking(new TailraceConfig.Mask(true, List.of("ACME-\\d+"), List.of()));

        assertThat(own.mask("x".repeat(200_000) + " ACME-1")).endsWith(" ********");
    }

    @Test
    void aConfiguredNameCountsInEverySpelling() {
        Masking own = new Masking(new TailraceConfig.Mask(true, List.of(), List.of("customerPin", "IBAN")));

        assertThat(own.mask("customer_pin=1 CUSTOMER-PIN: 22, customerPin: 'three' iban=DE1 pin=5"))
                .isEqualTo("customer_pin=******** CUSTOMER-PIN: ********, customerPin: '********' iban=******** pin=5");
    }

    @Test
    void offLeavesAllAsItCame() {
        Masking off = new Masking(new TailraceConfig.Mask(false, List.of(), List.of()));
        String text = "password=hunter2";

        assertThat(off.mask(text)).isSameAs(text);
        assertThat(off.kind("password")).isNull();
    }
}
