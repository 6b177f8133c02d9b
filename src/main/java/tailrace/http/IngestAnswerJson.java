package tailrace.http;

import io.vertx.core.buffer.Buffer;
import java.nio.charset.StandardCharsets;
import tailrace.model.IngestAnswer;
import tailrace.model.JsonWriter;
import tailrace.model.Rejection;
import tailrace.model.SeqRange;

/** The body of an ingest answer (SPEC 5). */
final class IngestAnswerJson {
    private IngestAnswerJson() {}

    static Buffer encode(IngestAnswer answer) {
        var out = new JsonWriter();
        name(out, "{\"accepted\":").number(answer.accepted());
        name(out, ",\"rejected\":[");
        String separator = "";
        for (Rejection rejection : answer.rejected()) {
            name(out, separator);
            name(out, "{\"index\":").number(rejection.index());
            name(out, ",\"field\":").string(rejection.field());
            name(out, ",\"code\":").string(rejection.code());
            name(out, ",\"message\":").string(rejection.message()).raw('}');
            separator = ",";
        }
        name(out, "],\"duplicates\":").number(answer.duplicates());
        name(out, ",\"dropped\":").number(answer.dropped());
        name(out, ",\"executions\":[");
        separator = "";
        for (SeqRange range : answer.executions()) {
            name(out, separator);
            name(out, "{\"execution_id\":").string(range.executionId());
            name(out, ",\"first_seq\":").number(range.firstSeq());
            name(out, ",\"last_seq\":").number(range.lastSeq()).raw('}');
            separator = ",";
        }
        name(out, "]}");
        return Buffer.buffer(out.toByteArray());
    }

    private static JsonWriter name(JsonWriter out, String ascii) {
        return out.raw(ascii.getBytes(StandardCharsets.US_ASCII));
    }
}
