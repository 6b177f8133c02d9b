package tailrace.http;

import io.vertx.core.Handler;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;
import java.util.function.Supplier;
import tailrace.bus.BusMessage.WriterState;
import tailrace.journal.CommitLoop;
import tailrace.journal.Journal;
import tailrace.postgres.InboxStats;
import tailrace.postgres.WriterStats;

/** {@code GET /v2/logs/stats}: buffers, batches, cursors and how far they are behind. */
public final class StatsHandler implements Handler<RoutingContext> {
    private final Journal journal;
    private final CommitLoop loop;
    private final Supplier<WriterState> writer;
    private final Supplier<WriterStats> stats;
    private final Supplier<InboxStats> inbox;

    public StatsHandler(
            Journal journal,
            CommitLoop loop,
            Supplier<WriterState> writer,
            Supplier<WriterStats> stats,
            Supplier<InboxStats> inbox) {
        this.journal = journal;
        this.loop = loop;
        this.writer = writer;
        this.stats = stats;
        this.inbox = inbox;
    }

    @Override
    public void handle(RoutingContext ctx) {
        WriterStats now = stats.get();
        var lanes = new JsonArray();
        now.lanes()
                .forEach(lane -> lanes.add(new JsonObject()
                        .put("cursor", "postgres/" + lane.lane())
                        .put("position", lane.position())
                        .put("lag_records", lane.lagPositions())
                        .put("lag_seconds", lane.lagSeconds())));
        ctx.response()
                .putHeader(HttpHeaders.CONTENT_TYPE, "application/json")
                .end(new JsonObject()
                        .put("level", writer.get().database() ? 1 : 2)
                        .put("batch_buffer_size", now.bufferedEntries())
                        .put("successful_batches", now.successfulBatches())
                        .put("failed_batches", now.failedBatches())
                        .put("rows_written", now.rowsWritten())
                        .put("rows_refused", now.rowsRefused())
                        .put("circuit_breaker", now.breaker())
                        .put("last_error", now.lastError())
                        .put("journal_position", journal.lastPosition())
                        .put("ingest_queue_bytes", loop.queuedBytes())
                        .put("cursors", lanes)
                        .put("inbox", inbox(inbox.get()))
                        .toBuffer());
    }

    private static JsonObject inbox(InboxStats now) {
        return new JsonObject()
                .put("taken", now.taken())
                .put("rejected", now.rejected())
                .put("oldest_pending_seconds", now.oldestPendingSeconds())
                .put("listening", now.listening())
                .put("reconnects", now.reconnects())
                .put("poll_found", now.pollFound());
    }
}
