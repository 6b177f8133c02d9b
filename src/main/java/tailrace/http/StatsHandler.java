package tailrace.http;

import io.vertx.core.Handler;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;
import java.util.Optional;
import java.util.function.Supplier;
import tailrace.bus.BusMessage.WriterState;
import tailrace.journal.CommitLoop;
import tailrace.journal.Journal;
import tailrace.postgres.WriterStats;
import tailrace.redis.HotTierStatus;

/** {@code GET /v2/logs/stats}: buffers, batches, cursors and how far they are behind. */
public final class StatsHandler implements Handler<RoutingContext> {
    private final Journal journal;
    private final CommitLoop loop;
    private final Supplier<WriterState> writer;
    private final Supplier<WriterStats> stats;
    private final Supplier<Optional<HotTierStatus>> redis;

    /** @param redis how the hot tier beside the journal stands, or empty where none is configured */
    public StatsHandler(
            Journal journal,
            CommitLoop loop,
            Supplier<WriterState> writer,
            Supplier<WriterStats> stats,
            Supplier<Optional<HotTierStatus>> redis) {
        this.journal = journal;
        this.loop = loop;
        this.writer = writer;
        this.stats = stats;
        this.redis = redis;
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
        JsonObject answer = new JsonObject();
        redis.get().ifPresent(tier -> {
            lanes.add(new JsonObject()
                    .put("cursor", "redis")
                    .put("position", tier.position())
                    .put("lag_records", tier.lagPositions())
                    .put("lag_seconds", tier.lagSeconds()));
            answer.put("redis", redisJson(tier));
        });
        ctx.response()
                .putHeader(HttpHeaders.CONTENT_TYPE, "application/json")
                .end(answer.put("level", writer.get().database() ? 1 : 2)
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
                        .toBuffer());
    }

    private static JsonObject redisJson(HotTierStatus tier) {
        return new JsonObject()
                .put("available", tier.available())
                .put("circuit_breaker", tier.breaker())
                .put("read_circuit_breaker", tier.readBreaker())
                .put("entries_written", tier.entriesWritten())
                .put("rebuilds", tier.rebuilds())
                .put("last_error", tier.detail());
    }
}
