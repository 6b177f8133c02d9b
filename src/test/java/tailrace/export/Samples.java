package tailrace.export;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import tailrace.model.EntryCodec;
import tailrace.model.EntryFields;
import tailrace.model.EventType;
import tailrace.model.Level;
import tailrace.model.LogCategory;
import tailrace.model.LogEntry;
import tailrace.model.Timestamps;
import tailrace.query.Coverage;

/** Entries to be exported, and exporting them whole. */
final class Samples {
    static final Coverage INCOMPLETE = new Coverage(List.of(
            new Coverage.Gap(4, 4, Coverage.Reason.TECHNICAL_EXPIRED),
            new Coverage.Gap(6, 9, Coverage.Reason.POSTGRES_UNAVAILABLE)));

    private Samples() {}

    private static EntryFields at(String instant, String message) {
        var fields = new EntryFields();
        fields.message = message;
        fields.timestampMicros = Timestamps.micros(Instant.parse(instant));
        fields.receivedAtMicros = fields.timestampMicros + 1_500;
        return fields;
    }

    /** Around both changes of the clock in Europe, with everything an entry can have, and with attacks. */
    static List<LogEntry> entries() {
        EntryFields plain = at("2026-03-29T00:59:59.999999Z", "just before the clock goes on");
        EntryFields full = at("2026-03-29T01:00:00Z", "GET /orders \"took\" 80 ms, twice");
        full.userFriendlyMessage = "Your orders are here";
        full.level = Level.WARNING;
        full.eventType = EventType.STEP_COMPLETED;
        full.category = LogCategory.BUSINESS;
        full.displayPriority = 8;
        full.milestone = true;
        full.data = "{\"a\":[1,{\"b\":null}],\"text\":\"x, \\\"y\\\"\"}";
        full.technicalDetails = "{\"host\":\"h1\"}";
        full.performanceMetrics = "{\"cpu\":0.5}";
        full.nodeId = "n1";
        full.nodeName = "Fetch";
        full.nodeType = "http";
        full.parentNodeId = "n0";
        full.stepNumber = 1;
        full.totalSteps = 3;
        full.attempt = 2;
        full.progressHundredths = 3_333;
        full.durationSeconds = 0.08;
        full.workflowId = "w";
        full.userId = "alice";
        full.traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
        full.spanId = "00f067aa0ba902b7";
        EntryFields failed = at("2026-10-25T00:30:00Z", "=cmd|'/c calc'!A0");
        failed.level = Level.ERROR;
        failed.eventType = EventType.STEP_ERROR;
        failed.nodeId = "-2+3";
        failed.errorCode = "E42";
        failed.stackTrace = "java.lang.Error: \u001b[31mred\n\tat a.b(C.java:1)\n2026-10-25 not an entry\n";
        failed.receivedAtMicros += 90_000_000;
        EntryFields last = at("2026-10-25T01:30:00Z", "Zürich 東京 🚀\r\nsecond line");
        last.truncated = true;
        last.originalBytes = 20_000;
        var entries = new ArrayList<LogEntry>();
        for (EntryFields each : List.of(plain, full, failed, last)) {
            long seq = entries.isEmpty() ? 1 : entries.get(entries.size() - 1).seq() + (entries.size() == 3 ? 2 : 1);
            each.id = new UUID(0x0190_0000_0000_7000L, 0x8000_0000_0000_0000L + seq);
            entries.add(new LogEntry(seq, new EntryCodec().encode(each)));
        }
        return entries;
    }

    static byte[] export(
            ExportFormat format, String zone, boolean gzip, List<LogEntry> entries, int pieceEntries, Coverage coverage)
            throws IOException {
        var out = new ByteArrayOutputStream();
        try (var document = new ExportDocument(format, "run/1", ZoneId.of(zone), gzip)) {
            for (int from = 0; from < entries.size(); from += pieceEntries) {
                out.writeBytes(document.entries(entries.subList(from, Math.min(entries.size(), from + pieceEntries))));
            }
            out.writeBytes(document.end(coverage));
        }
        return out.toByteArray();
    }

    static String text(ExportFormat format, String zone, List<LogEntry> entries, Coverage coverage) throws IOException {
        return new String(export(format, zone, false, entries, 3, coverage), StandardCharsets.UTF_8);
    }
}
