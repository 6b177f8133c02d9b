package tailrace.postgres;

import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import tailrace.model.EntryFields;
import tailrace.model.EventType;
import tailrace.model.ExecutionStatus;
import tailrace.model.Level;
import tailrace.model.LogCategory;

/** Entries for tests. */
final class TestEntries {
    /** Epoch microseconds: 2026-03-01T12:00:00.123456Z. */
    static final long NOW = 1_772_366_400_123_456L;

    static final long DAY = TimeUnit.DAYS.toMicros(1);

    private TestEntries() {}

    static EntryFields technical(String message) {
        EntryFields fields = new EntryFields();
        fields.id = UUID.randomUUID();
        fields.message = message;
        fields.receivedAtMicros = NOW;
        fields.timestampMicros = NOW;
        return fields;
    }

    static EntryFields friendly(String message) {
        EntryFields fields = technical("raw " + message);
        fields.userFriendlyMessage = message;
        fields.category = LogCategory.BUSINESS;
        return fields;
    }

    static List<EntryFields> friendly(int count) {
        List<EntryFields> fields = new ArrayList<>(count);
        for (int i = 1; i <= count; i++) {
            fields.add(friendly("message " + i));
        }
        return fields;
    }

    /** Every field has a value that is not its default. */
    static EntryFields full() {
        EntryFields fields = friendly("Überweisung läuft \uD83D\uDE80 \uFFFD \u0001 \u2028 \"quoted\" \\ \t\r\n");
        fields.level = Level.CRITICAL;
        fields.eventType = EventType.WORKFLOW_COMPLETED;
        fields.displayPriority = 9;
        fields.milestone = true;
        fields.data = "{\"big\":1e300,\"small\":1e-300,\"neg\":-1.5E+10,\"exact\":0.10,\"long\":9223372036854775807,"
                + "\"huge\":123456789012345678901234567890,\"text\":\"\uFFFD\uD83D\uDE80\\n\\\"\",\"empty\":{},\"list\":[],"
                + "\"nested\":" + nested(30) + ",\"b\":true,\"n\":null,\"\":\"empty key\"}";
        fields.technicalDetails = "{\"host\":\"a\"}";
        fields.performanceMetrics = "{\"ms\":1.25}";
        fields.stackTrace = "java.lang.Error\n\tat x.Y(Z.java:1)";
        fields.errorCode = "E42";
        fields.nodeId = "n1";
        fields.nodeName = "Node 1";
        fields.nodeType = "http";
        fields.parentNodeId = "n0";
        fields.stepNumber = Integer.MAX_VALUE;
        fields.totalSteps = -7;
        fields.attempt = 3;
        fields.progressHundredths = 9_999;
        fields.durationSeconds = 1e300;
        fields.workflowId = "wf";
        fields.userId = "owner";
        fields.traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
        fields.spanId = "00f067aa0ba902b7";
        fields.timestampMicros = NOW - 3 * DAY;
        fields.truncated = true;
        fields.originalBytes = 20_000;
        fields.statusEffect = ExecutionStatus.FAILED;
        return fields;
    }

    private static String nested(int depth) {
        return "{\"d\":".repeat(depth) + "1" + "}".repeat(depth);
    }
}
