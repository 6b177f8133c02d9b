package tailrace.query;

import java.util.List;
import tailrace.model.JsonWriter;

/** How far an answer reaches (SPEC 6): empty means complete. */
public record Coverage(List<Gap> missing) {
    public static final Coverage COMPLETE = new Coverage(List.of());

    public Coverage {
        missing = List.copyOf(missing);
    }

    public boolean complete() {
        return missing.isEmpty();
    }

    /** As every answer tells it (SPEC 6). */
    public void write(JsonWriter out) {
        if (complete()) {
            out.rawText("{\"complete\":true}");
            return;
        }
        out.rawText("{\"complete\":false,\"missing\":[");
        boolean comma = false;
        for (Gap gap : missing) {
            out.rawText(comma ? ",{" : "{");
            out.rawText("\"from_seq\":").number(gap.fromSeq()).rawText(",\"to_seq\":");
            out.number(gap.toSeq()).rawText(",\"reason\":\"" + gap.reason().wire() + "\"}");
            comma = true;
        }
        out.rawText("]}");
    }

    /** Seqs that cannot be had, both ends included. */
    public record Gap(long fromSeq, long toSeq, Reason reason) {}

    /** Why not. */
    public enum Reason {
        /** Older than the retention of every tier. */
        EXPIRED("expired"),
        /** Technical entries, which only the hot tier keeps. */
        TECHNICAL_EXPIRED("technical_expired"),
        /** In PostgreSQL, which does not answer. */
        POSTGRES_UNAVAILABLE("postgres_unavailable"),
        /** Never given, or given by a journal that was lost. */
        LOST("lost");

        private final String wire;

        Reason(String wire) {
            this.wire = wire;
        }

        public String wire() {
            return wire;
        }
    }
}
