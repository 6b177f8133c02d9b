package tailrace.http;

import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import tailrace.model.EventType;
import tailrace.model.ExecutionStatus;
import tailrace.model.JsonWriter;
import tailrace.model.Level;
import tailrace.model.Timestamps;
import tailrace.query.StatsQuery;
import tailrace.query.WorkflowStats;
import tailrace.stats.Cell;
import tailrace.stats.TopErrors;

/** A workflow's statistics as clients get them. Written by hand: there may be 1,500 buckets. */
final class WorkflowStatsJson {
    /** Kinds of errors that are told. */
    static final int MAX_ERRORS = 20;

    private static final double HALF = 50;
    private static final double NINETY_FIVE = 95;

    private WorkflowStatsJson() {}

    /** @param untilMicros up to which time everything is counted, 0 if nobody knows */
    static byte[] write(WorkflowStats stats, long nowMicros, long untilMicros) {
        StatsQuery query = stats.query();
        var out = new JsonWriter();
        out.rawText("{\"workflow_id\":").string(query.workflowId());
        time(out.rawText(",\"from\":"), query.fromMicros());
        time(out.rawText(",\"to\":"), query.toMicros());
        out.rawText(",\"bucket\":\"" + query.resolution().wire() + "\",\"totals\":{");
        counts(out, stats.total());
        out.rawText("},\"buckets\":[");
        boolean comma = false;
        for (Map.Entry<Long, Cell> bucket : stats.buckets().entrySet()) {
            time(out.rawText(comma ? ",{\"start\":" : "{\"start\":"), bucket.getKey());
            counts(out.raw(','), bucket.getValue());
            out.raw('}');
            comma = true;
        }
        errors(out.raw(']'), stats.total().errors());
        out.rawText(",\"as_of\":");
        timeOrNull(out, untilMicros);
        coverage(out, query, nowMicros, untilMicros);
        return out.raw('}').toByteArray();
    }

    private static void counts(JsonWriter out, Cell cell) {
        out.rawText("\"entries\":").number(cell.entries()).rawText(",\"levels\":{");
        boolean comma = false;
        for (Level level : Level.values()) {
            comma = count(out, comma, level.wire(), cell.count(level));
        }
        out.rawText("},\"event_types\":{");
        comma = false;
        for (EventType type : EventType.values()) {
            comma = count(out, comma, type.wire(), cell.count(type));
        }
        out.rawText("},\"runs\":").number(cell.runs());
        out.rawText(",\"succeeded\":").number(cell.ended(ExecutionStatus.SUCCEEDED));
        out.rawText(",\"failed\":").number(cell.ended(ExecutionStatus.FAILED));
        out.rawText(",\"stopped\":").number(cell.ended(ExecutionStatus.STOPPED));
        out.rawText(",\"duration_ms\":{\"count\":").number(cell.durations());
        if (cell.durations() == 0) {
            out.rawText(",\"p50\":null,\"p95\":null,\"max\":null}");
            return;
        }
        out.rawText(",\"p50\":").number(cell.durationMillis(HALF));
        out.rawText(",\"p95\":").number(cell.durationMillis(NINETY_FIVE));
        out.rawText(",\"max\":").number(cell.maxMillis()).raw('}');
    }

    /** Only what there is, as in an execution's summary. */
    private static boolean count(JsonWriter out, boolean comma, String name, long count) {
        if (count == 0) {
            return comma;
        }
        out.rawText((comma ? ",\"" : "\"") + name + "\":").number(count);
        return true;
    }

    private static void errors(JsonWriter out, TopErrors errors) {
        out.rawText(",\"top_errors\":[");
        List<TopErrors.Top> top = errors.top(MAX_ERRORS);
        long told = 0;
        for (TopErrors.Top one : top) {
            told += one.count();
            out.rawText(one == top.get(0) ? "{\"message\":" : ",{\"message\":");
            out.string(one.kind().template()).rawText(",\"error_code\":");
            String code = one.kind().code();
            if (code == null) {
                out.rawText("null");
            } else {
                out.string(code);
            }
            out.rawText(",\"count\":").number(one.count());
            time(out.rawText(",\"last_seen\":"), one.last().atMicros());
            out.rawText(",\"last_message\":").string(one.last().message());
            out.rawText(",\"execution_id\":").string(one.last().executionId());
            out.rawText(",\"seq\":").number(one.last().seq()).raw('}');
        }
        out.rawText("],\"other_errors\":").number(errors.count() - told);
    }

    private static void coverage(JsonWriter out, StatsQuery query, long nowMicros, long untilMicros) {
        long keptFrom = nowMicros - TimeUnit.DAYS.toMicros(query.resolution().keepDays());
        boolean expired = query.fromMicros() < keptFrom;
        boolean late = query.toMicros() > untilMicros;
        out.rawText(",\"coverage\":{\"complete\":" + (!expired && !late));
        if (expired || late) {
            out.rawText(",\"missing\":[");
            if (expired) {
                time(out.rawText("{\"reason\":\"expired\",\"received_before\":"), Math.min(keptFrom, query.toMicros()));
                out.raw('}');
            }
            if (late) {
                out.rawText(expired ? ",{\"reason\":\"not_flushed\"" : "{\"reason\":\"not_flushed\"");
                timeOrNull(out.rawText(",\"received_after\":"), untilMicros);
                out.raw('}');
            }
            out.raw(']');
        }
        out.raw('}');
    }

    private static void timeOrNull(JsonWriter out, long micros) {
        if (micros == 0) {
            out.rawText("null");
        } else {
            time(out, micros);
        }
    }

    private static void time(JsonWriter out, long micros) {
        out.raw('"');
        Timestamps.write(micros, out);
        out.raw('"');
    }
}
