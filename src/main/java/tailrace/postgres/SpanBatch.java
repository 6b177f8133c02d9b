package tailrace.postgres;

import io.vertx.sqlclient.Tuple;
import java.time.OffsetDateTime;
import java.util.List;
import tailrace.model.LogEntry;
import tailrace.postgres.HotPages.Span;

/** Spans as the columns of {@link Sql#countSpans}. */
final class SpanBatch {
    private SpanBatch() {}

    static Tuple parameters(List<Span> spans) {
        int size = spans.size();
        String[] ids = new String[size];
        Long[] first = new Long[size];
        Long[] last = new Long[size];
        OffsetDateTime[] since = new OffsetDateTime[size];
        OffsetDateTime[] until = new OffsetDateTime[size];
        for (int i = 0; i < size; i++) {
            Span span = spans.get(i);
            ids[i] = span.state().executionId();
            first[i] = span.firstSeq();
            last[i] = span.lastSeq();
            // A clock may have been set back between two of them.
            since[i] = Rows.time(span.entries().stream()
                    .mapToLong(LogEntry::receivedAtMicros)
                    .min()
                    .orElseThrow());
            until[i] = Rows.time(span.entries().stream()
                    .mapToLong(LogEntry::receivedAtMicros)
                    .max()
                    .orElseThrow());
        }
        return Tuple.of(ids, first, last, since, until);
    }
}
