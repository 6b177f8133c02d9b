package tailrace.postgres;

import io.vertx.sqlclient.Tuple;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import tailrace.model.EntryCodec;
import tailrace.model.EntryFields;
import tailrace.model.LogEntry;

/** Entries turned into the columns of {@link Sql#insertRows}, in its order. Filled by one worker, then only read. */
final class RowBatch {
    private static final long MICROS_A_DAY = TimeUnit.DAYS.toMicros(1);

    private final EntryFields fields = new EntryFields();
    private final List<LogEntry> entries;
    private final List<Long> positions;
    private final Set<LocalDate> days = new HashSet<>();
    private long lastEpochDay = Long.MIN_VALUE;

    private final Column<String> executionId;
    private final Column<Long> seq;
    private final Column<OffsetDateTime> receivedAt;
    private final Column<OffsetDateTime> timestamp;
    private final Column<UUID> id;
    private final Column<Short> level;
    private final Column<Short> eventType;
    private final Column<Short> category;
    private final Column<String> message;
    private final Column<String> userFriendlyMessage;
    private final Column<Short> displayPriority;
    private final Column<Boolean> milestone;
    private final Column<String> data;
    private final Column<String> technicalDetails;
    private final Column<String> performanceMetrics;
    private final Column<String> stackTrace;
    private final Column<String> errorCode;
    private final Column<String> nodeId;
    private final Column<String> nodeName;
    private final Column<String> nodeType;
    private final Column<String> parentNodeId;
    private final Column<Integer> stepNumber;
    private final Column<Integer> totalSteps;
    private final Column<Integer> attempt;
    private final Column<Short> progress;
    private final Column<Double> duration;
    private final Column<String> workflowId;
    private final Column<String> userId;
    private final Column<String> traceId;
    private final Column<String> spanId;
    private final Column<Integer> originalBytes;
    private final Column<Short> statusEffect;
    private final List<Column<?>> columns = new ArrayList<>(32);

    RowBatch(int capacity) {
        entries = new ArrayList<>(capacity);
        positions = new ArrayList<>(capacity);
        executionId = column(String.class, capacity);
        seq = column(Long.class, capacity);
        receivedAt = column(OffsetDateTime.class, capacity);
        timestamp = column(OffsetDateTime.class, capacity);
        id = column(UUID.class, capacity);
        level = column(Short.class, capacity);
        eventType = column(Short.class, capacity);
        category = column(Short.class, capacity);
        message = column(String.class, capacity);
        userFriendlyMessage = column(String.class, capacity);
        displayPriority = column(Short.class, capacity);
        milestone = column(Boolean.class, capacity);
        data = column(String.class, capacity);
        technicalDetails = column(String.class, capacity);
        performanceMetrics = column(String.class, capacity);
        stackTrace = column(String.class, capacity);
        errorCode = column(String.class, capacity);
        nodeId = column(String.class, capacity);
        nodeName = column(String.class, capacity);
        nodeType = column(String.class, capacity);
        parentNodeId = column(String.class, capacity);
        stepNumber = column(Integer.class, capacity);
        totalSteps = column(Integer.class, capacity);
        attempt = column(Integer.class, capacity);
        progress = column(Short.class, capacity);
        duration = column(Double.class, capacity);
        workflowId = column(String.class, capacity);
        userId = column(String.class, capacity);
        traceId = column(String.class, capacity);
        spanId = column(String.class, capacity);
        originalBytes = column(Integer.class, capacity);
        statusEffect = column(Short.class, capacity);
    }

    private <T> Column<T> column(Class<T> type, int capacity) {
        Column<T> column = new Column<>(type, capacity);
        columns.add(column);
        return column;
    }

    /** @param position of the journal record that holds the entry */
    void add(long position, String execution, LogEntry entry) {
        EntryFields f = fields;
        EntryCodec.decode(entry, f);
        entries.add(entry);
        positions.add(position);
        day(f.receivedAtMicros);
        executionId.add(execution);
        seq.add(entry.seq());
        OffsetDateTime received = Rows.time(f.receivedAtMicros);
        receivedAt.add(received);
        timestamp.add(f.timestampMicros == f.receivedAtMicros ? received : Rows.time(f.timestampMicros));
        id.add(f.id);
        level.add((short) f.level.ordinal());
        eventType.add((short) f.eventType.ordinal());
        category.add((short) f.category.ordinal());
        message.add(f.message);
        userFriendlyMessage.add(f.userFriendlyMessage);
        displayPriority.add(f.displayPriority == 5 ? null : (short) f.displayPriority);
        milestone.add(f.milestone ? Boolean.TRUE : null);
        data.add(f.data);
        technicalDetails.add(f.technicalDetails);
        performanceMetrics.add(f.performanceMetrics);
        stackTrace.add(f.stackTrace);
        errorCode.add(f.errorCode);
        nodeId.add(f.nodeId);
        nodeName.add(f.nodeName);
        nodeType.add(f.nodeType);
        parentNodeId.add(f.parentNodeId);
        stepNumber.add(f.stepNumber);
        totalSteps.add(f.totalSteps);
        attempt.add(f.attempt);
        progress.add(f.progressHundredths < 0 ? null : (short) f.progressHundredths);
        duration.add(f.durationSeconds);
        workflowId.add(f.workflowId);
        userId.add(f.userId);
        traceId.add(f.traceId);
        spanId.add(f.spanId);
        originalBytes.add(f.truncated ? f.originalBytes : null);
        statusEffect.add(f.statusEffect == null ? null : (short) f.statusEffect.ordinal());
    }

    private void day(long micros) {
        long epochDay = Math.floorDiv(micros, MICROS_A_DAY);
        if (epochDay != lastEpochDay) {
            lastEpochDay = epochDay;
            days.add(LocalDate.ofEpochDay(epochDay));
        }
    }

    int size() {
        return entries.size();
    }

    /** UTC days the rows were received on. */
    Set<LocalDate> days() {
        return days;
    }

    LogEntry entry(int row) {
        return entries.get(row);
    }

    long position(int row) {
        return positions.get(row);
    }

    String execution(int row) {
        String execution = executionId.get(row);
        return execution == null ? "" : execution;
    }

    /** The parameters for rows {@code from} (included) to {@code to} (not included). */
    Tuple parameters(int from, int to) {
        Tuple tuple = Tuple.tuple(new ArrayList<>(columns.size()));
        columns.forEach(column -> tuple.addValue(column.array(from, to)));
        return tuple;
    }
}
