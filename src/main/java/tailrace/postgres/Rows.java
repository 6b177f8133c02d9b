package tailrace.postgres;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.vertx.sqlclient.Row;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import tailrace.model.EntryFields;
import tailrace.model.EventType;
import tailrace.model.ExecutionState;
import tailrace.model.ExecutionState.Counts;
import tailrace.model.ExecutionStatus;
import tailrace.model.Level;
import tailrace.model.LogCategory;

/** Between PostgreSQL's rows and our model: times, counters, enumerations. */
final class Rows {
    private static final JsonFactory JSON = new JsonFactory();

    private Rows() {}

    /** Epoch microseconds as PostgreSQL's timestamptz, exactly. */
    static OffsetDateTime time(long micros) {
        int nanos = (int) Math.floorMod(micros, 1_000_000L) * 1_000;
        return OffsetDateTime.of(
                LocalDateTime.ofEpochSecond(Math.floorDiv(micros, 1_000_000L), nanos, ZoneOffset.UTC), ZoneOffset.UTC);
    }

    /** The same with 0 as "none". */
    static @Nullable OffsetDateTime timeOrNull(long micros) {
        return micros == 0 ? null : time(micros);
    }

    static long micros(OffsetDateTime time) {
        return time.toEpochSecond() * 1_000_000L + time.getNano() / 1_000;
    }

    private static long microsOrZero(@Nullable OffsetDateTime time) {
        return time == null ? 0 : micros(time);
    }

    /** Counters as a JSON object, zeros left out. */
    static String counts(Counts counts, Enum<?>[] names) {
        StringBuilder json = new StringBuilder("{");
        for (Enum<?> name : names) {
            long count = counts.get(name);
            if (count != 0) {
                json.append(json.length() == 1 ? "\"" : ",\"")
                        .append(name.name().toLowerCase(Locale.ROOT))
                        .append("\":")
                        .append(count);
            }
        }
        return json.append('}').toString();
    }

    private static Counts counts(String json, Enum<?>[] names) {
        long[] values = new long[names.length];
        try (JsonParser parser = JSON.createParser(json)) {
            parser.nextToken();
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String name = parser.currentName();
                parser.nextToken();
                for (Enum<?> candidate : names) {
                    if (candidate.name().equalsIgnoreCase(name)) {
                        values[candidate.ordinal()] = parser.getLongValue();
                    }
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("counters of an execution: " + json, e);
        }
        return new Counts(values);
    }

    /** From the columns of {@link Sql#execution}; the journal's store holds nothing of it. */
    static ExecutionState execution(Row row) {
        long lastSeq = row.getLong("last_seq");
        Integer progress = row.getInteger("progress");
        return new ExecutionState(
                row.getString("execution_id"),
                row.getString("workflow_id"),
                row.getString("user_id"),
                ExecutionStatus.valueOf(row.getString("status")),
                lastSeq + 1,
                lastSeq,
                row.getLong("total_logs"),
                counts(row.getString("level_counts"), Level.values()),
                counts(row.getString("event_counts"), EventType.values()),
                row.getLong("milestone_count"),
                progress == null ? -1 : progress,
                micros(row.getOffsetDateTime("created_at")),
                microsOrZero(row.getOffsetDateTime("started_at")),
                microsOrZero(row.getOffsetDateTime("finished_at")),
                microsOrZero(row.getOffsetDateTime("first_entry_at")),
                microsOrZero(row.getOffsetDateTime("last_entry_at")),
                microsOrZero(row.getOffsetDateTime("last_received_at")),
                row.getLong("last_position"));
    }

    /** From the columns of {@link Sql#entriesAscending}, by place: names would be looked up for every value. */
    static void entry(Row row, EntryFields into) {
        into.clear();
        into.receivedAtMicros = micros(row.getOffsetDateTime(1));
        into.timestampMicros = micros(row.getOffsetDateTime(2));
        into.id = row.getUUID(3);
        into.level = Level.valueOf(upper(row.getString(4)));
        into.eventType = EventType.valueOf(upper(row.getString(5)));
        into.category = LogCategory.valueOf(upper(row.getString(6)));
        into.message = row.getString(7);
        into.userFriendlyMessage = row.getString(8);
        into.displayPriority = row.getShort(9);
        into.milestone = row.getBoolean(10);
        into.data = row.getString(11);
        into.technicalDetails = row.getString(12);
        into.performanceMetrics = row.getString(13);
        into.stackTrace = row.getString(14);
        into.errorCode = row.getString(15);
        into.nodeId = row.getString(16);
        into.nodeName = row.getString(17);
        into.nodeType = row.getString(18);
        into.parentNodeId = row.getString(19);
        into.stepNumber = row.getInteger(20);
        into.totalSteps = row.getInteger(21);
        into.attempt = row.getInteger(22);
        Integer progress = row.getInteger(23);
        into.progressHundredths = progress == null ? -1 : progress;
        into.durationSeconds = row.getDouble(24);
        into.workflowId = row.getString(25);
        into.userId = row.getString(26);
        into.traceId = row.getString(27);
        into.spanId = row.getString(28);
        Integer originalBytes = row.getInteger(29);
        into.truncated = originalBytes != null;
        into.originalBytes = originalBytes == null ? 0 : originalBytes;
        String statusEffect = row.getString(30);
        into.statusEffect = statusEffect == null ? null : ExecutionStatus.valueOf(statusEffect);
    }

    private static String upper(String name) {
        return name.toUpperCase(Locale.ROOT);
    }
}
