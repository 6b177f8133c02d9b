package tailrace.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class EntryScanTest {
    private static final String[] TEXTS = {
        "plain",
        "",
        "quote \" backslash \\ slash /",
        "\\\"",
        "line\nbreak\r\t\b\f",
        "\u0001\u001f\u007f",
        "ümläut €",
        "\uD83D\uDE00",
        "{\"node_id\":\"not this one\"}",
        "\",\"node_id\":\"nor this\",\"x\":\"",
        "\\\\",
        "ends with \\"
    };

    private final Random random = new Random(11);
    private final EntryCodec codec = new EntryCodec();
    private final EntryScan scan = new EntryScan();

    private String text() {
        return TEXTS[random.nextInt(TEXTS.length)] + (random.nextBoolean() ? TEXTS[random.nextInt(TEXTS.length)] : "");
    }

    private @Nullable String maybe() {
        return random.nextInt(3) == 0 ? null : text();
    }

    private @Nullable Integer number() {
        return random.nextInt(3) == 0 ? null : random.nextInt(2_000) - 1_000;
    }

    private EntryFields fields() {
        var fields = new EntryFields();
        fields.id = new UUID(random.nextLong(), random.nextLong());
        fields.message = text();
        fields.userFriendlyMessage = maybe();
        fields.nodeName = maybe();
        fields.nodeId = maybe();
        fields.nodeType = maybe();
        fields.parentNodeId = maybe();
        fields.stepNumber = number();
        fields.totalSteps = number();
        fields.attempt = number();
        fields.progressHundredths = random.nextInt(3) == 0 ? -1 : random.nextInt(10_001);
        fields.durationSeconds = random.nextBoolean() ? null : random.nextDouble() * 1e6 - 100;
        fields.displayPriority = 1 + random.nextInt(10);
        fields.milestone = random.nextBoolean();
        fields.errorCode = maybe();
        fields.stackTrace = maybe();
        fields.data = random.nextBoolean() ? null : "{\"node_id\":\"in data\",\"attempt\":77}";
        fields.timestampMicros = 1_772_366_400_000_000L + random.nextInt();
        fields.receivedAtMicros = fields.timestampMicros;
        return fields;
    }

    @Test
    void findsWhatTheCodecWrote() {
        for (int i = 0; i < 20_000; i++) {
            EntryFields fields = fields();
            LogEntry entry = new LogEntry(i + 1, codec.encode(fields));
            String what = entry.toString();

            assertThat(scan.read(entry)).as(what).isTrue();
            assertThat(scan.hasNode()).as(what).isEqualTo(fields.nodeId != null);
            assertThat(scan.nodeId()).isEqualTo(fields.nodeId);
            assertThat(scan.nodeName()).isEqualTo(fields.nodeName);
            assertThat(scan.nodeType()).isEqualTo(fields.nodeType);
            assertThat(scan.parentNodeId()).isEqualTo(fields.parentNodeId);
            assertThat(scan.stepNumber()).isEqualTo(orNone(fields.stepNumber));
            assertThat(scan.totalSteps()).isEqualTo(orNone(fields.totalSteps));
            assertThat(scan.attempt()).isEqualTo(orNone(fields.attempt));
            assertThat(scan.durationSeconds()).isEqualTo(fields.durationSeconds);
            assertThat(scan.errorCode()).isEqualTo(fields.errorCode);
            assertThat(scan.message())
                    .isEqualTo(fields.userFriendlyMessage == null ? fields.message : fields.userFriendlyMessage);
            assertThat(entry.mayNameNode()).isEqualTo(fields.nodeId != null);
            assertThat(entry.mayNameStep()).isEqualTo(fields.stepNumber != null || fields.totalSteps != null);
        }
    }

    private static int orNone(@Nullable Integer number) {
        return number == null ? Integer.MIN_VALUE : number;
    }

    @Test
    void anEntryOfAnEarlierVersionMayNameAnything() {
        byte[] encoded = codec.encode(fields());
        encoded[7] = 0; // what it wrote there
        LogEntry entry = new LogEntry(1, encoded);
        assertThat(entry.mayNameNode()).isTrue();
        assertThat(entry.mayNameStep()).isTrue();
    }

    @Test
    void whatIsNoEntryIsSaidToBeNone() {
        for (int i = 0; i < 5_000; i++) {
            byte[] encoded = codec.encode(fields());
            byte[] broken = java.util.Arrays.copyOf(encoded, LogEntry.HEADER_BYTES + 1 + random.nextInt(60));
            assertThat(scan.read(new LogEntry(1, broken))).isFalse();
            assertThat(scan.hasNode()).isFalse();
        }
    }
}
