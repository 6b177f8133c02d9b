package tailrace.journal;

import com.github.f4b6a3.uuid.UuidCreator;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import tailrace.degradation.Standing.Cause;
import tailrace.model.EntryCodec;
import tailrace.model.EntryFields;
import tailrace.model.EventType;
import tailrace.model.IngestBatch.PendingEntry;
import tailrace.model.JsonWriter;
import tailrace.model.Level;
import tailrace.model.LogCategory;
import tailrace.model.Timestamps;

/**
 * What was shed of an execution in one episode and is not told to its readers yet.
 *
 * @param workflowId claimed by the entries shed, if any did
 * @param userId likewise
 * @param count entries
 * @param fromMicros when the first was shed, epoch microseconds
 * @param toMicros when the last was
 * @param reason what filled up, as {@link Cause#wire}
 * @param strategy that chose them, in lower case
 */
record ShedCount(
        String executionId,
        @Nullable String workflowId,
        @Nullable String userId,
        long count,
        long fromMicros,
        long toMicros,
        String reason,
        String strategy) {

    ShedCount more(@Nullable String workflow, @Nullable String user, long nowMicros) {
        return new ShedCount(
                executionId,
                workflowId == null ? workflow : workflowId,
                userId == null ? user : userId,
                count + 1,
                fromMicros,
                Math.max(toMicros, nowMicros),
                reason,
                strategy);
    }

    /** The entry that tells it: for people, so it is kept like theirs. */
    PendingEntry report(EntryCodec codec, long nowMicros) {
        String from = Timestamps.format(fromMicros);
        String to = Timestamps.format(toMicros);
        String filled = reason.equals(Cause.INGEST_QUEUE.wire())
                ? "more arrived than could be written"
                : "the journal was filling up";
        var fields = new EntryFields();
        fields.id = UuidCreator.getTimeOrderedEpoch();
        fields.level = Level.WARNING;
        fields.eventType = EventType.LOG;
        fields.category = LogCategory.BUSINESS;
        fields.message = String.format(
                Locale.ROOT,
                "%d technical entries were shed by %s from %s to %s (%s).",
                count,
                strategy,
                from,
                to,
                reason);
        fields.userFriendlyMessage = String.format(
                Locale.ROOT,
                "%,d technical log %s left out here, between %s and %s UTC, because %s.",
                count,
                count == 1 ? "entry was" : "entries were",
                timeOfDay(from),
                timeOfDay(to),
                filled);
        fields.data = data(from, to);
        fields.receivedAtMicros = nowMicros;
        fields.timestampMicros = nowMicros;
        return new PendingEntry(0, executionId, workflowId, userId, null, codec.encode(fields));
    }

    private static String timeOfDay(String timestamp) {
        return timestamp.substring("2026-01-31T".length(), "2026-01-31T23:59:59".length());
    }

    private String data(String from, String to) {
        var out = new JsonWriter();
        out.raw(ascii("{\"shed\":")).number(count);
        out.raw(ascii(",\"from\":")).string(from);
        out.raw(ascii(",\"to\":")).string(to);
        out.raw(ascii(",\"reason\":")).string(reason);
        out.raw(ascii(",\"strategy\":")).string(strategy).raw('}');
        return new String(out.array(), 0, out.length(), StandardCharsets.UTF_8);
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
